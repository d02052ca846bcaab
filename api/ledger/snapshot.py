"""Reading what a batch is judged by: its facilities, locked, with what they hold already."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.clock import Clock
from api.db.chain_store import ended_at
from api.db.facilities import lock_own_facilities
from api.db.facts import held_by_leases, taken_in, terms_of
from api.db.leases import leases_hashed
from api.db.ledger import known_target
from api.db.reopenings import reopenings_of
from api.db.tables.facilities import FacilityRow
from api.db.tables.ledger import FactKind, TakenTime
from api.domain.facility import FacilityTerms
from api.domain.hashing import salted_hash
from api.domain.lifecycle import recording_time_s
from api.domain.metering.event_types import (
    AdjustmentEvent,
    AllocationEvent,
    AllocationOpenedEvent,
    CorrectionEvent,
    LeaseClosedEvent,
    LeaseOpenedEvent,
    MeterEvent,
    OutageEvent,
    TermsEvent,
    UsageEvent,
)
from api.domain.metering.facts import Held, Place
from api.domain.metering.intervals import Span
from api.domain.metering.judge import Recorded
from api.domain.metering.occupancy import Concurrency
from api.domain.metering.taken import Identity, Taken
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId


@dataclass(slots=True)
class Snapshot:
    """One locked facility: as a batch found it, with what the batch took since.

    entry: number that the request has in the log, if it records anything.
    """

    facility: FacilityRow
    terms: FacilityTerms
    recorded: Recorded
    entry: int


def read_snapshots(
    connection: Connection, operator_id: OperatorId, events: Iterable[MeterEvent], clock: Clock
) -> tuple[dict[FacilityId, Snapshot], int]:
    """Lock the operator's facilities that a batch names and read what it needs, then the time.

    The lock comes first and the clock after it, so that times follow the order of commits.
    Returns: snapshots by facility, and the time.
    """
    by_facility: dict[FacilityId, list[MeterEvent]] = {}
    for event in events:
        by_facility.setdefault(event.envelope.facility_id, []).append(event)
    rows = lock_own_facilities(connection, operator_id, by_facility)
    ended = ended_at(connection, rows) if rows else {}
    now_s = clock()
    snapshots = {
        facility_id: snapshot_of(
            connection,
            row,
            by_facility[facility_id],
            ended_at_s=ended.get(facility_id),
            now_s=now_s,
        )
        for facility_id, row in rows.items()
    }
    return snapshots, now_s


def snapshot_of(
    connection: Connection,
    row: FacilityRow,
    events: Sequence[MeterEvent],
    *,
    ended_at_s: int | None,
    now_s: int,
) -> Snapshot:
    """What events of one facility are judged by. Whoever records them has locked its row."""
    terms = terms_from_bytes(row.terms_json)
    recorded = Recorded(
        terms,
        row.salt,
        recorded_at_s=recording_time(row, terms, now_s),
        reopenings=reopenings_of(connection, row.facility_id),
        ended_at_s=ended_at_s,
    )
    _Reader(connection, row, recorded).read(events)
    return Snapshot(row, terms, recorded, row.log_size + 1)


def recording_time(row: FacilityRow, terms: FacilityTerms, now_s: int) -> int:
    """Recording time at `now_s`: never before an earlier record or a closed epoch's cut-off."""
    closed = row.epochs_closed
    return recording_time_s(
        now_s,
        last_recorded_at_s=row.last_recorded_at_s,
        closed_end_s=terms.epoch_bounds(Epoch(closed - 1))[1] if closed else None,
        grace_s=row.grace_s,
    )


class _Reader:
    """Fills in what the events at hand can touch: leases, targets, and time of devices."""

    def __init__(self, connection: Connection, row: FacilityRow, recorded: Recorded) -> None:
        self._connection, self._row, self._recorded = connection, row, recorded

    def read(self, events: Sequence[MeterEvent]) -> None:
        """Read what a batch can touch."""
        facility_id, recorded = self._row.facility_id, self._recorded
        for identity in _targets(events):
            known = known_target(self._connection, facility_id, identity)
            if known is not None:
                recorded.known[identity] = known
        self._read_leases(events)
        spans = [*_spans(events), *self._target_spans(events)]
        if not spans:
            return
        start_s, end_s = min(a for _, (a, _) in spans), max(b for _, (_, b) in spans)
        devices = sorted({device for device, _ in spans} & recorded.terms.device_set)
        longest_s = self._row.longest_s
        taken = taken_in(
            self._connection,
            facility_id,
            devices,
            start_s=start_s,
            end_s=end_s,
            longest_s=longest_s,
        )
        self._fill(taken)
        limited = self._limited(events)
        held = held_by_leases(
            self._connection,
            facility_id,
            limited,
            start_s=start_s,
            end_s=end_s,
            longest_s=longest_s,
        )
        recorded.running.update({lease: Concurrency() for lease in limited})
        for row in held:
            assert row.lease is not None  # whoever holds a device
            assert row.start_s is not None
            assert row.until_s is not None
            if row.start_s < row.until_s:
                recorded.running[row.lease].add(row.start_s, row.until_s)

    def _target_spans(self, events: Sequence[MeterEvent]) -> Iterator[tuple[Bytes32, Span]]:
        """Time of what is corrected, and until when an allocation shall last."""
        news = [event.until_s for event in events if isinstance(event, AllocationEvent)]
        for known in self._recorded.known.values():
            if known.fact is not None:
                last_s = max([known.fact.end_s, *(news if known.allocation else [])])
                yield known.fact.device, (known.fact.start_s, last_s)

    def _read_leases(self, events: Sequence[MeterEvent]) -> None:
        recorded = self._recorded
        codes = {salted_hash(self._row.salt, code): code for code in _lease_ids(events)}
        facts = (known.fact for known in recorded.known.values())
        named = {fact.lease for fact in facts if isinstance(fact, Held)} - codes.keys()
        if named:
            rows = leases_hashed(self._connection, self._row.facility_id, named)
            codes.update({row.lease: row.lease_id for row in rows})
        for lease in terms_of(self._connection, self._row.facility_id, codes):
            recorded.leases[codes[lease.lease]] = lease

    def _limited(self, events: Sequence[MeterEvent]) -> Collection[Bytes32]:
        """Leases that have a limit of devices, or may be given one."""
        new = {
            salted_hash(self._row.salt, event.lease_id)
            for event in events
            if isinstance(event, TermsEvent) and event.terms.max_gpus
        }
        leases = self._recorded.leases.values()
        return new | {x.lease for x in leases if any(terms.max_gpus for terms in x.versions)}

    def _fill(self, rows: Iterable[TakenTime]) -> None:
        recorded = self._recorded
        spans: dict[tuple[int, Bytes32], list[tuple[int, int, Place]]] = {}
        for row in rows:
            assert row.device is not None  # of whatever takes a device
            assert row.start_s is not None
            assert row.until_s is not None
            span = row.start_s, row.until_s, Place(row.entry, row.place)
            spans.setdefault((row.kind, row.device), []).append(span)
        by_device: dict[Bytes32, list[tuple[int, int, Place]]] = {}
        out: dict[Bytes32, list[tuple[int, int, Place]]] = {}
        for (kind, device), found in spans.items():
            if kind == FactKind.DELIVERY:
                recorded.delivered[device] = Taken(found)
            held = kind in (FactKind.USAGE, FactKind.DELIVERY)
            (by_device if held else out).setdefault(device, []).extend(found)
        recorded.used.update({device: Taken(found) for device, found in by_device.items()})
        recorded.out.update({device: Taken(found) for device, found in out.items()})


def _lease_ids(events: Iterable[MeterEvent]) -> set[str]:
    found: set[str | None] = set()
    for event in events:
        if isinstance(event, CorrectionEvent):
            if event.replacement is not None:
                found.add(event.replacement.lease_id)
        elif isinstance(
            event,
            UsageEvent
            | AllocationOpenedEvent
            | OutageEvent
            | TermsEvent
            | LeaseOpenedEvent
            | LeaseClosedEvent
            | AdjustmentEvent,
        ):
            found.add(event.lease_id)
    return {code for code in found if code is not None}


def _targets(events: Iterable[MeterEvent]) -> set[Identity]:
    corrections = {
        (e.corrects_source, e.corrects_id) for e in events if isinstance(e, CorrectionEvent)
    }
    return corrections | {(e.source, e.id) for e in events if isinstance(e, AllocationEvent)}


def _spans(events: Iterable[MeterEvent]) -> Iterator[tuple[Bytes32, Span]]:
    """Devices whose time the events take, and when."""
    for event in events:
        told = event.replacement if isinstance(event, CorrectionEvent) else event
        if isinstance(told, UsageEvent | OutageEvent):
            yield told.device_hash, (told.start_s, told.end_s)
        elif isinstance(told, AllocationOpenedEvent):
            yield told.device_hash, (told.start_s, max(told.until_s, told.start_s + 1))
