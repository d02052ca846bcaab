"""Events of PrimarySale."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, FacilityId, Micros, TrancheId


@dataclass(frozen=True, slots=True)
class SaleTerms:
    """`IPrimarySale.SaleTerms`; prices by seniority."""

    opens_at_s: Annotated[int, "uint64"]
    closes_at_s: Annotated[int, "uint64"]
    floor_proceeds_micros: Annotated[Micros, "uint64"]
    up_front_bps: Annotated[int, "uint16"]
    unit_prices_micros: Annotated[tuple[Micros, ...], "uint64[]"]


@dataclass(frozen=True, slots=True)
class SaleOpened(EventArgs):
    """A sale was opened; its first units are sold at `terms.opens_at_s`."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    terms: SaleTerms


@dataclass(frozen=True, slots=True)
class UnitsSold(EventArgs):
    """Units were sold. proceeds_micros: of the whole sale so far."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    buyer: Annotated[Address, "indexed"]
    id: Annotated[TrancheId, "uint256 indexed"]
    units: Annotated[int, "uint256"]
    cost_micros: Annotated[Micros, "uint256"]
    proceeds_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class UnitsRefunded(EventArgs):
    """Units of a failed sale were burned, and their price paid back."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    buyer: Annotated[Address, "indexed"]
    id: Annotated[TrancheId, "uint256 indexed"]
    units: Annotated[int, "uint256"]
    amount_micros: Annotated[Micros, "uint256"]
    to: Address


@dataclass(frozen=True, slots=True)
class SaleSucceeded(EventArgs):
    """A sale reached its floor, and the facility was funded."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    sold_units: Annotated[int, "uint256"]
    proceeds_micros: Annotated[Micros, "uint256"]
    up_front_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class SaleFailed(EventArgs):
    """A sale failed. counted_micros: proceeds that counted towards the floor."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    counted_micros: Annotated[Micros, "uint256"]
    floor_proceeds_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class ProceedsReleased(EventArgs):
    """Proceeds were credited to the gpuOperator. released_micros: so far."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    released_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class ProceedsSurrendered(EventArgs):
    """Proceeds that were not released went to the lockbox. unearned_micros: by delivery."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    unearned_micros: Annotated[Micros, "uint256"]
