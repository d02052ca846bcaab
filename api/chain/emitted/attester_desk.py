"""Events of AttesterDesk."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class StatementRefused(EventArgs):
    """An attester refused a statement. code: as `RefusalCode`; place: left-aligned ASCII."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    attester: Annotated[Address, "indexed"]
    statement_hash: Bytes32
    evidence_hash: Bytes32
    previous_statement_hash: Bytes32
    code: Annotated[int, "uint8"]
    place: Bytes32


@dataclass(frozen=True, slots=True)
class SignatureShown(EventArgs):
    """An attester showed its signature over a statement that is posted with others', or not."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    attester: Annotated[Address, "indexed"]
    statement_hash: Bytes32


@dataclass(frozen=True, slots=True)
class DutyBooked(EventArgs):
    """A seat's duty for a statement was booked."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    attester: Annotated[Address, "indexed"]


@dataclass(frozen=True, slots=True)
class FeesSplit(EventArgs):
    """Fees came from the lockbox and were split."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    token: Annotated[Address, "indexed"]
    to_attesters_micros: Annotated[Micros, "uint256"]
    to_treasury_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class AttesterPaid(EventArgs):
    """An attester is owed its pay. earned_micros: all that it earned of the facility so far."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    attester: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
    earned_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class UnearnedReleased(EventArgs):
    """Pay of duties that nobody did went to the treasury."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    amount_micros: Annotated[Micros, "uint256"]


@dataclass(frozen=True, slots=True)
class FeesTaken(EventArgs):
    """The treasury took its part of fees."""

    token: Annotated[Address, "indexed"]
    to: Annotated[Address, "indexed"]
    amount_micros: Annotated[Micros, "uint256"]
