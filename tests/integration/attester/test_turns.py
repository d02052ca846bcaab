"""ATTACKS 55: what waits of one facility, refused or made up, delays no other's statements."""

from dataclasses import replace
from typing import Any

import pytest

from api.chain.calldata import checksum
from api.db.refusals import keep_refusal
from api.db.rows import insert_record
from api.db.session import transaction
from api.db.statements import known_statement_row
from api.db.tables.refusals import RefusalRow
from api.domain.units import Bytes32, Epoch, FacilityId
from scripts.dev.stack import ATTESTER_ACCOUNTS
from tests.factories import DAY_S
from tests.launching import launch
from tests.world import World, wallet

pytestmark = pytest.mark.chain
ATTESTER = checksum(wallet(ATTESTER_ACCOUNTS[0]).address)
MANY = 210


@pytest.fixture
def others(world: World) -> tuple[World, FacilityId, FacilityId]:
    """One closed epoch; two more facilities, of which one is offered."""
    token = world.deployment.settlement_token

    def add(devices: range, name: str) -> FacilityId:
        new = world.ledger.add_facility(devices, name=name, settlement_token=token)
        return FacilityId(new)

    offered, unoffered = add(range(10, 14), "hall-2"), add(range(14, 18), "hall-3")
    launch(world, offered)
    world.at(DAY_S)
    world.at_cut_off(0)
    world.round()
    return world, offered, unoffered


EARLY = range(1, 1 + MANY)


def _pretend(
    world: World, facility_id: int, *, refused: bool = False, epochs: range = EARLY
) -> None:
    """Closed statements that nobody signed."""
    facility_id = FacilityId(facility_id)
    with transaction(world.engine) as connection:
        like = known_statement_row(connection, FacilityId(world.facility_id), Epoch(0))
        for number in epochs:
            epoch, hashed = Epoch(number), Bytes32(number.to_bytes(32, "big"))
            row = replace(like, facility_id=facility_id, epoch=epoch, statement_hash=hashed)
            insert_record(connection, row)
            if refused:
                said = RefusalRow(facility_id, epoch, ATTESTER, hashed, 2**40, "{}", 1)
                assert keep_refusal(connection, said)


def _pending(world: World, **query: Any) -> list[tuple[int, int]]:
    headers = world.as_attester(ATTESTER)
    params = {"attester": ATTESTER, **query}
    answer = world.http.get("/v1/attester/pending", params=params, headers=headers).json()
    return [(each["facility_id"], each["epoch"]) for each in answer]


@pytest.mark.parametrize("refused", [False, True])
def test_pending__hundreds_of_one_facility__come_behind_the_first_of_each_other(
    others: tuple[World, FacilityId, FacilityId], refused: bool
) -> None:
    world, offered, _ = others
    _pretend(world, offered, refused=refused)
    _pretend(world, world.facility_id, epochs=range(5_000, 5_001))

    shown = _pending(world)

    assert {(world.facility_id, 0), (world.facility_id, 5_000)} <= set(shown[:4])
    assert len(shown) == 200


def test_pending__refused_and_not__what_is_not_comes_first_whole_over_pages(
    others: tuple[World, FacilityId, FacilityId],
) -> None:
    world, offered, _ = others
    _pretend(world, world.facility_id, refused=True)
    _pretend(world, offered)

    pages = [row for n in range(0, 600, 200) for row in _pending(world, offset=n)]

    # Closing closed the epoch 0 of the offered one too.
    fresh = pages[: MANY + 2]
    assert len(pages) == len(set(pages)) == 2 * MANY + 2
    assert {row[0] for row in pages[MANY + 2 :]} == {world.facility_id}
    assert fresh[:2] == [(world.facility_id, 0), (offered, 0)]


def test_pending__facility_that_nobody_offered__is_not_shown(
    others: tuple[World, FacilityId, FacilityId],
) -> None:
    world, _, unoffered = others
    _pretend(world, unoffered)

    assert unoffered not in {facility_id for facility_id, _ in _pending(world, limit=1_000)}
