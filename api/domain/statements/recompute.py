"""Recompute: statements from a facility's log and published terms alone, as every attester does."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from api.domain.facility import FacilityTerms, Period
from api.domain.json_text import as_integer, as_list, as_object, as_text, read_json
from api.domain.lifecycle import Reopening, closing_cut_off_s, cut_off_s
from api.domain.log.entry import ACCEPTED, NO_LOG, Entry, LogEnd, end_of, require_follows
from api.domain.log.logged import LoggedEntry, events_of, logged_from
from api.domain.metering.events import parse_event
from api.domain.metering.facts import Fact, Place
from api.domain.metering.judge import Recorded
from api.domain.metering.taken import Identity
from api.domain.pledges import Pledge
from api.domain.roster import Roster
from api.domain.statements.closing import ClosedEpoch, OpenBooks
from api.domain.statements.told import Told
from api.domain.units import Epoch
from api.errors import EventRejected, EvidenceInvalid


@dataclass
class RawInput:
    """What an attester is given of a facility: salt, grace, reopenings, and its log's entries.

    ended_at_s, replacements: what the chain says, which the attester asks itself.
    seen: how far the attester saw this log before; no other log is read.
    """

    salt: bytes = b""
    grace_s: int = 0
    ended_at_s: int | None = None
    reopenings: tuple[Reopening, ...] = ()
    replacements: tuple[Pledge, ...] = ()
    entries: list[LoggedEntry] = field(default_factory=list)
    seen: LogEnd = NO_LOG


def read_input(lines: Iterable[str | bytes]) -> RawInput:
    """Read the NDJSON of the attester route. Raises EvidenceInvalid."""
    raw = RawInput()
    try:
        for line in lines:
            document = as_object(read_json(line))
            if document["type"] == "facility":
                raw.salt = bytes.fromhex(as_text(document["salt"])[2:])
                raw.grace_s = as_integer(document["grace_s"])
                raw.reopenings = tuple(map(_reopening, as_list(document.get("reopenings", []))))
            else:
                raw.entries.append(logged_from(document))
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceInvalid("the attester's input is not readable") from error
    return raw


def _reopening(value: object) -> Reopening:
    epoch, at_s = map(as_integer, as_list(value))
    return Reopening(first_epoch=Epoch(epoch), at_s=at_s)


class Recomputation:
    """A facility's books, rebuilt from its log, statement by statement."""

    def __init__(self, terms: FacilityTerms, raw: RawInput) -> None:
        self._terms, self._reopenings = terms, raw.reopenings
        self._recorded = Recorded(
            Roster(terms, raw.replacements),
            raw.salt,
            reopenings=raw.reopenings,
            ended_at_s=raw.ended_at_s,
            heard_late=True,
        )
        self.books = OpenBooks(terms)
        self.books.repledge(raw.replacements)
        self._closing_cut_s = closing_cut_off_s(
            terms,
            ended_at_s=raw.ended_at_s,
            grace_s=terms.grace_s,
            reopenings=raw.reopenings,
        )
        self._end, self._seen = NO_LOG, raw.seen
        self._told: deque[Told] = deque()
        self._entries: deque[Entry] = deque()

    @property
    def end(self) -> LogEnd:
        """Where the log ends, as far as it was read."""
        return self._end

    def read(self, entries: Iterable[LoggedEntry]) -> None:
        """Read on in the log; every event is judged anew.

        Raises:  EvidenceInvalid for an entry that does not follow, or an event that the log had to
                 reject.
        """
        more = [(logged, self._events(logged)) for logged in entries]
        self._recorded.forgiven |= frozenset(_taken_back(event for _, es in more for event in es))
        for logged, events in more:
            entry, recorded = logged.entry, self._recorded
            at_s = recorded.recorded_at_s
            require_follows(entry, log=self._terms.log, end=self._end, at_s=at_s)
            logged.require_whole()
            self._end, recorded.recorded_at_s = end_of([entry], self._end), entry.recorded_at_s
            if self._end.size == self._seen.size and self._end != self._seen:
                message = f"entry {entry.number} of the log is another than the one seen before"
                raise EvidenceInvalid(message, entry=entry.number)
            self._entries.append(entry)
            if self._closing_cut_s is not None and entry.recorded_at_s >= self._closing_cut_s:
                # The service may have heard late that the facility had ended, and recorded more.
                continue
            for index, event in enumerate(events):
                place = Place(entry.number, index)
                for fact in self._judge(event, place):
                    self._told.append(Told(place, entry.recorded_at_s, fact))

    def _events(self, logged: LoggedEntry) -> Sequence[object]:
        try:
            events = events_of(logged.body)
        except ValueError as error:
            raise EvidenceInvalid(f"{logged.where}: {error}") from error
        if logged.answers != bytes([ACCEPTED]) * len(events):
            raise EvidenceInvalid(f"{logged.where}: its answers are not those of its events")
        return events

    def _judge(self, payload: object, place: Place) -> Sequence[Fact]:
        recorded = self._recorded
        try:
            event = parse_event(payload)
            identity = event.envelope.source, event.envelope.id
            foreign = event.envelope.facility_id != self._terms.facility_id
            if foreign or identity in recorded.known:
                raise EvidenceInvalid("an event is repeated or of another facility", event=identity)
            return recorded.accept(event, place)
        except EventRejected as error:
            where = f"entry {place.entry} of the log breaks a rule"
            raise EvidenceInvalid(f"{where}: {error.message}", reason=error.reason) from error

    def close(self, period: Period) -> ClosedEpoch:
        """Close the next period from what was read up to its cut."""
        cut_s = cut_off_s(
            period.epoch,
            epoch_end_s=period.over_s,
            grace_s=self._terms.grace_s,
            reopenings=self._reopenings,
        )
        told, entries = [], []
        while self._entries and self._entries[0].recorded_at_s < cut_s:
            entries.append(self._entries.popleft())
        while self._told and self._told[0].recorded_at_s < cut_s:
            told.append(self._told.popleft())
        return self.books.close(period, told, entries=entries)


def recompute(terms: FacilityTerms, period: Period, raw: RawInput) -> ClosedEpoch:
    """Close a period from the log alone, and all before it.

    Raises:  AppError when the log breaks a rule.
    """
    rebuilt = Recomputation(terms, raw)
    rebuilt.read(raw.entries)
    for number in map(Epoch, range(period.epoch)):
        rebuilt.close(terms.period(number))
    return rebuilt.close(period)


def _taken_back(events: Iterable[object]) -> Iterator[Identity]:
    """Identities of events that later ones take back."""
    for payload in events:
        data = payload.get("data") if isinstance(payload, dict) else None
        named = data.get("corrects") if isinstance(data, dict) else None
        if isinstance(named, dict):
            source, event_id = named.get("source"), named.get("id")
            if isinstance(source, str) and isinstance(event_id, str):
                yield source, event_id
