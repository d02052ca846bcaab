"""Signed requests into a facility's log: each becomes an entry, and its author gets a receipt."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import IntegrityError

from api.chain.ledger_keys import NamedNow
from api.clock import Clock
from api.db.facilities import facility_row, grow_log, known_facility_row, lock_facility
from api.db.log import keep_entries, logged_at
from api.db.log_keys import keep_log_keys, log_key_rows, newest_receipt, to_log_key
from api.db.session import reading, write
from api.db.tables.facilities import FacilityRow
from api.domain.facility import FacilityTerms
from api.domain.log.answers import ACCEPTED
from api.domain.log.authors import require_after, require_author, require_clock, role_of
from api.domain.log.entry import NO_LOG, EntryKind, body_hash, end_of, entry_hash
from api.domain.log.keys import KeyBody, KeyRole, LogKey, LogKeys, read_key_body
from api.domain.log.receipts import Receipt, receipt_document, receipt_of
from api.domain.log.requests import (
    AFTER_HEADER,
    LOG_HEADER,
    SignedRequest,
    content_digest,
    key_text,
)
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import MAX_I64, Bytes32, FacilityId, OperatorId
from api.errors import (
    AfterRefused,
    ChainUnavailable,
    EventRejected,
    KeyUnknown,
    Misconfigured,
    RecordsDamaged,
    SignatureRefused,
)
from api.ledger.ingest import Batch
from api.ledger.kept import KeptLedgers
from api.ledger.snapshot import read_snapshot, recording_time
from api.ledger.write import SignedBody, signed_entry

# Whether an operator's address names a key on-chain now, and did so in a final block.
AskNamed = Callable[[str, Bytes32], NamedNow | None]
# A node that is further behind does not know whom the operator names.
_STALE_S = 600


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a signed request: its receipt, and an answer for each event."""

    receipt: Receipt
    results: list[EventResult] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class SignedEvents:
    """Parsed events of a signed body, and by index what is wrong with those that are no JSON."""

    events: Sequence[object] = ()
    broken: Mapping[int, EventRejected] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Log:
    """Where signed requests are recorded: database, clock, what is kept, and the log's key."""

    engine: Engine
    clock: Clock
    kept: KeptLedgers
    key: Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Admitted:
    """Of whom and of which facility a request is whose signature holds; its body may not be read
    yet."""

    operator_id: OperatorId
    facility_id: FacilityId


def admit(
    log: Log,
    request: SignedRequest,
    *,
    name: str,
    digest: str,
    brings: bool = False,
    records: bool = True,
) -> Admitted:
    """Check a request by its headers alone, so that a stranger's body, or headers that somebody
    kept, cost no memory and nothing of the operator's share.

    Args:    name, digest: log and content digest, as the headers have them.
             brings: whether a key that the log does not know may sign: it brings itself.
             records: whether an entry is to come of it; else `after` is not looked at.
    Raises:  SignatureRefused, SignatureWrong, KeyUnknown, AfterRefused with the receipt that its
             author lacks.
    """
    named = re.fullmatch(r"[0-9]{1,19}:0x[0-9a-f]{40}:([0-9]{1,19})", name)
    facility_id = FacilityId(int(named[1]) if named else 0)
    with reading(log.engine) as connection:
        row = facility_row(connection, facility_id) if 0 < facility_id <= MAX_I64 else None
        if row is None or str(terms_from_bytes(row.terms_json).log) != name:
            raise SignatureRefused(f"{LOG_HEADER} names no log of ours: {name[:100]!r}")
        known = _keys(connection, facility_id).get(request.author)
        if known is None and not brings:
            raise KeyUnknown(f"key {key_text(request.author)} is none of this log's")
        terms = terms_from_bytes(row.terms_json)
        request.require_signed(digest, log=terms.log)
        if known is not None and not records and known.ended is not None:
            raise KeyUnknown(f"key {key_text(known.key)} was ended by entry {known.ended}")
        if known is not None and records and not brings:
            _require_fresh(connection, known, request, terms, log)
    return Admitted(row.operator_id, facility_id)


def _require_fresh(
    connection: Connection, author: LogKey, request: SignedRequest, terms: FacilityTerms, log: Log
) -> None:
    """Refuse headers that can become no entry: neither what comes next, nor what came last."""
    again = request.after == author.before and author.last_entry != author.entry
    if author.ended is not None and not again:
        raise KeyUnknown(f"key {key_text(author.key)} was ended by entry {author.ended}")
    if request.after != author.last and not again:
        raise _after_refused(connection, author, terms, log)


def _after_refused(
    connection: Connection, author: LogKey, terms: FacilityTerms, log: Log
) -> AfterRefused:
    message = f"the key's newest entry here is {author.last.hex()}: name it as `{AFTER_HEADER}`"
    receipt = _receipt_at(connection, author, terms, log)
    if receipt is None:
        return AfterRefused(message)
    return AfterRefused(message, receipt=receipt_document(receipt))


def _receipt_at(
    connection: Connection, author: LogKey, terms: FacilityTerms, log: Log
) -> Receipt | None:
    """Receipt of a key's newest entry, or of the one that brought it; None if that is detached."""
    kept = newest_receipt(connection, terms.facility_id, author.key)
    if kept is not None and kept.entry.number == author.last_entry:
        return kept
    try:
        return receipt_of(logged_at(connection, terms.log, author.last_entry), log.key)
    except RecordsDamaged:
        # Its month was detached: whoever lost its receipts has to be given another key.
        return None


def record_signed(
    log: Log, signed: SignedBody, told: SignedEvents, *, named_now: AskNamed
) -> Recorded:
    """Record a request that was signed: an entry whatever became of its events.

    The same request again gets the same receipt.
    Raises:  SignatureRefused, KeyUnknown, KeyForbidden, AfterRefused with the receipt that its
             author lacks, InvalidInput of what is said of a key, NotFound, ChainUnavailable,
             DatabaseUnavailable; then nothing is recorded.
    """
    with reading(log.engine) as connection:
        row = known_facility_row(connection, signed.facility_id)
        terms = terms_from_bytes(row.terms_json)
        keys = _keys(connection, signed.facility_id)
        before = _known_before(connection, keys, signed, terms, log)
    if Bytes32(log.key.public_key().public_bytes_raw()) != terms.log_key:
        message = "this service has not the key of the facility's log, so it can give no receipt"
        raise Misconfigured(message, facility_id=signed.facility_id)
    signed.request.require_signed(content_digest(signed.body), log=terms.log)
    read = [read_item(i, e, told.broken.get(i)) for i, e in enumerate(told.events)]
    if before is not None:
        return Recorded(before, _repeated(read, before))
    named = _ledger_key_named(keys, signed, terms, named_now)
    if named is not None and named.head_s + _STALE_S < log.clock():
        message = "the node is far behind: whom the operator names on-chain now, nobody knows"
        raise ChainUnavailable(message)

    def record(connection: Connection) -> _Done:
        locked = lock_facility(connection, signed.facility_id)
        now_keys = _keys(connection, signed.facility_id)
        before = _known_before(connection, now_keys, signed, terms, log)
        if before is not None:
            return _Done(before, _repeated(read, before))
        recorder = _Recorder(connection, locked, terms, signed, now_keys, log)
        return recorder.record(read, told.events, named=named)

    done = write(log.engine, record, clashes=(IntegrityError,))
    if done.batch is not None:
        done.batch.keep_in(log.kept)
    # Only now it is durable.
    return Recorded(done.receipt, done.results)


@dataclass(slots=True)
class _Done:
    receipt: Receipt
    results: list[EventResult] = field(default_factory=list)
    batch: Batch | None = None


def _keys(connection: Connection, facility_id: FacilityId) -> LogKeys:
    return LogKeys(map(to_log_key, log_key_rows(connection, facility_id)))


def _ledger_key_named(
    keys: LogKeys, signed: SignedBody, terms: FacilityTerms, named_now: AskNamed
) -> NamedNow | None:
    """Ask the chain about the operator's own key, before anything is locked; None of another.

    Raises:  KeyUnknown, ChainUnavailable.
    """
    author = keys.get(signed.request.author)
    said = None if signed.kind is EntryKind.BATCH else read_key_body(signed.body, signed.kind)
    brings_itself = said is not None and said.role is KeyRole.LEDGER
    of_ledger = author is not None and author.role is KeyRole.LEDGER
    if not brings_itself and not of_ledger:
        return None
    named = named_now(terms.gpu_operator, signed.request.author)
    if named is None:
        message = "the operator's address does not name this key on-chain (`setLedgerKey`)"
        raise KeyUnknown(f"key {key_text(signed.request.author)}: {message}")
    return named


def _known_before(
    connection: Connection, keys: LogKeys, signed: SignedBody, terms: FacilityTerms, log: Log
) -> Receipt | None:
    """The receipt of what the same request became before, if it did."""
    author = keys.get(signed.request.author)
    if author is None or author.before != signed.request.after:
        return None
    newest = _receipt_at(connection, author, terms, log)
    if newest is None or newest.entry.author != author.key or newest.entry.kind is not signed.kind:
        return None
    same = body_hash(signed.body, blind=newest.blind) == newest.entry.body
    return newest if same else None


class _Recorder:
    """One signed request, in one transaction, under its facility's lock."""

    def __init__(
        self,
        connection: Connection,
        row: FacilityRow,
        terms: FacilityTerms,
        signed: SignedBody,
        keys: LogKeys,
        log: Log,
    ) -> None:
        self._connection, self._row, self._terms = connection, row, terms
        self._signed, self._keys, self._log = signed, keys, log

    def record(
        self,
        read: Sequence[Item | EventResult],
        raw: Sequence[object],
        *,
        named: NamedNow | None,
    ) -> _Done:
        """Judge who signed, then what was said; write both."""
        request, kind = self._signed.request, self._signed.kind
        author, said = require_author(self._keys, request, kind, self._signed.body)
        self._require_after(author)
        now_s = self._log.clock()
        if kind is EntryKind.BATCH:
            done = self._events(read, raw, role_of(author), now_s=now_s)
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
            raise _after_refused(self._connection, author, self._terms, self._log) from error

    def _events(
        self,
        read: Sequence[Item | EventResult],
        raw: Sequence[object],
        role: KeyRole,
        *,
        now_s: int,
    ) -> _Done:
        events = [x.event for x in read if isinstance(x, Item)]
        snapshot = read_snapshot(
            self._connection, self._row, events, now_s=now_s, kept=self._log.kept
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
        return _Done(receipt_of(logged, self._log.key), batch.results, batch)

    def _key(self, *, now_s: int) -> _Done:
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
        return _Done(receipt_of(logged, self._log.key))

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


def _repeated(read: Sequence[Item | EventResult], receipt: Receipt) -> list[EventResult]:
    """The answers that a request got, to whoever sends it again."""
    results = []
    for each, answer in zip(read, receipt.answers, strict=True):
        if isinstance(each, Item):
            results.append(each.answered(answer))
        else:
            results.append(each)
    return results
