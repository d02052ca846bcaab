"""Random honest ledgers: events of every kind, as a log takes them, and the statements they give.

What is random is judged by `api.domain.metering.judge`, as the service does: what it refuses is
not in the ledger.
"""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from api.domain.facility import FacilityTerms, Period, TrancheTerms
from api.domain.hashing import device_hash
from api.domain.lifecycle import cut_off_s
from api.domain.log.answers import ACCEPTED, KNOWN, REJECTED
from api.domain.log.authors import NamedKey
from api.domain.log.entry import UNSIGNED, Entry, EntryKind
from api.domain.log.logged import LoggedEntry
from api.domain.metering import events
from api.domain.metering.events import parse_event
from api.domain.metering.instants import format_instant
from api.domain.metering.judge import MAX_FUTURE_S, Recorded
from api.domain.roster import Roster
from api.domain.statements.closing import ClosedEpoch, OpenBooks
from api.domain.statements.told import Told
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import EventRejected
from tests.logs import SentEvent, secret_names
from tests.scribes import Scribes

EPOCH_S = 3_600
EPOCHS = 4
# Two hours before a new year: the first month ends with the second epoch.
WINDOW_START_S = 1_767_225_600 - 2 * EPOCH_S
NAMES: dict[Bytes32, str] = {
    device_hash(name): name
    for name in (f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, str(i))}" for i in range(100))
}
LEASES = ("atlas", "birch", "cedar")
# Two of the three leases are one renter's.
RENTERS = {"atlas": "north", "birch": "north", "cedar": "south"}


def facility(
    facility_id: int = 7, *, devices: int = 5, window_start_s: int = WINDOW_START_S, first: int = 0
) -> FacilityTerms:
    """A facility of four hourly epochs."""
    return FacilityTerms(
        facility_id=FacilityId(facility_id),
        gpu_operator="0x" + "11" * 20,
        settlement_token="0x" + "22" * 20,
        gpu_class="H100-SXM5-80GB",
        site="SE-LULEA-1",
        window_start_s=window_start_s,
        window_end_s=window_start_s + EPOCHS * EPOCH_S,
        expires_at_s=window_start_s + EPOCH_S,
        epoch_length_s=EPOCH_S,
        devices=tuple(sorted([*NAMES][first : first + devices])),
        promised_availability_ppm=990_000,
        fee_bps=100,
        tranches=(TrancheTerms(1),),
        grace_s=600,
        seal_s=EPOCH_S,
    )


class LogPart(TypedDict):
    """A part of a log, as `OpenBooks.close` takes it."""

    entries: list[Entry]
    about_keys: list[LoggedEntry]


@dataclass
class Ledger:
    """A facility's log, filled at random, period by period.

    ended_at_s: when the facility ended, other than by maturity.
    sent: events in order, each with its answer: why it was refused, or None.
    correctable, running: ids of events that can be voided, and of allocations that were opened.
    """

    seed: int
    terms: FacilityTerms
    ended_at_s: int | None = None
    sent: list[tuple[SentEvent, str | None]] = field(default_factory=list)
    correctable: list[str] = field(default_factory=list)
    running: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.recorded = Recorded(
            Roster(self.terms), secret_names(self.terms), ended_at_s=self.ended_at_s
        )
        self.recorded.recorded_at_s = self.terms.window_start_s
        self._cut_s = self.terms.window_start_s
        self._told: list[Told] = []
        self._names = 0
        self.scribes = Scribes(self.seed, self.terms)
        self._agree("atlas", self.terms.window_start_s)
        self._agree("birch", self.terms.window_start_s)
        opened = {"plan": "spot", "max_gpus": 3, "price_micros_per_gpu_hour": self._money()}
        self._say(
            events.LEASE_OPENED,
            lease_id="cedar",
            renter_ref=RENTERS["cedar"],
            opened_at=format_instant(self.terms.window_start_s),
            **opened,
        )

    # --- a log ----------------------------------------------------------------------------------

    def fill(self, period: Period) -> list[Told]:
        """Record at random until a period's cut; the facts that its statement takes."""
        cut_s = cut_off_s(period.epoch, epoch_end_s=period.over_s, grace_s=self.terms.grace_s)
        # Most is told once it is over.
        spans = ((self._cut_s, cut_s), (max(self._cut_s, period.over_s), cut_s))
        count = self.dice.randrange(5, 25) if self._cut_s < cut_s else 0
        for at_s in sorted(self.dice.randrange(*self.dice.choice(spans)) for _ in range(count)):
            self.recorded.recorded_at_s = at_s
            self.scribes.turn(at_s)
            for _ in range(self.dice.randrange(1, 4)):
                self._anything(period)
        self._cut_s = cut_s
        told, self._told = self._told, []
        return told

    @property
    def logged(self) -> list[SentEvent]:
        """What the log took."""
        return [event for event, refused in self.sent if refused is None]

    @property
    def entries(self) -> list[LoggedEntry]:
        """What the log holds, as an attester is given it."""
        self.scribes.flush()
        return self.scribes.log.entries

    @property
    def named(self) -> tuple[NamedKey, ...]:
        """Ledger keys that the operator named on-chain."""
        return tuple(self.scribes.log.named)

    def log_after(self, number: int) -> "LogPart":
        """What the log holds behind an entry, as a close takes it."""
        logged = [each for each in self.entries if each.entry.number > number]
        about = [each for each in logged if each.entry.kind is not EntryKind.BATCH]
        return {"entries": [each.entry for each in logged], "about_keys": about}

    def _say(self, kind: str, /, **data: Any) -> str | None:
        """Send an event; its id if the log takes it."""
        name = f"e{self._names}"
        self._names += 1
        payload = {
            "specversion": "1.0",
            "id": name,
            "source": "s",
            "type": kind,
            "data": {"facility_id": self.terms.facility_id, **data},
        }
        if self.scribes.forbids(payload):
            self.scribes.note(payload, REJECTED["key_forbidden"])
            return None
        at_s, place = self.recorded.recorded_at_s, self.scribes.place
        event = SentEvent(place, at_s, payload)
        try:
            facts = self.recorded.accept(parse_event(payload), place)
        except EventRejected as error:
            self.sent.append((event, error.reason))
            self.scribes.note(payload, REJECTED[error.reason])
            return None
        self.sent.append((event, None))
        self._told += [Told(place, at_s, fact) for fact in facts]
        self.scribes.note(payload, ACCEPTED if facts else KNOWN)
        return name

    # --- what is told ---------------------------------------------------------------------------

    def _anything(self, period: Period) -> None:
        tell = self.dice.choice(
            [self._use] * 8
            + [self._allocate, self._last, self._fail, self._see] * 2
            + [self._correct, self._correct, self._adjust, self._change]
        )
        tell(period)

    def _span(self, period: Period) -> dict[str, str]:
        """An interval that is past, mostly of the period, and mostly inside an epoch."""
        terms, dice = self.terms, self.dice
        last = min(period.epoch, terms.epoch_count - 1)
        epoch = last if dice.random() < 0.7 else dice.randrange(last + 1)
        start_s, end_s = terms.epoch_bounds(Epoch(epoch))
        if dice.random() < 0.1:
            end_s = min(end_s + EPOCH_S, terms.window_end_s)
        end_s = max(start_s + 2, min(end_s, self.recorded.recorded_at_s + MAX_FUTURE_S))
        begin_s = dice.choice((start_s, dice.randrange(start_s, end_s - 1)))
        until_s = dice.choice((end_s, dice.randrange(begin_s + 1, end_s + 1)))
        return {"start": format_instant(begin_s), "end": format_instant(until_s)}

    def _device(self) -> str:
        return NAMES[self.dice.choice(self.terms.devices)]

    def _money(self) -> int:
        return self.dice.randrange(1, 5_000_000)

    def _usage(self, period: Period) -> dict[str, Any]:
        span = self._span(period)
        seconds = [events.instant(span, name) for name in ("start", "end")]
        return {
            "device": self._device(),
            "lease": self.dice.choice(LEASES),
            "gpu_seconds": seconds[1] - seconds[0],
            "kind": self.dice.choice(("usage", "usage", "delivery")),
            **span,
        }

    def _outage(self, period: Period) -> dict[str, Any]:
        kept = {"lease": self.dice.choice(LEASES)} if self.dice.random() < 0.7 else {}
        cause = self.dice.choice(("fault", "fault", "planned"))
        return {"device": self._device(), "cause": cause, **kept, **self._span(period)}

    def _noted(self, name: str | None) -> None:
        if name is not None:
            self.correctable.append(name)

    def _use(self, period: Period) -> None:
        self._noted(self._say(events.USAGE, **self._usage(period)))

    def _fail(self, period: Period) -> None:
        if self.scribes.leaves_outages:
            return
        self._noted(self._say(events.AVAILABILITY, **self._outage(period)))

    def _see(self, period: Period) -> None:
        self._say(events.SEEN, device=self._device(), **self._span(period))

    def _allocate(self, period: Period) -> None:
        span = self._span(period)
        known = {"until": span["end"]} if self.dice.random() < 0.5 else {}
        lease, start = self.dice.choice(LEASES), span["start"]
        data = {"device": self._device(), "lease": lease, "start": start, **known}
        name = self._say(events.ALLOCATION_OPENED, **data)
        self._noted(name)
        if name is not None:
            self.running.append(name)

    def _last(self, period: Period) -> None:
        if self.running:
            kind = self.dice.choice((events.ALLOCATION_CONFIRMED, events.ALLOCATION_ENDED))
            named = {"source": "s", "id": self.dice.choice(self.running)}
            self._say(kind, allocation=named, until=self._span(period)["end"])

    def _correct(self, period: Period) -> None:
        if not self.correctable or self.scribes.leaves_outages:
            return
        named = {"source": "s", "id": self.dice.choice(self.correctable)}
        if self.dice.random() < 0.7:
            self._noted(self._say(events.CORRECTION, corrects=named, action="void"))
            return
        instead = self.dice.choice((self._usage, self._outage))(period)
        data = {"corrects": named, "action": "replace", "replacement": instead}
        self._noted(self._say(events.CORRECTION, **data))

    def _adjust(self, _: Period) -> None:
        amount = self.dice.choice((-1, -1, 1)) * self._money()
        lease = self.dice.choice(LEASES)
        self._say(events.ADJUSTMENT, lease_id=lease, amount=amount, reason="goodwill")

    def _change(self, period: Period) -> None:
        instant_s = events.instant(self._span(period), self.dice.choice(("start", "end")))
        lease = self.dice.choice(LEASES)
        if self.dice.random() < 0.2:
            closed_at = format_instant(instant_s)
            self._say(events.LEASE_CLOSED, lease_id=lease, closed_at=closed_at)
        else:
            self._agree(lease, instant_s)

    def _agree(self, lease: str, from_s: int) -> None:
        """The next version of a lease's terms, with components at random."""
        known, dice = self.recorded.leases.get(lease), self.dice
        starts = [from_s, from_s + dice.randrange(1, 9_000)]
        components: dict[str, Any] = {
            "prices": [
                {"from": format_instant(s), "price": self._money(), "gpus": dice.choice((1, 8))}
                for s in starts
            ],
            "fixed": [{"id": "setup", "at": format_instant(from_s), "amount": self._money()}],
            "sla": [{"above_ppm": 0, "credit_bps": 500}, {"above_ppm": 9_000, "credit_bps": 9_000}],
            "sla_cap_bps": dice.choice((10_000, 3_000)),
        }
        if lease == "atlas":
            steps = [(0, 500), (2, 4_000)]
            components["tiers"] = [{"above_hours": h, "discount_bps": d} for h, d in steps]
            components["hours_before"] = dice.randrange(3)
        if lease == "birch":
            components["commitment"] = [
                {"from": format_instant(s), "gpus": dice.randrange(1, 3)} for s in starts
            ]
        if lease != "cedar":
            # A month's: what these few hours of it come to is about a price.
            components["minimum"] = 300 * self._money()
        if dice.random() < 0.3:
            components["until"] = format_instant(from_s + dice.randrange(20_000))
        self._say(
            events.LEASE_TERMS,
            lease_id=lease,
            renter_ref=RENTERS[lease],
            version=1 if known is None else known.versions[-1].version + 1,
            max_gpus=dice.choice((0, 0, 2)),
            **{"from": format_instant(from_s)},
            **components,
        )


def signed_numbers(entries: Sequence[Entry]) -> set[int]:
    """Numbers of those that somebody signed."""
    return {entry.number for entry in entries if entry.author != UNSIGNED}


def closed_books(ledger: Ledger) -> list[ClosedEpoch]:
    """All statements of a facility over its ledger, the closing one last."""
    books = OpenBooks(ledger.terms)
    closed = []
    for period in periods(ledger.terms, ended_at_s=ledger.ended_at_s):
        told = ledger.fill(period)
        log = ledger.log_after(books.follows.log.size)
        closed.append(books.close(period, told, **log))
    return closed


def periods(terms: FacilityTerms, *, ended_at_s: int | None = None) -> Sequence[Period]:
    """Epochs of a facility that are stated, and what its closing statement is over."""
    closing = terms.closing_period(ended_at_s=ended_at_s, grace_s=terms.grace_s)
    assert closing is not None
    return [*(terms.period(Epoch(e)) for e in range(closing.epoch)), closing]


def closed_epochs(seed: int, terms: FacilityTerms | None = None) -> list[ClosedEpoch]:
    """Every epoch of a facility, closed over a random ledger, without the closing statement."""
    return closed_books(Ledger(seed, terms or facility()))[:-1]
