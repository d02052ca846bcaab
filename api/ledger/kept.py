"""What a process remembers of ledgers between requests, so that a batch reads only what is new.

It is a copy of rows, never the judge: a facility's log says by its size whether the copy still
holds. Whoever records anything makes the log longer, in whichever process, so a copy of before is
thrown away under the facility's lock before anything is judged by it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock

from api.db.tables.facilities import FacilityRow
from api.db.tables.ledger import FactKind, TakenTime
from api.domain.metering.facts import Place
from api.domain.metering.intervals import Span
from api.domain.metering.lease import Lease
from api.domain.metering.occupancy import Concurrency
from api.domain.metering.taken import Taken
from api.domain.units import Bytes32, FacilityId

# Bounds of what one process keeps, some tens of megabytes. What goes beyond is read again.
KEPT_DEVICES = 8_000
KEPT_LEASES = 4_096
# Intervals of a device, of each kind.
_SPANS = 48
# Steps of what a facility's leases hold: two days in which something begins or ends each second.
# Fewer would be forgotten, and read again, with every batch of a busy lease's back-fill.
_STEPS = 200_000
_STEPS_OF_A_DEVICE = 50  # take as much memory as a device does
# How far ahead of a batch is read at once: what comes next is mostly later, and needs no query.
AHEAD_S = 86_400

# How far a log came: its size, and the time of its newest entry.
Version = tuple[int, int]


def version_of(row: FacilityRow) -> Version:
    """How far the log of a locked facility came."""
    return row.log_size, row.last_recorded_at_s


@dataclass(frozen=True, slots=True)
class Missing:
    """Time that is to be read, of devices or of leases, from the database.

    since_s: of each name, first second at which a row may begin that is not here yet; None: all
    rows are wanted that share a second with `[start_s, end_s)`, whenever they begin.
    """

    since_s: Mapping[Bytes32, Span | None]
    start_s: int
    end_s: int

    @property
    def names(self) -> list[Bytes32]:
        """Of whom."""
        return list(self.since_s)

    @property
    def whole(self) -> bool:
        """Whether rows count that began before."""
        return None in self.since_s.values()

    def takes(self, name: Bytes32, row_start_s: int) -> bool:
        """Whether a row is one of those that are missing."""
        known = self.since_s[name]
        return row_start_s < self.end_s and (known is None or row_start_s >= known[1])

    def known(self) -> Iterator[tuple[Bytes32, Span]]:
        """What is known once the rows are taken."""
        for name, known in self.since_s.items():
            yield name, (self.start_s if known is None else known[0], self.end_s)


def _missing(
    wanted: Mapping[Bytes32, Span],
    *,
    known: Mapping[Bytes32, Span],
    forget: Callable[[Bytes32], None],
) -> Iterator[Missing]:
    """At most two reads: of some from a second on, of others what follows what is known.

    It is known up to a time or from one on: what lies far off, or before, is read afresh.
    """
    fresh: list[Bytes32] = []
    later: dict[Bytes32, Span | None] = {}
    for name, (start_s, end_s) in wanted.items():
        here = known.get(name)
        if here is None or start_s < here[0] or start_s > here[1] + AHEAD_S:
            fresh.append(name)
        elif end_s > here[1]:
            later[name] = here
    until_s = max((end_s for _, end_s in wanted.values()), default=0) + AHEAD_S
    if fresh:
        for name in fresh:
            forget(name)
        yield Missing(dict.fromkeys(fresh), min(wanted[name][0] for name in fresh), until_s)
    if later:
        start_s = min(here[1] for here in later.values() if here is not None)
        yield Missing(later, start_s, until_s)


@dataclass(slots=True)
class KeptTime:
    """Time of devices and leases of one facility, as far as it is known.

    known: of a device, `[since, until)`: every standing fact that shares a second with it is here.
    limits: how many devices a lease with a limit holds.  held: the same as `known`, of leases.
    """

    used: dict[Bytes32, Taken] = field(default_factory=dict)
    out: dict[Bytes32, Taken] = field(default_factory=dict)
    delivered: dict[Bytes32, Taken] = field(default_factory=dict)
    known: dict[Bytes32, Span] = field(default_factory=dict)
    limits: dict[Bytes32, Concurrency] = field(default_factory=dict)
    held: dict[Bytes32, Span] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    _touched: Iterable[Bytes32] = ()

    def missing(self, wanted: Mapping[Bytes32, Span]) -> Iterator[Missing]:
        """What is to be read of devices' time for what is wanted; `tell` takes each answer."""
        self._touched = list(wanted)
        yield from _missing(wanted, known=self.known, forget=self._forget)

    def tell(self, missing: Missing, rows: Iterable[TakenTime]) -> None:
        """Take the rows that were missing."""
        told: dict[tuple[int, Bytes32], list[tuple[int, int, Place]]] = {}
        for row in rows:
            assert row.device is not None  # of whatever takes a device
            assert row.start_s is not None
            assert row.until_s is not None
            if missing.takes(row.device, row.start_s):
                span = row.start_s, row.until_s, Place(row.entry, row.place)
                told.setdefault((row.kind, row.device), []).append(span)
        for (kind, device), spans in told.items():
            if kind == FactKind.DELIVERY:
                self.delivered.setdefault(device, Taken()).tell(spans)
            held = kind in (FactKind.USAGE, FactKind.DELIVERY)
            (self.used if held else self.out).setdefault(device, Taken()).tell(spans)
        self.known.update(missing.known())

    def missing_of_leases(self, wanted: Mapping[Bytes32, Span]) -> Iterator[Missing]:
        """The same of what leases hold that have a limit."""
        yield from _missing(wanted, known=self.held, forget=self._forget_lease)

    def tell_of_leases(self, missing: Missing, rows: Iterable[TakenTime]) -> None:
        """Count the rows that were missing."""
        for lease in missing.names:
            self.limits.setdefault(lease, Concurrency())
        for row in rows:
            assert row.lease is not None  # whoever holds a device
            assert row.start_s is not None
            assert row.until_s is not None
            # An allocation that nobody confirmed holds nothing.
            if row.start_s < row.until_s and missing.takes(row.lease, row.start_s):
                self.limits[row.lease].add(row.start_s, row.until_s)
        self.held.update(missing.known())

    def shorten(self) -> None:
        """Forget what is long past of devices just used, and what leases hold where it is much."""
        for device in self._touched:
            for taken in (self.used.get(device), self.out.get(device), self.delivered.get(device)):
                if taken is not None and len(taken) > _SPANS:
                    since_s = taken.shorten(_SPANS // 2)
                    known = self.known[device]
                    self.known[device] = max(known[0], since_s), known[1]
        if len(self.leases) > KEPT_LEASES:
            self.leases.clear()
        limited = {lease.lease for lease in self.leases.values() if lease.has_limit}
        # Of others the next batch reads nothing: a version with a limit was refused.
        for lease in self.limits.keys() - limited if self._steps() <= _STEPS else [*self.limits]:
            self._forget_lease(lease)

    @property
    def size(self) -> int:
        """What it takes of memory, in devices."""
        return 1 + len(self.known) + len(self.leases) + self._steps() // _STEPS_OF_A_DEVICE

    def _steps(self) -> int:
        return sum(count.steps for count in self.limits.values())

    def _forget(self, device: Bytes32) -> None:
        for taken in (self.used, self.out, self.delivered):
            taken.pop(device, None)
        self.known.pop(device, None)

    def _forget_lease(self, lease: Bytes32) -> None:
        self.limits.pop(lease, None)
        self.held.pop(lease, None)


class KeptLedgers:
    """Copies of the facilities that were written last, for the threads of one process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[FacilityId, tuple[Version, KeptTime]] = OrderedDict()
        self._lock = Lock()

    def take(self, row: FacilityRow) -> KeptTime:
        """The copy of a locked facility, to be given back by `keep` once all is committed.

        An empty one if the log went on without it. Whoever takes it may spoil it: what is not
        given back is read again.
        """
        with self._lock:
            version, time = self._kept.pop(row.facility_id, (None, KeptTime()))
        return time if version == version_of(row) else KeptTime()

    def keep(self, facility_id: FacilityId, version: Version, time: KeptTime) -> None:
        """Keep a copy that a committed transaction left, unless a later one was quicker."""
        with self._lock:
            other = self._kept.get(facility_id)
            if other is None or other[0] < version:
                self._kept[facility_id] = version, time
                self._kept.move_to_end(facility_id)
            size = sum(kept.size for _, kept in self._kept.values())
            while size > KEPT_DEVICES:
                _, (_, oldest) = self._kept.popitem(last=False)
                size -= oldest.size
