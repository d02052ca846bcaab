"""Receipts and whole entries: hashes and signatures that hold, and any change that does not."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.domain.log.answers import ACCEPTED
from api.domain.log.bodies import pack
from api.domain.log.entry import UNSIGNED, EntryKind
from api.domain.log.logged import LoggedEntry, entry_document, events_of, logged_from
from api.domain.log.receipts import (
    Receipt,
    pack_receipt,
    receipt_document,
    receipt_from,
    receipt_of,
    signed_entry_document,
    signed_entry_from,
    signed_entry_of,
    unpack_receipt,
)
from api.domain.log.signers import only
from api.domain.units import ZERO32, Bytes32
from api.errors import EvidenceInvalid, SignatureRefused
from tests.signed_logs import SignedLog, Signer
from tests.unit.values import TERMS

LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"\3" * 32)
PUBLIC = Bytes32(LOG_KEY.public_key().public_bytes_raw())
AT_S = TERMS.window_start_s
EVENTS = [{"id": "a"}, {"id": "b"}]


@pytest.fixture
def log() -> SignedLog:
    """A ledger key and a batch of it."""
    log, ledger = SignedLog(TERMS), Signer("ledger")
    log.bring_itself(ledger, at_s=AT_S)
    log.events(ledger, EVENTS, [ACCEPTED, ACCEPTED], at_s=AT_S + 9)
    return log


@pytest.fixture
def logged(log: SignedLog) -> LoggedEntry:
    """The batch."""
    return log.entries[-1]


def test_receipt__as_json__reads_back_the_same_and_holds(logged: LoggedEntry) -> None:
    receipt = receipt_of(logged, LOG_KEY)

    again = receipt_from(json.loads(json.dumps(receipt_document(receipt))))

    assert again == receipt
    again.require_signed(only(PUBLIC))
    again.require_of(logged.body)
    with pytest.raises(EvidenceInvalid, match=r"receipt of entry 2 of log .*: it is for another"):
        again.require_of(b"[]")


def test_signed_entry__as_json__reads_back_the_same_and_holds(logged: LoggedEntry) -> None:
    signed = signed_entry_of(logged, LOG_KEY)

    again = signed_entry_from(json.loads(json.dumps(signed_entry_document(signed))))

    assert again == signed
    assert again.entry == logged.entry
    again.require_signed(only(PUBLIC))
    with pytest.raises(EvidenceInvalid, match=r"entry 2 of log"):
        again.require_signed(only(Bytes32(bytes([*PUBLIC[:-1], PUBLIC[-1] ^ 1]))))


def test_receipt__packed__reads_back_the_same_and_no_shorter(logged: LoggedEntry) -> None:
    packed = pack_receipt(receipt_of(logged, LOG_KEY))

    assert unpack_receipt(packed) == receipt_of(logged, LOG_KEY)
    with pytest.raises(EvidenceInvalid, match="a packed receipt has 277 bytes"):
        unpack_receipt(packed[:276])


CHANGES: dict[str, Callable[[Receipt], Receipt]] = {
    "entry": lambda r: replace(r, entry=replace(r.entry, recorded_at_s=7)),
    "answers": lambda r: replace(r, answers=b""),
    "signature": lambda r: replace(r, signature=bytes(64)),
    "length": lambda r: replace(r, signature=r.signature[:-1]),
}


@pytest.mark.parametrize("case", CHANGES)
def test_receipt__anything_changed__does_not_hold(logged: LoggedEntry, case: str) -> None:
    receipt = CHANGES[case](receipt_of(logged, LOG_KEY))

    with pytest.raises(EvidenceInvalid):
        receipt.require_signed(only(PUBLIC))


def test_receipt__of_a_log_without_a_key__is_none(logged: LoggedEntry) -> None:
    """32 zero bytes are a key with which everybody signs: the log has none."""
    receipt = receipt_of(logged, LOG_KEY)
    signatures = [bytes([i]) + bytes(30) + bytes([j]) for i in (0, 1) for j in (0, 0x80)]

    for start in signatures:
        with pytest.raises(EvidenceInvalid, match="the log's key did not sign it"):
            replace(receipt, signature=start + bytes(32)).require_signed(only(ZERO32))


@pytest.mark.parametrize("name", ["entry", "blind", "answers", "signature"])
@pytest.mark.parametrize("value", [None, 7, "0x1", "0xzz", ["0x"]])
def test_receipt_from__a_field_of_another_form__is_refused(
    logged: LoggedEntry, name: str, value: object
) -> None:
    document = {**receipt_document(receipt_of(logged, LOG_KEY)), name: value}

    with pytest.raises(EvidenceInvalid, match="cannot be read"):
        receipt_from(document)
    with pytest.raises(EvidenceInvalid, match="cannot be read"):
        receipt_from({k: v for k, v in document.items() if k != name})


def test_receipt_from__another_length__is_refused(logged: LoggedEntry) -> None:
    document = receipt_document(receipt_of(logged, LOG_KEY))

    with pytest.raises(EvidenceInvalid, match="blind has 16 bytes"):
        receipt_from({**document, "blind": document["blind"] + "00"})
    with pytest.raises(EvidenceInvalid, match="197 bytes"):
        receipt_from({**document, "entry": document["entry"] + "00"})


# --- whole entries -------------------------------------------------------------------------------


def test_logged__as_json__reads_back_the_same(log: SignedLog) -> None:
    log.unsigned(EVENTS, at_s=AT_S + 10)

    for logged in log.entries:
        again = logged_from(json.loads(json.dumps(entry_document(logged))))
        assert again == logged
        again.require_whole()


WRONG: dict[str, tuple[Callable[[LoggedEntry], LoggedEntry], str]] = {
    "body": (lambda x: replace(x, packed=pack(b"[]")), "its body is another"),
    "blind": (lambda x: replace(x, blind=bytes(16)), "its body is another"),
    "answers": (lambda x: replace(x, answers=b"\1\0"), "its answers are others"),
    "author": (
        lambda x: replace(x, entry=replace(x.entry, author=Bytes32(b"\1" * 32))),
        "its author did not sign",
    ),
    "unsigned": (lambda x: replace(x, request=None), "its author did not sign"),
    "claimed unsigned": (
        lambda x: replace(x, entry=replace(x.entry, author=UNSIGNED)),
        "its author did not sign",
    ),
    "signed for another facility": (
        lambda x: replace(x, entry=replace(x.entry, log=replace(x.entry.log, facility_id=99))),
        "the signature is not the key's",
    ),
}


def test_body__that_cannot_be_unpacked__names_the_entry(logged: LoggedEntry) -> None:
    """Bodies stay as a service packed them until they are asked for."""
    hostile = replace(logged, packed=b"nothing")

    with pytest.raises(EvidenceInvalid, match="entry 2 of the log: "):
        hostile.require_whole()


@pytest.mark.parametrize("case", WRONG)
def test_require_whole__anything_changed__names_the_entry(logged: LoggedEntry, case: str) -> None:
    change, message = WRONG[case]

    with pytest.raises(EvidenceInvalid, match=f"entry 2 of the log: {message}"):
        change(logged).require_whole()


@pytest.mark.parametrize(
    ("name", "value"),
    [("blind", "0x00"), ("packed", "?"), ("entry", "0x"), ("answers", "0x1"), ("request", {})],
)
def test_logged_from__another_form__is_refused(
    logged: LoggedEntry, name: str, value: object
) -> None:
    document = {**entry_document(logged), name: value}

    with pytest.raises((EvidenceInvalid, SignatureRefused, ValueError, KeyError)):
        logged_from(document)


def test_events_of__signed_or_not__are_those_of_the_body(logged: LoggedEntry) -> None:
    author = logged.entry.author

    assert events_of(logged.body, author) == events_of(logged.body, UNSIGNED) == EVENTS
    assert events_of(b'{"id": "a"}', author) == [{"id": "a"}]
    for body, who in ((b"{}", UNSIGNED), (b"7", author), (b"\x1f\x8b", author), (b"{", UNSIGNED)):
        with pytest.raises(ValueError, match=r"."):
            events_of(body, who)


def test_log__of_the_helper__is_one_that_follows(log: SignedLog) -> None:
    assert [x.entry.kind for x in log.entries] == [EntryKind.KEY, EntryKind.BATCH]
    assert log.entries[1].request is not None
