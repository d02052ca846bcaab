"""Attesters refuse from the command line: signed one by one, sent by anybody."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.cli.refusals import refusal_call, rejection_call, sign_refusal
from api.domain.statements.refusals import RefusalCode
from api.domain.units import Bytes32, Epoch
from api.errors import InvalidInput
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.endings import publish
from tests.factories import DAY_S
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain
CODE = RefusalCode.NOT_RECOMPUTED


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
        sign_refusal(settings, _key(tmp_path, index), *where, code=code, place="lines.csv:1")
        for index, code in zip(ATTESTER_ACCOUNTS[:2], RefusalCode, strict=False)
    ]
    call = json.loads(rejection_call(settings, lines[::-1]))
    send(world.client, wallet(RENTER).address, call["to"], call["data"])

    openness = world.now(world.contracts.statement_registry.openness_of(world.facility_id))
    assert openness.first_open == 0
    assert openness.rejected_at_s == world.client.head().time_s
    with pytest.raises(InvalidInput, match="not published"):
        sign_refusal(settings, _key(tmp_path, ATTESTER_ACCOUNTS[0]), *where, code=CODE)
    world.indexer().advance()
    refused = [json.loads(event.payload) for event in world.events("StatementRefused")]
    assert sorted(event["code"] for event in refused) == [1, 2]
    assert refused[0]["place"] == "0x" + b"lines.csv:1".ljust(32, b"\0").hex()


def test_refusal__of_a_statement_that_nobody_posted__is_public_and_a_duty(
    world: World, tmp_path: Path
) -> None:
    """One attester alone: nothing is taken back, and its seat has done its duty."""
    world.at(DAY_S)
    settings, where = world.settings(), (world.facility_id, Epoch(0))
    hashes = {"evidence_hash": Bytes32(b"\3" * 32), "statement_hash": Bytes32(b"\4" * 32)}

    line = sign_refusal(settings, _key(tmp_path, ATTESTER_ACCOUNTS[0]), *where, code=CODE, **hashes)
    call = json.loads(refusal_call(settings, [line]))
    send(world.client, wallet(RENTER).address, call["to"], call["data"])

    world.indexer().advance()
    (event,) = world.events("StatementRefused")
    payload = json.loads(event.payload)
    assert (payload["evidenceHash"], payload["statementHash"]) == (
        "0x" + "03" * 32,
        "0x" + "04" * 32,
    )
    attester = wallet(ATTESTER_ACCOUNTS[0]).address
    desk = world.contracts.attester_desk
    assert world.now(desk.has_refused(world.facility_id, Epoch(0), attester))
    assert not world.now(desk.has_refused(world.facility_id, Epoch(1), attester))


def test_sign_refusal__place_too_long__is_refused(world: World, tmp_path: Path) -> None:
    key = _key(tmp_path, ATTESTER_ACCOUNTS[0])
    with pytest.raises(InvalidInput, match="32 printable"):
        sign_refusal(world.settings(), key, world.facility_id, Epoch(0), code=CODE, place="x" * 33)


def test_sign_refusal__signer_without_a_seat__is_refused(world: World, tmp_path: Path) -> None:
    """ATTACKS 19: its line would make the whole rejection revert."""
    world.at(DAY_S)
    publish(world, 0)

    with pytest.raises(InvalidInput, match="no seat on panel 1"):
        sign_refusal(
            world.settings(), _key(tmp_path, RENTER), world.facility_id, Epoch(0), code=CODE
        )


_LINE = {
    "format": 1,
    "facility_id": 1,
    "epoch": 0,
    "statement_hash": "0x" + "00" * 32,
    "evidence_hash": "0x" + "05" * 32,
    "previous_statement_hash": "0x" + "00" * 32,
    "rejections": 0,
    "until_s": 2_000_000_000,
    "code": "not_recomputed",
    "place": "",
    "attester": wallet(4).address,
    "signature": "0x00",
    "signed_at_s": 1,
    "message": "",
}


def _line(world: World, **change: Any) -> str:
    desk = world.deployment.attester_desk
    return json.dumps(_LINE | {"chain_id": world.deployment.chain_id, "desk": desk} | change)


@pytest.mark.parametrize("lines", [[], ["no JSON"], ["{}"]])
def test_rejection_call__no_lines__are_refused(world: World, lines: list[str]) -> None:
    with pytest.raises(InvalidInput):
        rejection_call(world.settings(), lines)


@pytest.mark.parametrize(
    "change",
    [
        {"epoch": 1},
        # Signed before and after another rejection: the two never count together.
        {"rejections": 1},
        {"evidence_hash": "0x" + "07" * 32},
        {"code": "not_yet"},
        {"code": "none"},
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
    lines = [_line(world), _line(world, **{"attester": wallet(5).address} | change)]

    with pytest.raises(InvalidInput, match="refuse sign"):
        rejection_call(world.settings(), lines)


def test_rejection_call__one_attester_in_two_spellings__counts_once(world: World) -> None:
    given = [_line(world), _line(world, attester=wallet(4).address.lower())]

    assert rejection_call(world.settings(), given) == rejection_call(world.settings(), given[:1])


@pytest.mark.parametrize("change", [{"chain_id": 1}, {"desk": "0x" + "11" * 20}])
def test_calls__of_a_refusal_for_another_desk__are_refused(
    world: World, change: dict[str, Any]
) -> None:
    """ATTACKS 18: there it says nothing, and the transaction would only revert."""
    for make in (refusal_call, rejection_call):
        with pytest.raises(InvalidInput, match="signed for desk"):
            make(world.settings(), [_line(world, **change)])
