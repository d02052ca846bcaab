"""What a takeover works with, what it says, and how it stops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine

from api.chain.contracts import Contracts
from api.chain.emitted.args import read_payload
from api.chain.emitted.statement_registry import StatementPosted, StatementVoided
from api.db.chain_store import events_named
from api.db.standing import standing_posts
from api.domain.statements.statement import Statement
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.errors import AppError
from api.evidence_store import EvidenceFolder, EvidenceSource
from api.ledger.recorder import LogKeyRing

# Facility, what is done, how far.
OnProgress = Callable[[FacilityId, str, int], None]


class TakeoverRefused(AppError):
    """Something does not hold, and nothing is taken over. `context` names facility, epoch, file."""

    status = 409
    code = "takeover_refused"


def refused(
    facility_id: FacilityId, why: str, *, epoch: Epoch | None = None, file: str | Path | None = None
) -> TakeoverRefused:
    """The error of a facility that cannot be taken over."""
    context: dict[str, object] = {"facility_id": facility_id}
    if epoch is not None:
        context["epoch"] = epoch
    if file is not None:
        context["file"] = str(file)
    where = f"facility {facility_id}" if epoch is None else f"facility {facility_id}, epoch {epoch}"
    return TakeoverRefused(f"{where}: {why if file is None else f'{file}: {why}'}", **context)


class NoKeys:
    """A place without any key of a log."""

    def of(self, _public: bytes) -> Ed25519PrivateKey | None:
        """The private half of a key: never here."""
        return None

    def held(self) -> Mapping[bytes, Ed25519PrivateKey]:
        """All that are here: none."""
        return {}


@dataclass(frozen=True, slots=True)
class Site:
    """Where a takeover is made: a database of its own, and evidence that is written anew.

    source: the published evidence, of which only hashes are believed.
    """

    engine: Engine
    evidence: EvidenceFolder
    source: EvidenceSource
    contracts: Contracts
    ring: LogKeyRing
    on_progress: OnProgress


@dataclass(slots=True)
class TakenFacility:
    """A facility that was taken over: whose it is now, entries of its log, statements made again,
    and what a person should know."""

    facility_id: FacilityId
    operator_id: OperatorId
    operator_name: str
    entries: int = 0
    statements: int = 0
    said: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OnChain:
    """What the chain says of a facility's statements.

    posted: that stand, by epoch.  known: that were ever posted, by hash.  voided: how often a fault
    was proven in an epoch.
    """

    posted: Mapping[Epoch, Statement]
    known: Mapping[Bytes32, Statement]
    voided: Mapping[Epoch, int]


def on_chain(connection: Connection, facility_id: FacilityId) -> OnChain:
    """What the indexed chain says of a facility's statements."""
    known = {}
    for row in events_named(connection, "StatementPosted", facility_id=facility_id):
        event = read_payload(StatementPosted, row.payload)
        known[Bytes32(event.statement_hash)] = event.statement
    voided: dict[Epoch, int] = {}
    for row in events_named(connection, "StatementVoided", facility_id=facility_id):
        epoch = read_payload(StatementVoided, row.payload).epoch
        voided[epoch] = voided.get(epoch, 0) + 1
    standing = standing_posts(connection, facility_id)
    posted = {epoch: known[Bytes32(row.statement_hash)] for epoch, row in standing.items()}
    return OnChain(posted, known, voided)
