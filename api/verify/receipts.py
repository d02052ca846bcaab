"""Verify, part 6: receipts that authors were given, against the log as it is published.

A receipt is a whole entry, signed by the log's own key. What a statement's cut lies behind must
stand in the log, as it was receipted: else the service left it out, or shows another log to others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from api.domain.log.entry import UNSIGNED, Entry, LogName, entry_hash
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import Receipt, SignedEntry
from api.domain.log.requests import key_text
from api.domain.log.signers import LogSigner, LogSigners
from api.domain.units import Bytes32
from api.errors import AppError
from api.verify.findings import Finding, Report, shortened


@dataclass(frozen=True, slots=True)
class ShownReceipt:
    """A receipt, and where it was read: a file, and the line, from 1, of a file of lines.

    A whole entry that names a successor of the log's key is one, too: that key signed it.
    """

    receipt: Receipt | SignedEntry | LoggedEntry
    file: str
    line: int | None = None


@dataclass(slots=True)
class Receipted:
    """What verify keeps of one facility's log for receipts: entries that these speak of, and those
    of the same authors.

    hashes: by number.  authored: numbers of entries by author.
    cut_s: what was recorded before is in a statement that was posted.
    """

    numbers: set[int] = field(default_factory=set)
    authors: set[Bytes32] = field(default_factory=set)
    hashes: dict[int, Bytes32] = field(default_factory=dict)
    authored: dict[Bytes32, list[int]] = field(default_factory=dict)
    size: int = 0
    cut_s: int = 0

    def note(self, entries: Sequence[Entry], *, cut_s: int) -> None:
        """Take the part of the log that a statement adds, and the cut that it ends at."""
        for entry in entries:
            if entry.number in self.numbers:
                self.hashes[entry.number] = entry_hash(entry)
            if entry.author in self.authors:
                self.authored.setdefault(entry.author, []).append(entry.number)
        self.cut_s = max(self.cut_s, cut_s)
        if entries:
            self.size = entries[-1].number
            # A cut parts no second: of one that is published, all is.
            self.cut_s = max(self.cut_s, entries[-1].recorded_at_s + 1)


class ReceiptVerifier:
    """Receipts of all facilities: asked for before the logs are read, judged behind."""

    def __init__(self, receipts: Sequence[ShownReceipt] = ()) -> None:
        self._receipts = [r for r in receipts if not isinstance(r.receipt, LoggedEntry)]
        self._successors = [r for r in receipts if isinstance(r.receipt, LoggedEntry)]
        self._of: dict[int, Receipted] = {}

    def of(self, facility_id: int) -> Receipted:
        """What to keep of a facility's log."""
        if facility_id not in self._of:
            own = [s.receipt.entry for s in self._receipts if _facility(s) == facility_id]
            self._of[facility_id] = Receipted(
                {entry.number for entry in own},
                {entry.author for entry in own if entry.author != UNSIGNED},
            )
        return self._of[facility_id]

    def check(self, logs: Mapping[LogName, LogSigners], *, report: Report, warn: Report) -> None:
        """Report receipts that no key of the log signed, or that the log contradicts.

        Args:    logs: keys of the logs that are published, as far as they are, by name.
        """
        signed = [shown for shown in self._receipts if self._signed(shown, logs, report, warn)]
        self._check_forks(signed, report)
        newer: dict[int, int] = {}
        for shown in signed:
            if not self._check_log(shown, report):
                newer[_facility(shown)] = newer.get(_facility(shown), 0) + 1
        for facility_id, count in sorted(newer.items()):
            message = (
                f"{count} receipt{'s' * (count > 1)} of entries that no statement has to have yet:"
                " not judged"
            )
            warn(Finding(message, facility_id, code="receipt_newer"))
        self._check_authors(signed, warn)
        for shown in self._successors:
            if shown.receipt.entry.log in logs:
                self._check_successor(shown, logs[shown.receipt.entry.log], report)

    def _check_successor(self, shown: ShownReceipt, signers: LogSigners, report: Report) -> None:
        """A key of the log names one successor: whoever is shown another one has another log."""
        logged, chain = shown.receipt, list(signers)
        assert isinstance(logged, LoggedEntry)  # as was asked
        try:
            first = next(i for i, s in enumerate(chain) if s.key == logged.entry.author)
            own = LogSigners((LogSigner(chain[first].key),))
            named = own.followed(logged, log=logged.entry.log, believes=lambda _author, _key: False)
        except StopIteration:
            # The ledger key's, which can be judged in the log alone.
            return
        except AppError as error:
            report(_found(shown, "receipt_signature", error.message))
            return
        if first + 1 < len(chain) and chain[first + 1].key != named.present:
            message = (
                f"names {key_text(named.present)} for the log, and the published entry"
                f" {chain[first].until} names {key_text(chain[first + 1].key)}: key"
                f" {key_text(chain[first].key)} named both, and the log was forked"
            )
            report(_found(shown, "receipt_fork", message))

    def _signed(
        self,
        shown: ShownReceipt,
        logs: Mapping[LogName, LogSigners],
        report: Report,
        warn: Report,
    ) -> bool:
        entry, log = shown.receipt.entry, shown.receipt.entry.log
        signers = logs.get(log)
        if signers is None:
            message = f"is of log {log}, which is none of those that are verified: not judged"
            warn(_found(shown, "receipt_foreign", message))
            return False
        try:
            if isinstance(shown.receipt, Receipt):
                shown.receipt.require_answers()
            assert not isinstance(shown.receipt, LoggedEntry)  # those are judged by themselves
            signature, where = shown.receipt.signature, shown.receipt.where
            signer = signers.require_signer(entry, signature, where=where)
        except AppError as error:
            if self._may_be_named(entry):
                message = f"{error.message}, of those that are published yet: not judged"
                warn(_found(shown, "receipt_key_newer", message))
            else:
                report(_found(shown, "receipt_signature", error.message))
            return False
        if not signer.signs(entry.number):
            # Somebody shows an end of the log that others do not see, or has a key that was stolen.
            message = (
                f"is of entry {entry.number}, signed by key {key_text(signer.key)}, which the"
                f" published log replaced in entry {signer.until}: the log was forked, or that key"
                " was stolen"
            )
            report(_found(shown, "receipt_fork", message))
        return True

    def _may_be_named(self, entry: Entry) -> bool:
        """Whether a successor of the log's key may stand behind what is published, before an
        entry."""
        log = self.of(entry.log.facility_id)
        return entry.number > log.size and entry.recorded_at_s >= log.cut_s

    def _check_forks(self, signed: Iterable[ShownReceipt], report: Report) -> None:
        """Two receipts that differ for one log and number: the log's key signed both."""
        first: dict[tuple[LogName, int], ShownReceipt] = {}
        for shown in signed:
            entry = shown.receipt.entry
            known = first.setdefault((entry.log, entry.number), shown)
            if known.receipt.entry != entry:
                message = (
                    f"is of another entry {entry.number} than the receipt in {_place(known)}, and"
                    " the log's key signed both: the log was forked"
                )
                report(_found(shown, "receipt_fork", message))

    def _check_log(self, shown: ShownReceipt, report: Report) -> bool:
        """Whether a receipt could be judged by the log."""
        entry, log = shown.receipt.entry, self.of(_facility(shown))
        there = log.hashes.get(entry.number)
        if there is not None:
            if there != entry_hash(entry):
                message = (
                    f"is of another entry {entry.number} than the published log has: the log was"
                    " forked"
                )
                report(_found(shown, "receipt_fork", message))
            return True
        if entry.recorded_at_s < log.cut_s:
            message = (
                f"is of entry {entry.number}, recorded at {entry.recorded_at_s}; the log has"
                f" {log.size} entries of all that was recorded before {log.cut_s}: it was left out"
            )
            report(_found(shown, "receipt_omitted", message))
            return True
        return False

    def _check_authors(self, signed: Iterable[ShownReceipt], warn: Report) -> None:
        """Entries of a key of which other receipts are shown, and none of these.

        An author that keeps all of its receipts knows them to be made up.
        """
        held: dict[tuple[int, Bytes32], set[int]] = {}
        for shown in signed:
            entry = shown.receipt.entry
            if entry.author != UNSIGNED:
                held.setdefault((_facility(shown), entry.author), set()).add(entry.number)
        for (facility_id, author), numbers in sorted(held.items()):
            others = [n for n in self.of(facility_id).authored.get(author, ()) if n not in numbers]
            if others:
                message = (
                    f"the log has {len(others)} more entries of key {key_text(author)}, the first"
                    f" is {others[0]}: if all of its receipts are here, they were made up"
                )
                warn(Finding(message, facility_id, code="receipt_lacking"))


def _facility(shown: ShownReceipt) -> int:
    return shown.receipt.entry.log.facility_id


def _place(shown: ShownReceipt) -> str:
    return shown.file if shown.line is None else f"{shown.file} line {shown.line}"


def _found(shown: ShownReceipt, code: str, message: str) -> Finding:
    place = (_facility(shown), None, shown.file)
    return Finding(shortened(message, most=500), *place, code=code, line=shown.line)
