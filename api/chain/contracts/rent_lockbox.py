"""RentLockbox: rent collected and settled down the waterfall."""

from dataclasses import dataclass
from typing import Annotated, cast

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import FacilityId, Micros, TrancheId


@dataclass(frozen=True, slots=True)
class RentBook:
    """`IRentLockbox.Book`: rent paid less refunds, the part settled, and the settled epochs.

    settled_micros: also what the bond paid of it at the closing.
    """

    collected_micros: Annotated[Micros, "uint96"]
    settled_micros: Annotated[Micros, "uint96"]
    settled_epochs: Annotated[int, "uint32"]


# One sum a tranche, by seniority; 0 for tranches that a facility does not have.
Fourfold = tuple[Micros, Micros, Micros, Micros]


@dataclass(frozen=True, slots=True)
class Claims:
    """`IRentLockbox.Claims`: what stays owed after a closing."""

    units_micros: Annotated[Fourfold, "uint256[4]"]
    vouchers_micros: Annotated[Fourfold, "uint256[4]"]
    treasury_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class Advance:
    """What the bond paid of attested rent at a closing, and what of later rent went to claims."""

    advanced_micros: Annotated[Micros, "uint256"]
    reimbursed_micros: Annotated[Micros, "uint256"]


class RentLockbox(Contract):
    """View functions of RentLockbox."""

    name = "RentLockbox"
    _book_of = View("bookOf", ("uint64",), RentBook)
    _arrears_of = View("arrearsOf", ("uint256",), Micros, "uint256")
    _unsold_arrears_of = View("unsoldArrearsOf", ("uint256",), Micros, "uint256")
    _settleable = View("settleable", ("uint64",), Micros, "uint256")
    _closable_from = View("closableFrom", ("uint64",), int, "uint64")
    _claims_of = View("claimsOf", ("uint64",), Claims)
    _advance_of = View("advanceOf", ("uint64",), Advance, several=True)
    # mypy takes no tuple for a class.
    _voucher_pools_of = View(
        "voucherPoolsOf", ("uint64",), cast("type[Fourfold]", Fourfold), "uint256[4]"
    )
    _payable_to_voucher = View("payableToVoucher", ("uint256",), Micros, "uint256")
    _paid_to_voucher = View("paidToVoucher", ("uint256",), Micros, "uint256")
    _fees_owed = View("feesOwed", ("uint64",), Micros, "uint256")
    _paid_by = View("paidBy", ("uint64", "address"), Micros, "uint256")
    _owed_to = View("owedTo", ("address", "address"), Micros, "uint256")

    def book_of(self, facility_id: FacilityId) -> Call[RentBook]:
        """Rent of a facility."""
        return self._call(self._book_of, facility_id)

    def arrears_micros(self, token_id: TrancheId) -> Call[Micros]:
        """Coupon that fell due to a tranche and was not paid."""
        return self._call(self._arrears_of, token_id)

    def unsold_arrears_micros(self, token_id: TrancheId) -> Call[Micros]:
        """The same of units that were never sold; owed to the gpuOperator."""
        return self._call(self._unsold_arrears_of, token_id)

    def settleable_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """What a settlement would pay now: attested, final, collected, not yet settled."""
        return self._call(self._settleable, facility_id)

    def closable_from_s(self, facility_id: FacilityId) -> Call[int]:
        """From when a facility can be closed; 0 while it has not ended, and once it is closed."""
        return self._call(self._closable_from, facility_id)

    def claims_of(self, facility_id: FacilityId) -> Call[Claims]:
        """What stays owed after a closing."""
        return self._call(self._claims_of, facility_id)

    def advance_of(self, facility_id: FacilityId) -> Call[Advance]:
        """Rent that the bond paid at a closing, and what later rent replaced."""
        return self._call(self._advance_of, facility_id)

    def voucher_pools_micros(self, facility_id: FacilityId) -> Call[Fourfold]:
        """All that vouchers of each tranche got, credited or not; 0 before the closing."""
        return self._call(self._voucher_pools_of, facility_id)

    def payable_to_voucher_micros(self, voucher_id: int) -> Call[Micros]:
        """What `payVoucher` would credit now."""
        return self._call(self._payable_to_voucher, voucher_id)

    def paid_to_voucher_micros(self, voucher_id: int) -> Call[Micros]:
        """What was credited for a voucher so far."""
        return self._call(self._paid_to_voucher, voucher_id)

    def fees_owed_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """Fees on rent, and the treasury's share of closings, that have not left the lockbox."""
        return self._call(self._fees_owed, facility_id)

    def paid_by_micros(self, facility_id: FacilityId, payer: str) -> Call[Micros]:
        """Rent that one account paid, less what went back to it."""
        return self._call(self._paid_by, facility_id, payer)

    def owed_micros(self, *, token: str, account: str) -> Call[Micros]:
        """What an account may withdraw of a settlement token."""
        return self._call(self._owed_to, token, account)
