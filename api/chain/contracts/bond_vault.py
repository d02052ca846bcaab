"""BondVault: bonds of facilities."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.call import Call, Contract, View
from api.domain.units import FacilityId, Micros


@dataclass(frozen=True, slots=True)
class BondTerms:
    """`IBondVault.BondTerms`; all zero where none were set."""

    required_bond_micros: Annotated[Micros, "uint96"]
    rate_micros_per_gpu_hour: Annotated[Micros, "uint64"]


class BondVault(Contract):
    """View functions of BondVault."""

    name = "BondVault"
    _bond_of = View("bondOf", ("uint64",), Micros, "uint256")
    _bond_terms_of = View("bondTermsOf", ("uint64",), BondTerms)
    _owed_to = View("owedTo", ("address", "address"), Micros, "uint256")

    def bond_micros(self, facility_id: FacilityId) -> Call[Micros]:
        """What the vault holds for a facility."""
        return self._call(self._bond_of, facility_id)

    def bond_terms_of(self, facility_id: FacilityId) -> Call[BondTerms]:
        """What the bond must be, and what a missing hour costs."""
        return self._call(self._bond_terms_of, facility_id)

    def owed_micros(self, *, token: str, account: str) -> Call[Micros]:
        """What an account may withdraw of a settlement token."""
        return self._call(self._owed_to, token, account)
