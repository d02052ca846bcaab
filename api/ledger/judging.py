"""Judging a batch: its events one by one, each by what the log and the events before it say."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection

from api.db.ledger import KnownEvent, known_events
from api.domain.log.keys import KeyRole
from api.domain.metering.facts import Fact, Place
from api.domain.metering.items import EventResult, Item
from api.domain.metering.taken import Identity
from api.domain.metering.tellers import require_may_tell
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
        *,
        role: KeyRole | None = None,
    ) -> None:
        """Args: role: of the key that signed the batch, about one facility; None if nobody did."""
        self._snapshots, self._writer, self._role = snapshots, writer, role
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
            return self._take(item)
        except EventRejected as error:
            return item.rejected(error)

    def _take(self, item: Item) -> EventResult:
        facility_id = item.event.envelope.facility_id
        snapshot = self._snapshots.get(facility_id)
        if snapshot is None:
            whose = "yours" if self._role is None else "the signed request's log"
            raise EventRejected("facility_unknown", f"facility {facility_id} is not one of {whose}")
        if self._role is None and not snapshot.terms.unsigned_taken:
            raise EventRejected("signature_required", "the facility takes signed requests alone")
        require_may_tell(self._role, item.event)
        known = self._known[facility_id].get(item.identity)
        if known is not None:
            return self._repeat(item, known)
        # A signed body is kept as it was sent; of others what is accepted.
        index = snapshot.taken if self._role is None else item.index
        place = Place(snapshot.entry, index)
        facts = snapshot.recorded.accept(item.event, place)
        if not facts:
            # It says what is known: a lease that was opened so before.
            return item.answer("accepted", known=True)
        event_pk = self._writer.add(snapshot, item, place=place, facts=facts)
        snapshot.taken += 1
        self._known[facility_id][item.identity] = KnownEvent(event_pk, item.billed)
        return item.answer("accepted")

    def _repeat(self, item: Item, known: KnownEvent) -> EventResult:
        if item.repeats(known.payload_hash):
            self.repeated.append(item)
            return item.answer("duplicate")
        self._writer.conflict(item, known)
        raise EventRejected("id_conflict", "this source and id already say something else")
