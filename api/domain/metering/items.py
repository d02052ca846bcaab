"""A batch of events: what was read of each, and what is answered."""

from dataclasses import dataclass

import orjson

from api.domain.log.answers import ACCEPTED, DUPLICATE, KNOWN, REASONS, REJECTED
from api.domain.metering.attributes import MAX_EVENT_BYTES, check_attributes
from api.domain.metering.billed import billed_hash
from api.domain.metering.event_types import MeterEvent
from api.domain.metering.events import identity, parse_event
from api.domain.units import Bytes32
from api.errors import EventRejected


@dataclass(slots=True)  # one an event: a frozen one takes thrice as long to make
class EventResult:
    """Answer for one event: `accepted`, `duplicate` or `rejected` with a stable code.

    known: it is accepted, and nothing is recorded, since it says what is agreed already.
    """

    index: int
    source: str | None
    id: str | None
    status: str
    code: str | None = None
    detail: str | None = None
    known: bool = False

    @property
    def answer(self) -> int:
        """The byte that the log holds of it."""
        if self.code is not None:
            return REJECTED[self.code]
        if self.known:
            return KNOWN
        return ACCEPTED if self.status == "accepted" else DUPLICATE


@dataclass(slots=True)  # as above
class Item:
    """An event that could be read, with the bytes that the ledger keeps.

    billed: hash of what it bills, by which a repeat is known.
    """

    index: int
    event: MeterEvent
    payload: bytes
    billed: Bytes32

    @property
    def identity(self) -> tuple[str, str]:
        """`(source, id)`: taken for ever once the event is accepted."""
        return self.event.envelope.source, self.event.envelope.id

    def repeats(self, known: Bytes32) -> bool:
        """Whether an earlier event under its identity said the same, given that one's hash."""
        return known == self.billed

    def answer(self, status: str, *, known: bool = False) -> EventResult:
        """The event is accepted or a duplicate."""
        source, event_id = self.identity
        return EventResult(self.index, source, event_id, status, known=known)

    def answered(self, answer: int) -> EventResult:
        """What a byte of the log answers to the event, without the sentence."""
        reason = REASONS.get(answer)
        if reason is not None:
            return self.rejected(EventRejected(reason, "rejected before, by this very request"))
        return self.answer(
            "duplicate" if answer == DUPLICATE else "accepted", known=answer == KNOWN
        )

    def rejected(self, error: EventRejected) -> EventResult:
        """The event is rejected."""
        return _rejected(self.index, self.identity, error)


def read_item(index: int, event: object, broken: EventRejected | None) -> Item | EventResult:
    """Read one event of a request, or say why it cannot be read.

    Args:    broken: what the parser found wrong with the event's JSON.
    """
    try:
        if broken is not None:
            raise broken
        payload = _payload(event)
        parsed = parse_event(event)
        assert isinstance(event, dict)  # or it could not be parsed
        check_attributes(event)
    except EventRejected as error:
        return _rejected(index, identity(event), error)
    return Item(index=index, event=parsed, payload=payload, billed=billed_hash(parsed))


def _payload(event: object) -> bytes:
    try:
        payload = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise EventRejected("malformed_event", f"the event is no JSON: {error}") from error
    if len(payload) > MAX_EVENT_BYTES:
        message = f"an event has at most {MAX_EVENT_BYTES} bytes, not {len(payload)}"
        raise EventRejected("event_too_large", message)
    return payload


def _rejected(index: int, name: tuple[str | None, str | None], error: EventRejected) -> EventResult:
    return EventResult(
        index=index,
        source=name[0],
        id=name[1],
        status="rejected",
        code=error.reason,
        detail=error.message,
    )
