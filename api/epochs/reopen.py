"""Reopen: after a proven fault, an epoch and those after it are corrected and closed again.

Records stay where they are. From the reopening on, for the facility's grace, the epoch takes
records and voids again; `domain.lifecycle.open_epoch` is the one rule of it, for ingest and
attesters.
The contract refuses the bytes that were proven wrong, so an epoch that is reopened and closed
unchanged is shown as `voided` again, and nothing is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from api.chain.contracts import Contracts
from api.db import chain_store, index_store
from api.db import reopenings as store
from api.db.facilities import lock_facility, own_facility_row, set_last_recorded
from api.db.session import reading, transaction
from api.db.standing import progress_of
from api.db.statements import signatures_of, to_statement
from api.db.tables.facilities import FacilityRow
from api.db.tables.history import NewReopening, NewSuperseded
from api.db.tables.outbox import intents
from api.db.tables.statements import StatementRow, statements
from api.domain.lifecycle import Reopening
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    STATEMENT_FILE,
    encode_attestations,
    encode_statement,
    epoch_folder,
    superseded_folder,
)
from api.domain.statements.statement import Statement
from api.domain.transactions import UNDER_WAY
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.errors import Conflict, Misconfigured, NotFound
from api.evidence_store import EvidenceFolder


@dataclass(frozen=True, slots=True)
class Reopened:
    """What a reopening did."""

    first_epoch: Epoch
    superseded: tuple[Epoch, ...]
    reopened_at_s: int
    open_until_s: int


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an epoch cannot be reopened."""

    reason: str
    message: str


def reopen(
    engine: Engine,
    evidence: EvidenceFolder,
    contracts: Contracts | None,
    *,
    operator_id: OperatorId,
    facility_id: FacilityId,
    epoch: Epoch,
    now_s: int,
) -> Reopened:
    """Take an epoch whose statement was proven wrong, and those after it, out of the books.

    Raises:  NotFound, Misconfigured without a deployment, Conflict with `reason` `not_voided`
             (its statement stands, was never posted, or can be posted as it is), `not_next` (an
             earlier epoch comes first), `void_not_final` (a reorg could still undo the fault),
             `posting_under_way`.
    """
    with reading(engine) as connection:
        own_facility_row(connection, operator_id, facility_id)
    if contracts is None:
        raise Misconfigured("there is no deployment file: nothing can have been voided")
    posted = _posted(contracts, FacilityId(facility_id))
    with reading(engine) as connection:
        row = own_facility_row(connection, operator_id, facility_id)
        _require_voided(connection, row, epoch, posted=posted)
        kept = _keep_evidence(connection, evidence, facility_id, epoch)
    with transaction(engine) as connection:
        row = lock_facility(connection, facility_id)
        _require_voided(connection, row, epoch, posted=posted)
        # Whatever was recorded up to now keeps its place: the new rule begins a second later.
        at_s = max(now_s, row.last_recorded_at_s + 1)
        reopening = NewReopening(
            facility_id=facility_id,
            first_epoch=epoch,
            reopened_at_s=at_s,
            epochs_closed=row.epochs_closed,
        )
        reopening_pk = store.add_reopening(connection, reopening)
        gone = store.statements_from(connection, facility_id, epoch)
        if [s.statement_hash for s in gone] != kept:
            message = "the books changed meanwhile: try again"
            raise Conflict(message, facility_id=facility_id, epoch=epoch, reason="books_changed")
        rows = [_superseded(connection, s, reopening_pk, epoch) for s in gone]
        store.supersede(connection, facility_id, epoch, rows)
        set_last_recorded(connection, facility_id, at_s)
        # Last, and before the commit: cut short here, the same call again finds the copies and
        # finishes. What is left behind would stand in the way of the new evidence.
        for statement in gone:
            evidence.remove(epoch_folder(facility_id, statement.epoch))
    until_s = Reopening(epoch, at_s).until_s(row.grace_s)
    return Reopened(epoch, tuple(s.epoch for s in gone), at_s, until_s)


def obstacles(
    engine: Engine,
    contracts: Contracts | None,
    *,
    facility_id: FacilityId,
    epochs: Sequence[Epoch],
) -> dict[Epoch, Obstacle | None]:
    """Why each of some voided epochs cannot be reopened now; None if it can.

    Raises:  ChainUnavailable, if there is any epoch to ask about.
    """
    if not epochs or contracts is None:
        return {}
    posted = _posted(contracts, FacilityId(facility_id))
    with reading(engine) as connection:
        return {
            epoch: _obstacle(
                connection,
                facility_id,
                epoch,
                posted=posted,
            )
            for epoch in epochs
        }


def _posted(contracts: Contracts, facility_id: FacilityId) -> int:
    """How many statements of a facility the contract has now."""
    head = contracts.client.head().number
    return contracts.statement_registry.epochs_posted(facility_id).at(block=head)


def _stored_hash(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> Bytes32 | None:
    query = select(statements.c.statement_hash).where(
        statements.c.facility_id == facility_id, statements.c.epoch == epoch
    )
    return connection.execute(query).scalar()


def _require_voided(
    connection: Connection,
    row: FacilityRow,
    epoch: Epoch,
    *,
    posted: int,
) -> None:
    facility_id = row.facility_id
    names = {"facility_id": facility_id, "epoch": epoch}
    if _stored_hash(connection, facility_id, epoch) is None:
        raise NotFound(f"facility {facility_id} has no statement of epoch {epoch}", **names)
    obstacle = _obstacle(connection, facility_id, epoch, posted=posted)
    if obstacle is not None:
        raise Conflict(obstacle.message, reason=obstacle.reason, **names)


def _obstacle(
    connection: Connection,
    facility_id: FacilityId,
    epoch: Epoch,
    *,
    posted: int,
) -> Obstacle | None:
    progress = progress_of(connection, facility_id)
    stored = _stored_hash(connection, facility_id, epoch)
    if stored not in progress.voided_hashes or posted > epoch:
        return Obstacle("not_voided", "no proven fault voided the statement in the books")
    if progress.posted != epoch or posted != epoch:
        return Obstacle("not_next", f"epoch {posted} is the next to be posted")
    voids = chain_store.events_named(connection, "StatementVoided", facility_id=facility_id)
    final = index_store.final_number(connection)
    if final is None or voids[-1].block_number > final:
        return Obstacle("void_not_final", "the fault is too young: a reorg could undo it")
    under_way = select(intents.c.intent_pk).where(
        intents.c.kind == "post",
        intents.c.facility_id == facility_id,
        intents.c.epoch >= epoch,
        intents.c.state.in_(UNDER_WAY),
    )
    if connection.execute(under_way.limit(1)).first() is not None:
        return Obstacle("posting_under_way", "a posting is under way: wait for its outcome")
    return None


def _bundle(connection: Connection, row: StatementRow) -> tuple[Statement, bytes, bytes]:
    """Statement, `statement.json` and `attestations.json` of a stored statement."""
    statement = to_statement(row)
    signatures = signatures_of(connection, row.facility_id, row.epoch)
    lower = {address.lower(): signature for address, signature in signatures.items()}
    return statement, encode_statement(statement), encode_attestations(lower)


def _keep_evidence(
    connection: Connection, evidence: EvidenceFolder, facility_id: FacilityId, epoch: Epoch
) -> list[Bytes32]:
    """Copy the evidence of an epoch and those after it to where it stays, under their hashes.

    Signers stand for what they attested: it must remain readable for ever.
    """
    kept = []
    for row in store.statements_from(connection, facility_id, epoch):
        source = epoch_folder(facility_id, row.epoch)
        target = superseded_folder(facility_id, row.epoch, row.statement_hash)
        _, statement_json, attestations_json = _bundle(connection, row)
        for name in evidence.names_or_none(source):
            if name not in (STATEMENT_FILE, ATTESTATIONS_FILE):
                evidence.write(f"{target}/{name}", evidence.read(f"{source}/{name}"))
        evidence.write(f"{target}/{STATEMENT_FILE}", statement_json)
        evidence.replace(f"{target}/{ATTESTATIONS_FILE}", attestations_json)
        kept.append(row.statement_hash)
    return kept


def _superseded(
    connection: Connection, row: StatementRow, reopening_pk: int, first_epoch: Epoch
) -> NewSuperseded:
    _, statement_json, attestations_json = _bundle(connection, row)
    proven = row.epoch == first_epoch
    return NewSuperseded(
        reopening_pk=reopening_pk,
        facility_id=row.facility_id,
        epoch=row.epoch,
        statement_hash=row.statement_hash,
        evidence_hash=row.evidence_hash,
        statement_json=statement_json,
        attestations_json=attestations_json,
        evidence=superseded_folder(row.facility_id, row.epoch, row.statement_hash),
        reason="a fault was proven on-chain" if proven else f"follows epoch {first_epoch}",
        closed_at_s=row.closed_at_s,
    )
