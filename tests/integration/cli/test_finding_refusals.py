"""`rentroll refuse reject` finds refusals: a service that keeps some to itself changes nothing."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api.attester.serving import serving_refusals
from api.attester.shelf import RefusalShelf
from api.chain import calldata
from api.cli.finding_refusals import Rejection, find_rejection
from api.domain.statements.refusal_files import SignedRefusal, refusal_document
from api.domain.statements.refusals import NO_HASH, Refusal, RefusalCode
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import Conflict
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.endings import EVIDENCE, publish, signed_refusal
from tests.factories import DAY_S
from tests.integration.attester.site import served, spare_port
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def published(world: World) -> World:
    """Evidence of the first epoch that its operator published."""
    world.at(DAY_S)
    publish(world, 0)
    return world


@pytest.fixture
def exits() -> Iterator[ExitStack]:
    """What is closed behind a test."""
    with ExitStack() as stack:
        yield stack


def _signed(world: World, index: int, **change: Any) -> SignedRefusal:
    values: dict[str, Any] = {
        "facility_id": FacilityId(world.facility_id),
        "epoch": Epoch(0),
        "statement_hash": NO_HASH,
        "evidence_hash": EVIDENCE,
        "previous_statement_hash": NO_HASH,
        "rejections": 0,
        "until_s": 2_000_000_000,
        "code": RefusalCode.NOT_RECOMPUTED,
    }
    return signed_refusal(world, Refusal(**values | change), index)


def _at_url(world: World, exits: ExitStack, folder: Path, *signed: SignedRefusal) -> None:
    """The first attester serves refusals, its own or others', where the chain says."""
    shelf, port = RefusalShelf(folder), spare_port()
    for each in signed:
        shelf.put(each)
    exits.enter_context(serving_refusals(folder, host="127.0.0.1", port=port))
    registry, account = world.deployment.attester_registry, wallet(ATTESTER_ACCOUNTS[0]).address
    url = calldata.call("AttesterRegistry", "setUrl", f"http://127.0.0.1:{port}")
    send(world.client, account, registry, url)


def _hand_in(world: World, signed: SignedRefusal) -> None:
    headers = world.as_attester(signed.attester)
    body = refusal_document(signed)
    assert world.http.post("/v1/attester/refusals", json=body, headers=headers).is_success


def _find(world: World, service: str | None = None) -> Rejection:
    where = FacilityId(world.facility_id), Epoch(0)
    return find_rejection(world.settings(), *where, service=service)


def test_find__one_at_the_service_and_one_at_a_url__take_the_publication_back(
    published: World, exits: ExitStack, tmp_path: Path
) -> None:
    _at_url(published, exits, tmp_path, _signed(published, ATTESTER_ACCOUNTS[0]))
    _hand_in(published, _signed(published, ATTESTER_ACCOUNTS[1]))
    alone = _find(published)

    with served(published) as url:
        found = _find(published, url)

    assert (alone.call, alone.told[-1].startswith("1 of 2 refuse it")) == (None, True)
    assert found.call is not None
    call = json.loads(found.call)
    send(published.client, wallet(RENTER).address, call["to"], call["data"])
    openness = published.now(
        published.contracts.statement_registry.openness_of(FacilityId(published.facility_id))
    )
    assert (openness.first_open, openness.rejections) == (0, 1)
    with pytest.raises(Conflict, match="no evidence of epoch 0 published"):
        _find(published)


def test_find__url_of_one_attester_is_no_text__the_others_are_asked(
    published: World, exits: ExitStack, tmp_path: Path
) -> None:
    """A contract takes any bytes as a URL: one seat must not hide what the others refuse."""
    _at_url(published, exits, tmp_path, _signed(published, ATTESTER_ACCOUNTS[0]))
    registry, account = published.deployment.attester_registry, wallet(ATTESTER_ACCOUNTS[1]).address
    as_text = calldata.call("AttesterRegistry", "setUrl", "http")
    send(published.client, account, registry, as_text.replace(b"http".hex(), "fffe0080"))

    found = _find(published)

    assert found.told[-1].startswith("1 of 2 refuse it")


WRONG = {
    "of a statement": {"statement_hash": Bytes32(b"\1" * 32)},
    "of other evidence": {"evidence_hash": Bytes32(b"\7" * 32)},
    "of another epoch": {"epoch": Epoch(1)},
    "signed before another rejection": {"rejections": 1},
    "out of time": {"until_s": 5},
}


@pytest.mark.parametrize("case", WRONG)
def test_find__refusal_that_does_not_count__makes_no_quorum(
    published: World, exits: ExitStack, tmp_path: Path, case: str
) -> None:
    """Nor does one attester twice."""
    first, second = ATTESTER_ACCOUNTS[:2]
    _at_url(
        published,
        exits,
        tmp_path,
        _signed(published, first),
        _signed(published, second, **WRONG[case]),
    )
    _hand_in(published, _signed(published, first))

    with served(published) as url:
        found = _find(published, url)

    assert (found.call, found.told[-1].startswith("1 of 2 refuse it")) == (None, True)


def test_find__stranger_wrong_signature_and_places_that_are_away__are_told(
    published: World, exits: ExitStack, tmp_path: Path
) -> None:
    first, second = (_signed(published, index) for index in ATTESTER_ACCOUNTS[:2])
    forged = SignedRefusal(
        second.refusal, second.attester, first.signature, second.chain_id, second.desk
    )
    _at_url(published, exits, tmp_path, forged)
    (tmp_path / "facility-1-epoch-0-0000000000000000.json").write_text("[1]")

    found = _find(published, "http://127.0.0.1:9")

    assert found.call is None
    assert "cannot be read" in found.told[0]
    assert "the chain does not take it" in found.told[1]
    assert found.told[2] == "0 of 2 refuse it: nobody"
