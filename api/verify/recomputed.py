"""Verify, part 1c: one posted statement is recomputed from its facts, line by line."""

from collections.abc import Sequence
from itertools import islice, pairwise

from api.domain.capital.reconciliation import stated_gpu_seconds
from api.domain.facility import Period
from api.domain.lifecycle import cut_off_s
from api.domain.log.entry import Entry, LogEnd, end_of
from api.domain.metering.usage import DELIVERY_KINDS
from api.domain.statements.batches import PublishedEntries, decode_entries
from api.domain.statements.closing import ClosedEpoch
from api.domain.statements.evidence import (
    BATCHES_FILE,
    COMMITTED_FILES,
    FACILITY_FILE,
    FACTS_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    TERMS_FILE,
    epoch_folder,
)
from api.domain.statements.evidence_reader import follows_of
from api.domain.statements.faults import find_faults
from api.domain.statements.lines import Line
from api.domain.statements.statement import Statement
from api.domain.statements.told import Told, decode_told
from api.domain.units import Epoch
from api.errors import AppError
from api.evidence_store import HOSTILE, EvidenceSource
from api.verify.epoch import VerifiedFacility, period_of
from api.verify.files import FIRST_ROW, StatementFiles
from api.verify.findings import Finding, Report, first_difference

# Lines of one statement that are named one by one; more say nothing new.
_MOST_NAMED = 20
_Where = dict[int, tuple[str, int]]


class EpochCheck:
    """One statement against the files of its epoch, and against all facts up to it."""

    def __init__(
        self,
        evidence: EvidenceSource,
        facility: VerifiedFacility,
        statement: Statement,
        report: Report,
        *,
        posted_at_s: int,
        reopened: bool,
    ) -> None:
        """Args: reopened: a fault was proven before: cut-offs may lie later than the terms say."""
        self._facility, self._statement, self._report = facility, statement, report
        folder = epoch_folder(statement.facility_id, statement.epoch)
        self._files = StatementFiles(evidence, folder, statement, report)
        self._posted_at_s, self._reopened = posted_at_s, reopened
        self._told_at: _Where = {}

    def run(self) -> None:
        """Check hashes, recompute, compare; report everything that does not hold."""
        # Of a statement that was voided other lines may be known: those serve nobody any more.
        self._facility.deliveries.pop(self._statement.epoch, None)
        files = self._files.read()
        self._files.check_names()
        self._files.check_hashes(files)
        lines = self._read_lines(files)
        same = False
        # Without its lines a statement follows from its facts all the same, and so do later ones.
        if {BATCHES_FILE, FACTS_FILE, TERMS_FILE, MANIFEST_FILE} <= files.keys():
            try:
                same = self._recompute(files, lines)
            except (AppError, AssertionError, *HOSTILE) as error:
                self._files.report_error(error)
        if lines is not None and not same:
            # Where they are what the facts give, the root was computed already.
            self._check_root(lines)

    def _read_lines(self, files: dict[str, bytes]) -> Sequence[Line] | None:
        """Lines as published, judged by themselves; None where they cannot be read."""
        if LINES_FILE not in files:
            return None
        try:
            lines = self._files.read_lines(files)
            self._check_faults(lines)
        except (AppError, *HOSTILE) as error:
            self._files.report_error(error)
            return None
        return lines

    def _check_root(self, lines: Sequence[Line]) -> None:
        try:
            self._files.check_root(lines)
        except (AppError, *HOSTILE) as error:
            self._files.report_error(error)

    def _check_faults(self, lines: Sequence[Line]) -> None:
        """Rules of lines, each of which a challenger can prove on-chain with what is named here."""
        facility = self._facility
        faults = find_faults(facility.terms, self._statement, lines, facility.roster.replacements)
        for fault in faults[:_MOST_NAMED]:
            code = f"fault_{fault.kind.name.lower()}"
            message = f"line {lines[fault.first].index} breaks the rule {fault.kind.name}"
            if fault.second is not None:
                message += f" with line {lines[fault.second].index}"
            message += ": a fault that can be proven on-chain"
            at = (fault.first if fault.second is None else fault.second) + FIRST_ROW
            self._files.finding(code, LINES_FILE, message, line=at)

    def _recompute(self, files: dict[str, bytes], lines: Sequence[Line] | None) -> bool:
        """Compare with what the facts give; returns whether lines and root are the same."""
        statement, facility = self._statement, self._facility
        said = follows_of(files[MANIFEST_FILE])
        if said.previous != facility.books.follows.manifest_hash:
            message = "does not follow the evidence before"
            self._files.finding("manifest_unchained", MANIFEST_FILE, message)
        period = period_of(facility, statement)
        published = self._entries(files[BATCHES_FILE], said.log)
        facility.receipted.note(published.entries, cut_s=self._cut_s(period))
        told = self._told(files, period, published.entries)
        facility.metered.take(told)
        closed = facility.books.close(
            period, told, entries=published.entries, about_keys=published.about_keys
        )
        if said.signed != closed.signed:
            message = (
                f"says that charges of {said.signed.charge} and {said.signed.gpu_seconds}"
                f" GPU-seconds rest on signed entries, its facts give {closed.signed.charge} and"
                f" {closed.signed.gpu_seconds}"
            )
            self._files.finding("signed_share", MANIFEST_FILE, message)
        self._compare(files, closed)
        if lines is None:
            lines = closed.lines if closed.statement == statement else ()
        else:
            self._compare_lines(lines, closed.lines)
        facility.named_lines.take(statement.epoch, told, lines)
        until_s = period.start_s if period.closing else period.end_s
        facility.metered.stated(until_s=until_s, seal_s=facility.terms.seal_s)
        facility.rated_by_epoch[statement.epoch] = sum(x.charge_micros for x in lines)
        deliveries = {x.index: x for x in lines if x.kind in DELIVERY_KINDS}
        facility.deliveries[statement.epoch] = deliveries
        facility.stated_gpu_seconds += stated_gpu_seconds(
            (x.kind, x.end_s - x.start_s) for x in lines
        )
        same_root = closed.statement.usage_root == statement.usage_root
        return same_root and closed.files[LINES_FILE] == files.get(LINES_FILE)

    def _compare(self, files: dict[str, bytes], closed: ClosedEpoch) -> None:
        statement = self._statement
        for name in (n for n in COMMITTED_FILES if n != FACILITY_FILE):
            if name in files and closed.files[name] != files[name]:
                line = first_difference(closed.files[name], files[name])
                message = "differs from what its inputs give"
                self._files.finding("not_recomputed", name, message, line=line)
        if closed.statement != statement:
            names = [
                name
                for name in Statement.__dataclass_fields__
                if getattr(closed.statement, name) != getattr(statement, name)
            ]
            message = f"gives another {', '.join(names)} than the statement"
            self._files.finding("statement_not_recomputed", LINES_FILE, message)

    def _compare_lines(self, stated: Sequence[Line], ours: Sequence[Line]) -> None:
        """Name lines that the facts do not give, and lines that are left out."""
        given = {_place(line): line for line in ours}
        named = 0
        for row, line in enumerate(stated):
            due = given.pop(_place(line), None)
            if due is not None and due.charge_micros == line.charge_micros:
                continue
            if named < _MOST_NAMED:
                what = f"{line.kind.name.lower()} of {line.charge_micros}"
                gives = "no such line" if due is None else f"{due.charge_micros}"
                message = f"states a {what}, its facts give {gives}"
                self._files.finding("line_wrong", LINES_FILE, message, line=row + FIRST_ROW)
            named += 1
        for line in list(given.values())[:_MOST_NAMED]:
            what = f"{line.kind.name.lower()} of {line.charge_micros}"
            message = f"leaves out a {what}, from {line.start_s} to {line.end_s}"
            self._files.finding("line_left_out", LINES_FILE, message)

    # --- facts -----------------------------------------------------------------------------------

    def _entries(self, data: bytes, end: LogEnd) -> PublishedEntries:
        """Entries of the statement's part of the log: each names the one before, up to the head."""
        facility = self._facility
        before = facility.books.follows.log
        published = decode_entries(
            data, log=facility.terms.log, before=before, recorded_at_s=facility.recorded_at_s
        )
        entries = published.entries
        if end_of(entries, before) != end:
            message = "does not lead to the head of the log in the manifest"
            self._files.finding("log_head", BATCHES_FILE, message)
        if entries:
            facility.recorded_at_s = entries[-1].recorded_at_s
        about_keys = {logged.entry.number: logged for logged in published.about_keys}
        wrong = facility.authors.take(entries, about_keys, facility.named)
        for entry, error in islice(wrong, _MOST_NAMED):
            message = f"entry {entry.number} of the log has no author who may sign: {error.message}"
            line = entry.number - before.size
            self._files.finding("log_author", BATCHES_FILE, message, line=line)
        return published

    def _told(
        self, files: dict[str, bytes], period: Period, entries: Sequence[Entry]
    ) -> list[Told]:
        """Facts of the statement, in order of the log, each of an entry of its part of it."""
        facility = self._facility
        recorded = {entry.number: entry.recorded_at_s for entry in entries}
        told: list[Told] = []
        for name in (FACTS_FILE, TERMS_FILE):
            read = decode_told(files[name], name=name)
            for row, (before, after) in enumerate(pairwise(read), 2):
                if (before.place, before.recorded_at_s) > (after.place, after.recorded_at_s):
                    message = f"entry {after.place.entry} is out of order"
                    self._files.finding("log_order", name, message, line=row)
            self._told_at |= {id(each): (name, row) for row, each in enumerate(read, 1)}
            told += read
        told.sort(key=lambda each: each.place)
        for each in told:
            at_s = recorded.get(each.place.entry)
            if at_s is None:
                self._complain(each, "log_part", "is of no entry of this part of the log")
            elif at_s != each.recorded_at_s:
                self._complain(each, "log_times", "has another recorded time than its entry")
        self._check_cut(told, period)
        facility.facts.seal(facility.recorded_at_s)
        facility.facts.judge(told, self._statement.epoch, self._complain)
        for place, (number, each, message) in facility.facts.overlaps.items():
            if number == self._statement.epoch and place not in facility.overlaps:
                facility.overlaps[place] = self._found(each, "fact_overlap", message)
        return told

    def _check_cut(self, told: Sequence[Told], period: Period) -> None:
        """Facts are of the first statement whose cut lies behind their recorded time."""
        terms, number = self._facility.terms, self._statement.epoch
        from_s, until_s = 0, self._posted_at_s
        if not self._reopened:
            until_s = self._cut_s(period)
            if number:
                _, before_s = terms.epoch_bounds(Epoch(number - 1))
                before = Epoch(number - 1)
                from_s = cut_off_s(before, epoch_end_s=before_s, grace_s=terms.grace_s)
        for each in told:
            if not from_s <= each.recorded_at_s < until_s:
                message = f"was recorded at {each.recorded_at_s}, outside of {from_s} to {until_s}"
                self._complain(each, "fact_cut", message)

    def _cut_s(self, period: Period) -> int:
        """Cut of the statement by its terms; where a fault was proven it may lie later."""
        terms = self._facility.terms
        closing = terms.closing_period(ended_at_s=self._facility.ended_at_s, grace_s=terms.grace_s)
        over_s = closing.over_s if period.closing and closing else period.over_s
        number = Epoch(self._statement.epoch)
        return cut_off_s(number, epoch_end_s=over_s, grace_s=terms.grace_s)

    def _found(self, told: Told, code: str, message: str) -> Finding:
        name, line = self._told_at[id(told)]
        of = self._statement
        where = f"entry {told.place.entry}, {told.place.index}: {message}"
        return Finding(
            where, of.facility_id, of.epoch, self._files.path(name), code=code, line=line
        )

    def _complain(self, told: Told, code: str, message: str) -> None:
        self._report(self._found(told, code, message))


def _place(line: Line) -> tuple[int, bytes, int, bytes, int]:
    return line.kind, line.subject, line.start_s, line.lease, line.end_s
