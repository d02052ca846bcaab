"""Signed refusals as files: whole, within bounds, and a fork proves itself."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from api.domain.log.entry import Entry, EntryKind, LogName
from api.domain.log.receipts import SignedEntry
from api.domain.log.signers import only, receipt_bytes
from api.domain.statements.refusal_files import (
    SignedRefusal,
    plain_message,
    refusal_document,
    refusal_from,
)
from api.domain.statements.refusals import Refusal, RefusalCode, refusal_digest
from api.domain.units import MAX_I64, ZERO32, Address, Bytes32, Epoch, FacilityId
from api.errors import InvalidInput

LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\3" * 32)
PUBLIC = Bytes32(LOG_KEY.public_key().public_bytes_raw())
DESK, ATTESTER = "0x" + "0d" * 20, "0x" + "0a" * 20
LOG = LogName(1, Address("0x" + "0b" * 20), FacilityId(7))


def _signed(key: Ed25519PrivateKey = LOG_KEY, **change: Any) -> SignedEntry:
    hashes = {"previous": ZERO32, "body": ZERO32, "author": ZERO32, "answers": ZERO32}
    entry = Entry(**{"log": LOG, "number": 9, "kind": EntryKind.BATCH, "recorded_at_s": 5,
                     **hashes, **change})  # fmt: skip
    return SignedEntry(entry, key.sign(receipt_bytes(entry)))


SIGNED_TWICE = (_signed(), _signed(recorded_at_s=6))
REFUSAL = Refusal(
    FacilityId(7), Epoch(3), *[Bytes32(b"\1" * 32)] * 3, 0, 9, RefusalCode.LOG_FORKED, "log:9"
)
SIGNED = SignedRefusal(REFUSAL, ATTESTER, b"\3" * 65, 1, DESK, 5, "two logs", SIGNED_TWICE)


@pytest.mark.parametrize("signed", [SIGNED, replace(SIGNED, fork=())])
def test_document__read_again__is_the_same(signed: SignedRefusal) -> None:
    text = json.dumps(refusal_document(signed))

    assert refusal_from(json.loads(text)) == signed


def test_digest__of_a_signed_refusal__is_that_of_its_desk() -> None:
    assert SIGNED.digest == refusal_digest(REFUSAL, chain_id=1, desk=DESK)


JUNK = [
    *("format", "chain_id", "desk", "facility_id", "epoch", "statement_hash", "evidence_hash"),
    *("previous_statement_hash", "rejections", "until_s", "code", "place", "attester"),
    *("signature", "signed_at_s", "message", "fork"),
]
WRONG: list[object] = [None, "", "zz", "0x", -1, MAX_I64 + 1, 2**32 * 9, [], {}, [1], "x" * 5_000]
FINE: dict[str, list[object]] = {
    "fork": [[]],
    "place": ["", "zz", "0x"],
    "message": ["", "zz", "0x", "x" * 5_000],
}
BIG = {name: [2**32 * 9] for name in ("chain_id", "facility_id", "until_s", "signed_at_s")}


@pytest.mark.parametrize("name", JUNK)
def test_read__a_value_is_something_else__is_refused(name: str) -> None:
    for value in WRONG:
        if value in [*FINE.get(name, []), *BIG.get(name, [])]:
            continue
        with pytest.raises(InvalidInput, match="no signed refusal"):
            refusal_from({**refusal_document(SIGNED), name: value})


@pytest.mark.parametrize("name", [name for name in JUNK if name != "fork"])
def test_read__a_value_is_missing__is_refused(name: str) -> None:
    document = refusal_document(SIGNED)
    del document[name]

    with pytest.raises(InvalidInput, match=f"'{name}' is missing"):
        refusal_from(document)


@pytest.mark.parametrize("count", [1, 3])
def test_read__fork_of_another_number_of_entries__is_refused(count: int) -> None:
    document = refusal_document(SIGNED)
    entry = document["fork"][0]  # type: ignore[index]

    with pytest.raises(InvalidInput, match="fork names two entries"):
        refusal_from({**document, "fork": [entry] * count})


def test_read__signature_longer_than_a_contract_takes__is_refused() -> None:
    document = refusal_document(SIGNED) | {"signature": "0x" + "00" * 2_049}

    with pytest.raises(InvalidInput, match="1 to 2048 bytes"):
        refusal_from(document)


def test_read__fork_of_one_entry__is_refused() -> None:
    document = refusal_document(SIGNED)
    document["fork"] = document["fork"][:1]  # type: ignore[index]

    with pytest.raises(InvalidInput, match="fork names two entries"):
        refusal_from(document)


@given(st.text(max_size=700))
def test_message__any_text__is_one_line_that_hides_nothing(text: str) -> None:
    """A page or terminal that shows it shows it as it is."""
    shown = plain_message(text)

    assert len(shown) == min(len(text), 500)
    for mark in "\n\r\x1b\x00\u202e\u2066\u200b\u061c\ufeff\u2028":
        assert mark not in plain_message(text + mark) + plain_message(mark)
    assert plain_message(shown) == shown


@pytest.mark.parametrize(("chain_id", "desk"), [(2, DESK), (1, "0x" + "0e" * 20)])
def test_require_for__another_desk__is_refused(chain_id: int, desk: str) -> None:
    """ATTACKS 18."""
    SIGNED.require_for(chain_id=1, desk=DESK.upper().replace("0X", "0x"))
    with pytest.raises(InvalidInput, match="it is signed for desk"):
        SIGNED.require_for(chain_id=chain_id, desk=desk)


def test_require_fork__two_entries_of_the_log_key__proves_it() -> None:
    SIGNED.require_fork(only(PUBLIC))


def test_require_fork__of_another_code__asks_for_nothing() -> None:
    other = replace(SIGNED, refusal=replace(REFUSAL, code=RefusalCode.NOT_RECOMPUTED), fork=())
    other.require_fork(only(PUBLIC))


FOREIGN = LogName(1, LOG.registry, FacilityId(8))
NO_FORKS = {
    "none": ((), "two entries"),
    "one": (SIGNED_TWICE[:1], "two entries"),
    "the same twice": ((_signed(), _signed()), "no fork"),
    "two numbers": ((_signed(), _signed(number=10)), "no fork"),
    "another log's": ((_signed(), _signed(log=FOREIGN)), "no fork"),
    "both another's": ((_signed(log=FOREIGN), _signed(log=FOREIGN, number=9, recorded_at_s=6)),
                       "no fork"),
    "another's key": ((_signed(), _signed(Ed25519PrivateKey.generate(), recorded_at_s=6)),
                      "did not sign"),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_FORKS)
def test_require_fork__no_proof__is_refused(case: str) -> None:
    fork, said = NO_FORKS[case]

    with pytest.raises(InvalidInput, match=said):
        replace(SIGNED, fork=fork).require_fork(only(PUBLIC))
