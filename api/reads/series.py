"""Series of a tranche: statements that stand on-chain, settlements and accruals by epoch."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from api.db.chain_store import ended_at
from api.db.session import Engine, reading
from api.domain.capital.series import EpochStatementFigures, Series, Window, build_series, epoch_of
from api.domain.facility import closing_number
from api.domain.statements.statement import Statement
from api.domain.units import Epoch, GpuSeconds, Micros, TrancheId
from api.reads.market import TrancheInFacility, find_tranche
from api.reads.sql import market, streams
from api.reads.sql.streams import AccrualRow, SettlementRow


def read_series(engine: Engine, token_id: int) -> Series:
    """Figures by epoch in at most 400 points. Raises NotFound.

    A settlement, and what it accrued, belongs to the last epoch that it counts; money from bond or
    sale to the epoch of its block time. What a closing statement corrects belongs to the last epoch
    before it.
    """
    with reading(engine) as connection:
        listing = find_tranche(connection, token_id)
        window = _window(listing)
        if not listing.tranche.on_chain:
            return build_series(window, statements={}, accrued={}, settled={})
        facility_id = listing.facility.facility_id
        statements = market.posted_statements(connection, facility_id)
        ended_at_s = ended_at(connection, [facility_id]).get(facility_id)
        settlements = streams.settlements(connection, facility_id)
        accruals = streams.accrual_events(connection, TrancheId(token_id))
    return build_series(
        window,
        statements=_stated(statements, window, ended_at_s),
        accrued=_accrued(accruals, settlements, window),
        settled=_settled(settlements),
    )


def _stated(
    statements: Mapping[Epoch, Statement], window: Window, ended_at_s: int | None
) -> dict[Epoch, EpochStatementFigures]:
    last = closing_number(
        ended_at_s,
        window_start_s=window.start_s,
        epoch_length_s=window.epoch_length_s,
        epoch_count=window.epoch_count,
    )
    stated: dict[Epoch, EpochStatementFigures] = {}
    for epoch, statement in statements.items():
        available = statement.available_gpu_seconds + statement.available_adjustment
        gross = statement.gross_revenue_micros
        place = min(epoch, Epoch(max(0, last - 1)))
        before = stated.get(place)
        stated[place] = EpochStatementFigures(
            gross_micros=Micros(gross + (before.gross_micros if before else 0)),
            billed_gpu_seconds=GpuSeconds(
                statement.billed_gpu_seconds + (before.billed_gpu_seconds if before else 0)
            ),
            available_gpu_seconds=GpuSeconds(
                available + (before.available_gpu_seconds if before else 0)
            ),
        )
    return stated


def _window(listing: TrancheInFacility) -> Window:
    facility = listing.facility
    capacity = facility.device_count * facility.epoch_length_s
    return Window(
        facility.window_start_s,
        facility.epoch_length_s,
        facility.epoch_count,
        capacity * listing.terms.promised_availability_ppm,
    )


def _last_epoch(settlement: SettlementRow) -> Epoch:
    return Epoch(max(0, settlement.settled_epochs - 1))


def _settled(settlements: Sequence[SettlementRow]) -> dict[Epoch, int]:
    """Money settled, by the last epoch that a settlement counts."""
    settled: defaultdict[Epoch, int] = defaultdict(int)
    for settlement in settlements:
        settled[_last_epoch(settlement)] += settlement.settled_micros
    return dict(settled)


def _accrued(
    accruals: Sequence[AccrualRow], settlements: Sequence[SettlementRow], window: Window
) -> dict[Epoch, int]:
    """Revenue accrued, by the epoch of its settlement, or of its block time where it has none."""
    # A settlement and the revenue that it accrues are events of one transaction.
    epoch_of_tx = {settlement.tx_hash: _last_epoch(settlement) for settlement in settlements}
    accrued: defaultdict[Epoch, int] = defaultdict(int)
    for accrual in accruals:
        by_time = epoch_of(accrual.block_time_s, window)
        accrued[epoch_of_tx.get(accrual.tx_hash, by_time)] += accrual.accrued_micros
    return dict(accrued)
