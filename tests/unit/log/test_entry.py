"""Entries: 197 bytes that read back the same, and what follows what."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.hashing import sha256
from api.domain.log.entry import (
    ENTRY_BYTES,
    NO_LOG,
    Entry,
    EntryKind,
    LogName,
    answers_hash,
    body_hash,
    decode_entry,
    encode_entry,
    end_of,
    entry_hash,
    log_name,
    require_follows,
)
from api.domain.units import ZERO32, Address, Bytes32, FacilityId
from api.errors import EvidenceInvalid

_HASHES = st.binary(min_size=32, max_size=32).map(Bytes32)
_U63 = st.integers(0, 2**63 - 1)
_LOGS = st.builds(
    LogName,
    _U63,
    st.binary(min_size=20, max_size=20).map(lambda raw: Address("0x" + raw.hex())),
    _U63.map(FacilityId),
)
_ENTRIES = st.builds(
    Entry, _LOGS, _U63, _HASHES, st.sampled_from(EntryKind), _HASHES, _HASHES, _U63, _HASHES
)
_LOG = LogName(31_337, Address("0x" + "Ab" * 20), FacilityId(7))
_FIRST = Entry(_LOG, 1, ZERO32, EntryKind.BATCH, ZERO32, ZERO32, 9, ZERO32)


@given(_ENTRIES)
def test_entry__round_trip__is_the_same(entry: Entry) -> None:
    data = encode_entry(entry)

    assert len(data) == ENTRY_BYTES
    assert decode_entry(data) == entry
    assert entry_hash(entry) == sha256(data)


def test_encode__by_hand__is_big_endian_in_the_order_of_its_fields() -> None:
    entry = Entry(
        _LOG, 2, Bytes32(b"p" * 32), EntryKind.BATCH, Bytes32(b"b" * 32), Bytes32(b"a" * 32), 258,
        Bytes32(b"w" * 32),
    )  # fmt: skip

    assert encode_entry(entry) == (
        b"rentroll/entry/1"
        + (31_337).to_bytes(8, "big") + b"\xab" * 20 + b"\0" * 7 + b"\7" + b"\0" * 7 + b"\2"
        + b"p" * 32 + b"\1" + b"b" * 32 + b"a" * 32 + b"\0" * 6 + b"\1\2" + b"w" * 32
    )  # fmt: skip


@given(_ENTRIES, st.data())
def test_entry_hash__any_field_changed__is_another(entry: Entry, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([field.name for field in fields(Entry)]))
    other = data.draw(_ENTRIES)

    changed = replace(entry, **{name: getattr(other, name)})

    assert (entry_hash(changed) == entry_hash(entry)) == (changed == entry)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "197 bytes"),
        (encode_entry(_FIRST)[:-1], "197 bytes"),
        (encode_entry(_FIRST) + b"\0", "197 bytes"),
        (b"X" + encode_entry(_FIRST)[1:], "begins with rentroll/entry/1"),
        (encode_entry(_FIRST)[:16] + b"\xff" + encode_entry(_FIRST)[17:], "beyond 63 bits"),
        (encode_entry(_FIRST)[:92] + b"\x63" + encode_entry(_FIRST)[93:], "no entry is of kind 99"),
    ],
)
def test_decode__other_bytes__are_refused(data: bytes, message: str) -> None:
    with pytest.raises(EvidenceInvalid, match=message):
        decode_entry(data)


def test_body_hash__blinded__is_no_hash_that_somebody_could_try() -> None:
    first, other = (body_hash(b"body", blind=blind * 16) for blind in (b"\1", b"\2"))

    assert first == sha256(b"rentroll/body/1" + b"\1" * 16 + sha256(b"body"))
    assert first != other
    assert answers_hash(b"\0\1") == sha256(b"\0\1")


def test_require_follows__second_entry__names_the_first() -> None:
    end = end_of([_FIRST], NO_LOG)
    second = replace(_FIRST, number=2, previous=end.head)

    require_follows(_FIRST, log=_LOG, end=NO_LOG, at_s=0)
    require_follows(second, log=_LOG, end=end, at_s=9)
    assert end_of([], end) == end
    assert str(_LOG) == "31337:0x" + "ab" * 20 + ":7"


@given(_LOGS)
def test_log_name__as_text__reads_back_the_same(log: LogName) -> None:
    lower = replace(log, registry=Address(log.registry.lower()))

    assert log_name(str(log)) == lower


@pytest.mark.parametrize(
    "text",
    [
        *("", "1:0x:1", "1:2", "1:2:3:4", "a:0x" + "ab" * 20 + ":1", "1:0x" + "ab" * 19 + ":1"),
        *("01:0x" + "ab" * 20 + ":1", "1:0x" + "AB" * 20 + ":1", "1:0x" + "zz" * 20 + ":1"),
        *("1:" + "ab" * 20 + ":-1", " 1:0x" + "ab" * 20 + ":1", "1:0x" + "ab" * 20 + ":1\n"),
    ],
)
def test_log_name__of_another_form__is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        log_name(text)
