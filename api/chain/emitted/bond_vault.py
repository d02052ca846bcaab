"""Events of BondVault."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.contracts.bond_vault import BondTerms
from api.chain.emitted.args import EventArgs
from api.domain.units import Address, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class BondTermsSet(EventArgs):
    """A facility's bond terms were set, for good."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    terms: BondTerms


@dataclass(frozen=True, slots=True)
class BondDeposited(EventArgs):
    """A facility's bond grew to `bond_micros`."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    payer: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    bond_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class BondReleased(EventArgs):
    """The gpuOperator is owed the bond of a cancelled offer."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class BondSurrendered(EventArgs):
    """The bond went to the lockbox, which closes the facility and pays it out."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
