"""DeliveryDesk: vouchers for compute instead of revenue."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Address, Bytes32, FacilityId


@dataclass(frozen=True, slots=True)
class Voucher:
    """`IDeliveryDesk.Voucher`. delivery_ref: lease hash that delivery lines must carry."""

    holder: Address
    facility_id: Annotated[FacilityId, "uint64"]
    owed_gpu_seconds: Annotated[int, "uint64"]
    served_gpu_seconds: Annotated[int, "uint64"]
    paid_gpu_seconds: Annotated[int, "uint64"]
    issued_at_s: Annotated[int, "uint64"]
    delivery_ref: Bytes32


class DeliveryDesk(Contract):
    """View functions of DeliveryDesk."""

    name = "DeliveryDesk"
    _voucher_of = View("voucherOf", ("uint256",), Voucher)

    def voucher_of(self, voucher_id: int) -> Call[Voucher]:
        """A voucher. The contract refuses an unknown one."""
        return self._call(self._voucher_of, voucher_id)
