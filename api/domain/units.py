"""Integer units of time, capacity and money, with their bounds."""

from typing import NewType

OperatorId = NewType("OperatorId", int)  # ours alone
FacilityId = NewType("FacilityId", int)  # uint64
TrancheId = NewType("TrancheId", int)  # facility id << 8 | seniority
Epoch = NewType("Epoch", int)  # uint32, from 0
GpuSeconds = NewType("GpuSeconds", int)
Micros = NewType("Micros", int)  # minor units of a settlement token with 6 decimals
Minor = NewType("Minor", int)  # minor units of a settlement token, of whatever decimals it has
Bytes32 = NewType("Bytes32", bytes)
KeyId = NewType("KeyId", str)  # public name of an API key: how it begins
Address = NewType("Address", str)  # 20 bytes of hex: checksummed from us, lower-case from a node

SECONDS_PER_HOUR = 3_600
BPS = 10_000
PPM = 1_000_000
ZERO32 = Bytes32(bytes(32))
ZERO_ADDRESS = Address("0x" + "00" * 20)
NO_MICROS = Micros(0)
NO_MONEY = Minor(0)

MAX_U32 = 2**32 - 1
MAX_U64 = 2**64 - 1
# Signed 64 bits is what SQLite and PostgreSQL BIGINT hold: about 9.2 million million dollars.
MAX_I64 = 2**63 - 1
# One GPU-hour at a million dollars: far above any price seen, far below where products overflow.
MAX_PRICE_MICROS_PER_GPU_HOUR = 10**12
MAX_PRICE = 10**12


def tranche_id(facility_id: FacilityId, seniority: int) -> TrancheId:
    """ERC-1155 id of a tranche. Same packing as `TrancheId.sol`."""
    return TrancheId(facility_id << 8 | seniority)


def split_tranche_id(token_id: int) -> tuple[FacilityId, int]:
    """Facility and seniority of an ERC-1155 id."""
    return FacilityId(token_id >> 8), token_id & 0xFF


def capacity_gpu_hours(*, device_count: int, window_s: int) -> int:
    """Whole GPU-hours of a window, rounded down: the most units that may be minted."""
    return device_count * window_s // SECONDS_PER_HOUR
