"""Events as collectors send them, of a facility of three days. Times are seconds after its start.

Each has a name, its id, by which later ones correct it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from api.domain.facility import FacilityTerms
from api.domain.metering import events
from api.domain.metering.events import parse_event
from api.domain.metering.facts import Fact, Place
from api.domain.metering.instants import format_instant
from api.domain.metering.judge import Recorded
from api.domain.pledges import Pledge
from api.domain.roster import Roster
from api.errors import EventRejected
from tests import ledgers
from tests.logs import secret_names
from tests.unit import values
from tests.unit.values import DAY_S, START_S

HOUR_S = 3_600
DEVICES, NAMES = zip(*sorted([*ledgers.NAMES.items()][:4]), strict=True)
TERMS = replace(values.TERMS, devices=DEVICES)
# Two months, sealed five days after each.
LONG = replace(TERMS, window_end_s=START_S + 59 * DAY_S, seal_s=5 * DAY_S)
LEASE = secret_names(TERMS).lease("l")
Payload = dict[str, Any]


def at(second: int) -> str:
    """An instant as events have it."""
    return format_instant(START_S + second)


def event(kind: str, name: str, /, **data: Any) -> Payload:
    """A CloudEvent."""
    return {
        "specversion": "1.0",
        "id": name,
        "source": "s",
        "type": kind,
        "data": {"facility_id": TERMS.facility_id, **data},
    }


def _span(gpu: int, from_s: int, to_s: int) -> Payload:
    return {"device": NAMES[gpu], "start": at(from_s), "end": at(to_s)}


def use_of(gpu: int, from_s: int, to_s: int, /, **more: Any) -> Payload:
    """Data of a use, as a replacement has them."""
    return {"lease": "l", "gpu_seconds": to_s - from_s, **_span(gpu, from_s, to_s), **more}


def usage(name: str, gpu: int, from_s: int, to_s: int, /, **more: Any) -> Payload:
    """A lease held a device."""
    return event(events.USAGE, name, **use_of(gpu, from_s, to_s, **more))


def delivery(name: str, gpu: int, from_s: int, to_s: int, /, **more: Any) -> Payload:
    """A voucher was served."""
    return usage(name, gpu, from_s, to_s, kind="delivery", **more)


def outage(name: str, gpu: int, from_s: int, to_s: int, /, **more: Any) -> Payload:
    """A device was out of service."""
    return event(events.AVAILABILITY, name, **_span(gpu, from_s, to_s), **more)


def seen(name: str, gpu: int, from_s: int, to_s: int, /) -> Payload:
    """A device was seen."""
    return event(events.SEEN, name, **_span(gpu, from_s, to_s))


def opened(name: str, gpu: int, from_s: int, until_s: int | None = None, /, **more: Any) -> Payload:
    """An allocation begins; `until_s`: it was seen to last until then."""
    known = {} if until_s is None else {"until": at(until_s)}
    data = {"device": NAMES[gpu], "lease": "l", "start": at(from_s), **known, **more}
    return event(events.ALLOCATION_OPENED, name, **data)


def confirmed(name: str, of: str, until_s: int, /) -> Payload:
    """An allocation still lasted."""
    named = {"source": "s", "id": of}
    return event(events.ALLOCATION_CONFIRMED, name, allocation=named, until=at(until_s))


def ended(name: str, of: str, until_s: int, /) -> Payload:
    """An allocation ended."""
    return {**confirmed(name, of, until_s), "type": events.ALLOCATION_ENDED}


def void(name: str, of: str, /) -> Payload:
    """An event is taken back."""
    return event(events.CORRECTION, name, corrects={"source": "s", "id": of}, action="void")


def replaced(name: str, of: str, by: Payload, /) -> Payload:
    """An event is taken back, and another stands for it."""
    named = {"source": "s", "id": of}
    return event(events.CORRECTION, name, corrects=named, action="replace", replacement=by)


def adjusted(name: str, amount: int, /, lease: str = "l") -> Payload:
    """Money from a lease, or back to it."""
    return event(events.ADJUSTMENT, name, lease_id=lease, amount=amount, reason="goodwill")


def agreed(
    name: str, version: int = 1, /, *, from_s: int = 0, lease: str = "l", **components: Any
) -> Payload:
    """A version of a lease's terms, a dollar an hour unless it names prices."""
    prices = {"prices": [{"from": at(from_s), "price": 1_000_000}]}
    names = {"lease_id": lease, "renter_ref": "r", "version": version, "from": at(from_s)}
    return event(events.LEASE_TERMS, name, **(names | prices | components))


def lease_opened(name: str, /, **changes: Any) -> Payload:
    """The short form of a first version."""
    data = {
        "lease_id": "l",
        "renter_ref": "r",
        "plan": "on_demand",
        "opened_at": at(0),
        "price_micros_per_gpu_hour": 1_000_000,
    }
    return event(events.LEASE_OPENED, name, **(data | changes))


def lease_closed(name: str, closed_s: int, /, lease: str = "l") -> Payload:
    """The short form of a version that ends a lease."""
    return event(events.LEASE_CLOSED, name, lease_id=lease, closed_at=at(closed_s))


class Log:
    """A facility's log: each event is an entry of its own, judged at `now_s`."""

    def __init__(
        self,
        *payloads: Payload,
        now_s: int = DAY_S,
        terms: FacilityTerms = TERMS,
        replacements: tuple[Pledge, ...] = (),
        **recorded: Any,
    ) -> None:
        self.recorded = Recorded(
            Roster(terms, replacements), **{"names": secret_names(terms), **recorded}
        )
        self.now_s, self.entry = now_s, 0
        self.take(*payloads)

    def take(self, *payloads: Payload) -> list[Fact]:
        """Facts of events. Raises EventRejected."""
        facts: list[Fact] = []
        self.recorded.recorded_at_s = START_S + self.now_s
        for payload in payloads:
            self.entry += 1
            facts += self.recorded.accept(parse_event(payload), Place(self.entry, 0))
        return facts

    def answers(self, payloads: Sequence[Payload]) -> list[str]:
        """Why events are refused; `ok` for those that are taken."""
        return [self.answer(payload) for payload in payloads]

    def answer(self, payload: Payload, /, *, now_s: int | None = None) -> str:
        """Why an event is refused, or `ok`."""
        self.now_s = self.now_s if now_s is None else now_s
        try:
            self.take(payload)
        except EventRejected as error:
            return error.reason
        return "ok"
