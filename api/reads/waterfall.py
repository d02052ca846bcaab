"""The waterfall of a facility: what came in, what went down, what each tranche got."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine

from api.chain.contracts import Contracts
from api.db import chain_store
from api.db.session import reading
from api.domain.capital.coupons import Settling, Supplied, coupon_due
from api.domain.lifecycle import STATES
from api.domain.units import TrancheId
from api.reads.listing import TrancheRow
from api.reads.market import find_tranche
from api.reads.sql import cashflow, market


@dataclass(frozen=True, slots=True)
class Step:
    """One tranche in the waterfall; None is unknown, or no coupon."""

    token_id: str
    seniority: int
    coupon_due_micros: int | None = None
    paid_micros: int | None = None
    arrears_micros: int | None = None


@dataclass(frozen=True, slots=True)
class Waterfall:
    """Sums of a facility and its steps; None while it is not on-chain."""

    steps: tuple[Step, ...]
    attested_micros: int | None = None
    collected_micros: int | None = None
    settled_micros: int | None = None
    fees_micros: int | None = None
    distributed_micros: int | None = None
    owed_to_operator_micros: int | None = None
    receivable_micros: int | None = None
    prepaid_micros: int | None = None


def read_waterfall(engine: Engine, contracts: Contracts | None, token_id: int) -> Waterfall:
    """The waterfall that a tranche stands in, as of the newest indexed block.

    Raises:  NotFound, ChainUnavailable.
    """
    with reading(engine) as connection:
        found, tranche = find_tranche(connection, token_id)
        rows, facility_id = found.rows, tranche.facility_id
        if contracts is None or found.as_of is None or tranche.state == STATES[0]:
            return Waterfall(tuple(Step(r.token_id, r.seniority) for r in rows))
        posts = cashflow.posted_by_epoch(connection, facility_id)
        sums = cashflow.event_sums(connection, facility_id)
        accrued = market.accruals(connection, facility_id)
        due = [_due(connection, row) for row in rows[:-1]]
    ids = [TrancheId(int(r.token_id)) for r in rows]
    calls = [contracts.rent_lockbox.arrears_micros(i) for i in ids]
    arrears = contracts.all_of(calls).at(block=found.as_of.block)
    steps = (
        Step(
            r.token_id,
            r.seniority,
            due[r.seniority] if r.seniority < len(due) else None,
            accrued.get(r.token_id, (0, 0))[0],
            arrears[r.seniority],
        )
        for r in rows
    )

    def total_of(name: str) -> int:
        return sums.get(name, (0, 0))[0]

    attested = sum(gross for gross, _ in posts.values())
    collected = total_of("RentPaid") - total_of("RentRefunded")
    return Waterfall(
        tuple(steps),
        attested_micros=attested,
        collected_micros=collected,
        settled_micros=total_of("Settled"),
        fees_micros=sums.get("Settled", (0, 0))[1],
        distributed_micros=total_of("Distributed"),
        owed_to_operator_micros=total_of("ResidualOwed"),
        receivable_micros=max(0, attested - collected - total_of("ReceivableWrittenOff")),
        prepaid_micros=max(0, collected - attested),
    )


def _due(connection: Connection, row: TrancheRow) -> int:
    """Coupon of one tranche that fell due in the settled epochs."""
    events = chain_store.events_named(connection, "Settled", facility_id=row.facility_id)
    events += market.stream_events(connection, row.token_id)
    events.sort(key=lambda e: (e.block_number, e.log_index, e.part))
    return coupon_due(
        (change for event in events if (change := _change(event)) is not None),
        coupon_per_unit=row.coupon_micros_per_unit,
        epoch_count=(row.window_end_s - row.window_start_s) // row.epoch_length_s,
    )


def _change(event: Any) -> Settling | Supplied | None:
    if event.event == "Settled":
        return Settling(event.epoch)
    if event.event == "TransferSingle":
        return Supplied(market.supply_sign(event) * event.amount)
    return None
