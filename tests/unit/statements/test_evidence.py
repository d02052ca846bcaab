"""Evidence: what is encoded reads back the same, in one canonical form."""

import json
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.facility import FacilityTerms
from api.domain.hashing import sha256
from api.domain.json_text import canonical_line
from api.domain.log.entry import LogEnd
from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
    terms_document,
    terms_from,
    terms_hash,
)
from api.domain.metering.usage import LineKind
from api.domain.statements import evidence, evidence_reader
from api.domain.statements.evidence import (
    COMMITTED_FILES,
    FACTS_FILE,
    Follows,
    SignedShare,
    canonical_json,
    encode_manifest,
)
from api.domain.statements.lines import Line
from api.domain.statements.told import Told, decode_told, encode_told
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid
from tests import evidence_vectors
from tests.unit.values import DEVICES, HASHES, LEASE, LINES, RENTER, SLICED, TERMS, TOLD, VERSIONS

_LOGGED = replace(
    TERMS,
    chain_id=31_337,
    registry="0x" + "ab" * 20,
    log_key=Bytes32(b"\7" * 32),
    unsigned_taken=False,
)


@pytest.mark.parametrize("terms", [TERMS, SLICED, _LOGGED])
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


@given(st.lists(TOLD, max_size=4))
def test_facts__round_trip__is_the_same(told: list[Told]) -> None:
    data = encode_told(told)

    assert decode_told(data, name=FACTS_FILE) == told
    assert len(data.splitlines()) == len(told)


@given(HASHES, VERSIONS)
def test_terms__round_trip__is_the_same_document_and_hash(
    lease: Bytes32, version: TermsVersion
) -> None:
    document = terms_document(lease, version)

    read = terms_from(json.loads(json.dumps(document)))

    assert read == (lease, version)
    assert terms_document(*read) == document
    assert terms_hash(*read) == sha256(canonical_line(document))


_WHOLE = TermsVersion(
    version=2,
    previous=ZERO32,
    party=RENTER,
    from_s=10,
    until_s=90,
    max_gpus=8,
    prices=(PriceStep(10, 20_000_000, 8),),
    tiers=(TierStep(100, 500),),
    hours_before=7,
    commitment=(CommitmentStep(10, 4),),
    minimum=5,
    fixed=(FixedItem("setup", 10, -3),),
    sla=(SlaStep(1_000, 250),),
    sla_cap_bps=3_000,
)


def test_terms__of_all_components__have_this_document() -> None:
    assert terms_document(LEASE, _WHOLE) == {
        "lease": "0x" + LEASE.hex(),
        "version": 2,
        "previous": "0x" + "00" * 32,
        "party": "0x" + RENTER.hex(),
        "from_s": 10,
        "until_s": 90,
        "max_gpus": 8,
        "prices": [[10, 20_000_000, 8]],
        "tiers": [[100, 500]],
        "hours_before": 7,
        "commitment": [[10, 4]],
        "minimum": 5,
        "fixed": [["setup", 10, -3]],
        "sla": [[1_000, 250]],
        "sla_cap_bps": 3_000,
    }


def test_terms_hash__any_field_changed__is_another() -> None:
    """A version names the one before by this: nothing of it can be said otherwise later."""
    hashes = {terms_hash(LEASE, _WHOLE), terms_hash(RENTER, _WHOLE)}

    for field in fields(TermsVersion):
        value = getattr(_WHOLE, field.name)
        other: Any = b"\1" * 32 if isinstance(value, bytes) else ()
        changed = value + 1 if isinstance(value, int) else other
        hashes.add(terms_hash(LEASE, replace(_WHOLE, **{field.name: changed})))

    assert len(hashes) == 2 + len(fields(TermsVersion))


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


def test_credits__of_a_closing_statement__are_what_it_states_below_zero_by_lease() -> None:
    def line(lease: bytes, charge: int) -> Line:
        return Line(0, LineKind.SLA_DIFFERENCE, ZERO32, Bytes32(lease), 0, 1, 0, charge, 0, 0)

    low, high, even = (bytes([n]) * 32 for n in (1, 2, 3))
    lines = [line(high, -5), line(low, -9), line(high, -1), line(even, -4), line(even, 4)]

    rows = evidence.encode_credits(lines).decode()

    assert rows == f"lease,amount\n0x{low.hex()},9\n0x{high.hex()},6\n"
    assert evidence.encode_credits([]) == b"lease,amount\n"


_FOLLOWS = Follows(LogEnd(12, Bytes32(b"\5" * 32)), Bytes32(b"\6" * 32), SignedShare(7, 8))


def test_manifest__one_byte_changed_in_any_file__has_another_hash() -> None:
    files = {name: name.encode() for name in COMMITTED_FILES}

    def hashed(of: int = 1, epoch: int = 0, said: Follows = _FOLLOWS, **changed: bytes) -> bytes:
        data = encode_manifest(FacilityId(of), Epoch(epoch), files | changed, said=said)
        return sha256(data)

    hashes = {hashed(), hashed(of=2), hashed(epoch=1)}
    hashes |= {hashed(**{name: files[name] + b" "}) for name in COMMITTED_FILES}
    hashes |= {
        hashed(said=replace(_FOLLOWS, log=log))
        for log in (LogEnd(13, _FOLLOWS.log.head), LogEnd(12, ZERO32))
    }
    hashes |= {hashed(said=replace(_FOLLOWS, previous=ZERO32))}
    hashes |= {
        hashed(said=replace(_FOLLOWS, signed=x)) for x in (SignedShare(8, 8), SignedShare(7))
    }

    assert len(hashes) == len(COMMITTED_FILES) + 8


def test_follows__of_a_manifest__is_what_it_was_made_with() -> None:
    files = dict.fromkeys(COMMITTED_FILES, b"")
    data = encode_manifest(FacilityId(1), Epoch(0), files, said=_FOLLOWS)

    assert evidence_reader.follows_of(data) == _FOLLOWS


def test_canonical_json__key_order__does_not_matter_and_nan_is_refused() -> None:
    assert canonical_json({"b": 1, "a": "é"}) == canonical_json({"a": "é", "b": 1})
    assert canonical_json({"a": "é"}) == b'{\n  "a": "\\u00e9"\n}\n'
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json(float("nan"))


def test_vectors__regenerated__equal_the_file() -> None:
    """The web application's tests recompute the hashes of this file."""
    assert evidence_vectors.FILE.read_text() == evidence_vectors.text()


def test_vectors__signed__in_part_and_as_a_whole() -> None:
    epochs = json.loads(evidence_vectors.FILE.read_text())["epochs"]

    shares = [
        (json.loads(files["manifest.json"])["signed"]["gpu_seconds"], stated["billed_gpu_seconds"])
        for files in (epoch["files"] for epoch in epochs)
        for stated in [json.loads(files["statement.json"])]
    ]

    assert any(0 < signed < billed for signed, billed in shares)
    assert any(0 < signed == billed for signed, billed in shares)


def test_vectors__of_each_facility__hold_every_kind_and_a_closing_below_zero() -> None:
    epochs = json.loads(evidence_vectors.FILE.read_text())["epochs"]
    count = len(epochs) // len(evidence_vectors.SEEDS)

    for start in range(0, len(epochs), count):
        files = [epoch["files"] for epoch in epochs[start : start + count]]
        told = [json.loads(line) for x in files for line in x["facts.jsonl"].splitlines()]
        facts = {"usage", "delivery", "outage", "seen", "until", "void", "adjustment"}
        assert {fact["fact"] for fact in told} == facts
        terms = [json.loads(line) for x in files for line in x["terms.jsonl"].splitlines()]
        said = {k for each in terms for k, v in each["terms"].items() if v not in (None, 0, [])}
        assert said == set(terms_document(LEASE, _WHOLE))
        rows = [line.split(",") for x in files for line in x["lines.csv"].splitlines()[1:]]
        assert {int(row[1]) for row in rows} == set(LineKind)
        entries = [json.loads(line) for x in files for line in x["batches.jsonl"].splitlines()]
        assert {entry["kind"] for entry in entries} == {"batch", "key", "key-end"}
        closing = json.loads(files[-1]["statement.json"])
        assert closing["gross_revenue_micros"] < 0
        assert len(files[-1]["credits.csv"].splitlines()) > 1
