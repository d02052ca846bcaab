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
class ShortfallPaid(EventArgs):
    """Holders were paid because availability fell short of the promise."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epochs: Annotated[int, "uint32"]
    gpu_seconds: Annotated[int, "uint256"]
    amount_micros: Annotated[Micros, "uint256"]
    bond_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class UnservedPaid(EventArgs):
    """A voucher's holder is owed money for compute that was not served."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    holder: Annotated[Address, "indexed"]
    gpu_seconds: Annotated[int, "uint256"]
    amount_micros: Annotated[Micros, "uint256"]
    bond_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class BondReleased(EventArgs):
    """The gpuOperator is owed the rest of the bond."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class BondSeized(EventArgs):
    """After a default, bond money went to holders."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class SlashedDistributed(EventArgs):
    """Slashed money of attesters was paid to the facility's holders."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
