"""Events of FacilityRegistry."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.chain.terms import OfferedTerms
from api.domain.facility import TrancheTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class FacilityOffered(EventArgs):
    """A facility entered the register; tranche `i` of the list has seniority `i`.

    panel: number of the panel of attesters whose signatures count for it.
    """

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    gpu_operator: Annotated[Address, "indexed"]
    panel: Annotated[int, "uint8"]
    terms: OfferedTerms
    tranches: tuple[TrancheTerms, ...]


@dataclass(frozen=True, slots=True)
class LedgerKeySet(EventArgs):
    """An operator named the key that signs for it in logs; 32 zero bytes for none."""

    gpu_operator: Annotated[Address, "indexed"]
    ledger_key: Bytes32


@dataclass(frozen=True, slots=True)
class FacilityStateChanged(EventArgs):
    """The stored state of a facility changed; `DELIVERING` is never stored."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    state: FacilityState


@dataclass(frozen=True, slots=True)
class DefaultNoticed(EventArgs):
    """Notice was given of an overdue epoch; unless it is stated or published, a default follows."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    caller: Annotated[Address, "indexed"]
    cure_until_s: Annotated[int, "uint64"]


@dataclass(frozen=True, slots=True)
class DefaultDeclared(EventArgs):
    """A facility defaulted: an epoch stayed open after notice and cure."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    caller: Annotated[Address, "indexed"]


@dataclass(frozen=True, slots=True)
class UnpaidNoticed(EventArgs):
    """Notice was given that everything is attested and final, and part of it is unpaid."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    matures_from_s: Annotated[int, "uint64"]


@dataclass(frozen=True, slots=True)
class ReceivableWrittenOff(EventArgs):
    """A facility matured although part of its attested revenue was not paid."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]
