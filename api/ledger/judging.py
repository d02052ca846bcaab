"""Judging a batch: its events one by one, each by what the log and the events before it say."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from api.db.ledger import KnownEvent, known_events
from api.domain.metering.facts import Fact, Place
from api.domain.metering.items import EventResult, Item
from api.domain.metering.taken import Identity
from api.domain.units import FacilityId
from api.errors import EventRejected
from api.ledger.snapshot import Snapshot


class Writer(Protocol):
    """Who is told what the log takes: to write it, or to show what would be written."""

    def add(self, snapshot: Snapshot, item: Item, *, place: Place, facts: Sequence[Fact]) -> int:
        """An event is accepted. Returns its key."""

    def conflict(self, item: Item, known: KnownEvent) -> None:
        """An event came under the identity of another one."""


class BatchJudge:
    """Facilities as the batch found them, identities seen, and who is told."""

    def __init__(
        self,
        connection: Connection,
        snapshots: Mapping[FacilityId, Snapshot],
        items: Sequence[Item],
        writer: Writer,
    ) -> None:
        self._snapshots, self._writer = snapshots, writer
        named: dict[FacilityId, list[Identity]] = {}
        for item in items:
            named.setdefault(item.event.envelope.facility_id, []).append(item.identity)
        self._known = {
            facility_id: known_events(connection, facility_id, named.get(facility_id, ()))
            for facility_id in snapshots
        }
        self.repeated: list[Item] = []

    def take(self, item: Item) -> EventResult:
        """Judge one event, tell the writer what follows from it, and answer."""
        try:
            status = self._take(item)
        except EventRejected as error:
            return item.rejected(error)
        return item.answer(status)

    def _take(self, item: Item) -> str:
        facility_id = item.event.envelope.facility_id
        snapshot = self._snapshots.get(facility_id)
        if snapshot is None:
            message = f"facility {facility_id} is not one of yours"
            raise EventRejected("facility_unknown", message)
        known = self._known[facility_id].get(item.identity)
        if known is not None:
            return self._repeat(item, known)
        place = snapshot.next_place
        facts = snapshot.recorded.accept(item.event, place)
        if not facts:
            # It says what is known: a lease that was opened so before.
            return "accepted"
        event_pk = self._writer.add(snapshot, item, place=place, facts=facts)
        snapshot.taken += 1
        self._known[facility_id][item.identity] = KnownEvent(event_pk, item.billed)
        return "accepted"

    def _repeat(self, item: Item, known: KnownEvent) -> str:
        if item.repeats(known.payload_hash):
            self.repeated.append(item)
            return "duplicate"
        self._writer.conflict(item, known)
        raise EventRejected("id_conflict", "this source and id already say something else")
