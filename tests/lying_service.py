"""A service that lies about a log whose entries are signed, to an attester that saw nothing before.

What it made of the true log follows as it should, every hash made anew; keys of authors it has not.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from api.attester.verdict import Verdict
from api.domain.facility import FacilityTerms
from api.domain.log.entry import NO_LOG, EntryKind, LogName, end_of
from api.domain.log.logged import LoggedEntry, logged_entry
from api.domain.log.requests import SignedRequest
from api.domain.metering.instants import format_instant
from api.domain.statements.evidence_reader import decode_facility
from api.domain.statements.recompute import RawInput
from tests.factories import DAY_S, HOUR_S, START_S
from tests.signing import Author, collector_of, signing_operator
from tests.world import World


@dataclass
class Told:
    """What an entry is made of, but for what follows from those before."""

    kind: EntryKind
    body: bytes
    answers: bytes
    recorded_at_s: int
    blind: bytes
    request: SignedRequest | None

    @classmethod
    def of(cls, logged: LoggedEntry) -> "Told":
        """The parts of an entry."""
        entry = logged.entry
        return cls(
            entry.kind, logged.body, logged.answers, entry.recorded_at_s, logged.blind,
            logged.request,
        )  # fmt: skip


@dataclass
class Lie:
    """A log that a service makes of the true one, entry by entry; hashes follow by themselves."""

    told: list[Told]

    def named(self, author: Author, *, last: bool = False) -> int:
        """Place of a batch of an author: its first, or its last."""
        places = [
            i
            for i, t in enumerate(self.told)
            if t.kind is EntryKind.BATCH and t.request and t.request.author == author.public
        ]
        return places[-1 if last else 0]

    def entries(self, log: LogName) -> list[LoggedEntry]:
        """The log, each entry behind the one before."""
        found, end = list[LoggedEntry](), NO_LOG
        for t in self.told:
            logged = logged_entry(
                log, end, t.kind, t.body, answers=t.answers, recorded_at_s=t.recorded_at_s,
                blind=t.blind, request=t.request,
            )  # fmt: skip
            found.append(logged)
            end = end_of([logged.entry], end)
        return found


@dataclass
class Site:
    """A world of signed entries, closed and not attested yet."""

    world: World
    operator: Author
    rack: Author
    other: Author

    @property
    def terms(self) -> FacilityTerms:
        """The facility's published terms."""
        path = f"facility-{self.world.facility_id}/facility.json"
        return decode_facility(self.world.evidence.read(path))

    def log(self) -> list[LoggedEntry]:
        """The log as it is."""
        api: Any = self.world.attester(0)._api
        return list(api.log(self.world.facility_id, after=0).entries)

    def made(self, lie: "Lies | None", true: list[LoggedEntry]) -> list[LoggedEntry]:
        """The log as the service has it for somebody."""
        if lie is None:
            return true
        made = Lie([Told.of(logged) for logged in true])
        lie(self, made)
        return made.entries(true[0].entry.log)

    def verdict(self, lie: "Lies | None" = None, *, attester: int = 0) -> Verdict:
        """What a fresh attester decides that is given such a log."""
        fresh = self.world.attester(attester)
        whole = fresh._api.log

        def told(facility_id: Any, *, after: int) -> RawInput:
            raw = whole(facility_id, after=after)
            raw.entries = self.made(lie, raw.entries)
            return raw

        fresh._api.log = told  # type: ignore[method-assign]
        [verdict] = fresh.run_once()
        return verdict


Lies = Callable[[Site, Lie], None]


def signed_site(world: World) -> Site:
    """A lease that the ledger key agreed on, metered by two collectors, corrected by one."""
    world.at(DAY_S)
    operator = signing_operator(world)
    rack, other = collector_of(operator), collector_of(operator, name="rack-2")
    ledger = world.ledger
    prices = [{"from": format_instant(START_S), "price": 1_000_000}]
    assert operator.taken(ledger.terms("signed", 1, 0, prices=prices)) == ["accepted"]
    use = ledger.usage(0, 0, 2 * HOUR_S, lease="signed", name="first")
    overlap = ledger.usage(0, 0, HOUR_S, lease="signed", name="overlap")
    assert rack.taken(use, overlap) == ["accepted", "overlap"]
    assert other.taken(ledger.usage(1, 0, HOUR_S, lease="signed")) == ["accepted"]
    assert rack.taken(use) == ["duplicate"]
    assert rack.taken(ledger.usage(2, 0, HOUR_S, lease="signed", name="last")) == ["accepted"]
    world.at_cut_off(0)
    world.round()
    return Site(world, operator, rack, other)


def change_events(told: Told, change: Callable[[dict[str, Any]], None]) -> None:
    """Make another body of an entry's; nobody signs it anew."""
    events = json.loads(told.body)
    for event in events:
        change(event)
    told.body = json.dumps(events).encode()


def last_s(lie: Lie) -> int:
    """Recorded second of the newest entry."""
    return lie.told[-1].recorded_at_s
