"""Reconcile: the five numbers of a facility from ledger, statements and indexed chain events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.db import chain_store
from api.db.chain_store import BlockRow
from api.db.facilities import known_facility_row
from api.db.session import Connection, Engine, reading
from api.db.standing import PostingRow, standing_posts
from api.db.statements import stated_log_size
from api.db.tables.facilities import FacilityRow
from api.domain.capital.reconciliation import (
    EpochFigures,
    FacilityFigures,
    Reconciliation,
    reconcile,
    stated_gpu_seconds,
)
from api.domain.lifecycle import is_final
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import NO_MICROS, Epoch, FacilityId, GpuSeconds, Micros, TrancheId, tranche_id
from api.ledger.rosters import pledged_in_part
from api.reads.ending import ClosedSums, closed_sums
from api.reads.sql import cashflow
from api.reads.sql.facilities import facility_ids
from api.reads.sql.metered import MeteredSeconds, StatedUpTo, metered_seconds


def reconcile_facility(
    engine: Engine, contracts: Contracts | None, facility_id: FacilityId
) -> Reconciliation:
    """Five numbers of one facility as of the newest indexed block.

    Without a deployment nothing is attested, collected or claimed. Raises NotFound.
    """
    with reading(engine) as connection:
        facility = known_facility_row(connection, facility_id)
        block = chain_store.last_block(connection)
        sources = [_read_sources(connection, facility)]
    return _reconciled(contracts, block, sources)[0]


def reconcile_all(engine: Engine, contracts: Contracts | None) -> list[Reconciliation]:
    """Five numbers of every facility, by id."""
    with reading(engine) as connection:
        block = chain_store.last_block(connection)
        ids = facility_ids(connection)
        sources = [_read_sources(connection, known_facility_row(connection, i)) for i in ids]
    return _reconciled(contracts, block, sources)


def _reconciled(
    contracts: Contracts | None, block: BlockRow | None, all_sources: Sequence["_Sources"]
) -> list[Reconciliation]:
    """What the chain says of all of them is asked at once."""
    # Nothing is indexed, so nothing is posted, and no window decides what is final.
    if contracts is None or block is None:
        figures = [_figures(s, window_s=0, now_s=0, unvested_micros=0) for s in all_sources]
        return [reconcile(each) for each in figures]
    unvested_of = contracts.tranche_token.unvested_micros
    window_s, unvested = contracts.together(
        contracts.statement_registry.challenge_window_s(),
        contracts.all_of(
            [contracts.all_of([unvested_of(i) for i in s.token_ids]) for s in all_sources]
        ),
    ).at(block=block.number)
    return [
        reconcile(
            _figures(sources, window_s=window_s, now_s=block.time_s, unvested_micros=sum(micros))
        )
        for sources, micros in zip(all_sources, unvested, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Sources:
    """What ledger, statements and events say of one facility, before finality is known."""

    facility_id: FacilityId
    token_ids: list[TrancheId]
    metered: MeteredSeconds
    stated_gpu_seconds: int
    rated_micros: Mapping[Epoch, Micros]
    posts: Mapping[Epoch, PostingRow]
    money: cashflow.MoneySumsRow
    closed: ClosedSums


def _read_sources(connection: Connection, facility: FacilityRow) -> _Sources:
    facility_id, epochs_closed = facility.facility_id, facility.epochs_closed
    terms = terms_from_bytes(facility.terms_json)
    until_s = terms.window_start_s + epochs_closed * terms.epoch_length_s
    stated = StatedUpTo(stated_log_size(connection, facility_id), until_s)
    in_part = pledged_in_part(connection, terms, facility.terms_json)
    metered = metered_seconds(connection, facility_id, stated, in_part=in_part)
    lines = cashflow.line_seconds(connection, facility_id)
    rated = cashflow.rated_epochs(connection, facility_id)
    return _Sources(
        facility_id,
        [tranche_id(facility_id, seniority) for seniority in range(len(terms.tranches))],
        metered,
        stated_gpu_seconds((line.kind, line.seconds) for line in lines),
        {row.epoch: row.rated_micros for row in rated},
        standing_posts(connection, facility_id),
        cashflow.money_sums(connection, facility_id),
        closed_sums(connection, facility_id),
    )


def _epoch(sources: _Sources, epoch: Epoch, *, window_s: int, now_s: int) -> EpochFigures:
    posting = sources.posts.get(epoch)
    final = posting is not None and is_final(
        posting.posted_at_s, challenge_window_s=window_s, now_s=now_s
    )
    gross = None if posting is None else posting.gross_micros
    return EpochFigures(
        epoch=epoch,
        rated_micros=sources.rated_micros.get(epoch, NO_MICROS),
        posted_micros=gross,
        final=final,
    )


def _figures(
    sources: _Sources, *, window_s: int, now_s: int, unvested_micros: int
) -> FacilityFigures:
    # Posted epochs too, not only those of the books: one that the books lack is a mismatch.
    epochs = sorted(sources.rated_micros.keys() | sources.posts.keys())
    money, closed = sources.money, sources.closed
    return FacilityFigures(
        facility_id=sources.facility_id,
        metered_gpu_seconds=GpuSeconds(sources.metered.metered),
        stated_gpu_seconds=GpuSeconds(sources.stated_gpu_seconds),
        open_gpu_seconds=GpuSeconds(sources.metered.open),
        unbilled_gpu_seconds=GpuSeconds(sources.metered.unbilled),
        epochs=tuple(_epoch(sources, e, window_s=window_s, now_s=now_s) for e in epochs),
        collected_micros=money.collected_micros,
        settled_micros=money.settled_micros,
        fees_micros=money.fees_micros,
        accrued_micros=money.accrued_micros,
        claimed_micros=money.claimed_micros,
        unvested_micros=Micros(unvested_micros),
        advanced_micros=closed.advanced_micros,
        recovered_micros=closed.to_units_micros,
        owed_to_operator_micros=Micros(money.residual_micros - closed.to_operator_micros),
        written_off_micros=money.written_off_micros,
    )
