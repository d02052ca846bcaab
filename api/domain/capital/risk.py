"""What an investor weighs: unpaid rent and its age, contracted rent to come, hardware value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from api.domain.statements.rating import LeaseTerms, PricePlan
from api.domain.units import SECONDS_PER_HOUR, Micros

# Lives over which GPU servers are written off: 3 years are cautious, 6 are what large clouds state
# in their annual reports of 2023 to 2025.
LIVES_YEARS = (3, 4, 6)
YEAR_S = 365 * 86_400


def receivable_since(posts: Iterable[tuple[int, int]], covered: int) -> int | None:
    """Since when the oldest unpaid money is attested.

    Args:    posts: `(posted_at_s, gross)` of standing statements in epoch order.  covered: rent
             collected and written off, minor units.
    Returns: block time of the first statement that `covered` does not pay in full; None if all
             are paid.
    """
    posted = list(posts)
    # A closing statement can take back what earlier ones attested.
    if sum(gross for _, gross in posted) <= covered:
        return None
    attested = accumulate(gross for _, gross in posted)
    pairs = zip(posted, attested, strict=True)
    return next(posted_at_s for (posted_at_s, _), total in pairs if total > covered)


def _contracted_weight(lease: LeaseTerms, *, start_s: int, end_s: int) -> int:
    """Committed GPU-seconds times price in force, in micros x 3600."""
    until_s = end_s if lease.closed_at_s is None else min(end_s, lease.closed_at_s)
    start_s = max(start_s, lease.opened_at_s)
    ends = [p.effective_from_s for p in lease.prices[1:]] + [until_s]
    weight = 0
    for price, next_s in zip(lease.prices, ends, strict=True):
        seconds = min(next_s, until_s) - max(price.effective_from_s, start_s)
        weight += lease.committed_gpus * max(0, seconds) * price.price_micros_per_gpu_hour
    return weight


def remaining_contracted(leases: Iterable[LeaseTerms], *, start_s: int, end_s: int) -> int | None:
    """Rent that take-or-pay leases owe for `[start_s, end_s)`, used or not, rounded down.

    Each lease counts from its opening to its close, at the prices agreed so far.
    Returns: minor units; None if no lease is take-or-pay.
    """
    committed = [x for x in leases if x.plan is PricePlan.TAKE_OR_PAY]
    if not committed:
        return None
    weights = (_contracted_weight(lease, start_s=start_s, end_s=end_s) for lease in committed)
    return sum(weight // SECONDS_PER_HOUR for weight in weights)


@dataclass(frozen=True, slots=True)
class BookValue:
    """Value of hardware written off in equal parts over `years`."""

    years: int
    value_micros: Micros


def straight_line(
    *,
    cost_micros_per_device: Micros,
    device_count: int,
    in_service_s: int,
    now_s: int,
    lives_years: Sequence[int] = LIVES_YEARS,
) -> tuple[BookValue, ...]:
    """Value of all devices at `now_s` by life, rounded down; a year has 365 days.

    Never above the cost (before service) nor below zero (after the life).
    """
    cost, age_s = cost_micros_per_device * device_count, now_s - in_service_s
    values = []
    for years in lives_years:
        life_s = years * YEAR_S
        left_s = min(life_s, max(0, life_s - age_s))
        values.append(BookValue(years=years, value_micros=Micros(cost * left_s // life_s)))
    return tuple(values)
