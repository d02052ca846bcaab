"""Verify, part 1a: one posted statement against the files of its epoch, byte by byte."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from api.domain.capital.reconciliation import stated_gpu_seconds
from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import sha256
from api.domain.lifecycle import is_final
from api.domain.log.entry import Entry, LogEnd, end_of
from api.domain.metering.usage import DELIVERY_KINDS
from api.domain.roster import Roster
from api.domain.statements.batches import decode_entries
from api.domain.statements.closing import OpenBooks
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    BATCHES_FILE,
    COMMITTED_FILES,
    FACILITY_FILE,
    FACTS_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    TERMS_FILE,
    encode_manifest,
    encode_statement,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import decode_lines, follows_of
from api.domain.statements.lines import Line
from api.domain.statements.statement import Statement
from api.domain.statements.told import Told, decode_told
from api.domain.units import ZERO32, Bytes32, Epoch
from api.errors import AppError, EvidenceInvalid
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.metered import Metered


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold, and where: facility, epoch, file."""

    message: str
    facility_id: int | None = None
    epoch: int | None = None
    file: str | None = None

    def sentence(self) -> str:
        """Place and message in one line."""
        labels = []
        if self.facility_id is not None:
            labels.append(f"facility {self.facility_id}")
        if self.epoch is not None:
            labels.append(f"epoch {self.epoch}")
        if self.file is not None:
            labels.append(self.file)
        return f"{', '.join(labels)}: {self.message}" if labels else self.message


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


class EpochCheck:
    """One statement against the files of its epoch."""

    def __init__(
        self,
        evidence: EvidenceSource,
        facility: VerifiedFacility,
        statement: Statement,
        report: Callable[[Finding], None],
    ) -> None:
        self._evidence, self._facility = evidence, facility
        self._statement, self._report = statement, report
        self._folder = epoch_folder(statement.facility_id, statement.epoch)

    def _finding(self, name: str, message: str) -> None:
        path = self._path(name)
        self._report(Finding(message, self._statement.facility_id, self._statement.epoch, path))

    def _path(self, name: str) -> str:
        home = self._folder
        if name == FACILITY_FILE:
            home = facility_folder(self._statement.facility_id)
        return f"{home}/{name}"

    def run(self) -> None:
        """Check hashes, recompute, compare; report everything that does not hold."""
        # Of a statement that was voided other lines may be known: those serve nobody any more.
        self._facility.deliveries.pop(self._statement.epoch, None)
        files = {}
        for name in (*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE):
            try:
                files[name] = self._evidence.read(self._path(name))
            except AppError:
                self._finding(name, "is missing")
        if files.get(STATEMENT_FILE, b"") != encode_statement(self._statement):
            self._finding(STATEMENT_FILE, "is not the statement on-chain")
        self._check_stray()
        if not set(COMMITTED_FILES) <= files.keys():
            return
        self._check_hashes(files)
        try:
            self._recompute(files)
        except EvidenceInvalid as error:
            self._finding(str(error.context.get("file", MANIFEST_FILE)), error.message)
        except AppError as error:
            self._finding(LINES_FILE, error.message)
        except HOSTILE as error:
            # `_check_hashes` has compared every file with the manifest and named the wrong one.
            self._finding(MANIFEST_FILE, f"its files cannot be recomputed: {error!r}")

    def _check_stray(self) -> None:
        names = self._evidence.names(self._folder)
        known = {*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE, ATTESTATIONS_FILE}
        for name in set(names or ()) - known:
            self._finding(name, "is no part of the evidence")

    def _check_hashes(self, files: dict[str, bytes]) -> None:
        if sha256(files.get(MANIFEST_FILE, b"")) != self._statement.evidence_hash:
            self._finding(MANIFEST_FILE, "is not what evidenceHash on-chain names")
        # The chain holds only the manifest's hash: a manifest made from the files must have it.
        manifest = files.get(MANIFEST_FILE, b"")
        ours = self._manifest(files)
        if ours is None or sha256(ours) != self._statement.evidence_hash:
            # Searched as text: a manifest that is no JSON still tells which files are right.
            guilty = [n for n in COMMITTED_FILES if sha256(files[n]).hex().encode() not in manifest]
            for name in guilty:
                self._finding(name, "is not what the manifest names")

    def _manifest(self, files: dict[str, bytes]) -> bytes | None:
        """The manifest that the files give; None where the published one is not readable."""
        try:
            said = follows_of(files.get(MANIFEST_FILE, b""))
        except (AppError, *HOSTILE):
            return None
        place = self._statement.facility_id, self._statement.epoch
        return encode_manifest(*place, files, log=said.log, previous=said.previous)

    def _recompute(self, files: dict[str, bytes]) -> None:
        statement, facility = self._statement, self._facility
        lines = decode_lines(files[LINES_FILE])
        said = follows_of(files[MANIFEST_FILE])
        if said.previous != facility.books.follows.manifest_hash:
            self._finding(MANIFEST_FILE, "does not follow the evidence before")
        entries = self._entries(files[BATCHES_FILE], said.log)
        told = self._told(files, entries)
        period = period_of(facility, statement)
        facility.metered.take(told)
        closed = facility.books.close(period, told, entries=entries)
        for name in (n for n in COMMITTED_FILES if n != FACILITY_FILE):
            if closed.files[name] != files[name]:
                self._finding(name, "differs from what its inputs give")
        if closed.statement != statement:
            names = [
                name
                for name in Statement.__dataclass_fields__
                if getattr(closed.statement, name) != getattr(statement, name)
            ]
            self._finding(LINES_FILE, f"gives another {', '.join(names)} than the statement")
        until_s = period.start_s if period.closing else period.end_s
        facility.metered.stated(until_s=until_s, seal_s=facility.terms.seal_s)
        facility.rated_by_epoch[statement.epoch] = sum(x.charge_micros for x in lines)
        deliveries = {x.index: x for x in lines if x.kind in DELIVERY_KINDS}
        facility.deliveries[statement.epoch] = deliveries
        facility.stated_gpu_seconds += stated_gpu_seconds(
            (x.kind, x.end_s - x.start_s) for x in lines
        )

    def _entries(self, data: bytes, end: LogEnd) -> list[Entry]:
        """Entries of the statement's part of the log: each names the one before, up to the head."""
        facility = self._facility
        before = facility.books.follows.log
        entries = decode_entries(
            data, log=facility.terms.log, before=before, recorded_at_s=facility.recorded_at_s
        )
        if end_of(entries, before) != end:
            self._finding(BATCHES_FILE, "does not lead to the head of the log in the manifest")
        if entries:
            facility.recorded_at_s = entries[-1].recorded_at_s
        return entries

    def _told(self, files: dict[str, bytes], entries: Iterable[Entry]) -> list[Told]:
        """Facts of the statement, in order of the log, each of an entry of its part of it."""
        recorded = {entry.number: entry.recorded_at_s for entry in entries}
        told: list[Told] = []
        for name in (FACTS_FILE, TERMS_FILE):
            read = decode_told(files[name], name=name)
            for before, after in pairwise(read):
                if (before.place, before.recorded_at_s) > (after.place, after.recorded_at_s):
                    self._finding(name, f"entry {after.place.entry} is out of order")
            told += read
        told.sort(key=lambda each: each.place)
        if any(recorded.get(each.place.entry) is None for each in told):
            self._finding(FACTS_FILE, "has entries that are not of this part of the log")
        elif any(recorded[each.place.entry] != each.recorded_at_s for each in told):
            self._finding(FACTS_FILE, "has recorded times that are not those of its entries")
        return told


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
