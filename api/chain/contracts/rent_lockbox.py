"""RentLockbox: rent collected and settled down the waterfall."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import FacilityId, Micros, TrancheId


@dataclass(frozen=True, slots=True)
class RentBook:
    """`IRentLockbox.Book`: rent paid less refunds, the part settled, and the settled epochs."""

    collected_micros: Annotated[Micros, "uint96"]
    settled_micros: Annotated[Micros, "uint96"]
    settled_epochs: Annotated[int, "uint32"]


class RentLockbox(Contract):
    """View functions of RentLockbox."""

    name = "RentLockbox"
    _book_of = View("bookOf", ("uint64",), RentBook)
    _arrears_of = View("arrearsOf", ("uint256",), Micros, "uint256")
    _settleable = View("settleable", ("uint64",), Micros, "uint256")
    _owed_to = View("owedTo", ("address", "address"), Micros, "uint256")

    def book_of(self, facility_id: FacilityId) -> Call[RentBook]:
        """Rent of a facility."""
        return self._call(self._book_of, facility_id)

    def arrears_micros(self, token_id: TrancheId) -> Call[Micros]:
        """Coupon that fell due to a tranche and was not paid."""
        return self._call(self._arrears_of, token_id)

    def settleable_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """What a settlement would pay now: attested, final, collected, not yet settled."""
        return self._call(self._settleable, facility_id)

    def owed_micros(self, *, token: str, account: str) -> Call[Micros]:
        """What an account may withdraw of a settlement token."""
        return self._call(self._owed_to, token, account)
