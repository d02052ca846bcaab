"""Recording one signed request: judged and written under its facility's lock."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine

from api.chain.ledger_keys import NamedNow
from api.clock import Clock
from api.db.facilities import grow_log
from api.db.log import keep_entries, logged_at
from api.db.log_keys import keep_log_keys, log_key_rows, newest_receipt, to_log_key
from api.db.tables.facilities import FacilityRow
from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import require_after, require_author, require_clock, role_of
from api.domain.log.entry import NO_LOG, EntryKind, LogName, end_of, entry_hash
from api.domain.log.keys import KeyBody, KeyRole, LogKey, LogKeys
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import Receipt, receipt_document, receipt_of
from api.domain.log.requests import AFTER_HEADER
from api.domain.log.signers import LogSigners, signers_of
from api.domain.metering.items import EventResult, Item
from api.errors import AfterRefused, ChainUnavailable, Misconfigured, RecordsDamaged
from api.ledger.ingest import Batch
from api.ledger.kept import KeptLedgers
from api.ledger.snapshot import Heard, read_snapshot, recording_time
from api.ledger.write import SignedBody, signed_entry


class LogKeyRing(Protocol):
    """Keys that sign receipts, as far as this service has them."""

    def of(self, public: bytes) -> Ed25519PrivateKey | None:
        """The private half of a key, if it is here."""

    def held(self) -> Mapping[bytes, Ed25519PrivateKey]:
        """All that are here, by their public halves; first the key of new logs."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where signed requests are recorded: database, clock, what is kept, and keys of logs."""

    engine: Engine
    clock: Clock
    kept: KeptLedgers
    ring: LogKeyRing

    def key_for(self, signers: LogSigners, number: int) -> Ed25519PrivateKey | None:
        """The key that signs a receipt of an entry: of those that may, the first that is here, for
        who reads the log may not have come to a later one."""
        own = (self.ring.of(signer.key) for signer in signers if signer.signs(number))
        return next((key for key in own if key is not None), None)


NO_KEY = "this service has not the key of the facility's log, so it can give no receipt"


# Makes the receipt of an entry.
Receipting = Callable[[LoggedEntry], Receipt]


@dataclass(slots=True)
class Done:
    receipt: Receipt
    results: list[EventResult] = field(default_factory=list)
    batch: Batch | None = None


def keys_of(connection: Connection, terms: FacilityTerms) -> LogKeys:
    rows = log_key_rows(connection, terms.facility_id)
    return LogKeys(map(to_log_key, rows), log_key=terms.log_key)


def successors_in(connection: Connection, log: LogName, keys: LogKeys) -> list[LoggedEntry]:
    """Entries that name keys which follow the log's first, whole, in order: those of months that
    are not detached."""
    found = []
    for key in sorted(keys, key=lambda key: key.entry):
        if key.role is KeyRole.LOG and key.entry:
            with suppress(RecordsDamaged):
                found.append(logged_at(connection, log, key.entry))
    return found


def after_refused(
    connection: Connection, author: LogKey, terms: FacilityTerms, log: Log
) -> AfterRefused:
    message = f"the key's newest entry here is {author.last.hex()}: name it as `{AFTER_HEADER}`"
    receipt = receipt_at(connection, author, terms, log)
    if receipt is None:
        return AfterRefused(message)
    return AfterRefused(message, receipt=receipt_document(receipt))


def receipt_at(
    connection: Connection, author: LogKey, terms: FacilityTerms, log: Log
) -> Receipt | None:
    """Receipt of a key's newest entry, or of the one that brought it; None if that is detached."""
    kept = newest_receipt(connection, terms.facility_id, author.key)
    if kept is not None and kept.entry.number == author.last_entry:
        return kept
    key = log.key_for(signers_of(keys_of(connection, terms)), author.last_entry)
    if key is None:
        raise Misconfigured(NO_KEY, facility_id=terms.facility_id)
    try:
        return receipt_of(logged_at(connection, terms.log, author.last_entry), key)
    except RecordsDamaged:
        # Its month was detached: whoever lost its receipts has to be given another key.
        return None


class Recorder:
    """One signed request, in one transaction, under its facility's lock."""

    def __init__(
        self,
        connection: Connection,
        row: FacilityRow,
        terms: FacilityTerms,
        signed: SignedBody,
        keys: LogKeys,
        log: Log,
        receipting: Receipting,
    ) -> None:
        """Args: receipting: gives the receipt of the entry."""
        self._connection, self._row, self._terms = connection, row, terms
        self._signed, self._keys, self._log = signed, keys, log
        self._receipting = receipting

    def record(
        self,
        read: Sequence[Item | EventResult],
        raw: Sequence[object],
        *,
        named: NamedNow | None,
        heard: Heard | None = None,
    ) -> Done:
        """Judge who signed, then what was said; write both.

        Args:    named: of the operator's own key, what the chain says of it.
                 heard: what the service had heard of the chain, if it was another thing than now.
        """
        request, kind = self._signed.request, self._signed.kind
        author, said = require_author(self._keys, request, kind, self._signed.body)
        self._require_after(author)
        now_s = self._log.clock()
        if kind is EntryKind.BATCH:
            done = self._events(read, raw, role_of(author), now_s=now_s, heard=heard)
        else:
            done = self._key(now_s=now_s)
        if named is not None and done.receipt.entry.recorded_at_s < named.final_s:
            # Nobody would believe that the key was named by then.
            message = "this service's clock is behind the block in which the key was named"
            raise ChainUnavailable(message)
        self._take(said, done.receipt)
        return done

    def _require_after(self, author: LogKey | None) -> None:
        try:
            require_after(author, self._signed.request)
        except AfterRefused as error:
            if author is None:
                raise
            raise after_refused(self._connection, author, self._terms, self._log) from error

    def _events(
        self,
        read: Sequence[Item | EventResult],
        raw: Sequence[object],
        role: KeyRole,
        *,
        now_s: int,
        heard: Heard | None,
    ) -> Done:
        events = [x.event for x in read if isinstance(x, Item)]
        snapshot = read_snapshot(
            self._connection, self._row, events, now_s=now_s, kept=self._log.kept, heard=heard
        )
        require_clock(self._signed.request, recorded_at_s=snapshot.recorded.recorded_at_s)
        batch = Batch(
            self._connection,
            self._row.operator_id,
            read,
            {self._row.facility_id: snapshot},
            now_s=now_s,
            role=role,
        )
        batch.record(raw=raw, signed=self._signed)
        logged = batch.writer.signed
        assert logged is not None  # a signed body is always written
        return Done(self._receipting(logged), batch.results, batch)

    def _key(self, *, now_s: int) -> Done:
        at_s = recording_time(self._row, self._terms, now_s)
        require_clock(self._signed.request, recorded_at_s=at_s)
        answers = bytes([ACCEPTED])
        logged = signed_entry(self._row, self._terms, self._signed, answers, at_s=at_s)
        keep_entries(self._connection, [logged])
        grow_log(
            self._connection,
            self._row.facility_id,
            log=end_of([logged.entry], NO_LOG),
            recorded_at_s=at_s,
            longest_s=self._row.longest_s,
        )
        return Done(self._receipting(logged))

    def _take(self, said: KeyBody | None, receipt: Receipt) -> None:
        entry, request = receipt.entry, self._signed.request
        changed = self._keys.take(
            request.author,
            entry.kind,
            said,
            number=entry.number,
            hashed=entry_hash(entry),
            after=request.after,
        )
        facility_id = self._row.facility_id
        at_s = entry.recorded_at_s
        keep_log_keys(self._connection, facility_id, changed, at_s=at_s, receipt=receipt)
