"""Verify, part 1a: the files of one statement, against the statement itself, byte by byte."""

import re
from collections.abc import Sequence

from api.domain.hashing import sha256
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    COMMITTED_FILES,
    FACILITY_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    encode_lines,
    encode_manifest,
    encode_statement,
    facility_folder,
)
from api.domain.statements.evidence_reader import decode_lines, follows_of
from api.domain.statements.lines import Line, usage_tree
from api.domain.statements.statement import Statement
from api.errors import AppError, EvidenceInvalid, NotFound
from api.evidence_store import HOSTILE, EvidenceSource, is_partial
from api.verify.findings import Finding, Report, first_difference, shortened

# The header is the first line of a file with rows.
FIRST_ROW = 2
# Name of a file that `EvidenceFolder.replace` had not finished.
OURS_PARTIAL = re.compile(r"\.[a-z.]+\.[0-9a-f]{32}\.partial")


class StatementFiles:
    """Files of one statement in one folder. What does not hold is reported with file and line."""

    def __init__(
        self, evidence: EvidenceSource, folder: str, statement: Statement, report: Report
    ) -> None:
        self._evidence, self._folder, self.statement = evidence, folder, statement
        self._report = report

    def path(self, name: str) -> str:
        """Where a file lies."""
        home = self._folder
        if name == FACILITY_FILE:
            home = facility_folder(self.statement.facility_id)
        return f"{home}/{name}"

    def finding(self, code: str, name: str, message: str, *, line: int | None = None) -> None:
        """Report what is wrong with a file."""
        of = self.statement
        place = (of.facility_id, of.epoch, self.path(name))
        self._report(Finding(shortened(message, most=500), *place, code=code, line=line))

    def read(self) -> dict[str, bytes]:
        """The files that are there; others are reported."""
        files = {}
        for name in (*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE):
            try:
                files[name] = self._evidence.read(self.path(name))
            except NotFound:
                self.finding("file_missing", name, "is missing")
            except AppError as error:
                self.finding("file_unreadable", name, error.message)
        if STATEMENT_FILE in files and files[STATEMENT_FILE] != encode_statement(self.statement):
            message = "is not the statement on-chain"
            line = first_difference(encode_statement(self.statement), files[STATEMENT_FILE])
            self.finding("statement_file_wrong", STATEMENT_FILE, message, line=line)
        return files

    def check_names(self) -> None:
        """Report what lies beside the files."""
        known = {*COMMITTED_FILES, MANIFEST_FILE, STATEMENT_FILE, ATTESTATIONS_FILE}
        try:
            names = self._evidence.names(self._folder)
        except NotFound:
            # Each of its files was reported as missing.
            return
        for name in sorted(set(names or ()) - (known - {FACILITY_FILE})):
            # What our own writer left behind when it was stopped is a warning, see `Tree`.
            if not OURS_PARTIAL.fullmatch(name):
                code = "partial" if is_partial(name) else "stray"
                self.finding(code, name, "is no part of the evidence")

    def check_hashes(self, files: dict[str, bytes]) -> None:
        """Report a manifest that is not the chain's, and files that are not the manifest's."""
        manifest = files.get(MANIFEST_FILE, b"")
        if sha256(manifest) != self.statement.evidence_hash:
            message = "is not what evidenceHash on-chain names"
            self.finding("manifest_wrong", MANIFEST_FILE, message)
        # The chain holds only the manifest's hash: a manifest made from the files must have it.
        ours = self._manifest(files)
        if ours is None or sha256(ours) != self.statement.evidence_hash:
            # Searched as text: a manifest that is no JSON still tells which files are right.
            there = [name for name in COMMITTED_FILES if name in files]
            guilty = [n for n in there if sha256(files[n]).hex().encode() not in manifest]
            for name in guilty:
                self.finding("file_wrong", name, "is not what the manifest names")
            whole = len(there) == len(COMMITTED_FILES) and not guilty
            if whole and sha256(manifest) == self.statement.evidence_hash:
                message = "is not the manifest of its files: names, sizes, order or form differ"
                line = None if ours is None else first_difference(ours, manifest)
                self.finding("manifest_wrong", MANIFEST_FILE, message, line=line)

    def _manifest(self, files: dict[str, bytes]) -> bytes | None:
        """The manifest that the files give; None where one is missing, or that not readable."""
        if not set(COMMITTED_FILES) <= files.keys():
            return None
        try:
            said = follows_of(files.get(MANIFEST_FILE, b""))
        except (AppError, *HOSTILE):
            return None
        place = self.statement.facility_id, self.statement.epoch
        return encode_manifest(*place, files, said=said)

    def read_lines(self, files: dict[str, bytes]) -> Sequence[Line]:
        """Lines of the statement; `check_root` compares them with it. Raises EvidenceInvalid."""
        of, data = self.statement, files[LINES_FILE]
        lines = decode_lines(data)
        if encode_lines(lines) != data:
            line = first_difference(encode_lines(lines), data)
            self.finding("not_canonical", LINES_FILE, "bytes are not canonical", line=line)
        if len(lines) != of.line_count:
            message = f"has {len(lines)} lines where the statement has {of.line_count}"
            self.finding("line_count_wrong", LINES_FILE, message)
        return lines

    def check_root(self, lines: Sequence[Line]) -> None:
        """Report lines that give another root than the statement's. Raises AppError."""
        of = self.statement
        if usage_tree(of.facility_id, of.epoch, lines).root != of.usage_root:
            message = "gives another usage_root than the statement"
            self.finding("root_wrong", LINES_FILE, message)

    def report_error(self, error: Exception) -> None:
        """Report what kept the files from being read on."""
        if isinstance(error, EvidenceInvalid):
            name = str(error.context.get("file", MANIFEST_FILE))
            line = error.context.get("line")
            at = line if isinstance(line, int) else None
            if name == LINES_FILE and at is not None:
                at += FIRST_ROW
            self.finding("file_unreadable", name, error.message, line=at)
        elif isinstance(error, AppError):
            self.finding("lines_impossible", LINES_FILE, error.message)
        else:
            # `check_hashes` has compared every file with the manifest and named the wrong one.
            message = f"its files cannot be recomputed: {error!r}"
            self.finding("file_unreadable", MANIFEST_FILE, message)
