"""A facility's log whose entries are signed, and an attester that reads it."""

import pytest

from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED
from api.domain.log.logged import LoggedEntry
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.recompute import RawInput, Recomputation
from api.domain.units import Epoch
from api.errors import EvidenceInvalid
from tests.logs import secret_names, told_leases
from tests.signed_logs import SignedLog, Signer
from tests.unit.payloads import HOUR_S, TERMS, agreed
from tests.unit.values import START_S


class Site:
    """A facility's log with the operator's ledger key, one collector and a lease `l`."""

    def __init__(self, terms: FacilityTerms = TERMS) -> None:
        self.terms, self.log = terms, SignedLog(terms)
        self.ledger, self.rack = Signer("ledger"), Signer("rack")
        self.log.name(self.ledger, at_s=START_S)
        self.log.bring_itself(self.ledger, at_s=START_S)
        self.log.bring(self.ledger, self.rack, at_s=START_S)
        self.say(self.ledger, (agreed("l"), ACCEPTED))

    def say(self, author: Signer, *told: tuple[object, int], at_s: int = HOUR_S) -> LoggedEntry:
        """A batch: events, each with its answer."""
        events, answers = zip(*told, strict=True)
        return self.log.events(author, events, answers, at_s=START_S + at_s)

    def read(self, **changes: object) -> Recomputation:
        """Read the log as an attester does."""
        values = {"named": tuple(self.log.named), **changes}
        raw = RawInput(self.terms.grace_s, entries=self.log.entries, **values)  # type: ignore[arg-type]
        raw.leases = told_leases(secret_names(self.terms), raw.entries)
        rebuilt = Recomputation(self.terms, raw)
        rebuilt.read(raw.entries)
        return rebuilt

    def close(self, **changes: object) -> ClosedEpoch:
        """The first statement."""
        return self.read(**changes).close(self.terms.period(Epoch(0)))

    def refused(self, match: str, **changes: object) -> None:
        """Nobody signs over this log."""
        with pytest.raises(EvidenceInvalid, match=match):
            self.read(**changes)
