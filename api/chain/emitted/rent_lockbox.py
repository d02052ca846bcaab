"""Events of RentLockbox."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Bytes32, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class RentPaid(EventArgs):
    """Rent arrived."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    lease: Annotated[Bytes32, "indexed"]
    payer: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    cumulative_collected_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class RentRefunded(EventArgs):
    """Rent beyond everything attested was credited back to its payer."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    payer: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    cumulative_collected_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class Settled(EventArgs):
    """Rent was paid out down the waterfall."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    settled_epochs: Annotated[int, "uint32"]
    amount_micros: Annotated[Micros, "uint256"]
    fee_micros: Annotated[Micros, "uint256"]
    cumulative_settled_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class Distributed(EventArgs):
    """Money of a bond or a sale was paid to tranches. source: the contract it came from."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    source: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class ResidualOwed(EventArgs):
    """The gpuOperator was credited with money that fell on unsold units, or on nobody."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class FeesPaid(EventArgs):
    """The treasury took a facility's fees."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    token: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
