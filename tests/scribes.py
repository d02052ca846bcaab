"""Who signs a random log: nobody, collectors or the operator's ledger key, as keys come and go.

Draws of its own, so that what is told stays what it was. What a signed entry holds besides: events
that were sent before, again or changed, and such as nobody takes.
"""

import gzip
import json
import random
from typing import Any

from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED, DUPLICATE, REJECTED
from api.domain.log.authors import CLOCK_S, HEARD_S
from api.domain.log.entry import EntryKind
from api.domain.log.keys import KeyRole
from api.domain.metering import events
from api.domain.metering.facts import Place
from tests.signed_logs import SignedLog, Signer

# What a collector's key may not say.
_OF_MONEY = {events.LEASE_TERMS, events.LEASE_OPENED, events.LEASE_CLOSED, events.ADJUSTMENT}
OTHER_DEVICE = "GPU-3d2a66b0-5e6e-5c5f-9b0e-2f2f0f1d8a11"


class Scribes:
    """A log, and who signs its next entry. share: of entries that somebody signs."""

    def __init__(self, seed: int, terms: FacilityTerms) -> None:
        self.dice = random.Random(f"who signs {seed}")
        self.log = SignedLog(terms)
        # Of all entries; in half of the logs everything is signed.
        self.share = self.dice.choice((0.0, 0.7, 1.0, 1.0))
        # One unsigned outage, or correction of one, and nothing rests on signed entries alone.
        self._outages_signed = self.dice.random() < 0.7
        self._ledger = self._key("ledger")
        self._successor: Signer | None = None
        self._collectors: list[Signer] = []
        self._author: Signer | None = None
        self._pending: list[tuple[object, int]] = []
        self._taken: list[dict[str, Any]] = []
        self._at_s = terms.window_start_s
        if self.share:
            self.log.name(self._ledger, at_s=self._at_s + CLOCK_S)
            self.log.bring_itself(self._ledger, at_s=self._at_s)
            self._bring(self._at_s)
            self._author = self._ledger

    def _key(self, role: str) -> Signer:
        return Signer(f"{role} {self.dice.random()}")

    @property
    def role(self) -> KeyRole | None:
        """Whose entry it is now; None of one that nobody signs."""
        if self._author is None:
            return None
        return KeyRole.LEDGER if self._author is self._ledger else KeyRole.COLLECTOR

    @property
    def leaves_outages(self) -> bool:
        """Whether the entry of now, which nobody signs, tells no outage and corrects none."""
        return self._author is None and self._outages_signed

    @property
    def place(self) -> Place:
        """Where the next event stands."""
        return Place(self.log.end.size + 1, len(self._pending))

    def turn(self, at_s: int) -> None:
        """The entry is whole; another begins, at a second."""
        self.flush()
        self._at_s = at_s
        if self.share:
            self._change_keys(at_s)
        self._author = self._ledger
        if self.dice.random() >= self.share:
            self._author = None
        elif self._collectors and self.dice.random() < 0.6:
            self._author = self.dice.choice(self._collectors)

    def flush(self) -> None:
        """Write the entry, if it holds anything."""
        if not self._pending:
            return
        told, answers = zip(*self._pending, strict=True)
        self._pending = []
        if self._author is None:
            self.log.unsigned(told, at_s=self._at_s)
            return
        body = json.dumps(list(told)).encode()
        if self.dice.random() < 0.2:
            body = gzip.compress(body, mtime=0)
        created_s = self._at_s + self.dice.choice((0, 0, CLOCK_S, -86_400))
        self.log.add(
            self._author,
            EntryKind.BATCH,
            body,
            bytes(answers),
            at_s=self._at_s,
            created_s=created_s,
        )

    def note(self, payload: dict[str, Any], answer: int) -> None:
        """An event was answered. What nobody signs holds accepted ones alone."""
        if self._author is not None or answer < min(REJECTED.values()):
            self._pending.append((payload, answer))
        if answer == ACCEPTED:
            self._taken.append(payload)
        while self._author is not None and self.dice.random() < 0.15:
            self._pending.append(self._aside())

    def forbids(self, payload: dict[str, Any]) -> bool:
        """Whether the author may not say it."""
        return self.role is KeyRole.COLLECTOR and payload["type"] in _OF_MONEY

    def _aside(self) -> tuple[object, int]:
        """What is sent beside: it is answered, and changes nothing."""
        known = self.dice.choice(self._taken) if self._taken else {"type": events.SEEN}
        if not self._taken or self.dice.random() < 0.3:
            garbage = {"specversion": "1.0", "x": [self.dice.random()]}
            return garbage, REJECTED["malformed_event"]
        data = known["data"]
        if self.dice.random() < 0.2:
            foreign = {**known, "data": {**data, "facility_id": data["facility_id"] + 1}}
            return foreign, REJECTED["facility_unknown"]
        if self.forbids(known):
            return known, REJECTED["key_forbidden"]
        if "device" in data and self.dice.random() < 0.3:
            other = {**known, "data": {**data, "device": OTHER_DEVICE}}
            return other, REJECTED["id_conflict"]
        return known, DUPLICATE

    # --- keys -----------------------------------------------------------------------------------

    def _change_keys(self, at_s: int) -> None:
        if self._successor is None and self.dice.random() < 0.05:
            self._successor = self._key("ledger")
            self.log.name(self._successor, at_s=at_s)
        elif self._successor is not None:
            heard = self.log.named[-1].named_at_s + HEARD_S <= at_s
            if heard or self.dice.random() < 0.3:
                self._ledger, self._successor = self._successor, None
                self.log.bring_itself(self._ledger, at_s=at_s)
        if self.dice.random() < 0.1:
            self._bring(at_s)
        if self._collectors and self.dice.random() < 0.1:
            gone = self._collectors.pop(self.dice.randrange(len(self._collectors)))
            author = gone if self.dice.random() < 0.5 else self._ledger
            self.log.end_key(author, gone, at_s=at_s)

    def _bring(self, at_s: int) -> None:
        collector = self._key("collector")
        self.log.bring(self._ledger, collector, at_s=at_s)
        self._collectors.append(collector)
