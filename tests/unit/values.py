"""Values of the domain for unit tests, and strategies that make them."""

from dataclasses import replace

from hypothesis import strategies as st

from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.hashing import device_hash, keccak
from api.domain.metering.usage import LineKind, Outage
from api.domain.statements.differences import Difference
from api.domain.statements.evidence import Carry
from api.domain.statements.lines import Line
from api.domain.statements.rating import LeaseCarry, LeaseTerms, PricePlan, PriceVersion
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
OUTAGES = st.builds(Outage, HASHES, HASHES, _U63, _U63)
PRICES = st.builds(PriceVersion, _U63, _U63, _U63, st.integers(0, 10_000))
LEASES = st.builds(
    LeaseTerms,
    lease=HASHES,
    renter=HASHES,
    plan=st.sampled_from(PricePlan),
    committed_gpus=_U63,
    opened_at_s=_U63,
    closed_at_s=st.none() | _U63,
    prices=st.lists(PRICES, max_size=3).map(tuple),
)
CARRIES = st.builds(
    Carry,
    # Weights pass 64 bits: GPU-seconds x micros x basis points.
    st.dictionaries(HASHES, st.builds(LeaseCarry, st.integers(-(2**200), 2**200), _I63)),
    st.lists(
        st.builds(Difference, KINDS, HASHES, HASHES, _U63, _U63, st.integers(-(2**200), 2**200)),
        max_size=3,
    ).map(tuple),
)
