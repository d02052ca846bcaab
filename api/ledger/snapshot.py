"""Reading what a batch is judged by: its facilities, with what they hold already."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from api.clock import Clock
from api.db.chain_store import ended_at
from api.db.facilities import lock_own_facilities, own_facility_rows
from api.db.facts import held_by_leases, taken_in, terms_of
from api.db.leases import leases_hashed
from api.db.ledger import known_target
from api.db.reopenings import reopenings_of
from api.db.tables.facilities import FacilityRow
from api.domain.facility import FacilityTerms
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
from api.domain.metering.facts import Held
from api.domain.metering.intervals import Span
from api.domain.metering.judge import Recorded
from api.domain.metering.names import SecretNames
from api.domain.metering.taken import Identity
from api.domain.roster import Roster
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.ledger.kept import KeptLedgers, KeptTime, version_of
from api.ledger.rosters import roster_of


@dataclass(frozen=True, slots=True)
class Heard:
    """What a service had heard of the chain when it judged: less than now, most likely.

    replacements: how many of those that are known now.  end: whether it knew of the end, if any.
    """

    replacements: int
    end: bool


@dataclass(slots=True)
class Snapshot:
    """One facility: as a batch found it, with what the batch took since.

    entry: number that the request has in the log, if it records anything.
    taken: events that it recorded so far.
    time: what `recorded` works on, to be kept once all is committed.
    """

    facility: FacilityRow
    terms: FacilityTerms
    recorded: Recorded
    entry: int
    time: KeptTime
    taken: int = 0

    def keep_in(self, kept: KeptLedgers, *, grown: bool) -> None:
        """Keep the facility's time for the next batch. grown: the log has the entry."""
        row, recorded = self.facility, self.recorded
        version = (self.entry, recorded.recorded_at_s) if grown else version_of(row)
        self.time.shorten()
        kept.keep(row.facility_id, version, self.time)


def read_snapshots(
    connection: Connection,
    operator_id: OperatorId,
    events: Iterable[MeterEvent],
    clock: Clock,
    kept: KeptLedgers,
) -> tuple[dict[FacilityId, Snapshot], int]:
    """Lock the operator's facilities that a batch names and read what it needs, then the time.

    The lock comes first and the clock after it, so that times follow the order of commits.
    Returns: snapshots by facility, and the time.
    """
    by_facility = _by_facility(events)
    rows = lock_own_facilities(connection, operator_id, by_facility)
    now_s = clock()
    return _snapshots(connection, rows, by_facility, now_s=now_s, kept=kept), now_s


def read_snapshot(
    connection: Connection,
    row: FacilityRow,
    events: Iterable[MeterEvent],
    *,
    now_s: int,
    kept: KeptLedgers,
    heard: Heard | None = None,
) -> Snapshot:
    """What events are judged by that speak of one facility, whose row is locked, or of others.

    Args:    heard: what was heard of the chain, if it is not what is known now.
    """
    facility_id = row.facility_id
    own = _by_facility(events).get(facility_id, [])
    ended_at_s = ended_at(connection, [facility_id]).get(facility_id)
    return snapshot_of(
        connection, row, own, ended_at_s=ended_at_s, now_s=now_s, kept=kept, heard=heard
    )


def view_snapshots(
    connection: Connection, operator_id: OperatorId, events: Iterable[MeterEvent], clock: Clock
) -> dict[FacilityId, Snapshot]:
    """The same of a reading transaction, by which nothing is recorded: no lock, nothing kept."""
    by_facility = _by_facility(events)
    rows = own_facility_rows(connection, operator_id, by_facility)
    return _snapshots(connection, rows, by_facility, now_s=clock(), kept=KeptLedgers())


def _by_facility(events: Iterable[MeterEvent]) -> dict[FacilityId, list[MeterEvent]]:
    by_facility: dict[FacilityId, list[MeterEvent]] = {}
    for event in events:
        by_facility.setdefault(event.envelope.facility_id, []).append(event)
    return by_facility


def _snapshots(
    connection: Connection,
    rows: Mapping[FacilityId, FacilityRow],
    by_facility: Mapping[FacilityId, Sequence[MeterEvent]],
    *,
    now_s: int,
    kept: KeptLedgers,
) -> dict[FacilityId, Snapshot]:
    ended = ended_at(connection, rows) if rows else {}
    return {
        facility_id: snapshot_of(
            connection,
            row,
            by_facility[facility_id],
            ended_at_s=ended.get(facility_id),
            now_s=now_s,
            kept=kept,
        )
        for facility_id, row in rows.items()
    }


def snapshot_of(
    connection: Connection,
    row: FacilityRow,
    events: Sequence[MeterEvent],
    *,
    ended_at_s: int | None,
    now_s: int,
    kept: KeptLedgers,
    heard: Heard | None = None,
) -> Snapshot:
    """What events of one facility are judged by. Whoever records them has locked its row."""
    terms, time = terms_from_bytes(row.terms_json), kept.take(row)
    roster = roster_of(connection, terms, row.terms_json)
    if heard is not None:
        roster = Roster(terms, roster.replacements[: heard.replacements])
        ended_at_s = ended_at_s if heard.end else None
    recorded = Recorded(
        roster,
        SecretNames(row.facility_id, row.name_secret),
        recorded_at_s=recording_time(row, terms, now_s),
        reopenings=reopenings_of(connection, row.facility_id),
        ended_at_s=ended_at_s,
        leases=time.leases,
        used=time.used,
        out=time.out,
        delivered=time.delivered,
        running=time.limits,
    )
    _Reader(connection, row, recorded, time).read(events)
    return Snapshot(row, terms, recorded, row.log_size + 1, time)


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

    def __init__(
        self, connection: Connection, row: FacilityRow, recorded: Recorded, time: KeptTime
    ) -> None:
        self._connection, self._row, self._recorded = connection, row, recorded
        self._time = time

    def read(self, events: Sequence[MeterEvent]) -> None:
        """Read what a batch can touch, as far as it is not known."""
        facility_id, recorded = self._row.facility_id, self._recorded
        for identity in _targets(events):
            known = known_target(self._connection, facility_id, identity)
            if known is not None:
                recorded.known[identity] = known
        hashes = self._read_leases(events)
        limited = self._limited(events, hashes)
        devices: dict[Bytes32, Span] = {}
        leases: dict[Bytes32, Span] = {}
        for device, lease, span in (*_spans(events, hashes), *self._target_spans(events)):
            _widen(devices, device, span)
            if lease in limited:
                _widen(leases, lease, span)
        roster = recorded.roster
        self._read_devices({d: span for d, span in devices.items() if roster.knows(d)})
        self._read_limits(leases)

    def _read_devices(self, wanted: Mapping[Bytes32, Span]) -> None:
        for missing in self._time.missing(wanted):
            rows = taken_in(
                self._connection,
                self._row.facility_id,
                missing.names,
                start_s=missing.start_s,
                end_s=missing.end_s,
                longest_s=self._row.longest_s if missing.whole else 0,
                newest_s=self._row.last_recorded_at_s,
            )
            self._time.tell(missing, rows)

    def _read_limits(self, wanted: Mapping[Bytes32, Span]) -> None:
        for missing in self._time.missing_of_leases(wanted):
            rows = held_by_leases(
                self._connection,
                self._row.facility_id,
                missing.names,
                start_s=missing.start_s,
                end_s=missing.end_s,
                longest_s=self._row.longest_s if missing.whole else 0,
                newest_s=self._row.last_recorded_at_s,
            )
            self._time.tell_of_leases(missing, rows)

    def _target_spans(
        self, events: Sequence[MeterEvent]
    ) -> Iterator[tuple[Bytes32, Bytes32, Span]]:
        """Time that a void frees, and that news of an allocation take or free."""
        news: dict[Identity, list[int]] = {}
        corrected: set[Identity] = set()
        for event in events:
            if isinstance(event, AllocationEvent):
                news.setdefault((event.source, event.id), []).append(event.until_s)
            elif isinstance(event, CorrectionEvent):
                corrected.add((event.corrects_source, event.corrects_id))
        for identity, known in self._recorded.known.items():
            if known.fact is not None:
                fact, ends = known.fact, [known.fact.end_s, *news.get(identity, ())]
                # What news leave alone is not looked at, however long ago an allocation began.
                start_s = fact.start_s if identity in corrected else min(ends)
                yield fact.device, fact.lease, (start_s, max(ends))

    def _read_leases(self, events: Sequence[MeterEvent]) -> dict[str, Bytes32]:
        """Read the leases that events name, and those of targets; returns hashes by code."""
        known = self._recorded.leases
        hashes = {code: self._hash(code) for code in _lease_ids(events)}
        missing = {lease: code for code, lease in hashes.items() if code not in known}
        facts = (told.fact for told in self._recorded.known.values())
        named = {fact.lease for fact in facts if isinstance(fact, Held)}
        if named:
            named -= {lease.lease for lease in known.values()} | missing.keys()
            rows = leases_hashed(self._connection, self._row.facility_id, named)
            missing.update({row.lease: row.lease_id for row in rows})
        if missing:
            for lease in terms_of(self._connection, self._row.facility_id, missing):
                known[missing[lease.lease]] = lease
        return hashes

    def _hash(self, code: str) -> Bytes32:
        lease = self._recorded.leases.get(code)
        return self._recorded.names.lease(code) if lease is None else lease.lease

    def _limited(self, events: Iterable[MeterEvent], hashes: Mapping[str, Bytes32]) -> set[Bytes32]:
        """Leases that have a limit of devices, or may be given one."""
        known = self._recorded.leases
        named = [lease for code in hashes if (lease := known.get(code)) is not None]
        targets = {told.fact.lease for told in self._recorded.known.values() if told.fact}
        if targets:
            named += [lease for lease in known.values() if lease.lease in targets]
        limited = {lease.lease for lease in named if lease.has_limit}
        for event in events:
            if isinstance(event, TermsEvent) and event.terms.max_gpus:
                limited.add(hashes[event.lease_id])
        return limited


def _widen(wanted: dict[Bytes32, Span], name: Bytes32, span: Span) -> None:
    known = wanted.get(name)
    if known is None:
        wanted[name] = span
    elif span[0] < known[0] or span[1] > known[1]:
        wanted[name] = min(known[0], span[0]), max(known[1], span[1])


# Usage first, as nearly all events are; made once, and not with each event.
_OF_A_LEASE = (
    UsageEvent,
    OutageEvent,
    AllocationOpenedEvent,
    TermsEvent,
    LeaseOpenedEvent,
    LeaseClosedEvent,
    AdjustmentEvent,
)


def _lease_ids(events: Iterable[MeterEvent]) -> set[str]:
    found: set[str | None] = set()
    for event in events:
        if isinstance(event, _OF_A_LEASE):
            found.add(event.lease_id)
        elif isinstance(event, CorrectionEvent) and event.replacement is not None:
            found.add(event.replacement.lease_id)
    return {code for code in found if code is not None}


def _targets(events: Iterable[MeterEvent]) -> set[Identity]:
    found: set[Identity] = set()
    for event in events:
        if isinstance(event, CorrectionEvent):
            found.add((event.corrects_source, event.corrects_id))
        elif isinstance(event, AllocationEvent):
            found.add((event.source, event.id))
    return found


def _spans(
    events: Sequence[MeterEvent], hashes: Mapping[str, Bytes32]
) -> Iterator[tuple[Bytes32, Bytes32 | None, Span]]:
    """Devices whose time the events take, for whom, and when.

    An allocation takes what news in the same batch say of it, too.
    """
    news: dict[Identity, int] = {}
    for event in events:
        if isinstance(event, AllocationEvent):
            opening = event.source, event.id
            news[opening] = max(event.until_s, news.get(opening, event.until_s))
    for event in events:
        told = event.replacement if isinstance(event, CorrectionEvent) else event
        if isinstance(told, UsageEvent):
            yield told.device_hash, hashes[told.lease_id], (told.start_s, told.end_s)
        elif isinstance(told, OutageEvent):
            yield told.device_hash, None, (told.start_s, told.end_s)
        elif isinstance(told, AllocationOpenedEvent):
            last_s = news.get((event.envelope.source, event.envelope.id), told.until_s)
            span = told.start_s, max(told.until_s, told.start_s + 1, last_s)
            yield told.device_hash, hashes[told.lease_id], span
