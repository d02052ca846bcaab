"""Evidence of somebody else: whatever is not in the one form is refused by its name."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.metering.usage import LineKind
from api.domain.statements import evidence, evidence_reader
from api.domain.statements.batches import PublishedEntries, decode_entries, encode_entries
from api.domain.statements.evidence import (
    COMMITTED_FILES,
    FACTS_FILE,
    Follows,
    encode_manifest,
)
from api.domain.statements.lines import Line
from api.domain.statements.told import Told, decode_told
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid
from tests.logs import bare_entries
from tests.unit.values import DEVICES, LEASE, SLICED, TERMS


@pytest.mark.parametrize(
    "change",
    [
        lambda entries: [*entries[:-1], entries[-1]["device"]],
        lambda entries: [*entries[:-1], entries[-1] | {"profile": "1g.10gb"}],
        lambda entries: [*entries[:-1], entries[-1] | {"more": 1}],
        lambda entries: [entry | {"profile": None} for entry in entries],
        lambda entries: [{"device": e["device"], "profile": e["profile"]} for e in entries],
        lambda entries: [{"device": e["device"], "card": e["card"]} for e in entries],
        lambda entries: [entry | {"card": "0x12"} for entry in entries],
    ],
)
def test_decode_facility__slices_that_are_not_alike__are_refused(change: Any) -> None:
    document = json.loads(evidence.encode_facility(SLICED))
    document["devices"] = change(document["devices"])

    with pytest.raises(EvidenceInvalid, match=r"facility\.json"):
        evidence_reader.decode_facility(json.dumps(document).encode())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b"rentroll-evidence-5", b"rentroll-evidence-2", "its format is rentroll-evidence-2, not"),
        (b'"rentroll-evidence-5"', b"3", "its format is 3, not"),
        (b'"format"', b'"Format"', "format"),
        (b'"log_size": 12', b'"log_size": 1.5', "is not an integer"),
        (b'"log_size": 12', b'"log_size": true', "is not an integer"),
        (b'"log_head": "0x05', b'"log_head": "0x', "is not 32 bytes"),
        (b'"previous": "0x06', b'"previous": "0x', "is not 32 bytes"),
        (b"{", b"", "is not JSON"),
    ],
)
def test_follows__of_another_format_or_none__is_refused_by_its_name(
    old: bytes, new: bytes, message: str
) -> None:
    files = dict.fromkeys(COMMITTED_FILES, b"")
    log, previous = LogEnd(12, Bytes32(b"\5" * 32)), Bytes32(b"\6" * 32)
    data = encode_manifest(FacilityId(1), Epoch(0), files, said=Follows(log, previous))
    assert data.count(old) >= 1

    with pytest.raises(EvidenceInvalid, match=message):
        evidence_reader.follows_of(data.replace(old, new))


def _decode_facts(data: bytes) -> list[Told]:
    return decode_told(data, name=FACTS_FILE)


def _decode_entries(data: bytes) -> PublishedEntries:
    return decode_entries(data, log=TERMS.log, before=NO_LOG, recorded_at_s=0)


_DECODERS: list[Callable[[bytes], Any]] = [
    evidence_reader.decode_facility,
    evidence_reader.decode_lines,
    evidence_reader.follows_of,
    evidence_reader.read_attestations,
    _decode_facts,
    _decode_entries,
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
_FIELDS = st.dictionaries(
    st.sampled_from(
        (
            *("facility_id", "devices", "attester", "signature", "format", "log_size"),
            *("entry", "index", "recorded_at_s", "fact", "target", "terms", "device", "lease"),
        )
    ),
    _JSON | st.sampled_from(("usage", "outage", "until", "terms", "0x" + "11" * 32)),
)
_BYTES = st.binary(max_size=40) | (_JSON | _FIELDS | st.lists(_FIELDS, max_size=2)).map(
    lambda value: json.dumps(value).encode()
)


@pytest.mark.parametrize("decode", _DECODERS, ids=lambda d: d.__name__)
@settings(max_examples=40)
@given(data=_BYTES)
def test_decode__any_bytes__reads_or_raises_evidence_invalid(
    decode: Callable[[bytes], Any], data: bytes
) -> None:
    """Evidence is somebody else's: nothing in it may end a verifier with a stack trace."""
    with suppress(EvidenceInvalid):
        decode(data)


def test_decode__bad_rows__are_named() -> None:
    line = Line(0, LineKind.USAGE, DEVICES[0], LEASE, 10, 70, 60, 1, 60, 1)
    good = evidence.encode_lines([line, replace(line, index=1)])
    cases = [
        good[:-1],
        good + b"\n",
        good.replace(b"\n1,", b"\nx,"),
        good.replace(b"\n1,0,", b"\n1,12,"),
        good.replace(b"\n1,0,0x", b"\n1,0,0xff"),
        good.replace(b",1\n", b"\n"),
        good.replace(b"\n", b"\r\n"),
        good.replace(b"60", "٦0".encode()),
    ]

    for data in cases:
        with pytest.raises(EvidenceInvalid):
            evidence_reader.decode_lines(data)


@pytest.mark.parametrize("wrong", ["1.0", "1e0", "true", '"1"', "null", "NaN", "[]", "{}", "١"])
def test_decode_facility__number_that_is_no_integer__is_refused(wrong: str) -> None:
    data = evidence.encode_facility(TERMS)
    for field in ("fee_bps", "window_start_s", "unit_cap", "facility_id"):
        lines = data.decode().split("\n")
        at = next(i for i, line in enumerate(lines) if f'"{field}": ' in line)
        head, comma = lines[at].split(": ")[0], "," if lines[at].endswith(",") else ""
        lines[at] = f"{head}: {wrong}{comma}"

        with pytest.raises(EvidenceInvalid, match=r"facility\.json"):
            evidence_reader.decode_facility("\n".join(lines).encode())


@pytest.mark.parametrize("wrong", ["+1", " 1", "1 ", "1_0", "01", "-0", "1.0", "", "٣", "9" * 79])
def test_decode_lines__cell_that_is_no_canonical_integer__is_refused(wrong: str) -> None:
    line = Line(0, LineKind.USAGE, DEVICES[0], LEASE, 10, 70, 60, 1, 60, 2)
    good = evidence.encode_lines([line]).decode()
    assert good.endswith(",60,2\n")

    with pytest.raises(EvidenceInvalid, match=r"lines\.csv"):
        evidence_reader.decode_lines((good[:-2] + wrong + "\n").encode())


_USAGE = {
    "entry": 1, "index": 0, "recorded_at_s": 7, "fact": "usage", "device": "0x" + "11" * 32,
    "lease": "0x" + "22" * 32, "start_s": 1, "end_s": 2,
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        {"fact": "usages"},
        {"fact": 1},
        {"fact": "outage"},
        {"fact": "outage", "cause": "weather"},
        {"fact": "until", "target": [1]},
        {"fact": "void", "target": 1},
        {"fact": "adjustment", "subject": "0x11", "amount": 1},
        {"fact": "terms", "terms": []},
        {"device": "0x11"},
        {"start_s": "1"},
        {"end_s": 2.0},
        {"entry": True},
        {"recorded_at_s": None},
    ],
)
def test_decode_facts__line_that_is_no_fact__is_named_by_its_number(
    changes: dict[str, object],
) -> None:
    good = json.dumps(_USAGE)

    with pytest.raises(EvidenceInvalid, match=r"facts\.jsonl line 2") as refused:
        _decode_facts(f"{good}\n{json.dumps(_USAGE | changes)}\n{good}\n".encode())

    assert refused.value.context["line"] == 2


def test_decode__text_fields_of_other_types_and_deep_json__are_typed_errors() -> None:
    document = json.loads(evidence.encode_facility(TERMS))
    for field, wrong in (("site", 7), ("devices", [7]), ("gpu_class", None), ("devices", {"a": 1})):
        with pytest.raises(EvidenceInvalid):
            evidence_reader.decode_facility(json.dumps(document | {field: wrong}).encode())
    with pytest.raises(EvidenceInvalid):
        evidence_reader.follows_of(b"[" * 200_000)
    with pytest.raises(EvidenceInvalid):
        _decode_facts(b"[" * 200_000)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("kind", "roll", "no entry is of kind 'roll'"),
        ("kind", "key", "it is about a key, and nobody signed it"),
        ("entry", 2, "entry 1 comes next"),
        ("body", "0x12", "32 bytes"),
    ],
)
def test_decode_entries__that_nobody_wrote__is_named_by_its_line(
    name: str, value: object, message: str
) -> None:
    document = json.loads(encode_entries(bare_entries(TERMS, NO_LOG, up_to=1, at_s=9)))
    document[name] = value

    with pytest.raises(EvidenceInvalid, match=rf"batches\.jsonl line 1: .*{message}"):
        _decode_entries(json.dumps(document).encode())
