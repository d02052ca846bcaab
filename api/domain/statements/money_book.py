"""Money book: the leases of a facility, and what they owe by the time that the facts make."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from api.domain.facility import FacilityTerms, Period
from api.domain.metering.calendar import Calendar, Segment, month_of
from api.domain.metering.facts import Adjusted, Agreed
from api.domain.metering.intervals import Span
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import FixedItem
from api.domain.metering.time_book import NO_MONTH, TimeBook
from api.domain.metering.usage import LineKind
from api.domain.statements.obligation import (
    COMPONENT_SUBJECTS,
    Sums,
    fixed_subject,
    obligation,
    sums_of,
)
from api.domain.units import Bytes32, Epoch
from api.errors import InvalidInput

# A lease and a month; in place of a month NO_MONTH, since an adjustment belongs to the statement
# that states it.
Pair = tuple[Bytes32, int]
Component = tuple[LineKind, Bytes32]  # kind, subject
Due = dict[Component, int]


@dataclass(frozen=True, slots=True)
class AsOf:
    """Up to when leases are looked at: before an epoch, which begins, or began last, at `over_s`.

    closing: the facility is over, so every month is, and so is what it still has of the last one.
    """

    before: Epoch
    over_s: int
    closing: bool

    @classmethod
    def of(cls, period: Period) -> "AsOf":
        """As the statement of a period looks at leases."""
        return cls(
            before=Epoch(period.epoch if period.closing else period.epoch + 1),
            over_s=period.start_s if period.closing else period.end_s,
            closing=period.closing,
        )


class MoneyBook:
    """Terms of all leases and their adjustments; sums of their months, as far as looked at.

    touched: leases and months whose terms or adjustments changed since the set was emptied.
    """

    def __init__(self, terms: FacilityTerms, calendar: Calendar) -> None:
        self._terms, self._calendar = terms, calendar
        self.leases: dict[Bytes32, Lease] = {}
        self.touched: set[Pair] = set()
        self._adjusted: dict[Bytes32, dict[Bytes32, Adjusted]] = {}
        self._sums: dict[tuple[Bytes32, int], Sums] = {}
        # Of a month up to a segment, without it.
        self._totals: dict[Pair, tuple[int, Sums]] = {}

    def running(self, lease: Bytes32) -> list[Span]:
        """When a lease runs."""
        return self.leases[lease].running

    def agree(self, fact: Agreed) -> None:
        """Take a version of a lease's terms. Raises InvalidInput if it does not follow the last."""
        before = self.leases.get(fact.lease)
        if before is None:
            if fact.terms.version != 1:
                raise InvalidInput("version 1 is next", field="version")
            self.leases[fact.lease] = Lease(fact.lease, (fact.terms,))
        else:
            self.leases[fact.lease] = after = before.followed_by(fact.terms)
            if after.has_tiers and not before.has_tiers:
                # Hours billed before count for tiers, and nobody counted them.
                for lease, number in [key for key in self._sums if key[0] == fact.lease]:
                    self.forget(lease, number=number)
        start_s = max(fact.terms.from_s, self._terms.window_start_s)
        for segment in self._calendar.between(start_s=start_s, end_s=self._terms.window_end_s):
            self.forget(fact.lease, number=segment.number)
            self.touched.add((fact.lease, segment.month))

    def adjust(self, fact: Adjusted) -> None:
        """Take an adjustment."""
        self._adjusted.setdefault(fact.lease, {})[fact.subject] = fact
        self.touched.add((fact.lease, NO_MONTH))

    def forget(self, lease: Bytes32, *, number: int) -> None:
        """What was summed of a lease in a segment no longer holds."""
        self._sums.pop((lease, number), None)
        pair = lease, self._calendar.segments[number].month
        if pair in self._totals and self._totals[pair][0] > number:
            del self._totals[pair]

    # --- what is owed ---------------------------------------------------------------------------

    def segment_sums(self, lease: Bytes32, segment: Segment, time: TimeBook) -> Sums:
        """What a segment adds to the month of a lease."""
        sums = self._sums.get((lease, segment.number))
        if sums is None:
            uses, withheld = time.of_lease(lease, segment)
            sums = sums_of(
                self.leases[lease],
                start_s=segment.start_s,
                end_s=segment.end_s,
                uses=uses,
                withheld=withheld,
            )
            self._sums[lease, segment.number] = sums
        return sums

    def month_sums(self, pair: Pair, time: TimeBook, *, before: Epoch) -> Sums:
        """Sums of a month as far as it lies in epochs before one. Not to be changed."""
        lease, month = pair
        segments = [s for s in self._calendar.of_month(month) if s.epoch < before]
        if not segments:
            return Sums()
        done, sums = self._totals.get(pair, (0, Sums()))
        assert done <= segments[-1].number + 1  # statements go forward
        total = replace(sums)
        for segment in segments:
            if segment.number >= done:
                total.add(self.segment_sums(lease, segment, time))
        self._totals[pair] = segments[-1].number + 1, total
        return total

    def due(self, pair: Pair, time: TimeBook, *, as_of: AsOf) -> Due:
        """What a lease owes for a month as known now, by component."""
        lease_hash, month = pair
        if month == NO_MONTH:
            adjusted = self._adjusted.get(lease_hash, {})
            kind = LineKind.ADJUSTMENT_DIFFERENCE
            return {(kind, subject): fact.amount for subject, fact in adjusted.items()}
        lease = self.leases[lease_hash]
        start_s, end_s = self.month_bounds(month, as_of=as_of)
        sums = self.month_sums(pair, time, before=as_of.before)
        ran = list(lease.stretches_in(start_s=start_s, end_s=end_s))
        owed = obligation(
            sums,
            month=month,
            over=end_s <= as_of.over_s,
            sla_terms=ran[-1].terms if ran else None,
        )
        due = {(kind, COMPONENT_SUBJECTS[kind]): amount for kind, amount in owed.items()}
        for item in self.fixed_items(lease, month=month, as_of=as_of):
            due[LineKind.FIXED_DIFFERENCE, fixed_subject(item)] = item.amount
        return due

    def month_bounds(self, month: int, *, as_of: AsOf) -> Span:
        """A month inside the window; of a facility that is over, inside its epochs that were."""
        over_s = as_of.over_s if as_of.closing else self._terms.window_end_s
        return self._calendar.month_bounds(month, over_s=over_s)

    def fixed_items(self, lease: Lease, *, month: int, as_of: AsOf) -> Iterator[FixedItem]:
        """Items of a lease that are due in a month."""
        last_s = (as_of.over_s if as_of.closing else self._terms.window_end_s) - 1
        for terms in lease.versions:
            for item in terms.fixed:
                due = item.at_s < as_of.over_s or (as_of.closing and item.at_s == as_of.over_s)
                here = month_of(min(item.at_s, last_s)) == month
                if due and here and lease.at(item.at_s) is terms:
                    yield item

    # --- state ----------------------------------------------------------------------------------

    @property
    def kept(self) -> tuple[list[Agreed], list[Adjusted]]:
        """All versions of terms, and adjustments that are not settled, by lease."""
        agreed = [Agreed(i, t) for i in sorted(self.leases) for t in self.leases[i].versions]
        adjusted = [fact for facts in self._adjusted.values() for fact in facts.values()]
        return agreed, sorted(adjusted, key=lambda fact: (fact.lease, fact.subject))

    # --- seal -----------------------------------------------------------------------------------

    def seal(self, month: int) -> None:
        """Let the sums of a month go."""
        numbers = {s.number for s in self._calendar.of_month(month)}
        self._sums = {k: s for k, s in self._sums.items() if k[1] not in numbers}
        self._totals = {p: t for p, t in self._totals.items() if p[1] != month}

    def settle(self, lease: Bytes32) -> None:
        """All adjustments of a lease are stated."""
        del self._adjusted[lease]
