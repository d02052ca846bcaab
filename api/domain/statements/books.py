"""Books: the state of a facility's ledger, and the one step from a statement to the next.

Close, attesters and `verify` take the same step. A statement says what its own epoch's time gives,
and what is due now of earlier time and was not stated: so the order in which facts come, and where
the log is cut into statements, change no sum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from api.domain.facility import FacilityTerms, Period
from api.domain.metering.calendar import Calendar, month_of
from api.domain.metering.facts import Adjusted, Agreed, Fact, Held, Out, Seen, Until
from api.domain.metering.intervals import Span, without
from api.domain.metering.lease_terms import WEIGHT_PER_UNIT
from api.domain.metering.time_book import NO_MONTH, Retold, TimeBook
from api.domain.metering.timeline import DeviceTime, Use
from api.domain.metering.usage import LineKind
from api.domain.pledges import Pledge
from api.domain.roster import Roster
from api.domain.statements.money_book import AsOf, Component, Due, MoneyBook, Pair
from api.domain.statements.obligation import COMPONENT_SUBJECTS, component_kind
from api.domain.statements.trust import Trust
from api.domain.units import BPS, NO_MONEY, Bytes32, Epoch, Minor
from api.errors import InvalidInput

_COVERED_KINDS = frozenset({LineKind.SHORTFALL_DIFFERENCE, LineKind.MINIMUM_DIFFERENCE})
_USAGE_KINDS = frozenset({LineKind.USAGE, LineKind.USAGE_DIFFERENCE})


@dataclass(frozen=True, slots=True, order=True)
class Item:
    """A line before it is numbered, in the order of lines."""

    kind: LineKind
    subject: Bytes32
    start_s: int
    lease: Bytes32
    end_s: int
    charge: Minor = NO_MONEY

    @property
    def place(self) -> tuple[LineKind, Bytes32, int, Bytes32, int]:
        """All but the charge: what makes a line another."""
        return (self.kind, self.subject, self.start_s, self.lease, self.end_s)


@dataclass(frozen=True, slots=True)
class Stated:
    """What one step states.

    available_s: of its own epoch.  available_adjustment_s: of earlier ones, of either sign.
    Shares are of the positive charges: of the largest renter, and of what was committed.
    held_back: what differences below zero are short of, since the statement's sum would be.
    """

    items: tuple[Item, ...]
    available_s: int
    available_adjustment_s: int
    top_renter_bps: int
    committed_bps: int
    held_back: Minor = NO_MONEY


@dataclass(frozen=True, slots=True)
class Kept:
    """What books know between two statements.

    stated, constant, owing: of leases and months what was stated, what is due for ever, and where
    the two differ.
    unsigned: leases of which an entry told that nobody signed; 32 zero bytes for all.
    kept_from: leases that an outage names, of any time.
    """

    next_epoch: Epoch
    sealed_month: int
    facts: tuple[Held | Out, ...] = ()
    seen: tuple[Seen, ...] = ()
    agreed: tuple[Agreed, ...] = ()
    adjusted: tuple[Adjusted, ...] = ()
    stated: Mapping[Pair, Due] = field(default_factory=dict)
    constant: Mapping[Pair, Due] = field(default_factory=dict)
    owing: tuple[Pair, ...] = ()
    unsigned: tuple[Bytes32, ...] = ()
    kept_from: tuple[Bytes32, ...] = ()


class Books:
    """What a facility's facts say so far, and what its statements have said of them."""

    def __init__(self, terms: FacilityTerms) -> None:
        self.terms = terms
        self.calendar = Calendar(terms)
        self._roster = Roster(terms)
        self._money = MoneyBook(terms, self.calendar)
        self._time = TimeBook(
            self.calendar,
            silence_available=terms.silence_available,
            running=self._money.running,
            pledged=self._spans_of,
        )
        # What was stated, of months that are not sealed or not settled; of sealed ones, what is due
        # for ever; and where the two differ.
        self._stated: dict[Pair, Due] = {}
        self._constant: dict[Pair, Due] = {}
        self._owing: set[Pair] = set()
        self.trust = Trust()

    @property
    def sealed_month(self) -> int:
        """Months up to this one are sealed."""
        return self._time.sealed_month

    def _spans_of(self, device: Bytes32) -> Sequence[Span]:
        """When a device is one of the facility's, as is known now."""
        return self._roster.spans(device)

    @property
    def replacements(self) -> Sequence[Pledge]:
        """Pledges that took the place of the offer's, in order of approval, as is known."""
        return self._roster.replacements

    def repledge(self, replacements: Iterable[Pledge]) -> None:
        """Learn which pledges took the place of the offer's: all of them, in order of approval.

        What was stated stays: a replacement begins with an epoch that has not begun.
        Raises:  InvalidInput if an epoch that was stated would have other devices.
        """
        roster = Roster(self.terms, tuple(replacements))
        if not roster.agrees(self._roster, before=self._time.next_epoch):
            message = "a pledge was replaced from an epoch that was stated with other devices"
            raise InvalidInput(message, field="replacements", epoch=self._time.next_epoch)
        self._roster = roster

    def take(self, facts: Iterable[Fact]) -> None:
        """Take accepted facts, in any order that names no fact before it is told."""
        for fact in facts:
            if isinstance(fact, Held):
                self._time.hold(fact)
            elif isinstance(fact, Seen):
                self._time.see(fact)
            elif isinstance(fact, Out):
                self._time.fail(fact)
                self.trust.note(fact)
            elif isinstance(fact, Until):
                self._time.last(fact)
            elif isinstance(fact, Agreed):
                self._money.agree(fact)
                self._time.lease_changed(fact.lease, from_s=fact.terms.from_s)
            elif isinstance(fact, Adjusted):
                self._money.adjust(fact)
            else:
                self._time.void(fact.target)

    def distrust(self, fact: Fact) -> None:
        """Note that nobody signed a fact, before it is taken."""
        self.trust.distrust(fact, self._time)

    def state(self, period: Period) -> Stated:
        """State a period: what its own time gives, and every difference to what was stated.

        The books move on: the next period follows.
        """
        as_of = AsOf.of(period)
        retold = list(self._time.retell())
        adjustment_s = sum(r.after.available_s - r.before.available_s for r in retold)
        devices = () if period.closing else self._roster.devices(period.epoch)
        told = [] if period.closing else [*self._time.tell(period.epoch, devices)]
        items = [item for each in retold for item in _changes(each)]
        items += [item for device, time in told for item in self._own_items(device, time)]
        pairs = self._pairs(period, as_of)
        charged = self._charge(items, period)
        dues = {pair: self._due(pair, as_of) for pair in sorted(pairs)}
        differences = [
            item
            for pair, due in dues.items()
            for item in self._differences(pair, due, period=period, as_of=as_of)
        ]
        owed = sum(item.charge for item in differences)
        if not period.closing:
            differences = _bearable(differences, sum(item.charge for item in charged))
        held_back = Minor(sum(item.charge for item in differences) - owed)
        for item in differences:
            self._book(item)
        everything = tuple(sorted((*charged, *differences)))
        top_bps, committed_bps = self._shares(everything, period)
        self._owing = {pair for pair, due in dues.items() if self._differs(pair, due)}
        self._move_on(period, dues)
        available_s = sum(time.available_s for _, time in told)
        return Stated(everything, available_s, adjustment_s, top_bps, committed_bps, held_back)

    # --- state ----------------------------------------------------------------------------------

    @property
    def kept(self) -> Kept:
        """All that the books know between two statements, and nothing that follows from it."""
        facts, seen = self._time.kept
        agreed, adjusted = self._money.kept
        return Kept(
            next_epoch=self._time.next_epoch,
            sealed_month=self.sealed_month,
            facts=tuple(facts),
            seen=tuple(seen),
            agreed=tuple(agreed),
            adjusted=tuple(adjusted),
            stated={pair: dict(due) for pair, due in sorted(self._stated.items())},
            constant={pair: dict(due) for pair, due in sorted(self._constant.items())},
            owing=tuple(sorted(self._owing)),
            unsigned=self.trust.unsigned,
            kept_from=self.trust.kept_from,
        )

    def restore(self, kept: Kept) -> None:
        """Go on where other books stood. The pledges in force are known already, by `repledge`.

        Raises:  InvalidInput if terms do not follow each other.
        """
        for agreed in kept.agreed:
            self._money.agree(agreed)
        for adjusted in kept.adjusted:
            self._money.adjust(adjusted)
        self._time.restore(
            kept.facts,
            kept.seen,
            next_epoch=kept.next_epoch,
            sealed_month=kept.sealed_month,
            devices_of=self._roster.devices,
        )
        self._money.touched.clear()
        self._stated = {pair: dict(due) for pair, due in kept.stated.items()}
        self._constant = {pair: dict(due) for pair, due in kept.constant.items()}
        self._owing = set(kept.owing)
        self.trust = Trust(unsigned=kept.unsigned, kept_from=kept.kept_from)

    # --- lines ----------------------------------------------------------------------------------

    def _own_items(self, device: Bytes32, time: DeviceTime) -> Iterator[Item]:
        for use in time.uses:
            if use.delivery:
                yield Item(LineKind.DELIVERY, device, use.start_s, use.lease, use.end_s)
                continue
            lease = self._money.leases[use.lease]
            for start_s, end_s in lease.cuts_in((use.start_s, use.end_s)):
                yield Item(LineKind.USAGE, device, start_s, use.lease, end_s)

    def _charge(self, items: Iterable[Item], period: Period) -> list[Item]:
        """Charge usage of the epoch: steps of the floor of a month's cumulative."""
        weights: dict[Pair, int] = {}
        charged = []
        for item in sorted(items):
            if item.kind is LineKind.USAGE:
                pair = item.lease, month_of(item.start_s)
                before = weights.get(pair)
                if before is None:
                    before = self._money.month_sums(pair, self._time, before=period.epoch).usage
                weight = self._money.leases[item.lease].weight_at(item.start_s)
                after = before + (item.end_s - item.start_s) * weight
                weights[pair] = after
                charge = Minor(after // WEIGHT_PER_UNIT - before // WEIGHT_PER_UNIT)
                place = item.kind, item.subject, item.start_s, item.lease, item.end_s
                item = Item(*place, charge)
                self._book(item)
            charged.append(item)
        return charged

    def _differences(self, pair: Pair, due: Due, *, period: Period, as_of: AsOf) -> Iterator[Item]:
        stated = self._stated.get(pair, {})
        # A facility that ended just before its seal is closed a little after it: no line is.
        bounds = period.start_s, min(period.end_s, self.terms.sealed_at_s)
        if pair[1] != NO_MONTH:
            bounds = self._money.month_bounds(pair[1], as_of=as_of)
        for kind, subject in sorted(due.keys() | stated.keys()):
            amount = due.get((kind, subject), 0) - stated.get((kind, subject), 0)
            if amount:
                yield Item(kind, subject, bounds[0], pair[0], bounds[1], Minor(amount))

    def _book(self, item: Item) -> None:
        kind = component_kind(item.kind)
        component: Component = kind, COMPONENT_SUBJECTS.get(kind, item.subject)
        month = month_of(item.start_s)
        if kind is LineKind.ADJUSTMENT_DIFFERENCE:
            month = NO_MONTH
        stated = self._stated.setdefault((item.lease, month), {})
        stated[component] = stated.get(component, 0) + item.charge

    # --- what is owed ---------------------------------------------------------------------------

    def _pairs(self, period: Period, as_of: AsOf) -> set[Pair]:
        """Leases and months of which something can be due that was not stated."""
        last = month_of(as_of.over_s - 1)
        pairs = self._money.touched | self._owing
        for lease, number in self._time.touched:
            self._money.forget(lease, number=number)
            pairs.add((lease, self.calendar.segments[number].month))
        if period.closing:
            months = {m for m in self.calendar.months if m > self.sealed_month}
        else:
            months = {s.month for s in self.calendar.of_epoch(period.epoch)}
        pairs |= {(lease, month) for lease in self._money.leases for month in months}
        return {pair for pair in pairs if pair[1] <= last}

    def _due(self, pair: Pair, as_of: AsOf) -> Due:
        if NO_MONTH < pair[1] <= self.sealed_month:
            return self._constant[pair]
        return self._money.due(pair, self._time, as_of=as_of)

    def _differs(self, pair: Pair, due: Due) -> bool:
        stated = self._stated.get(pair, {})
        return any(due.get(c, 0) != stated.get(c, 0) for c in due.keys() | stated.keys())

    def _shares(self, items: Sequence[Item], period: Period) -> tuple[int, int]:
        by_party: dict[Bytes32, int] = {}
        usage: dict[Bytes32, int] = {}
        covered = total = 0
        for item in items:
            if item.charge <= 0:
                continue
            total += item.charge
            party = self._money.leases[item.lease].party
            by_party[party] = by_party.get(party, 0) + item.charge
            if item.kind in _USAGE_KINDS:
                usage[item.lease] = usage.get(item.lease, 0) + item.charge
            elif item.kind in _COVERED_KINDS:
                covered += item.charge
        if total == 0:
            return 0, 0
        segments = () if period.closing else self.calendar.of_epoch(period.epoch)
        for lease, charge in usage.items():
            sums = [self._money.segment_sums(lease, s, self._time) for s in segments]
            covered += min(charge, sum(s.committed for s in sums) // WEIGHT_PER_UNIT)
        return BPS * max(by_party.values()) // total, BPS * covered // total

    # --- seal -----------------------------------------------------------------------------------

    def _move_on(self, period: Period, dues: Mapping[Pair, Due]) -> None:
        """The next period follows. Months whose seal is over freeze and are let go."""
        self._time.touched.clear()
        self._money.touched.clear()
        for month in self.calendar.months:
            if month <= self.sealed_month:
                continue
            if not period.closing and self.calendar.sealed_by_s(month) > period.end_s:
                break
            # What is owed may be stated in no part yet: a credit that nothing bore.
            for pair in [p for p in self._stated.keys() | self._owing if p[1] == month]:
                self._constant[pair] = dues[pair] if pair in dues else self._stated[pair]
            self._time.seal(month)
            self._money.seal(month)
        for pair in [p for p in self._stated if p not in self._owing]:
            if pair[1] == NO_MONTH:
                self._money.settle(pair[0])
            elif pair[1] > self.sealed_month:
                continue
            self._constant.pop(pair, None)
            del self._stated[pair]
        self._time.next_epoch = Epoch(period.epoch + 1)


def _changes(retold: Retold) -> Iterator[Item]:
    """Lines of time that was stated otherwise: what is no more so, and what is so now."""
    old, new = _by_lease(retold.before.uses), _by_lease(retold.after.uses)
    for key in sorted(old.keys() | new.keys()):
        lease, delivery = key
        was, now = old.get(key, []), new.get(key, [])
        for start_s, end_s in without(was, taken=now):
            yield Item(LineKind.VOID, retold.device, start_s, lease, end_s)
        late = LineKind.LATE_DELIVERY if delivery else LineKind.LATE
        for start_s, end_s in without(now, taken=was):
            yield Item(late, retold.device, start_s, lease, end_s)


def _by_lease(uses: Iterable[Use]) -> dict[tuple[Bytes32, bool], list[Span]]:
    spans: dict[tuple[Bytes32, bool], list[Span]] = {}
    for use in uses:
        spans.setdefault((use.lease, use.delivery), []).append((use.start_s, use.end_s))
    return spans


def _bearable(differences: Sequence[Item], charged: int) -> list[Item]:
    """Shorten differences below zero, from the last on, until the statement's sum is not.

    What is cut stays due, and returns in the next statement.
    """
    ordered = sorted(differences)
    missing = -(charged + sum(item.charge for item in ordered))
    kept: list[Item] = []
    for item in reversed(ordered):
        if missing > 0 and item.charge < 0:
            cut = min(missing, -item.charge)
            missing -= cut
            item = replace(item, charge=Minor(item.charge + cut))
        if item.charge:
            kept.append(item)
    return kept[::-1]
