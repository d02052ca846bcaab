"""Series of a tranche: statements that stand on-chain, settlements and accruals by epoch."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Engine

from api.db import chain_store
from api.db.session import reading
from api.domain.capital.series import EpochStatementFigures, Series, Window, build_series, epoch_of
from api.domain.lifecycle import STATES
from api.reads.market import find_tranche, short_terms
from api.reads.sql import market


def read_series(engine: Engine, token_id: int) -> Series:
    """Figures by epoch in at most 400 points. Raises NotFound.

    A settlement, and what it accrued, belongs to the last epoch that it counts; money from bond or
    sale to the epoch of its block time.
    """
    with reading(engine) as connection:
        tranche = find_tranche(connection, token_id)[1]
        facility_id = tranche.facility_id
        row = market.facility_rows(connection, facility_id)[0]
        promised_ppm = short_terms(connection, [row])[facility_id].promised_availability_ppm
        posted, events = {}, []
        if tranche.state != STATES[0]:
            posted = market.posted_statements(connection, facility_id)
            names = ("Settled", "RevenueAccrued")
            events = chain_store.events_named(connection, *names, facility_id=facility_id)
    length_s = row.epoch_length_s
    window = Window(
        row.window_start_s,
        length_s,
        (row.window_end_s - row.window_start_s) // length_s,
        row.device_count * length_s * promised_ppm,
    )
    settled, accrued = _by_epoch(events, tranche.token_id, window)
    figures = {
        epoch: EpochStatementFigures(
            s.gross_revenue_micros, s.billed_gpu_seconds, s.available_gpu_seconds
        )
        for epoch, s in posted.items()
    }
    return build_series(window, statements=figures, accrued=accrued, settled=settled)


def _by_epoch(
    events: list[Any], token_id: str, window: Window
) -> tuple[dict[int, int], dict[int, int]]:
    settled: defaultdict[int, int] = defaultdict(int)
    accrued: defaultdict[int, int] = defaultdict(int)
    # Settled comes before the accruals of its transaction.
    epoch_of_tx: dict[bytes, int] = {}
    for event in events:
        if event.event == "Settled":
            epoch = max(0, event.epoch - 1)
            settled[epoch] += event.amount
            epoch_of_tx[event.tx_hash] = epoch
        elif event.token_id == token_id:
            by_time = epoch_of(event.block_time_s, window)
            accrued[epoch_of_tx.get(event.tx_hash, by_time)] += event.amount
    return dict(settled), dict(accrued)
