"""What verify knows of one facility, up to the last statement that was checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from api.domain.facility import FacilityTerms, Period
from api.domain.lifecycle import is_final
from api.domain.log.authors import NamedKey
from api.domain.log.shown import ShownAuthors
from api.domain.metering.facts import Place
from api.domain.roster import Roster
from api.domain.statements.closing import OpenBooks
from api.domain.statements.lines import Line
from api.domain.statements.statement import Statement
from api.domain.units import ZERO32, Bytes32, Epoch
from api.verify.facts import FactJudge
from api.verify.findings import Finding
from api.verify.metered import Metered
from api.verify.names import NamedLines, ShownName
from api.verify.receipts import Receipted


@dataclass(frozen=True, slots=True)
class PostedTotals:
    """What one posted statement says: gross revenue, when it was posted, available GPU-seconds.

    available: its own epoch's, and what it adjusts of earlier ones.
    """

    gross_micros: int
    posted_at_s: int
    available: int
    closing: bool


@dataclass(frozen=True, slots=True)
class FinalTotals:
    """Totals of the statements that are final: epochs, available GPU-seconds, gross revenue.

    Source:  `StatementRegistry.finalTotals`: a closing statement is no epoch.
    """

    epochs: int
    available: int
    gross_micros: int


def attested_micros(posted: Iterable[PostedTotals]) -> int:
    """Gross revenue of statements: a closing one below zero takes no more than there is."""
    return max(0, sum(p.gross_micros for p in posted))


@dataclass
class VerifiedFacility:
    """What the evidence of one facility says up to the last statement that was checked."""

    terms: FacilityTerms
    # Ours, not the files': each statement is judged by what those before it gave.
    books: OpenBooks = field(init=False)
    # Devices by epoch, as far as the published pledges are those that were approved.
    roster: Roster = field(init=False)
    # What facts may say, by those before.
    facts: FactJudge = field(init=False)
    # Who signs its log, and the ledger keys that its operator named on-chain.
    authors: ShownAuthors = field(init=False)
    named: Sequence[NamedKey] = ()
    # What receipts are judged by.
    receipted: Receipted = field(default_factory=Receipted)
    # A name whose lines are looked for, and what was found of it.
    shown: ShownName | None = None
    named_lines: NamedLines = field(init=False)
    # Facts whose device another fact holds, by their place: reported unless they are voided later.
    overlaps: dict[Place, Finding] = field(default_factory=dict)
    # Recorded second of the log's newest entry.
    recorded_at_s: int = 0
    previous_hash: Bytes32 = ZERO32
    next_epoch: int = 0
    # When it ended, other than by maturity; and whether its closing statement is known.
    ended_at_s: int | None = None
    closing: bool = False
    cumulative_available: int = 0
    cumulative_gross: int = 0
    stated_gpu_seconds: int = 0
    metered: Metered = field(default_factory=Metered)
    rated_by_epoch: dict[int, int] = field(default_factory=dict)
    # By number of the statement.
    posted: dict[int, PostedTotals] = field(default_factory=dict)
    # Delivery lines by epoch and index: what may serve vouchers.
    deliveries: dict[int, dict[int, Line]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.books, self.roster = OpenBooks(self.terms), Roster(self.terms)
        self.authors = ShownAuthors(
            unsigned_taken=self.terms.unsigned_taken, log_key=self.terms.log_key
        )
        self.facts = FactJudge(self.terms)
        self.named_lines = NamedLines(self.terms.facility_id, self.shown)

    def repledge(self, roster: Roster) -> None:
        """Another device takes a place. Raises InvalidInput for epochs that were stated."""
        self.books.repledge(roster.replacements)
        self.roster = roster

    def final_totals(self, now_s: int, *, challenge_window_s: int) -> FinalTotals:
        """Totals of the statements that are final at a time."""
        final = [
            p
            for p in self.posted.values()
            if is_final(p.posted_at_s, challenge_window_s=challenge_window_s, now_s=now_s)
        ]
        return FinalTotals(
            sum(not p.closing for p in final),
            sum(p.available for p in final),
            attested_micros(final),
        )


def period_of(facility: VerifiedFacility, statement: Statement) -> Period:
    """What a statement is over: its epoch, or what closes the books if its epoch was not over.

    Of the closing statement of a facility that ended early the chain holds the end; attesters know
    the grace that it rests on. Whether bounds are right is judged beside, see `StatementVerifier`.
    """
    terms, epoch = facility.terms, Epoch(statement.epoch)
    period = terms.stated_period(epoch, ended_at_s=facility.ended_at_s, grace_s=0)
    if period is not None and not period.closing:
        return period
    bounds = statement.epoch_start_s, statement.epoch_end_s
    return Period(epoch, *bounds, closing=True, ended_at_s=facility.ended_at_s)
