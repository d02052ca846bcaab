"""Books that remember what they were told and what they stated, as a database would have it."""

from api.domain.bills.account import Account, Cut
from api.domain.bills.documents import StatedLine
from api.domain.metering.calendar import month_of
from api.domain.metering.facts import Place, Seen
from api.domain.statements.books import Books
from api.domain.statements.lines import numbered
from api.domain.statements.told import Told
from api.domain.units import Epoch


class RecordedBooks(Books):
    """Facts are entries of their own unless `entry` says to which one they belong."""

    def __init__(self, terms, entry=None):
        super().__init__(terms)
        self._entry = entry
        self.told = []
        self.cuts = []
        self.lines = []
        self._leases = []

    def take(self, facts):
        facts = list(facts)
        for fact in facts:
            place = Place(len(self.told) + 1, 0)
            if self._entry is not None:
                place = Place(self._entry(), len(self.told))
            self.told.append(Told(getattr(fact, "place", place), 0, fact))
        super().take(facts)

    def state(self, period):
        stated = super().state(period)
        self.cuts.append(Cut(period, len(self.told) if self._entry is None else self._entry()))
        self.lines.append([
            StatedLine(
                period.epoch, line.index, line.kind, line.subject, line.start_s, line.end_s,
                line.gpu_seconds, line.charge_micros,
            )
            for line in numbered(stated.items)
        ])  # fmt: skip
        self._leases.append([item.lease for item in sorted(stated.items)])
        return stated

    def account(self, month, *, statements=None):
        """The account of a month by so many statements; by all unless said."""
        cuts = self.cuts[:statements]
        told = [
            each
            for each in self.told
            if each.place.entry <= cuts[-1].log_size and not isinstance(each.fact, Seen)
        ]
        return Account(self.terms, month, told=told, cuts=cuts, roster=self._roster)

    def stated(self, lease, month, *, statements=None):
        """Lines of a lease and month in so many statements; in all unless said."""
        return [
            line
            for lines, leases in zip(
                self.lines[:statements], self._leases[:statements], strict=True
            )
            for line, whose in zip(lines, leases, strict=True)
            if whose == lease and month_of(line.start_s) == month
        ]

    @property
    def next_period(self):
        """The next epoch."""
        return self.terms.period(Epoch(len(self.cuts)))
