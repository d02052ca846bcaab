"""Signed requests into a facility's log: each becomes an entry, and its author gets a receipt."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from api.chain.ledger_keys import NamedNow
from api.db.facilities import facility_row, known_facility_row, lock_facility
from api.db.session import reading, write
from api.db.tables.facilities import FacilityRow
from api.domain.facility import FacilityTerms
from api.domain.log.entry import EntryKind, body_hash
from api.domain.log.keys import KeyRole, LogKey, LogKeys, read_key_body
from api.domain.log.receipts import Receipt, receipt_of
from api.domain.log.requests import (
    LOG_HEADER,
    SignedRequest,
    content_digest,
    key_text,
)
from api.domain.metering.items import EventResult, Item, read_item
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import MAX_I64, Bytes32, FacilityId, OperatorId
from api.errors import (
    ChainUnavailable,
    EventRejected,
    KeyForbidden,
    KeyUnknown,
    Misconfigured,
    SignatureRefused,
)
from api.ledger.behind import require_whole
from api.ledger.recorder import NO_KEY, Done, Log, Recorder, after_refused, keys_of, receipt_at
from api.ledger.write import SignedBody

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
        terms = None if row is None else terms_from_bytes(row.terms_json)
        if row is None or terms is None or str(terms.log) != name:
            raise SignatureRefused(f"{LOG_HEADER} names no log of ours: {name[:100]!r}")
        known = keys_of(connection, terms).get(request.author)
        if known is None and not brings:
            require_whole(connection, row)
            raise KeyUnknown(f"key {key_text(request.author)} is none of this log's")
        request.require_signed(digest, log=terms.log)
        if known is not None and not records and known.ended is not None:
            raise KeyUnknown(f"key {key_text(known.key)} was ended by entry {known.ended}")
        if known is not None and records and not brings:
            _require_fresh(connection, row, known, request, terms, log)
    return Admitted(row.operator_id, facility_id)


def _require_fresh(
    connection: Connection,
    row: FacilityRow,
    author: LogKey,
    request: SignedRequest,
    terms: FacilityTerms,
    log: Log,
) -> None:
    """Refuse headers that can become no entry: neither what comes next, nor what came last."""
    again = request.after == author.before and author.last_entry != author.entry
    if not again:
        require_whole(connection, row)
    if author.ended is not None and not again:
        raise KeyUnknown(f"key {key_text(author.key)} was ended by entry {author.ended}")
    if request.after != author.last and not again:
        raise after_refused(connection, author, terms, log)


def record_signed(
    log: Log, signed: SignedBody, told: SignedEvents, *, named_now: AskNamed
) -> Recorded:
    """Record a request that was signed: an entry whatever became of its events.

    The same request again gets the same receipt.
    Raises:  SignatureRefused, KeyUnknown, KeyForbidden, AfterRefused with the receipt that its
             author lacks, InvalidInput of what is said of a key, NotFound, ChainUnavailable,
             DatabaseUnavailable, LogBehind; then nothing is recorded.
    """
    with reading(log.engine) as connection:
        row = known_facility_row(connection, signed.facility_id)
        terms = terms_from_bytes(row.terms_json)
        keys = keys_of(connection, terms)
        before = _known_before(connection, keys, signed, terms, log)
    if before is None:
        _log_key(keys, signed, log)
    signed.request.require_signed(content_digest(signed.body), log=terms.log)
    read = [read_item(i, e, told.broken.get(i)) for i, e in enumerate(told.events)]
    if before is not None:
        return Recorded(before, _repeated(read, before))
    named = _ledger_key_named(keys, signed, terms, named_now)
    if named is not None and named.head_s + _STALE_S < log.clock():
        message = "the node is far behind: whom the operator names on-chain now, nobody knows"
        raise ChainUnavailable(message)

    def record(connection: Connection) -> Done:
        locked = lock_facility(connection, signed.facility_id)
        now_keys = keys_of(connection, terms)
        before = _known_before(connection, now_keys, signed, terms, log)
        if before is not None:
            return Done(before, _repeated(read, before))
        require_whole(connection, locked)
        key = _log_key(now_keys, signed, log)
        receipting = partial(receipt_of, key=key)
        recorder = Recorder(connection, locked, terms, signed, now_keys, log, receipting)
        return recorder.record(read, told.events, named=named)

    done = write(log.engine, record, clashes=(IntegrityError,))
    if done.batch is not None:
        done.batch.keep_in(log.kept)
    # Only now it is durable.
    return Recorded(done.receipt, done.results)


def _log_key(keys: LogKeys, signed: SignedBody, log: Log) -> Ed25519PrivateKey:
    """The key that signs the receipt of a request: the log's own; where that is lost, of the entry
    that names its successor that one, which has to be here, and the newest that is here of one
    by which the ledger key brings itself, to name it next.

    Raises:  Misconfigured; KeyForbidden of a successor that is not to be.
    """
    present = None if keys.log is None else log.ring.of(keys.log.key)
    if signed.kind is EntryKind.SUCCESSOR:
        new = log.ring.of(read_key_body(signed.body, signed.kind).key)
        if new is None:
            raise KeyForbidden("this service has not that key: name one that it has")
        author = keys.get(signed.request.author)
        if present is not None and author is not None and author.role is KeyRole.LEDGER:
            message = "this service has the log's key, which names its successor by itself"
            raise KeyForbidden(f"{message}: `rentroll log rotate-key {signed.facility_id}`")
        return present or new
    if present is None and signed.kind is EntryKind.KEY:
        said = read_key_body(signed.body, signed.kind)
        if said.role is KeyRole.LEDGER and keys.log is not None:
            return next(iter(log.ring.held().values()))
    if present is None:
        raise Misconfigured(NO_KEY, facility_id=signed.facility_id)
    return present


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
    newest = receipt_at(connection, author, terms, log)
    if newest is None or newest.entry.author != author.key or newest.entry.kind is not signed.kind:
        return None
    same = body_hash(signed.body, blind=newest.blind) == newest.entry.body
    return newest if same else None


def _repeated(read: Sequence[Item | EventResult], receipt: Receipt) -> list[EventResult]:
    """The answers that a request got, to whoever sends it again."""
    if receipt.entry.kind is not EntryKind.BATCH:
        return []
    results = []
    for each, answer in zip(read, receipt.answers, strict=True):
        if isinstance(each, Item):
            results.append(each.answered(answer))
        else:
            results.append(each)
    return results
