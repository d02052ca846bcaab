"""Values of the domain for unit tests, and strategies that make them."""

from dataclasses import replace

from hypothesis import strategies as st

from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.hashing import device_hash, keccak
from api.domain.metering.facts import Adjusted, Agreed, Held, Out, Place, Seen, Until, Voided
from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
)
from api.domain.metering.usage import LineKind
from api.domain.statements.lines import Line
from api.domain.statements.told import Told
from api.domain.units import Bytes32, FacilityId

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
DAY_S = 86_400
EPOCHS = 3
DEVICES = tuple(sorted(device_hash(f"GPU-{i}") for i in range(4)))
LEASE, RENTER = keccak(b"lease"), keccak(b"renter")
TERMS = FacilityTerms(
    facility_id=FacilityId(7),
    gpu_operator="0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    settlement_token="0x5FbDB2315678afecb367f032d93F642f64180aa3",
    gpu_class="H100-SXM5-80GB",
    site="SE-LULEA-1",
    window_start_s=START_S,
    window_end_s=START_S + EPOCHS * DAY_S,
    expires_at_s=START_S + DAY_S,
    epoch_length_s=DAY_S,
    devices=DEVICES,
    promised_availability_ppm=990_000,
    fee_bps=100,
    tranches=(TrancheTerms(100, 900_000), TrancheTerms(50)),
)
# Two slices of one card, one of another.
SLICES = tuple(sorted(device_hash(f"MIG-{i}") for i in range(3)))
SLICED = replace(
    TERMS,
    devices=SLICES,
    cards=(DEVICES[0], DEVICES[1], DEVICES[0]),
    profile="3g.40gb",
    gpu_class="H100-SXM5-80GB/3g.40gb",
)

_U63 = st.integers(0, 2**63 - 1)
_I63 = st.integers(-(2**63), 2**63 - 1)
HASHES = st.binary(min_size=32, max_size=32).map(Bytes32)
KINDS = st.sampled_from(LineKind)
LINES = st.builds(Line, _U63, KINDS, HASHES, HASHES, _U63, _U63, _U63, _I63, _U63, _I63)

PLACES = st.builds(Place, _U63, _U63)


def _steps(step: type, *fields: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.builds(step, *fields), max_size=3).map(tuple)


VERSIONS = st.builds(
    TermsVersion,
    version=_U63,
    previous=HASHES,
    party=HASHES,
    from_s=_U63,
    until_s=st.none() | _U63,
    max_gpus=_U63,
    prices=_steps(PriceStep, _U63, _U63, _U63),
    tiers=_steps(TierStep, _U63, _U63),
    hours_before=_U63,
    commitment=_steps(CommitmentStep, _U63, _U63),
    minimum=_U63,
    fixed=_steps(FixedItem, st.text(max_size=5), _U63, _I63),
    sla=_steps(SlaStep, _U63, _U63),
    sla_cap_bps=_U63,
)


def _told(place: Place) -> st.SearchStrategy[Told]:
    """A fact of a place, as the log tells it."""
    span, here = (_U63, _U63), st.just(place)
    facts = st.one_of(
        st.builds(Held, here, HASHES, HASHES, *span, st.booleans()),
        st.builds(Until, PLACES, _U63),
        st.builds(Out, here, HASHES, HASHES, *span, st.booleans()),
        st.builds(Seen, HASHES, *span),
        st.builds(Agreed, HASHES, VERSIONS),
        st.builds(Adjusted, here, HASHES, HASHES, _I63),
        st.builds(Voided, PLACES),
    )
    return st.builds(Told, here, _U63, facts)


TOLD = PLACES.flatmap(_told)
