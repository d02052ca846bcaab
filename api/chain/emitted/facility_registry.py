"""Events of FacilityRegistry."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.chain.terms import OfferedTerms
from api.domain.facility import TrancheTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import Address, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class FacilityOffered(EventArgs):
    """A facility entered the register; tranche `i` of the list has seniority `i`."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    terms: OfferedTerms
    tranches: tuple[TrancheTerms, ...]


@dataclass(frozen=True, slots=True)
class FacilityStateChanged(EventArgs):
    """The stored state of a facility changed; `DELIVERING` is never stored."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    state: FacilityState


@dataclass(frozen=True, slots=True)
class DefaultDeclared(EventArgs):
    """Somebody proved that a facility is in default. reason: `IFacilityRegistry.DefaultReason`."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    caller: Annotated[Address, "indexed"]
    reason: Annotated[int, "uint8"]


@dataclass(frozen=True, slots=True)
class ReceivableWrittenOff(EventArgs):
    """A facility matured although part of its attested revenue was never paid."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
