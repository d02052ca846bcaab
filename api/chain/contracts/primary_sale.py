"""PrimarySale: units sold, and the proceeds that delivery earns."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.capital.sale import SaleBook, SaleState
from api.domain.units import FacilityId, Micros


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """`IPrimarySale.SaleBook`: proceeds came in; what was released or returned went out again.

    counted_micros: towards the floor, without the operator's own purchases.
    """

    state: SaleState
    sold_units: Annotated[int, "uint40"]
    proceeds_micros: Annotated[Micros, "uint96"]
    counted_micros: Annotated[Micros, "uint96"]
    released_micros: Annotated[Micros, "uint96"]
    returned_micros: Annotated[Micros, "uint96"]

    def sale_book(self) -> SaleBook:
        """The same in the reference model's words."""
        return SaleBook(
            self.state,
            self.sold_units,
            self.proceeds_micros,
            self.counted_micros,
            self.released_micros,
            self.returned_micros,
        )


class PrimarySale(Contract):
    """View functions of PrimarySale."""

    name = "PrimarySale"
    _book_of = View("bookOf", ("uint64",), SaleRecord)
    _releasable = View("releasable", ("uint64",), Micros, "uint256")
    _owed_to = View("owedTo", ("address", "address"), Micros, "uint256")

    def book_of(self, facility_id: FacilityId) -> Call[SaleRecord]:
        """Sale of a facility; state `NONE` where there is none."""
        return self._call(self._book_of, facility_id)

    def releasable_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """Proceeds that attested delivery earned and that were not released yet."""
        return self._call(self._releasable, facility_id)

    def owed_micros(self, *, token: str, account: str) -> Call[Micros]:
        """What an account may withdraw of a settlement token."""
        return self._call(self._owed_to, token, account)
