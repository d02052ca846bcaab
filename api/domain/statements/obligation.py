"""Obligation: what a lease owes for a month, by component, from its terms and its time.

Exact until the one rounding of each component, which is the floor of its magnitude.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from api.domain.hashing import keccak, word
from api.domain.metering.calendar import month_length_s
from api.domain.metering.intervals import Span
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import WEIGHT_PER_UNIT, FixedItem, TermsVersion, TierStep
from api.domain.metering.timeline import Withheld
from api.domain.metering.usage import LineKind
from api.domain.units import BPS, PPM, SECONDS_PER_HOUR, Bytes32

# Subject of a difference, by kind: the hash of its component's name.
COMPONENT_SUBJECTS = {
    LineKind.USAGE_DIFFERENCE: keccak(b"usage"),
    LineKind.TIER_DIFFERENCE: keccak(b"tier"),
    LineKind.SHORTFALL_DIFFERENCE: keccak(b"shortfall"),
    LineKind.MINIMUM_DIFFERENCE: keccak(b"minimum"),
    LineKind.SLA_DIFFERENCE: keccak(b"sla"),
}


def component_kind(kind: LineKind) -> LineKind:
    """The kind by which a component is known: usage of an epoch is of the month's usage."""
    return LineKind.USAGE_DIFFERENCE if kind is LineKind.USAGE else kind


def fixed_subject(item: FixedItem) -> Bytes32:
    """Subject of a fixed item: the hash of the whole item, so that a changed one is another."""
    return keccak(b"fixed" + word(item.at_s) + word(item.amount) + item.name.encode())


@dataclass(frozen=True, slots=True)
class Run:
    """`count` devices were billed at once over `[start_s, end_s)`, each at this weight a second."""

    start_s: int
    end_s: int
    count: int
    weight: int
    terms: TermsVersion


@dataclass(slots=True)
class Sums:
    """What a span of time adds to the month of a lease. Weights as in `lease_terms`.

    held_s, withheld_s, committed_s: GPU-seconds billed; withheld by faults; committed.
    usage, committed, excused: weights of what was billed, committed, and of what was committed and
    withheld by faults or as planned.  minimum: seconds x a month's minimum.
    discount: weight of discounts x 10,000; of a whole month alone, since it depends on the hours
    billed before.  runs: what it is made of, where a lease has tiers.
    """

    held_s: int = 0
    usage: int = 0
    withheld_s: int = 0
    committed_s: int = 0
    committed: int = 0
    excused: int = 0
    minimum: int = 0
    discount: int = 0
    runs: list[Run] = field(default_factory=list)

    @property
    def whole_s(self) -> int:
        """GPU-seconds of which what was withheld is a share."""
        return max(self.held_s + self.withheld_s, self.committed_s)

    def add(self, other: "Sums") -> None:
        """Add what follows in time."""
        if other.runs:
            self.discount += tier_weight(other.runs, before_s=self.held_s)
        self.held_s += other.held_s
        self.usage += other.usage
        self.withheld_s += other.withheld_s
        self.committed_s += other.committed_s
        self.committed += other.committed
        self.excused += other.excused
        self.minimum += other.minimum


def sums_of(
    lease: Lease,
    *,
    start_s: int,
    end_s: int,
    uses: Iterable[Span],
    withheld: Sequence[Withheld],
) -> Sums:
    """What `[start_s, end_s)` adds to the month of a lease.

    Args:    uses: of each device that it was billed for.  withheld: what was kept from it; counts
             while it runs, second by second.
    """
    sums = Sums()
    changes: dict[int, list[int]] = {}  # instant: [billed, by fault, by fault or planned, held]

    def count(span: Span, *, columns: Sequence[int]) -> None:
        for column in columns:
            changes.setdefault(span[0], [0, 0, 0, 0])[column] += 1
            changes.setdefault(span[1], [0, 0, 0, 0])[column] -= 1

    for span in uses:
        count(span, columns=(0, 3))
    for time in withheld:
        columns = [2] + [1] * (not time.planned) + [3] * time.held
        count((time.start_s, time.end_s), columns=columns)
    instants = sorted(changes)
    counts = []
    now = (0, 0, 0, 0)
    for instant in instants:
        change = changes[instant]
        now = (now[0] + change[0], now[1] + change[1], now[2] + change[2], now[3] + change[3])
        counts.append(now)
    for stretch in lease.stretches_in(start_s=start_s, end_s=end_s):
        seconds = stretch.end_s - stretch.start_s
        sums.committed_s += stretch.committed * seconds
        sums.committed += stretch.committed * seconds * stretch.weight
        sums.minimum += stretch.terms.minimum * seconds
        at = max(0, bisect_right(instants, stretch.start_s) - 1)
        while at < len(instants) and instants[at] < stretch.end_s:
            a = max(instants[at], stretch.start_s)
            b = stretch.end_s if at + 1 == len(instants) else min(instants[at + 1], stretch.end_s)
            billed, by_fault, out, held = counts[at]
            at += 1
            length_s = b - a
            if billed:
                sums.held_s += billed * length_s
                sums.usage += billed * length_s * stretch.weight
                if lease.has_tiers:
                    sums.runs.append(Run(a, b, billed, stretch.weight, stretch.terms))
            if out:
                sums.withheld_s += min(by_fault, max(stretch.committed, held)) * length_s
                sums.excused += min(out, stretch.committed) * length_s * stretch.weight
    return sums


@dataclass(frozen=True, slots=True)
class Fill:
    """GPU-seconds of a run that a tier takes, and the weight of their discount x 10,000."""

    tier: TierStep
    seconds: int
    weight: int


def tier_fills(runs: Iterable[Run], *, before_s: int) -> Iterator[Fill]:
    """What falls into each tier of what was billed, in order of time.

    Args:    before_s: GPU-seconds of the month that were billed here before the first run.
    """
    billed_s = before_s
    for run in runs:
        tiers = run.terms.tiers
        span_s = (run.end_s - run.start_s) * run.count
        here_s = billed_s + run.terms.hours_before * SECONDS_PER_HOUR
        for i, tier in enumerate(tiers):
            low_s = tier.above_hours * SECONDS_PER_HOUR
            last = i + 1 == len(tiers)
            high_s = here_s + span_s if last else tiers[i + 1].above_hours * SECONDS_PER_HOUR
            inside_s = min(here_s + span_s, high_s) - max(here_s, low_s)
            if inside_s > 0:
                yield Fill(tier, inside_s, inside_s * run.weight * tier.discount_bps)
        billed_s += span_s


def tier_weight(runs: Iterable[Run], *, before_s: int) -> int:
    """Weight of the discounts, x 10,000, of what was billed: as `tier_fills`."""
    return sum(fill.weight for fill in tier_fills(runs, before_s=before_s))


def sla_credit_bps(terms: TermsVersion, sums: Sums) -> int:
    """Share of the month's charge that is credited for what was withheld of it."""
    credit = 0
    for step in terms.sla:
        if sums.withheld_s * PPM > step.above_ppm * sums.whole_s:
            credit = step.credit_bps
    return min(credit, terms.sla_cap_bps)


def obligation(
    sums: Sums, *, month: int, over: bool, sla_terms: TermsVersion | None
) -> dict[LineKind, int]:
    """What a lease owes for a month so far, by component; fixed items and adjustments beside.

    Args:    sums: of the month up to now.  over: the month is over inside lease and window: then
             what depends on all of it is due.  sla_terms: in force when the lease last ran in it.
    """
    usage = sums.usage // WEIGHT_PER_UNIT
    tier = -(sums.discount // (WEIGHT_PER_UNIT * BPS))
    due = {LineKind.USAGE_DIFFERENCE: usage, LineKind.TIER_DIFFERENCE: tier}
    if not over:
        return due
    owed = (sums.committed - sums.excused) // WEIGHT_PER_UNIT
    shortfall = max(0, owed - usage)
    charged = usage + tier + shortfall
    minimum = max(0, sums.minimum // month_length_s(month) - charged)
    charged += minimum
    credit_bps = 0 if sla_terms is None else sla_credit_bps(sla_terms, sums)
    due[LineKind.SHORTFALL_DIFFERENCE] = shortfall
    due[LineKind.MINIMUM_DIFFERENCE] = minimum
    due[LineKind.SLA_DIFFERENCE] = -(charged * credit_bps // BPS)
    return due
