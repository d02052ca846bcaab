"""Recompute: statements from a facility's log and published terms alone, as every attester does."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from api.domain.facility import FacilityTerms, Period
from api.domain.json_text import as_integer, as_list, as_object, as_text, read_json
from api.domain.lifecycle import Reopening, closing_cut_off_s, cut_off_s
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


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An accepted event, where it stands in the log and when it was recorded."""

    place: Place
    recorded_at_s: int
    payload: object


@dataclass
class RawInput:
    """What an attester is given of a facility: salt, grace, reopenings, and its log's events.

    ended_at_s, replacements: what the chain says, which the attester asks itself.
    """

    salt: bytes = b""
    grace_s: int = 0
    ended_at_s: int | None = None
    reopenings: tuple[Reopening, ...] = ()
    replacements: tuple[Pledge, ...] = ()
    events: list[LoggedEvent] = field(default_factory=list)


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
                place = Place(as_integer(document["entry"]), as_integer(document["index"]))
                recorded_at_s = as_integer(document["recorded_at_s"])
                raw.events.append(LoggedEvent(place, recorded_at_s, document["payload"]))
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
        self._last = Place(0, 0)
        self._told: deque[Told] = deque()

    @property
    def entries(self) -> int:
        """Number of the newest entry of the log that was read."""
        return self._last.entry

    def read(self, events: Iterable[LoggedEvent]) -> None:
        """Read on in the log; every event is judged anew.

        Raises:  EvidenceInvalid for one that does not follow, or that the log had to reject.
        """
        more = list(events)
        self._recorded.forgiven |= frozenset(_taken_back(more))
        for logged in more:
            place, at_s = logged.place, logged.recorded_at_s
            if place <= self._last or at_s < self._recorded.recorded_at_s:
                raise EvidenceInvalid(f"entry {place.entry} of the log does not follow")
            self._last, self._recorded.recorded_at_s = place, at_s
            if self._closing_cut_s is not None and at_s >= self._closing_cut_s:
                # The service may have heard late that the facility had ended, and recorded more.
                continue
            for fact in self._judge(logged):
                self._told.append(Told(place, at_s, fact))

    def _judge(self, logged: LoggedEvent) -> Sequence[Fact]:
        recorded = self._recorded
        try:
            event = parse_event(logged.payload)
            identity = event.envelope.source, event.envelope.id
            foreign = event.envelope.facility_id != self._terms.facility_id
            if foreign or identity in recorded.known:
                raise EvidenceInvalid("an event is repeated or of another facility", event=identity)
            return recorded.accept(event, logged.place)
        except EventRejected as error:
            where = f"entry {logged.place.entry} of the log breaks a rule"
            raise EvidenceInvalid(f"{where}: {error.message}", reason=error.reason) from error

    def close(self, period: Period) -> ClosedEpoch:
        """Close the next period from what was read up to its cut."""
        cut_s = cut_off_s(
            period.epoch,
            epoch_end_s=period.over_s,
            grace_s=self._terms.grace_s,
            reopenings=self._reopenings,
        )
        told = []
        while self._told and self._told[0].recorded_at_s < cut_s:
            told.append(self._told.popleft())
        before = self.books.follows.log_size
        log_size = max((each.place.entry for each in told), default=before)
        return self.books.close(period, told, log_size=log_size)


def recompute(terms: FacilityTerms, period: Period, raw: RawInput) -> ClosedEpoch:
    """Close a period from the log alone, and all before it.

    Raises:  AppError when the log breaks a rule.
    """
    rebuilt = Recomputation(terms, raw)
    rebuilt.read(raw.events)
    for number in map(Epoch, range(period.epoch)):
        rebuilt.close(terms.period(number))
    return rebuilt.close(period)


def _taken_back(events: Iterable[LoggedEvent]) -> Iterator[Identity]:
    """Identities of events that later ones take back."""
    for logged in events:
        payload = logged.payload
        data = payload.get("data") if isinstance(payload, dict) else None
        named = data.get("corrects") if isinstance(data, dict) else None
        if isinstance(named, dict):
            source, event_id = named.get("source"), named.get("id")
            if isinstance(source, str) and isinstance(event_id, str):
                yield source, event_id
