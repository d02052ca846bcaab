"""A facility from the new year on, day by day: an operator tells, and statements are closed."""

from dataclasses import replace

from api.domain.facility import TrancheTerms
from api.domain.hashing import keccak
from api.domain.metering.facts import Agreed, Held, Out, Place
from api.domain.metering.lease_terms import (
    CommitmentStep,
    PriceStep,
    TermsVersion,
    terms_hash,
)
from api.domain.metering.usage import LineKind
from api.domain.pledges import PledgedDevice
from api.domain.roster import Roster, replaced
from api.domain.statements.books import Books
from api.domain.units import ZERO32, Epoch
from tests.unit.statements.histories import NEW_YEAR_S
from tests.unit.values import DAY_S, DEVICES, TERMS

HOUR_S = 3_600
USD = 1_000_000
CARD, OTHER = DEVICES[:2]
NEW = keccak(b"new card")
LEASE, PARTY = keccak(b"lease"), keccak(b"party")
SHORT = LineKind.SHORTFALL_DIFFERENCE
USE = LineKind.USAGE_DIFFERENCE


class Operator:
    """A facility from the new year on, day by day, and what an operator tells of it."""

    def __init__(self, *, days=31, seal_s=10 * DAY_S, start_s=NEW_YEAR_S):
        self.terms = replace(
            TERMS,
            window_start_s=start_s,
            window_end_s=start_s + days * DAY_S,
            expires_at_s=start_s,
            devices=(CARD, OTHER),
            tranches=(TrancheTerms(1),),
            seal_s=seal_s,
        )
        self.books = Books(self.terms)
        self.places = (Place(n, 0) for n in range(1, 10_000))
        self.epoch, self.hash = 0, ZERO32

    def agree(self, version=1, *, start_s=NEW_YEAR_S, **components):
        terms = TermsVersion(version, self.hash, PARTY, start_s, **components)
        self.books.take([Agreed(LEASE, terms)])
        self.hash = terms_hash(LEASE, terms)

    def used(self, start_h, end_h, *, device=CARD, delivery=False):
        place = next(self.places)
        start_s, end_s = (NEW_YEAR_S + int(h * HOUR_S) for h in (start_h, end_h))
        self.books.take([Held(place, device, LEASE, start_s, end_s, delivery)])
        return place

    def out(self, start_h, end_h, *, device=CARD, lease=LEASE, planned=False):
        place = next(self.places)
        start_s, end_s = (NEW_YEAR_S + h * HOUR_S for h in (start_h, end_h))
        self.books.take([Out(place, device, lease, start_s, end_s, planned)])
        return place

    def replace(self, new, *, epoch, old=CARD):
        """Another card takes the place of one."""
        roster = Roster(self.terms)
        came = PledgedDevice(new, new, Epoch(epoch))
        self.books.repledge([replaced(roster, old=old, new=came, number=2)])

    def charged(self, hours):
        """What usage lines of so many hours at a dollar charge in a month, a line a device."""
        lines = [charge for kind, charge in self.charges if kind is LineKind.USAGE]
        assert sum(lines) == hours * USD
        return [(LineKind.USAGE, charge) for charge in lines]

    def close(self, epochs=1):
        """Charges of the next statements: one list a statement, of (kind, charge)."""
        for _ in range(epochs):
            stated = self.books.state(self.terms.period(Epoch(self.epoch)))
            self.epoch += 1
        self.items, self.available_s = stated.items, stated.available_s
        self.adjusted_s = stated.available_adjustment_s
        self.charges = [(i.kind, i.charge) for i in stated.items if i.charge]
        return [(i.kind, i.charge) for i in stated.items if i.charge]

    def end(self, *, ended_at_s=None):
        """Lines of the closing statement."""
        while self.epoch < self.terms.epochs_over(ended_at_s or self.terms.window_end_s):
            self.close()
        period = self.terms.closing_period(ended_at_s=ended_at_s, grace_s=self.terms.grace_s)
        stated = self.books.state(period)
        return [(i.kind, i.charge) for i in stated.items if i.charge]


def prices(price, *, gpus=1, start_s=NEW_YEAR_S):
    return (PriceStep(start_s, price, gpus),)


def committed(gpus, *, start_s=NEW_YEAR_S):
    return (CommitmentStep(start_s, gpus),)
