"""Evidence: what is encoded reads back the same, in one canonical form; the rest is refused."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements import evidence, evidence_reader
from api.domain.statements.evidence import COMMITTED_FILES, Carry, canonical_json, encode_manifest
from api.domain.statements.lines import Line
from api.domain.statements.rating import LeaseTerms
from api.domain.units import Epoch, FacilityId
from api.errors import EvidenceInvalid
from tests import evidence_vectors
from tests.unit.values import CARRIES, DEVICES, LEASE, LEASES, LINES, OUTAGES, SLICED, TERMS


@pytest.mark.parametrize("terms", [TERMS, SLICED])
def test_facility__round_trip__is_the_same(terms: FacilityTerms) -> None:
    data = evidence.encode_facility(terms)

    assert evidence_reader.decode_facility(data) == terms
    assert evidence.encode_facility(evidence_reader.decode_facility(data)) == data


def test_facility__of_slices__names_card_and_profile_of_each_and_cards_stay_hashes() -> None:
    devices = json.loads(evidence.encode_facility(SLICED))["devices"]

    assert devices == [
        {"device": "0x" + d.hex(), "card": "0x" + c.hex(), "profile": "3g.40gb"}
        for d, c in zip(SLICED.devices, SLICED.cards, strict=True)
    ]
    whole = json.loads(evidence.encode_facility(TERMS))["devices"]
    assert whole == ["0x" + d.hex() for d in DEVICES]


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


def test_terms_from_bytes__the_same_document_again__is_read_once() -> None:
    document = evidence.encode_facility(TERMS)

    terms = evidence_reader.terms_from_bytes(document)

    assert terms == TERMS
    assert evidence_reader.terms_from_bytes(bytes(bytearray(document))) is terms


def test_terms_from_bytes__a_fee_changed__is_another_facility_and_a_cut_one_is_refused() -> None:
    document = evidence.encode_facility(TERMS)

    dearer = evidence_reader.terms_from_bytes(document.replace(b": 100,", b": 101,"))

    assert dearer == replace(TERMS, fee_bps=101)
    with pytest.raises(EvidenceInvalid, match=r"facility\.json"):
        evidence_reader.terms_from_bytes(document[:-3])


def test_folders__of_epochs__sort_by_number_and_superseded_ones_lie_apart() -> None:
    assert evidence.epoch_folder(7, 12) == "facility-7/epoch-00012"
    assert evidence.superseded_folder(7, 12, b"\x0a\xff") == (
        "facility-7/superseded/epoch-00012-0aff"
    )


@given(st.lists(LINES, max_size=5))
def test_lines__round_trip__is_the_same(lines: Sequence[Line]) -> None:
    assert evidence_reader.decode_lines(evidence.encode_lines(lines)) == lines


@given(st.lists(OUTAGES, max_size=5), st.randoms())
def test_outages__any_order__have_one_encoding(outages: list[Outage], random: Any) -> None:
    data = evidence.encode_outages(outages)
    random.shuffle(outages)

    assert evidence.encode_outages(outages) == data
    decoded = evidence_reader.decode_outages(data)
    assert evidence.encode_outages(decoded) == data
    assert sorted(decoded, key=repr) == sorted(outages, key=repr)


@given(st.lists(LEASES, max_size=4))
def test_leases__round_trip_and_any_order__is_the_same(leases: list[LeaseTerms]) -> None:
    named = {lease.lease: lease for lease in leases}
    data = evidence.encode_leases(named)

    assert evidence_reader.decode_leases(data) == named
    assert evidence.encode_leases(dict(reversed(named.items()))) == data


@given(CARRIES)
def test_carry__round_trip__keeps_weights_beyond_64_bits(carry: Carry) -> None:
    assert evidence_reader.decode_carry(evidence.encode_carry(carry)) == carry


@given(
    st.dictionaries(
        st.binary(min_size=20, max_size=20).map(lambda a: "0x" + a.hex()), st.binary(max_size=65)
    )
)
def test_attestations__round_trip__is_the_same(signatures: dict[str, bytes]) -> None:
    data = evidence.encode_attestations(signatures)

    assert evidence_reader.read_attestations(data) == signatures


def test_lines__one_line__has_these_bytes() -> None:
    line = Line(0, LineKind.USAGE, DEVICES[0], LEASE, 10, 70, 60, 16_666, 60, 16_666)

    header, row, end = evidence.encode_lines([line]).decode().split("\n")

    assert header.startswith("index,kind,subject,lease,start_s,end_s,gpu_seconds,charge_micros")
    assert row == f"0,0,0x{DEVICES[0].hex()},0x{LEASE.hex()},10,70,60,16666,60,16666"
    assert end == ""


def test_manifest__one_byte_changed_in_any_file__has_another_hash() -> None:
    files = {name: name.encode() for name in COMMITTED_FILES}
    hashes = {sha256(encode_manifest(FacilityId(1), Epoch(0), files))}

    for name in COMMITTED_FILES:
        changed = {**files, name: files[name] + b" "}
        hashes.add(sha256(encode_manifest(FacilityId(1), Epoch(0), changed)))
    hashes.add(sha256(encode_manifest(FacilityId(2), Epoch(0), files)))
    hashes.add(sha256(encode_manifest(FacilityId(1), Epoch(1), files)))

    assert len(hashes) == len(COMMITTED_FILES) + 3


def test_canonical_json__key_order__does_not_matter_and_nan_is_refused() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == canonical_json({"a": "é", "b": 1})
    assert canonical_json({"a": "é"}) == b'{\n  "a": "\\u00e9"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


_DECODERS: list[Callable[[bytes], Any]] = [
    evidence_reader.decode_facility,
    evidence_reader.decode_lines,
    evidence_reader.decode_outages,
    evidence_reader.decode_leases,
    evidence_reader.decode_carry,
    evidence_reader.read_attestations,
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
_FIELDS = st.dictionaries(
    st.sampled_from(("leases", "deferred", "facility_id", "devices", "attester", "signature")),
    _JSON,
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
def test_decode_outages__cell_that_is_no_canonical_integer__is_refused(wrong: str) -> None:
    outage = Outage(DEVICES[0], LEASE, 1, 2)
    good = evidence.encode_outages([outage]).decode()
    assert good.endswith(",1,2\n")

    with pytest.raises(EvidenceInvalid, match=r"outages\.csv"):
        evidence_reader.decode_outages((good[:-2] + wrong + "\n").encode())


def test_decode__text_fields_of_other_types_and_deep_json__are_typed_errors() -> None:
    document = json.loads(evidence.encode_facility(TERMS))
    for field, wrong in (("site", 7), ("devices", [7]), ("gpu_class", None), ("devices", {"a": 1})):
        with pytest.raises(EvidenceInvalid):
            evidence_reader.decode_facility(json.dumps(document | {field: wrong}).encode())
    with pytest.raises(EvidenceInvalid):
        evidence_reader.decode_carry(b"[" * 200_000)


def test_vectors__regenerated__equal_the_file() -> None:
    """The web application's tests recompute the hashes of this file."""
    assert evidence_vectors.FILE.read_text() == evidence_vectors.text()
