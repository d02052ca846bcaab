"""The waterfall of a facility: rent collected and settled, and what each tranche was paid."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.db.session import Connection, Engine, reading
from api.db.standing import attested_micros, standing_posts
from api.domain.capital.coupons import coupon_due
from api.domain.units import TrancheId
from api.reads.ending import ClosedSums, closed_sums
from api.reads.listing import TrancheView
from api.reads.market import find_tranche
from api.reads.sql import cashflow, market, streams
from api.reads.sql.facilities import ListedFacilityRow


@dataclass(frozen=True, slots=True)
class StepView:
    """One tranche in the waterfall; None is unknown, or no coupon."""

    token_id: str
    seniority: int
    coupon_due_micros: int | None = None
    paid_micros: int | None = None
    arrears_micros: int | None = None


@dataclass(frozen=True, slots=True)
class WaterfallView:
    """Sums of a facility and its steps; None while it is not on-chain."""

    steps: tuple[StepView, ...]
    attested_micros: int | None = None
    collected_micros: int | None = None
    settled_micros: int | None = None
    fees_micros: int | None = None
    advanced_micros: int | None = None
    recovered_micros: int | None = None
    recovered_by_vouchers_micros: int | None = None
    owed_to_operator_micros: int | None = None
    receivable_micros: int | None = None
    prepaid_micros: int | None = None


def read_waterfall(engine: Engine, contracts: Contracts | None, token_id: int) -> WaterfallView:
    """The waterfall of a tranche's facility, as of the newest indexed block.

    Raises:  NotFound, ChainUnavailable.
    """
    with reading(engine) as connection:
        listing = find_tranche(connection, token_id)
        tranches, facility_id = listing.siblings, listing.facility.facility_id
        if contracts is None or listing.as_of is None or not listing.tranche.on_chain:
            return WaterfallView(tuple(StepView(t.token_id, t.seniority) for t in tranches))
        posts = standing_posts(connection, facility_id)
        sums = cashflow.money_sums(connection, facility_id)
        closed = closed_sums(connection, facility_id)
        accrued = market.accruals(connection, [facility_id])
        # The most junior tranche has no coupon: it gets what is left.
        coupons = [_coupon_due(connection, listing.facility, t) for t in tranches[:-1]]
    calls = [contracts.rent_lockbox.arrears_micros(TrancheId(int(t.token_id))) for t in tranches]
    arrears = contracts.all_of(calls).at(block=listing.as_of.block)
    steps = (
        StepView(
            tranche.token_id,
            tranche.seniority,
            coupon_due_micros=due,
            paid_micros=_accrued(accrued, tranche),
            arrears_micros=arrears_micros,
        )
        for tranche, due, arrears_micros in zip(tranches, [*coupons, None], arrears, strict=True)
    )
    return _waterfall(tuple(steps), sums, closed, attested_micros(posts.values()))


def _waterfall(
    steps: tuple[StepView, ...],
    sums: cashflow.MoneySumsRow,
    closed: ClosedSums,
    attested: int,
) -> WaterfallView:
    return WaterfallView(
        steps,
        attested_micros=attested,
        collected_micros=sums.collected_micros,
        settled_micros=sums.settled_micros,
        fees_micros=sums.fees_micros,
        advanced_micros=closed.advanced_micros,
        recovered_micros=closed.to_units_micros,
        recovered_by_vouchers_micros=closed.to_vouchers_micros,
        owed_to_operator_micros=sums.residual_micros - closed.to_operator_micros,
        receivable_micros=max(0, attested - sums.covered_micros),
        prepaid_micros=max(0, sums.collected_micros - attested),
    )


def _accrued(accrued: Mapping[TrancheId, market.AccruedRow], tranche: TrancheView) -> int:
    accrued_row = accrued.get(TrancheId(int(tranche.token_id)))
    return 0 if accrued_row is None else accrued_row.accrued_micros


def _coupon_due(connection: Connection, facility: ListedFacilityRow, tranche: TrancheView) -> int:
    """Coupon of one tranche that fell due in the settled epochs."""
    token_id = TrancheId(int(tranche.token_id))
    return coupon_due(
        streams.coupon_changes(connection, facility.facility_id, token_id),
        coupon_per_unit=tranche.coupon_micros_per_unit,
        epoch_count=facility.epoch_count,
    )
