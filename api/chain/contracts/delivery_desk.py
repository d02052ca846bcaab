"""DeliveryDesk: vouchers for compute instead of revenue."""

from dataclasses import dataclass
from typing import Annotated, cast

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import Address, Bytes32, Epoch, FacilityId, GpuSeconds


@dataclass(frozen=True, slots=True)
class Voucher:
    """`IDeliveryDesk.Voucher`. lease: hash that delivery lines must carry."""

    holder: Address
    facility_id: Annotated[FacilityId, "uint64"]
    seniority: Annotated[int, "uint8"]
    owed_gpu_seconds: Annotated[int, "uint56"]
    served_gpu_seconds: Annotated[int, "uint56"]
    units: Annotated[int, "uint40"]
    issued_at_s: Annotated[int, "uint40"]
    lease: Bytes32

    @property
    def open_gpu_seconds(self) -> GpuSeconds:
        """What is not served."""
        return GpuSeconds(self.owed_gpu_seconds - self.served_gpu_seconds)


# One number a tranche, by seniority; 0 for tranches that a facility does not have.
_Four = tuple[int, int, int, int]


class DeliveryDesk(Contract):
    """View functions of DeliveryDesk."""

    name = "DeliveryDesk"
    _voucher_of = View("voucherOf", ("uint256",), Voucher)
    _voucher_count = View("voucherCount", (), int, "uint256")
    # mypy takes no tuple for a class.
    _open_gpu_seconds_of = View(
        "openGpuSecondsOf", ("uint64",), cast("type[_Four]", _Four), "uint64[4]"
    )
    _served_gpu_seconds_of = View("servedGpuSecondsOf", ("uint64",), int, "uint64")
    _used = View("usedGpuSecondsOf", ("uint64", "uint32", "uint32"), int, "uint64")

    def voucher_of(self, voucher_id: int) -> Call[Voucher]:
        """A voucher. The contract refuses an unknown one."""
        return self._call(self._voucher_of, voucher_id)

    def voucher_count(self) -> Call[int]:
        """Number of vouchers issued, which is also the newest one's."""
        return self._call(self._voucher_count)

    def open_gpu_seconds(self, facility_id: FacilityId) -> Call[_Four]:
        """What vouchers of a facility are open for, by seniority of the units that were burned."""
        return self._call(self._open_gpu_seconds_of, facility_id)

    def served_gpu_seconds(self, facility_id: FacilityId) -> Call[int]:
        """GPU-seconds that vouchers of a facility were served."""
        return self._call(self._served_gpu_seconds_of, facility_id)

    def used_gpu_seconds(self, facility_id: FacilityId, epoch: Epoch, index: int) -> Call[int]:
        """GPU-seconds of a delivery line that served vouchers already."""
        return self._call(self._used, facility_id, epoch, index)
