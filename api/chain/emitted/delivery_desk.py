"""Events of DeliveryDesk."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Bytes32, Epoch, FacilityId, TrancheId


@dataclass(frozen=True, slots=True)
class VoucherIssued(EventArgs):
    """Units were burned for compute under a lease, on the order `nonce` of the operator."""

    voucher_id: Annotated[int, "uint256 indexed"]
    facility_id: Annotated[FacilityId, "uint64 indexed"]
    holder: Annotated[Address, "indexed"]
    id: Annotated[TrancheId, "uint256"]
    units: Annotated[int, "uint256"]
    owed_gpu_seconds: Annotated[int, "uint64"]
    lease: Bytes32
    nonce: Annotated[int, "uint256"]


@dataclass(frozen=True, slots=True)
class VoucherMoved(EventArgs):
    """The holder's wallet was recovered; the voucher is `to`'s from now on."""

    voucher_id: Annotated[int, "uint256 indexed"]
    facility_id: Annotated[FacilityId, "uint64 indexed"]
    holder: Address
    to: Annotated[Address, "indexed"]


@dataclass(frozen=True, slots=True)
class VoucherServed(EventArgs):
    """A delivery line counted towards a voucher."""

    voucher_id: Annotated[int, "uint256 indexed"]
    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    index: Annotated[int, "uint32"]
    gpu_seconds: Annotated[int, "uint64"]
