"""Events of StatementRegistry."""

from dataclasses import dataclass
from typing import Annotated

from api.chain.emitted.args import EventArgs
from api.domain.statements.statement import Statement
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros


@dataclass(frozen=True, slots=True)
class StatementPosted(EventArgs):
    """A statement was posted with a quorum of attesters, in ascending order."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    statement_hash: Annotated[Bytes32, "indexed"]
    statement: Statement
    attesters: tuple[Address, ...]
    cumulative_gross_micros: Annotated[Micros, "uint128"]


@dataclass(frozen=True, slots=True)
class StatementVoided(EventArgs):
    """A fault was proven: epochs `epoch` to `epochs_posted_before - 1` are void."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    fault: Annotated[int, "uint8"]
    challenger: Annotated[Address, "indexed"]
    epochs_posted_before: Annotated[int, "uint32"]


@dataclass(frozen=True, slots=True)
class EvidencePublished(EventArgs):
    """The gpuOperator published the hash of its evidence of an epoch."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    evidence_hash: Bytes32


@dataclass(frozen=True, slots=True)
class EvidenceRejected(EventArgs):
    """Attesters rejected published evidence: epochs from `epoch` on are published no more."""

    facility_id: Annotated[FacilityId, "uint64 indexed"]
    epoch: Annotated[Epoch, "uint32 indexed"]
    evidence_hash: Bytes32
    attesters: tuple[Address, ...]
    published_before: Annotated[int, "uint32"]
