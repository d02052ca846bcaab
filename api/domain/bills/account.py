"""The account of a month: what facts say that leases owe, as far as a statement took them.

It explains what was stated. Nothing is rated here: time, money and their rounding are those of the
books, looked at once more for one month.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from api.domain.facility import FacilityTerms, Period
from api.domain.metering.calendar import Calendar, Segment, month_length_s, month_start_s
from api.domain.metering.facts import Agreed, Held, Out, Place, Until, Voided
from api.domain.metering.intervals import Span, clipped, length_s, overlap
from api.domain.metering.lease import Lease, Stretch
from api.domain.metering.lease_terms import FOREVER_S, WEIGHT_PER_UNIT, FixedItem, TierStep
from api.domain.metering.time_book import TimeBook
from api.domain.metering.timeline import Withheld
from api.domain.roster import Roster
from api.domain.statements.money_book import AsOf, Due, MoneyBook
from api.domain.statements.obligation import Sums, sla_credit_bps, sums_of, tier_fills
from api.domain.statements.told import Told
from api.domain.units import BPS, NO_MONEY, PPM, Bytes32, Epoch, Minor


@dataclass(frozen=True, slots=True)
class Cut:
    """A statement: what it is over, and how many entries of the log it and those before it take."""

    period: Period
    log_size: int


@dataclass(frozen=True, slots=True)
class Mover:
    """A fact that spoke of time before the statement that took it: it can move differences."""

    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class PricedTime:
    """Time under one version, price and commitment. charge: a step of the month's one floor."""

    start_s: int
    end_s: int
    version: int
    price: Minor
    gpus: int
    committed_gpus: int
    billed_gpu_seconds: int
    charge: Minor


@dataclass(frozen=True, slots=True)
class TierFill:
    """GPU-seconds of the month that one tier took, with those of no discount."""

    above_hours: int
    discount_bps: int
    gpu_seconds: int


@dataclass(frozen=True, slots=True)
class SlaShare:
    """What was withheld of the month, and what is credited for it.

    step_bps: of the step that was passed, 0 for none.  credit_bps: that, at most the cap.
    """

    withheld_gpu_seconds: int
    whole_gpu_seconds: int
    withheld_ppm: int
    step_bps: int
    cap_bps: int
    credit_bps: int


@dataclass(frozen=True, slots=True)
class Explained:
    """Figures behind what a lease owes for a month. Seconds are GPU-seconds.

    used_gpu_seconds: held by the lease, with the time in which an outage took the device away.
    committed: up to now; excused: what of it was withheld or planned, so that their difference is
    what the lease pays for, used or not.
    minimum: as agreed, prorated to the part of the month in which it is.
    """

    used_gpu_seconds: int
    billed_gpu_seconds: int
    withheld_gpu_seconds: int
    planned_gpu_seconds: int
    priced: tuple[PricedTime, ...]
    tiers: tuple[TierFill, ...]
    committed_gpu_seconds: int
    committed: Minor
    excused: Minor
    minimum: Minor
    sla: SlaShare | None
    fixed: tuple[FixedItem, ...]


class Account:
    """What facts say of a facility's leases in one month, as far as its last statement took them.

    Args:    told: all facts of the facility but sightings, in the order of the log, that speak of
             the month or of no time.  cuts: all its statements in order, up to the one of which
             this is; at least one.  roster: devices by epoch, as those statements knew them.
    """

    def __init__(
        self,
        terms: FacilityTerms,
        month: int,
        *,
        told: Sequence[Told],
        cuts: Sequence[Cut],
        roster: Roster,
    ) -> None:
        self.month = month
        self._as_of = AsOf.of(cuts[-1].period)
        self.calendar = Calendar(terms)
        self.money = MoneyBook(terms, self.calendar)
        # Silence changes what is available, and nothing that is owed.
        self._time = TimeBook(
            self.calendar,
            silence_available=True,
            running=self.money.running,
            pledged=roster.spans,
        )
        self._movers = _Movers(month, cuts)
        for each in told:
            if isinstance(each.fact, Agreed):
                self.money.agree(each.fact)
        for each in told:
            self._take(each)
        for epoch in dict.fromkeys(segment.epoch for segment in self._segments):
            for _ in self._time.tell(epoch, self._movers.devices):
                pass

    def _take(self, told: Told) -> None:
        fact = told.fact
        # What is said of a fact that does not touch the month says nothing of the month.
        if isinstance(fact, Until | Voided) and fact.target not in self._movers.known:
            return
        self._movers.note(told)
        if isinstance(fact, Held):
            self._time.hold(fact)
        elif isinstance(fact, Out):
            self._time.fail(fact)
        elif isinstance(fact, Until):
            self._time.last(fact)
        elif isinstance(fact, Voided):
            self._time.void(fact.target)

    @property
    def _segments(self) -> Sequence[Segment]:
        every = self.calendar.of_month(self.month)
        return [segment for segment in every if segment.epoch < self._as_of.before]

    def lease(self, lease: Bytes32) -> Lease:
        """A lease with its terms."""
        return self.money.leases[lease]

    def owed(self, lease: Bytes32) -> Due:
        """What a lease owes for the month, by component; adjustments are of no month."""
        return self.money.due((lease, self.month), self._time, as_of=self._as_of)

    def movers(self, lease: Bytes32) -> Mapping[Epoch, Sequence[Mover]]:
        """Facts that can have moved differences of a lease's month, by statement."""
        return self._movers.of_lease(lease)

    def explained(self, lease: Bytes32) -> Explained:
        """The figures behind what a lease owes."""
        uses: list[Span] = []
        withheld: list[Withheld] = []
        for segment in self._segments:
            more = self._time.of_lease(lease, segment)
            uses += more[0]
            withheld += more[1]
        sums = self.money.month_sums((lease, self.month), self._time, before=self._as_of.before)
        billed_s = length_s(uses)
        stretches = [*self._stretches(lease)]
        committed = sums.committed // WEIGHT_PER_UNIT
        owed_unused = (sums.committed - sums.excused) // WEIGHT_PER_UNIT
        return Explained(
            used_gpu_seconds=billed_s + _length_s(w for w in withheld if w.held),
            billed_gpu_seconds=billed_s,
            withheld_gpu_seconds=sums.withheld_s,
            planned_gpu_seconds=_length_s(w for w in withheld if w.planned),
            priced=tuple(self._priced(lease, stretches, uses)),
            tiers=self._tiers(lease),
            committed_gpu_seconds=sums.committed_s,
            committed=Minor(committed),
            excused=Minor(committed - owed_unused),
            minimum=Minor(sums.minimum // month_length_s(self.month)),
            sla=_sla(stretches, sums),
            fixed=tuple(
                self.money.fixed_items(self.lease(lease), month=self.month, as_of=self._as_of)
            ),
        )

    def _stretches(self, lease: Bytes32) -> Iterator[Stretch]:
        for segment in _joined(self._segments):
            yield from self.lease(lease).stretches_in(start_s=segment[0], end_s=segment[1])

    def _priced(
        self, lease: Bytes32, stretches: Sequence[Stretch], uses: Sequence[Span]
    ) -> Iterator[PricedTime]:
        weight = 0
        for stretch in stretches:
            span = {"start_s": stretch.start_s, "end_s": stretch.end_s}
            sums = sums_of(self.lease(lease), **span, uses=uses, withheld=())
            before, weight = weight, weight + sums.usage
            steps = [p for p in stretch.terms.prices if p.from_s <= stretch.start_s]
            yield PricedTime(
                **span,
                version=stretch.terms.version,
                price=steps[-1].price if steps else NO_MONEY,
                gpus=steps[-1].gpus if steps else 1,
                committed_gpus=stretch.committed,
                billed_gpu_seconds=sums.held_s,
                charge=Minor(weight // WEIGHT_PER_UNIT - before // WEIGHT_PER_UNIT),
            )

    def _tiers(self, lease: Bytes32) -> tuple[TierFill, ...]:
        filled: dict[TierStep, int] = {}
        before_s = 0
        for segment in self._segments:
            sums = self.money.segment_sums(lease, segment, self._time)
            for fill in tier_fills(sums.runs, before_s=before_s):
                filled[fill.tier] = filled.get(fill.tier, 0) + fill.seconds
            before_s += sums.held_s
        ordered = sorted(
            filled.items(), key=lambda item: (item[0].above_hours, item[0].discount_bps)
        )
        return tuple(TierFill(t.above_hours, t.discount_bps, s) for t, s in ordered)


def _length_s(times: Iterator[Withheld]) -> int:
    return length_s((time.start_s, time.end_s) for time in times)


def _joined(segments: Sequence[Segment]) -> list[Span]:
    return [(segments[0].start_s, segments[-1].end_s)] if segments else []


def _sla(stretches: Sequence[Stretch], sums: Sums) -> SlaShare | None:
    """By the terms that rule the month's credit; None where they have no SLA."""
    terms = stretches[-1].terms if stretches else None
    if terms is None or not terms.sla:
        return None
    return SlaShare(
        withheld_gpu_seconds=sums.withheld_s,
        whole_gpu_seconds=sums.whole_s,
        withheld_ppm=sums.withheld_s * PPM // sums.whole_s if sums.whole_s else 0,
        step_bps=sla_credit_bps(replace(terms, sla_cap_bps=BPS), sums),
        cap_bps=terms.sla_cap_bps,
        credit_bps=sla_credit_bps(terms, sums),
    )


class _Movers:
    """Which facts spoke of time of the month that was over when a statement took them."""

    def __init__(self, month: int, cuts: Sequence[Cut]) -> None:
        self._start_s, self._end_s = month_start_s(month), month_start_s(month + 1)
        self._cuts = cuts
        self._sizes = [cut.log_size for cut in cuts]
        # As they were told last: an allocation can last longer than it was told at first.
        self.known: dict[Place, Held | Out] = {}
        self._held: dict[Bytes32, dict[Place, Held]] = {}
        self._moved: list[tuple[Epoch, Mover, Held | Out | Agreed]] = []

    @property
    def devices(self) -> Sequence[Bytes32]:
        """Devices of which something was told."""
        return sorted({fact.device for fact in self.known.values()})

    def note(self, told: Told) -> None:
        fact = told.fact
        if isinstance(fact, Held | Out):
            self._know(told.place, fact)
            self._move(told, "outage" if isinstance(fact, Out) else "usage", fact, _span(fact))
        elif isinstance(fact, Agreed):
            self._move(told, "terms", fact, (fact.terms.from_s, FOREVER_S))
        elif isinstance(fact, Voided):
            target = self.known[fact.target]
            self._move(told, "void", target, _span(target))
        elif isinstance(fact, Until):
            before = self.known[fact.target]
            after = replace(before, end_s=fact.end_s)
            self._know(fact.target, after)
            changed = sorted((before.end_s, after.end_s))
            self._move(told, "until", after, (changed[0], changed[1]))

    def _know(self, place: Place, fact: Held | Out) -> None:
        self.known[place] = fact
        if isinstance(fact, Held):
            self._held.setdefault(fact.device, {})[place] = fact

    def _move(self, told: Told, what: str, fact: Held | Out | Agreed, span: Span) -> None:
        period = self._cuts[bisect_left(self._sizes, told.place.entry)].period
        late_s = min(self._end_s, period.start_s)
        if clipped([span], start_s=self._start_s, end_s=late_s):
            self._moved.append((period.epoch, Mover(told.place, what), fact))

    def of_lease(self, lease: Bytes32) -> dict[Epoch, list[Mover]]:
        """By statement, in the order of the log."""
        found: dict[Epoch, list[Mover]] = {}
        for epoch, mover, fact in self._moved:
            if self._concerns(fact, lease):
                found.setdefault(epoch, []).append(mover)
        return found

    def _concerns(self, fact: Held | Out | Agreed, lease: Bytes32) -> bool:
        if fact.lease == lease:
            return True
        # An outage of a device that the lease held, whomever it was said to be kept from.
        return isinstance(fact, Out) and any(
            held.lease == lease and overlap([_span(held)], [_span(fact)])
            for held in self._held.get(fact.device, {}).values()
        )


def _span(fact: Held | Out) -> Span:
    return fact.start_s, fact.end_s
