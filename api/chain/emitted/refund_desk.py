"""Events of RefundDesk."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Bytes32, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class CreditsApproved(EventArgs):
    """Attesters, in ascending order, signed the credits of a closed facility.

    shares_from_s: from then on what they leave goes back pro rata.
    """

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    credits_root: Bytes32
    attesters: tuple[Address, ...]
    shares_from_s: Annotated[int, "uint64"]


@dataclass(frozen=True, slots=True)
class CreditRefunded(EventArgs):
    """A signed credit was paid back."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    index: Annotated[int, "uint32 indexed"]
    lease: Annotated[Bytes32, "indexed"]
    payer: Address
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class ShareRefunded(EventArgs):
    """A payer got its share of what no signed credit took. paid_micros: less earlier refunds."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    payer: Annotated[Address, "indexed"]
    paid_micros: Annotated[Micros, "uint256"]
    amount_micros: Annotated[Micros, "uint256"]
