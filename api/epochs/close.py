"""Close: freeze an epoch after its cut-off, publish its evidence, store its statement.

Evidence is written before the statement is stored. It depends on frozen records alone, so a
crash in between costs nothing: the next run writes the same bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.db import epoch_inputs
from api.db import statements as store
from api.db.chain_store import ended_at
from api.db.facilities import (
    facility_rows,
    known_facility_row,
    lock_facility,
    set_last_recorded,
)
from api.db.leases import leases_of
from api.db.reopenings import reopenings_of
from api.db.session import reading, transaction
from api.domain.facility import FacilityTerms
from api.domain.lifecycle import cut_off_s, stated_after_end
from api.domain.metering.usage import Outage
from api.domain.statements.closing import ClosedEpoch, close_epoch
from api.domain.statements.entries import Entry
from api.domain.statements.evidence import (
    CARRY_FILE,
    EMPTY_CARRY,
    FACILITY_FILE,
    Carry,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import decode_carry, terms_from_bytes
from api.domain.statements.rating import LeaseTerms
from api.domain.statements.statement import Statement
from api.domain.units import ZERO32, Bytes32, Epoch, FacilityId
from api.evidence_store import EvidenceFolder


@dataclass(frozen=True, slots=True)
class CloseTimings:
    """Seconds that each part of closing one epoch took."""

    read_s: float
    compute_s: float
    evidence_s: float
    store_s: float


@dataclass(frozen=True, slots=True)
class Closed:
    """One epoch that was closed now."""

    statement: Statement
    timings: CloseTimings


def due_epochs(
    engine: Engine, now_s: int, facility_id: FacilityId | None = None
) -> list[tuple[FacilityId, Epoch]]:
    """`(facility, epoch)` whose cut-off has passed and that are not closed, oldest end first.

    Of an ended facility only epochs that were over by then: no other can be stated.
    """
    due = []
    with reading(engine) as connection:
        ended = ended_at(connection)
        for row in facility_rows(connection, facility_id):
            ended_at_s = ended.get(row.facility_id)
            terms = terms_from_bytes(row.terms_json)
            reopened = reopenings_of(connection, row.facility_id)
            for epoch in map(Epoch, range(row.epochs_closed, terms.epoch_count)):
                epoch_end_s = terms.epoch_bounds(epoch)[1]
                cut_s = cut_off_s(
                    epoch, epoch_end_s=epoch_end_s, grace_s=row.grace_s, reopenings=reopened
                )
                if now_s < cut_s:
                    break
                if ended_at_s is not None and not stated_after_end(
                    epoch_end_s, ended_at_s=ended_at_s
                ):
                    break
                due.append((cut_s, row.facility_id, epoch))
    return [(facility, epoch) for _, facility, epoch in sorted(due)]


def close_due(
    engine: Engine,
    evidence: EvidenceFolder,
    now_s: int,
    *,
    facility_id: FacilityId | None = None,
    on_closed: Callable[[Closed], None] | None = None,
) -> list[Closed]:
    """Close every epoch whose cut-off has passed."""
    results = []
    for facility, epoch in due_epochs(engine, now_s, facility_id):
        closed = close_one(engine, evidence, facility, epoch, now_s)
        if closed is not None:
            results.append(closed)
            if on_closed:
                on_closed(closed)
    return results


def close_one(
    engine: Engine, evidence: EvidenceFolder, facility_id: FacilityId, epoch: Epoch, now_s: int
) -> Closed | None:
    """Close one epoch; None if another worker did."""
    started = perf_counter()
    _freeze(engine, facility_id, epoch)
    with reading(engine) as connection:
        row = known_facility_row(connection, facility_id)
        if row.epochs_closed != epoch:
            return None
        terms = terms_from_bytes(row.terms_json)
        inputs = _inputs(connection, facility_id, epoch)
    read = perf_counter()
    closed = _compute(terms, epoch, inputs)
    computed = perf_counter()
    publish(evidence, closed)
    published = perf_counter()
    try:
        with transaction(engine) as connection:
            current = lock_facility(connection, facility_id)
            if current.epochs_closed != epoch:
                return None
            store.insert_statement(
                connection,
                closed.statement,
                closed.lines,
                closed.tree,
                carry_json=closed.files[CARRY_FILE],
                closed_at_s=now_s,
            )
    except IntegrityError:
        return None
    timings = CloseTimings(
        read - started, computed - read, published - computed, perf_counter() - published
    )
    return Closed(closed.statement, timings)


def _freeze(engine: Engine, facility_id: FacilityId, epoch: Epoch) -> None:
    """Make every later record land after the cut-off, even if this machine's clock went back."""
    with transaction(engine) as connection:
        row = lock_facility(connection, facility_id)
        terms = terms_from_bytes(row.terms_json)
        reopened = reopenings_of(connection, facility_id)
        cut_s = cut_off_s(
            epoch,
            epoch_end_s=terms.epoch_bounds(epoch)[1],
            grace_s=row.grace_s,
            reopenings=reopened,
        )
        if row.last_recorded_at_s < cut_s:
            set_last_recorded(connection, facility_id, cut_s)


@dataclass(frozen=True, slots=True)
class _Inputs:
    entries: list[Entry]
    outages: list[Outage]
    leases: dict[Bytes32, LeaseTerms]
    carry: Carry
    previous_hash: Bytes32


def _inputs(connection: Connection, facility_id: FacilityId, epoch: Epoch) -> _Inputs:
    carry, previous_hash = EMPTY_CARRY, ZERO32
    if epoch > 0:
        previous = store.statement_row(connection, facility_id, Epoch(epoch - 1))
        assert previous is not None  # epochs are closed in order
        carry = decode_carry(previous.carry_json)
        previous_hash = previous.statement_hash
    return _Inputs(
        entries=epoch_inputs.entries_of(connection, facility_id, epoch),
        outages=epoch_inputs.outages_of(connection, facility_id, epoch),
        leases=leases_of(connection, facility_id),
        carry=carry,
        previous_hash=previous_hash,
    )


def _compute(terms: FacilityTerms, epoch: Epoch, inputs: _Inputs) -> ClosedEpoch:
    return close_epoch(
        terms,
        epoch,
        entries=inputs.entries,
        outages=inputs.outages,
        leases=inputs.leases,
        carry=inputs.carry,
        previous_statement_hash=inputs.previous_hash,
    )


def publish(evidence: EvidenceFolder, closed: ClosedEpoch) -> None:
    """Write the evidence of a closed epoch; the manifest last, when all it names is there."""
    statement = closed.statement
    folder = epoch_folder(statement.facility_id, statement.epoch)
    for name, data in closed.files.items():
        is_facility = name == FACILITY_FILE
        home = facility_folder(statement.facility_id) if is_facility else folder
        evidence.write(f"{home}/{name}", data)
