"""Closing an epoch, or a facility's books behind its last one: statement, lines and evidence."""

import pickle
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from api.domain.facility import FacilityTerms, Period
from api.domain.hashing import sha256
from api.domain.log.entry import NO_LOG, UNSIGNED, Entry, LogEnd, end_of
from api.domain.log.logged import LoggedEntry
from api.domain.merkle import MerkleTree
from api.domain.metering.facts import Agreed
from api.domain.pledges import Pledge
from api.domain.statements.batches import encode_entries
from api.domain.statements.books import Books, Kept, Stated
from api.domain.statements.evidence import (
    BATCHES_FILE,
    CREDITS_FILE,
    FACILITY_FILE,
    FACTS_FILE,
    LINES_FILE,
    MANIFEST_FILE,
    STATE_FILE,
    TERMS_FILE,
    Follows,
    SignedShare,
    encode_credits,
    encode_facility,
    encode_lines,
    encode_manifest,
)
from api.domain.statements.lines import Line, check_overlaps, numbered, usage_tree
from api.domain.statements.state import encode_state, publishes_state
from api.domain.statements.statement import Statement, build_statement, statement_hash
from api.domain.statements.told import Told, encode_told
from api.domain.units import ZERO32, Bytes32, Epoch


@dataclass(frozen=True, slots=True)
class Followed:
    """What a statement follows: the one before it, its manifest, and where it ended in the log."""

    statement_hash: Bytes32 = ZERO32
    manifest_hash: Bytes32 = ZERO32
    log: LogEnd = NO_LOG


@dataclass(frozen=True, slots=True)
class ClosedEpoch:
    """A closed epoch: the statement, its lines and tree, evidence by file name."""

    statement: Statement
    lines: tuple[Line, ...]
    tree: MerkleTree
    files: Mapping[str, bytes]
    log: LogEnd
    signed: SignedShare

    @property
    def followed(self) -> Followed:
        """What the next statement follows."""
        return Followed(statement_hash(self.statement), self.statement.evidence_hash, self.log)


class OpenBooks:
    """Books of a facility, and the statement that they have come to."""

    def __init__(self, terms: FacilityTerms) -> None:
        self._books = Books(terms)
        self.terms = terms
        self.follows = Followed()
        self.next_number = Epoch(0)

    @classmethod
    def behind(
        cls, terms: FacilityTerms, kept: Kept, follows: Followed, replacements: Iterable[Pledge]
    ) -> "OpenBooks":
        """Books that go on behind a statement which published its state.

        Raises:  InvalidInput if terms of it do not follow each other.
        """
        books = cls(terms)
        books.repledge(replacements)
        books._books.restore(kept)
        books.follows, books.next_number = follows, kept.next_epoch
        return books

    def copied(self) -> "OpenBooks":
        """Books that go their own way from here on."""
        return from_bytes(to_bytes(self))

    @property
    def kept(self) -> Kept:
        """What the books know, behind the statement that they have come to."""
        return self._books.kept

    @property
    def replacements(self) -> Sequence[Pledge]:
        """Pledges that took the place of the offer's, as the books know."""
        return self._books.replacements

    def repledge(self, replacements: Iterable[Pledge]) -> None:
        """Learn which pledges took the place of the offer's, before statements of their epochs.

        Raises:  InvalidInput if an epoch that was stated would have other devices.
        """
        self._books.repledge(replacements)

    def replay(
        self,
        period: Period,
        told: Iterable[Told],
        *,
        follows: Followed,
        signed: Collection[int] = (),
    ) -> Stated:
        """Take the step of a statement without its evidence: one that was closed before, or may be.

        Args:    follows: what the next one follows: that very statement.
                 signed: numbers of the entries that somebody signed.
        """
        self._take(told, signed)
        stated = self._books.state(period)
        self.follows, self.next_number = follows, Epoch(period.epoch + 1)
        return stated

    def close(
        self,
        period: Period,
        told: Iterable[Told],
        *,
        entries: Sequence[Entry],
        about_keys: Sequence[LoggedEntry] = (),
    ) -> ClosedEpoch:
        """Close one epoch, or the facility's books behind the last one.

        Args:    told: the facts that the log took since the statement before, in its order.
                 entries: those of the log since then, whether they told facts or not.
                 about_keys: those of them that are about keys, whole.
        Raises:  InvalidInput when sums pass their bounds, or a device is billed twice.
        """
        terms, number = self.terms, period.epoch
        signed = {entry.number for entry in entries if entry.author != UNSIGNED}
        agreed, others = self._take(told, signed)
        stated = self._books.state(period)
        lines = numbered(stated.items)
        check_overlaps(lines)
        tree = usage_tree(terms.facility_id, number, lines)
        files = {
            FACILITY_FILE: encode_facility(terms),
            BATCHES_FILE: encode_entries(entries, about_keys),
            FACTS_FILE: encode_told(others),
            TERMS_FILE: encode_told(agreed),
            LINES_FILE: encode_lines(lines),
            CREDITS_FILE: encode_credits(lines if period.closing else ()),
            STATE_FILE: encode_state(self._books.kept) if publishes_state(period) else b"",
        }
        log = end_of(entries, self.follows.log)
        share = self._signed_share(lines)
        files[MANIFEST_FILE] = encode_manifest(
            terms.facility_id,
            number,
            files,
            said=Follows(log, self.follows.manifest_hash, share),
        )
        statement = build_statement(
            terms,
            period,
            stated=stated,
            lines=lines,
            usage_root=tree.root,
            evidence_hash=sha256(files[MANIFEST_FILE]),
            previous_statement_hash=self.follows.statement_hash,
        )
        closed = ClosedEpoch(statement, lines, tree, files, log, share)
        self.follows, self.next_number = closed.followed, Epoch(number + 1)
        return closed

    def _signed_share(self, lines: Sequence[Line]) -> SignedShare:
        """What of lines rests on signed entries alone."""
        signed = {lease for lease in {x.lease for x in lines} if self._books.trust.is_signed(lease)}
        charge = sum(abs(line.charge_micros) for line in lines if line.lease in signed)
        seconds = sum(line.gpu_seconds for line in lines if line.lease in signed)
        return SignedShare(charge, seconds)

    def _take(self, told: Iterable[Told], signed: Collection[int]) -> tuple[list[Told], list[Told]]:
        facts = list(told)
        # Versions of terms first: whatever is said of a lease names one that is known.
        agreed = [each for each in facts if isinstance(each.fact, Agreed)]
        others = [each for each in facts if not isinstance(each.fact, Agreed)]
        for each in (*agreed, *others):
            if each.place.entry not in signed:
                self._books.distrust(each.fact)
            self._books.take((each.fact,))
        return agreed, others


def to_bytes(books: OpenBooks) -> bytes:
    """Books as bytes, for the memory of this process alone."""
    return pickle.dumps(books, pickle.HIGHEST_PROTOCOL)


def from_bytes(data: bytes) -> OpenBooks:
    """Books that `to_bytes` wrote in this process."""
    books = pickle.loads(data)  # noqa: S301  ours: they never leave the process
    assert isinstance(books, OpenBooks)
    return books
