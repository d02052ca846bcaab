"""Refusals that attesters hand in: kept and shown as they were signed, and nonsense is not."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select

from api.chain import calldata
from api.cli.refusals import refusal_call
from api.db.session import reading
from api.db.tables.refusals import refusals
from api.domain.log.receipts import SignedEntry
from api.domain.log.signers import receipt_bytes
from api.domain.statements.refusal_files import SignedRefusal, refusal_document
from api.domain.statements.refusals import NO_HASH, Refusal, RefusalCode
from api.domain.statements.statement import statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.local.key_file import load_or_make_key
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.contract_attesters import ACCEPTING, REFUSING, deploy, seat, set_mood
from tests.endings import EVIDENCE, publish, signed_refusal
from tests.factories import DAY_S, HOUR_S
from tests.unit.statements.test_refusal_files import SIGNED_TWICE
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain
CODE = RefusalCode.NOT_RECOMPUTED


@pytest.fixture
def closed(world: World) -> World:
    """One closed epoch."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    return world


def _refusal(world: World, **change: Any) -> Refusal:
    statement = world.statement(0)
    values: dict[str, Any] = {
        "facility_id": FacilityId(world.facility_id),
        "epoch": Epoch(0),
        "statement_hash": statement_hash(statement),
        "evidence_hash": statement.evidence_hash,
        "previous_statement_hash": NO_HASH,
        "rejections": 0,
        "until_s": 2_000_000_000,
        "code": CODE,
        "place": "lines.csv:2",
    }
    return Refusal(**values | change)


def _signed(world: World, index: int = ATTESTER_ACCOUNTS[0], **change: Any) -> SignedRefusal:
    return signed_refusal(world, _refusal(world, **change), index, message="line 2 is another")


def _hand_in(world: World, signed: SignedRefusal, **change: Any) -> Any:
    headers, body = world.as_attester(signed.attester), refusal_document(signed) | change
    return world.http.post("/v1/attester/refusals", json=body, headers=headers)


def _shown(world: World, **query: Any) -> Any:
    return world.http.get(f"/v1/facilities/{world.facility_id}/refusals", params=query).json()


def _rows(world: World) -> int:
    with reading(world.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(refusals)).scalar_one())


def test_refusal__handed_in__is_shown_as_its_attester_signed_it(closed: World) -> None:
    """Whoever reads it there can send it to the chain."""
    signed = _signed(closed)

    first, again = _hand_in(closed, signed), _hand_in(closed, signed)
    before = _shown(closed)
    call = json.loads(
        refusal_call(closed.settings(), [json.dumps(before["refusals"][0]["refusal"])])
    )
    send(closed.client, wallet(RENTER).address, call["to"], call["data"])
    closed.indexer().advance()
    [after] = _shown(closed)["refusals"]

    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json(), again.json()) == ({"created": True}, {"created": False})
    assert before["total"] == 1
    said = before["refusals"][0]["refusal"]
    assert said == refusal_document(signed) | {"fork": []}
    assert (before["refusals"][0]["on_chain"], after["on_chain"]) == (False, True)


def test_refusals__of_one_epoch__are_found_and_paged(closed: World) -> None:
    for index in ATTESTER_ACCOUNTS[:2]:
        assert _hand_in(closed, _signed(closed, index)).status_code == 201

    pages = [_shown(closed, limit=1, offset=n)["refusals"] for n in range(3)]

    assert [len(page) for page in pages] == [1, 1, 0]
    assert pages[0] != pages[1]
    assert (_shown(closed, epoch=0)["total"], _shown(closed, epoch=1)["total"]) == (2, 0)
    assert closed.http.get("/v1/facilities/99/refusals").status_code == 404


def test_refusal__of_published_evidence__is_kept_beside_that_of_the_statement(
    closed: World,
) -> None:
    publish(closed, 0)
    evidence = {"statement_hash": NO_HASH, "evidence_hash": EVIDENCE}

    assert _hand_in(closed, _signed(closed, **evidence)).status_code == 201
    assert _hand_in(closed, _signed(closed)).status_code == 201

    assert _rows(closed) == 2


def test_refusal__signed_anew__takes_the_place_of_the_one_that_counts_shorter(
    closed: World,
) -> None:
    """Others hold the earlier one too: whoever sends it again changes nothing."""
    earlier = _signed(closed, until_s=1_999_999_999, place="")
    later = _signed(closed, code=RefusalCode.MEMORY_CONTRADICTED)

    codes = [_hand_in(closed, each).status_code for each in (earlier, later, earlier)]

    [shown] = _shown(closed)["refusals"]
    assert codes == [201, 201, 200]
    assert (shown["refusal"]["code"], _rows(closed)) == ("memory_contradicted", 1)


NONSENSE = {
    "statement that nobody made": ({"statement_hash": Bytes32(b"\7" * 32)}, 404),
    "epoch that is not closed": ({"epoch": Epoch(1)}, 404),
    "evidence that is not published": ({"statement_hash": NO_HASH}, 404),
    "nothing at all": ({"statement_hash": NO_HASH, "evidence_hash": NO_HASH}, 404),
    "another facility": ({"facility_id": FacilityId(99)}, 404),
    "a fork without proof": ({"code": RefusalCode.LOG_FORKED}, 422),
}


@pytest.mark.parametrize("case", NONSENSE)
def test_refusal__signed_nonsense_of_an_attester__fills_no_table(closed: World, case: str) -> None:
    """ATTACKS 55: its signature is right, what it says is not."""
    change, status = NONSENSE[case]

    assert _hand_in(closed, _signed(closed, **change)).status_code == status
    assert _rows(closed) == 0


def test_refusal__not_the_attesters_own__is_refused(closed: World) -> None:
    signed = _signed(closed)
    other = wallet(ATTESTER_ACCOUNTS[1]).address
    stranger = _signed(closed, RENTER)
    cases = [
        (replace(signed, attester=other), "signature"),
        (replace(signed, refusal=replace(signed.refusal, place="lines.csv:3")), "signature"),
        (replace(signed, desk="0x" + "11" * 20), "desk"),
        (replace(signed, chain_id=1), "desk"),
        (stranger, "attester"),
    ]

    for wrong, field in cases:
        answer = _hand_in(closed, wrong)
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    for change in ({"code": "not_yet"}, {"place": "é"}, {"format": 2}, {"more": 1}):
        assert _hand_in(closed, signed, **change).status_code == 422
    keyless = closed.http.post("/v1/attester/refusals", json=refusal_document(signed))
    assert (keyless.status_code, _rows(closed)) == (401, 0)


def test_refusal__of_a_contract__counts_while_the_contract_takes_it(world: World) -> None:
    """ERC-1271."""
    contract = deploy(world, "MockContractAttester")
    seat(world, contract)
    world.at(DAY_S)
    world.at_cut_off(0)
    world.round()
    signed = replace(_signed(world), attester=contract, signature=b"\xab" * 70)

    codes = []
    for mood in (REFUSING, ACCEPTING):
        set_mood(world, contract, mood)
        codes.append(_hand_in(world, signed).status_code)

    assert codes == [422, 201]
    assert _shown(world)["refusals"][0]["refusal"]["attester"] == contract


def test_refusal__with_a_proven_fork__is_kept_and_taken_by_the_chain(closed: World) -> None:
    """Anybody can check both entries by the key that stands in facility.json."""
    key = load_or_make_key(closed.folder / "log-key.pem")
    log = replace(SIGNED_TWICE[0].entry.log, facility_id=FacilityId(closed.facility_id))

    def entry(number: int, by: Ed25519PrivateKey) -> SignedEntry:
        said = replace(SIGNED_TWICE[0].entry, log=log, recorded_at_s=number)
        return SignedEntry(said, by.sign(receipt_bytes(said)))

    signed = _signed(closed, code=RefusalCode.LOG_FORKED, place="log:9")
    forged = replace(signed, fork=(entry(1, key), entry(2, Ed25519PrivateKey.generate())))
    proven = replace(signed, fork=(entry(1, key), entry(2, key)))

    assert [_hand_in(closed, each).status_code for each in (forged, proven)] == [422, 201]
    send(
        closed.client,
        wallet(RENTER).address,
        closed.deployment.attester_desk,
        calldata.refuse(closed.facility_id, 0, [proven]),
    )
    closed.indexer().advance()
    [shown] = _shown(closed)["refusals"]
    assert (shown["on_chain"], len(shown["refusal"]["fork"])) == (True, 2)
