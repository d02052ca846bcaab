"""Time book: the facts of a facility's devices, and what they make of every second known so far.

Kept by cell, a device in a segment, so that a fact costs what it speaks of and no more. Of cells
that were stated, only those that a fact changed since are looked at again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from api.domain.metering.calendar import Calendar, Segment
from api.domain.metering.facts import Held, Out, Place, Seen, Until
from api.domain.metering.intervals import Span, clipped, overlap, union
from api.domain.metering.timeline import SEEN_APART_S, DeviceTime, Withheld, device_time
from api.domain.units import Bytes32, Epoch

NOTHING = DeviceTime()
NO_MONTH = -1

Cell = tuple[Bytes32, int]  # device, number of the segment
LeaseSegment = tuple[Bytes32, int]  # lease, number of the segment


@dataclass(frozen=True, slots=True)
class Retold:
    """What became of a cell that was stated otherwise."""

    device: Bytes32
    before: DeviceTime
    after: DeviceTime


class TimeBook:
    """Facts of devices that are not sealed, and the time that they make.

    touched: leases and segments whose time was found to be another since the set was emptied.
    """

    def __init__(
        self,
        calendar: Calendar,
        *,
        silence_available: bool,
        running: Callable[[Bytes32], Sequence[Span]],
        pledged: Callable[[Bytes32], Sequence[Span]],
    ) -> None:
        """Args: pledged: when a device is one of the facility's; each span is of whole epochs."""
        self._calendar, self._silence_available = calendar, silence_available
        self._running, self._pledged = running, pledged
        self.touched: set[LeaseSegment] = set()
        # Epochs before this one are stated; months up to that one are sealed.
        self.next_epoch = Epoch(0)
        self.sealed_month = NO_MONTH
        self._held: dict[Place, Held] = {}
        self._out: dict[Place, Out] = {}
        self._seen: dict[Bytes32, list[Span]] = {}
        self._facts: dict[Cell, set[Place]] = {}
        self._time: dict[Cell, DeviceTime] = {}
        self._cells: dict[Bytes32, set[Cell]] = {}
        self._of_lease: dict[LeaseSegment, dict[Bytes32, DeviceTime]] = {}
        self._changed: set[Cell] = set()

    # --- facts ----------------------------------------------------------------------------------

    def hold(self, fact: Held) -> None:
        """A device was held."""
        self._held[fact.place] = fact
        self._index(fact)

    def fail(self, fact: Out) -> None:
        """A device was out of service."""
        self._out[fact.place] = fact
        self._index(fact)

    def see(self, fact: Seen) -> None:
        """A device was seen."""
        before = self._seen.get(fact.device, [])
        self._seen[fact.device] = union([*before, (fact.start_s, fact.end_s)])
        self._mark(fact)

    def last(self, fact: Until) -> None:
        """An allocation lasts until another time."""
        held = self._held.pop(fact.target)
        self._forget(held)
        self.hold(replace(held, end_s=fact.end_s))

    def fact_at(self, place: Place) -> Held | Out | None:
        """The fact that was told at a place, as it stands; None of a month that is sealed."""
        return self._held.get(place) or self._out.get(place)

    def void(self, place: Place) -> None:
        """A fact is taken back."""
        held = self._held.pop(place, None)
        self._forget(self._out.pop(place) if held is None else held)

    def lease_changed(self, lease: Bytes32, *, from_s: int) -> None:
        """A lease may run otherwise from an instant on."""
        for cell in self._cells.get(lease, ()):
            segment = self._calendar.segments[cell[1]]
            if segment.epoch < self.next_epoch and segment.end_s > from_s:
                self._changed.add(cell)

    def _open(self, *, start_s: int, end_s: int) -> Iterator[Segment]:
        for segment in self._calendar.between(start_s=start_s, end_s=end_s):
            if segment.month > self.sealed_month:
                yield segment

    def _index(self, fact: Held | Out) -> None:
        for segment in self._open(start_s=fact.start_s, end_s=fact.end_s):
            cell = fact.device, segment.number
            self._facts.setdefault(cell, set()).add(fact.place)
            self._cells.setdefault(fact.lease, set()).add(cell)
        self._mark(fact)

    def _forget(self, fact: Held | Out) -> None:
        for segment in self._open(start_s=fact.start_s, end_s=fact.end_s):
            self._facts[fact.device, segment.number].discard(fact.place)
        self._mark(fact)

    def _mark(self, fact: Held | Out | Seen) -> None:
        """Note what a fact can change of what was stated: also what was seen beside it."""
        start_s, end_s = fact.start_s - SEEN_APART_S, fact.end_s + SEEN_APART_S
        stated_s = self._calendar.epoch_start_s(self.next_epoch)
        for segment in self._open(start_s=start_s, end_s=min(end_s, stated_s)):
            self._changed.add((fact.device, segment.number))

    # --- time -----------------------------------------------------------------------------------

    def retell(self) -> Iterator[Retold]:
        """What changed of the time that was stated, in order of devices and time."""
        for cell in sorted(self._changed):
            before = self._time.get(cell, NOTHING)
            yield Retold(cell[0], before, self._look(cell))
        self._changed.clear()

    def tell(
        self, epoch: Epoch, devices: Iterable[Bytes32]
    ) -> Iterator[tuple[Bytes32, DeviceTime]]:
        """Time of an epoch that is stated now."""
        for segment in self._calendar.of_epoch(epoch):
            for device in devices:
                yield device, self._look((device, segment.number))

    def of_lease(self, lease: Bytes32, segment: Segment) -> tuple[list[Span], list[Withheld]]:
        """What a lease was billed for in a segment, of each device, and what was kept from it."""
        times = self._of_lease.get((lease, segment.number), {}).values()
        uses = [
            (use.start_s, use.end_s)
            for time in times
            for use in time.uses
            if use.lease == lease and not use.delivery
        ]
        return uses, [w for time in times for w in time.withheld if w.lease == lease]

    def _look(self, cell: Cell) -> DeviceTime:
        """What the facts say now of a cell; notes the leases concerned."""
        device, number = cell
        before = self._time.get(cell)
        now = self._device_time(device, self._calendar.segments[number])
        if now != before:
            self._time[cell] = now
            for lease in _leases_of(before or NOTHING) | _leases_of(now):
                self._of_lease.setdefault((lease, number), {})[device] = now
                self.touched.add((lease, number))
        return now

    def _device_time(self, device: Bytes32, segment: Segment) -> DeviceTime:
        # Spans are of whole epochs: a segment is inside of one, or of none. Nothing else here asks
        # for them: what an epoch states must not hang on a replacement that is approved later.
        if not overlap([(segment.start_s, segment.end_s)], self._pledged(device)):
            return NOTHING
        places = sorted(self._facts.get((device, segment.number), ()))
        start_s, end_s = segment.start_s - SEEN_APART_S, segment.end_s + SEEN_APART_S
        seen = clipped(self._seen.get(device, ()), start_s=start_s, end_s=end_s)
        for other in self._calendar.beside(segment, within_s=SEEN_APART_S):
            near = self._facts.get((device, other.number), ())
            told = ((h.start_s, h.end_s) for p in near if (h := self._held.get(p)))
            seen += clipped(told, start_s=start_s, end_s=end_s)
        return device_time(
            held=[self._held[p] for p in places if p in self._held],
            out=[self._out[p] for p in places if p in self._out],
            seen=seen,
            running=self._running,
            start_s=segment.start_s,
            end_s=segment.end_s,
            silence_available=self._silence_available,
        )

    # --- state ----------------------------------------------------------------------------------

    @property
    def kept(self) -> tuple[list[Held | Out], list[Seen]]:
        """Facts that are kept, in the order of the log, and what was seen, by device and time.

        Between two statements nothing else is known: time of what was stated follows from them.
        """
        facts: list[Held | Out] = [*self._held.values(), *self._out.values()]
        facts.sort(key=lambda fact: fact.place)
        seen = [Seen(device, *span) for device, spans in self._seen.items() for span in spans]
        return facts, sorted(seen, key=lambda each: (each.device, each.start_s))

    def restore(
        self,
        facts: Iterable[Held | Out],
        seen: Iterable[Seen],
        *,
        next_epoch: Epoch,
        sealed_month: int,
        devices_of: Callable[[Epoch], Iterable[Bytes32]],
    ) -> None:
        """Go on where another book stood, between two statements.

        Args:    devices_of: the facility's devices, by epoch.
        """
        self.next_epoch, self.sealed_month = next_epoch, sealed_month
        for each in seen:
            self.see(each)
        for fact in facts:
            if isinstance(fact, Held):
                self.hold(fact)
            else:
                self.fail(fact)
        for segment in self._calendar.segments:
            if segment.month > sealed_month and segment.epoch < next_epoch:
                for device in devices_of(segment.epoch):
                    self._look((device, segment.number))
        self._changed.clear()
        self.touched.clear()

    # --- seal -----------------------------------------------------------------------------------

    def seal(self, month: int) -> None:
        """Let a month go: nothing of it changes any more."""
        self.sealed_month = month
        numbers = {s.number for s in self._calendar.segments if s.month == month}
        self._time = {c: t for c, t in self._time.items() if c[1] not in numbers}
        self._of_lease = {k: t for k, t in self._of_lease.items() if k[1] not in numbers}
        for lease, cells in self._cells.items():
            self._cells[lease] = {c for c in cells if c[1] not in numbers}
        gone: set[Place] = set()
        for cell in [c for c in self._facts if c[1] in numbers]:
            gone |= self._facts.pop(cell)
        # What was seen last still stands beside what is seen next, also of a use that goes on: it
        # may yet be told to have ended where this month did.
        end_s = max(s.end_s for s in self._calendar.segments if s.number in numbers)
        from_s = end_s - SEEN_APART_S
        for place in gone:
            held = self._held.get(place)
            if held is not None and held.end_s >= from_s:
                span = held.start_s, min(held.end_s, end_s)
                self._seen.setdefault(held.device, []).append(span)
        for place in gone.difference(*self._facts.values()):
            self._held.pop(place, None)
            self._out.pop(place, None)
        late_s = self._calendar.segments[-1].end_s + SEEN_APART_S
        for device, spans in self._seen.items():
            self._seen[device] = union(clipped(spans, start_s=from_s, end_s=late_s))
        self._changed = {c for c in self._changed if c[1] not in numbers}


def _leases_of(time: DeviceTime) -> set[Bytes32]:
    return {use.lease for use in time.uses} | {w.lease for w in time.withheld}
