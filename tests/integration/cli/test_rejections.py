"""Attesters reject published evidence from the command line: signed one by one, sent by anybody."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.rejections import rejection_call, sign_rejection
from api.domain.units import Epoch
from api.errors import InvalidInput
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.endings import publish
from tests.factories import DAY_S
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


def _key(folder: Path, index: int) -> Path:
    path = folder / f"{index}.key"
    path.write_text(wallet(index).key.hex())
    path.chmod(0o600)
    return path


def test_rejection__signed_by_enough__takes_the_publication_back(
    world: World, tmp_path: Path
) -> None:
    world.at(DAY_S)
    publish(world, 0)
    settings, where = world.settings(), (world.facility_id, Epoch(0))

    lines = [
        sign_rejection(settings, _key(tmp_path, index), *where) for index in ATTESTER_ACCOUNTS[:2]
    ]
    call = json.loads(rejection_call(settings, lines[::-1]))
    send(world.client, wallet(RENTER).address, call["to"], call["data"])

    openness = world.now(world.contracts.statement_registry.openness_of(world.facility_id))
    assert openness.first_open == 0
    assert openness.rejected_at_s == world.client.head().time_s
    with pytest.raises(InvalidInput, match="not published"):
        sign_rejection(settings, _key(tmp_path, ATTESTER_ACCOUNTS[0]), *where)


def test_sign_rejection__signer_without_a_seat__is_refused(world: World, tmp_path: Path) -> None:
    """ATTACKS 19: its line would make the whole rejection revert."""
    world.at(DAY_S)
    publish(world, 0)

    with pytest.raises(InvalidInput, match="no seat on panel 1"):
        sign_rejection(world.settings(), _key(tmp_path, RENTER), world.facility_id, Epoch(0))


_LINE = {
    "facility_id": 1,
    "epoch": 0,
    "evidence_hash": "0x" + "05" * 32,
    "digest": "0x" + "06" * 32,
    "attester": wallet(4).address,
    "signature": "0x00",
}


@pytest.mark.parametrize("lines", [[], ["no JSON"], ["{}"]])
def test_rejection_call__no_lines__are_refused(world: World, lines: list[str]) -> None:
    with pytest.raises(InvalidInput):
        rejection_call(world.settings(), lines)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": 1},
        # Signed before and after another rejection: the two never count together.
        {"digest": "0x" + "07" * 32},
        {"evidence_hash": "0x05"},
        {"evidence_hash": "zz"},
        {"attester": "bob"},
        {"facility_id": 2**70},
        {"epoch": -1},
    ],
)
def test_rejection_call__line_that_does_not_fit__is_refused(
    world: World, change: dict[str, Any]
) -> None:
    lines = [json.dumps(_LINE), json.dumps(_LINE | {"attester": wallet(5).address} | change)]

    with pytest.raises(InvalidInput, match="sign-rejection"):
        rejection_call(world.settings(), lines)


def test_rejection_call__one_attester_in_two_spellings__counts_once(world: World) -> None:
    again = _LINE | {"attester": wallet(4).address.lower()}
    given = [json.dumps(_LINE), json.dumps(again)]

    assert rejection_call(world.settings(), given) == rejection_call(world.settings(), given[:1])
