"""What an investor weighs: unpaid rent and its age, contracted rent to come, hardware value."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import WEIGHT_PER_UNIT
from api.domain.units import Micros

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


def remaining_contracted(leases: Iterable[Lease], *, start_s: int, end_s: int) -> int | None:
    """Rent that leases owe for `[start_s, end_s)` by their commitments, used or not, rounded down.

    Returns: minor units; None if no lease has a commitment.
    """
    committed = [x for x in leases if any(terms.commitment for terms in x.versions)]
    if not committed:
        return None
    return sum(
        sum(
            stretch.committed * stretch.weight * (stretch.end_s - stretch.start_s)
            for stretch in lease.stretches_in(start_s=start_s, end_s=end_s)
        )
        // WEIGHT_PER_UNIT
        for lease in committed
    )


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
