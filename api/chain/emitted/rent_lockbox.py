"""Events of RentLockbox."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.rent_lockbox import Claims, Fourfold
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
class Closing:
    """`IRentLockbox.Closing`: bond and escrow are what the bond advanced and all shares together.

    missing_gpu_seconds: promised and not delivered.  advanced_micros: attested rent that the bond
    paid in place of renters.
    """

    missing_gpu_seconds: Annotated[int, "uint256"]
    bond_micros: Annotated[Micros, "uint256"]
    escrow_micros: Annotated[Micros, "uint256"]
    advanced_micros: Annotated[Micros, "uint256"]
    to_units_micros: Annotated[Fourfold, "uint256[4]"]
    to_vouchers_micros: Annotated[Fourfold, "uint256[4]"]
    to_treasury_micros: Annotated[Micros, "uint256"]
    to_operator_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class FacilityClosed(EventArgs):
    """An ended facility was closed: its bond and unearned proceeds are shared."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    closing: Closing
    claims: Claims


@dataclass(frozen=True, slots=True)
class LateRentShared(EventArgs):
    """Rent came after the closing and went to claims: it replaced the bond's, or did not count."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    to_units_micros: Annotated[Fourfold, "uint256[4]"]
    to_vouchers_micros: Annotated[Fourfold, "uint256[4]"]
    to_treasury_micros: Annotated[Micros, "uint256"]
    to_operator_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class VoucherPaid(EventArgs):
    """A voucher's holder is owed money for what was not served."""

    voucher_id: Annotated[int, "uint256 indexed"]
    facility_id: Annotated[FacilityId, "uint64 indexed"]
    holder: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class ResidualOwed(EventArgs):
    """The gpuOperator was credited with money that fell on unsold units or on nobody, or
    that a closing left over."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class FeesPassed(EventArgs):
    """A facility's fees went to the AttesterDesk, which splits them."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    token: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
