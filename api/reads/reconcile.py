"""Reconcile: the five numbers of a facility from ledger, statements and indexed chain events."""

from sqlalchemy import Connection, Engine, select

from api.chain.contracts import Contracts
from api.db import chain_store
from api.db.session import reading
from api.db.tables.ledger import facilities
from api.domain.capital.reconciliation import (
    EpochFigures,
    FacilityFigures,
    Reconciliation,
    reconcile,
    stated_gpu_seconds,
)
from api.domain.lifecycle import is_final
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence_reader import decode_carry
from api.domain.units import FacilityId, tranche_id
from api.errors import NotFound
from api.ledger.judge import terms_from_bytes
from api.reads.sql import cashflow


def reconcile_facility(
    engine: Engine, contracts: Contracts | None, facility_id: int
) -> Reconciliation:
    """Five numbers of one facility as of the newest indexed block.

    Without a deployment nothing is attested, collected or claimed. Raises NotFound.
    """
    with reading(engine) as connection:
        row = connection.execute(
            select(facilities).where(facilities.c.facility_id == facility_id)
        ).first()
        if row is None:
            raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
        block = chain_store.last_block(connection)
        figures = _figures(connection, row.facility_id, row.epochs_closed)
    if contracts is None or block is None:
        return reconcile(_with_chain(figures, window_s=0, now_s=0, unvested=0))
    tranches = range(len(terms_from_bytes(row.terms_json).tranches))
    ids = [tranche_id(FacilityId(facility_id), seniority) for seniority in tranches]
    window_s, unvested = contracts.together(
        contracts.statement_registry.challenge_window_s(),
        contracts.all_of([contracts.tranche_token.unvested_micros(i) for i in ids]),
    ).at(block=block.number)
    return reconcile(
        _with_chain(figures, window_s=window_s, now_s=block.time_s, unvested=sum(unvested))
    )


def reconcile_all(engine: Engine, contracts: Contracts | None) -> list[Reconciliation]:
    """Five numbers of every facility, by id."""
    with reading(engine) as connection:
        ids = connection.execute(select(facilities.c.facility_id)).scalars().all()
    return [reconcile_facility(engine, contracts, i) for i in sorted(ids)]


class _Figures:
    """Figures of one facility before finality and streams are known."""

    def __init__(self, facility_id: int) -> None:
        self.facility_id = facility_id
        self.metered = self.stated = self.open = self.deferred = 0
        self.rated: dict[int, int] = {}
        self.posted: dict[int, tuple[int, int]] = {}
        self.sums: dict[str, tuple[int, int]] = {}


def _figures(connection: Connection, facility_id: int, epochs_closed: int) -> _Figures:
    found = _Figures(facility_id)
    found.metered = cashflow.metered_gpu_seconds(connection, facility_id)
    found.stated = stated_gpu_seconds(cashflow.lines_by_kind(connection, facility_id))
    found.open = cashflow.open_gpu_seconds(connection, facility_id, epochs_closed)
    carry = cashflow.last_carry(connection, facility_id)
    if carry is not None:
        waiting = (e for e in decode_carry(carry).deferred if e.kind is LineKind.VOID)
        found.deferred = sum(e.gpu_seconds for e in waiting)
    found.rated = cashflow.rated_by_epoch(connection, facility_id)
    found.posted = cashflow.posted_by_epoch(connection, facility_id)
    found.sums = dict(cashflow.event_sums(connection, facility_id))
    return found


def _with_chain(found: _Figures, *, window_s: int, now_s: int, unvested: int) -> FacilityFigures:
    epochs = []
    # An epoch that was posted and is not in our books would be a mismatch, not a gap: show it.
    for epoch in sorted(found.rated.keys() | found.posted.keys()):
        posted = found.posted.get(epoch)
        final = posted is not None and is_final(posted[1], challenge_window_s=window_s, now_s=now_s)
        gross = posted[0] if posted is not None else None
        epochs.append(EpochFigures(epoch, found.rated.get(epoch, 0), gross, final))
    settled, fees = found.sums.get("Settled", (0, 0))

    def total_of(name: str) -> int:
        return found.sums.get(name, (0, 0))[0]

    return FacilityFigures(
        found.facility_id,
        found.metered,
        found.stated,
        found.open,
        found.deferred,
        tuple(epochs),
        total_of("RentPaid") - total_of("RentRefunded"),
        settled,
        fees,
        total_of("RevenueAccrued"),
        total_of("RevenueClaimed"),
        unvested,
        distributed_micros=total_of("Distributed"),
        owed_to_operator_micros=total_of("ResidualOwed"),
        written_off_micros=total_of("ReceivableWrittenOff"),
    )
