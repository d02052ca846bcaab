"""A log gets back entries that it lost, as they were, from whoever has their receipts and bodies.

An entry counts as lost if the log's own key signed it, or if one that counts names its hash. They
come in any order: those that are ahead wait. Each is appended in a transaction of its own, judged
anew, and only if it comes to the same 197 bytes; until the log has all, nothing new is written.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, Engine

from api.db import lost as store
from api.db.facilities import facility_row, lock_facility
from api.db.log import logged_at
from api.db.session import reading, write
from api.db.tables.facilities import FacilityRow
from api.db.tables.lost import LostRow, LostState
from api.domain.facility import FacilityTerms
from api.domain.json_text import canonical_line
from api.domain.log.entry import Entry, decode_entry, encode_entry, entry_hash
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import Receipt, SignedEntry, signed_entry_document, signed_entry_of
from api.domain.log.requests import request_document
from api.domain.log.signers import LogSigner, LogSigners, signers_of
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId, OperatorId
from api.errors import (
    AppError,
    EntryRefused,
    EvidenceInvalid,
    LogForked,
    RecordsDamaged,
    SignatureRefused,
)
from api.evidence_store import EvidenceFolder
from api.ledger.appending import advance, fork_those_behind
from api.ledger.behind import missing_of
from api.ledger.recorder import Log, keys_of

# What waits for entries before it. What is beyond is noted, and can be shown again.
MOST_HELD, MOST_HELD_BYTES, MOST_NOTED = 20_000, 64 << 20, 100_000


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry that somebody shows.

    signature: of the log's key over it; None: another one names its hash.
    logged: with what stands behind its hashes; None: it tells how far the log has to come.
    """

    entry: Entry
    signature: bytes | None = None
    logged: LoggedEntry | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a log stands after something was shown.

    state: of what was shown: known, restored, held, or noted without its body.
    refused: why the next entry could not be appended, if it could not.
    """

    state: str
    size: int
    due: int
    missing: Sequence[tuple[int, int]]
    refused: str | None = None


def show(log: Log, facility_id: FacilityId, shown: Shown, evidence: EvidenceFolder) -> Standing:
    """Take an entry that somebody shows, and append whatever comes next by it.

    Args:    evidence: of what was closed too early, which is taken back unless it was signed.
    Raises:  EvidenceInvalid, EntryRefused, LogForked, NotFound, DatabaseUnavailable.
    """
    if shown.logged is not None:
        shown.logged.require_whole()
    taken = write(log.engine, partial(_take, log, facility_id, shown))
    if isinstance(taken, AppError):
        raise taken
    advance(log, facility_id, evidence)
    return write(log.engine, partial(_standing, facility_id, entry_hash(shown.entry), taken))


def give_up(engine: Engine, facility_id: FacilityId) -> int:
    """Give up what the log lost, for ever: receipts of it are of a fork from here on.

    Returns: how many entries that were shown are given up.
    """

    def work(connection: Connection) -> int:
        lock_facility(connection, facility_id)
        rows = store.rows_of_numbers(connection, facility_id, after=0)
        hashes = [row.entry_hash for row in rows]
        store.set_lost_state(connection, facility_id, hashes, LostState.GIVEN_UP)
        store.set_log_due(connection, facility_id, 0)
        return len(hashes)

    return write(engine, work)


def admit(log: Log, receipt: Receipt) -> OperatorId:
    """Whose log a receipt is of, once its log's key is seen to have signed it: a stranger's body
    costs nobody anything. Raises SignatureRefused."""
    facility_id = receipt.entry.log.facility_id
    with reading(log.engine) as connection:
        row = facility_row(connection, facility_id)
        terms = None if row is None else terms_from_bytes(row.terms_json)
        if row is None or terms is None or terms.log != receipt.entry.log:
            raise SignatureRefused(f"{receipt.where}: that is no log of ours")
        signers = signers_of(keys_of(connection, terms))
    try:
        receipt.require_answers()
        _require_ours(log, signers, receipt.entry, receipt.signature, where=receipt.where)
    except EvidenceInvalid as error:
        raise SignatureRefused(error.message) from error
    return row.operator_id


# --- what is shown ------------------------------------------------------------------------------


def _take(
    log: Log, facility_id: FacilityId, shown: Shown, connection: Connection
) -> str | AppError:
    """Note what is shown. What is wrong is returned, so that a fork is kept all the same."""
    row = lock_facility(connection, facility_id)
    terms, entry = terms_from_bytes(row.terms_json), shown.entry
    if entry.log != terms.log:
        return EntryRefused(f"it is of log {entry.log}, not of {terms.log}")
    ended = None
    if shown.signature is not None:
        signers = signers_of(keys_of(connection, terms))
        where = SignedEntry(entry, shown.signature).where
        ended = _require_ours(log, signers, entry, shown.signature, where=where)
    hashed = entry_hash(entry)
    if entry.number <= row.log_size:
        there = store.logged_hash(connection, facility_id, entry.number)
        if there is None or there == hashed:
            # None: its month is detached, and nothing of it is missing.
            return "known"
        return _fork(connection, log, row, terms, shown, at=entry.number)
    if ended is not None:
        # Behind the end of the key that signed it: no log has it that has that end.
        return _fork(connection, log, row, terms, shown, at=ended)
    known = store.lost_row(connection, facility_id, hashed)
    if known is not None and known.state == LostState.GIVEN_UP.value:
        message = f"entry {entry.number} was given up by the service: the receipt proves a fork"
        return EntryRefused(message, reason="given_up", number=entry.number)
    if entry.number == row.log_size + 1:
        behind_fork = entry.previous != row.log_head
    else:
        before = store.lost_row(connection, facility_id, entry.previous)
        behind_fork = before is not None and before.state == LostState.FORK.value
    if behind_fork:
        return _fork(connection, log, row, terms, shown, at=entry.number - 1)
    rival = store.held_row(connection, facility_id, entry.number)
    if rival is not None and rival.entry_hash != hashed:
        if shown.logged is None or rival.body is not None:
            return _fork(connection, log, row, terms, shown, at=entry.number)
        # Of two that the log's key signed, the one that somebody has whole is the log's.
        store.set_lost_state(connection, facility_id, [rival.entry_hash], LostState.FORK)
    if not _counts(connection, facility_id, shown, hashed):
        message = (
            f"entry {entry.number}: the log's key did not sign it, and no entry that it signed"
            " names its hash: show those behind it first"
        )
        return EntryRefused(message, reason="not_named", number=entry.number)
    return _hold(log, connection, row, shown, known)


def _require_ours(
    log: Log, signers: LogSigners, entry: Entry, signature: bytes, *, where: str
) -> int | None:
    """Refuse what no key of the log signed. A key that is here, and that the log does not know,
    is one that it lost the entry of.

    Returns: the entry that ended the key that signed, where this one is behind it.
    Raises:  EvidenceInvalid.
    """
    signer = signers.signer_of(entry, signature)
    if signer is None:
        held = LogSigners(tuple(LogSigner(Bytes32(key)) for key in log.ring.held()))
        held.require_signer(entry, signature, where=where)
        return None
    return None if signer.signs(entry.number) else signer.until


def _counts(connection: Connection, facility_id: FacilityId, shown: Shown, hashed: Bytes32) -> bool:
    """Whether the log had an entry: its key signed it, or one that counts names it."""
    if shown.signature is not None or store.lost_row(connection, facility_id, hashed) is not None:
        return True
    following = store.held_row(connection, facility_id, shown.entry.number + 1)
    return bool(following and following.entry and decode_entry(following.entry).previous == hashed)


def _hold(
    log: Log, connection: Connection, row: FacilityRow, shown: Shown, known: LostRow | None
) -> str:
    logged = shown.logged
    count, size = store.held_size(connection, row.facility_id)
    next_one = shown.entry.number == row.log_size + 1
    if logged is not None and not next_one:
        full = count >= MOST_HELD or size + len(logged.packed) > MOST_HELD_BYTES
        logged = None if full else logged
    held = known is not None and known.state == LostState.HELD.value
    if not held or (known is not None and known.body is None and logged is not None):
        kept = _row(row.facility_id, replace(shown, logged=logged), at_s=log.clock())
        if known is not None and kept.signature is None:
            kept = replace(kept, signature=known.signature)
        if count < MOST_NOTED or next_one:
            store.keep_lost(connection, kept)
    due = max(row.log_due, shown.entry.number)
    store.set_log_due(connection, row.facility_id, due)
    return "noted" if logged is None else "held"


def _row(facility_id: FacilityId, shown: Shown, *, at_s: int) -> LostRow:
    logged = shown.logged
    request = None if logged is None else logged.request
    return LostRow(
        facility_id=facility_id,
        entry_hash=entry_hash(shown.entry),
        number=shown.entry.number,
        state=LostState.HELD.value,
        entry=encode_entry(shown.entry),
        signature=shown.signature,
        blind=None if logged is None else logged.blind,
        answers=None if logged is None else logged.answers,
        body=None if logged is None else logged.packed,
        request=None if request is None else canonical_line(request_document(request)),
        refused=None,
        shown_at_s=at_s,
    )


def _fork(
    connection: Connection,
    log: Log,
    row: FacilityRow,
    terms: FacilityTerms,
    shown: Shown,
    *,
    at: int,
) -> AppError:
    """Keep an entry that the log's key signed beside another one; what nobody signed is refused."""
    if shown.signature is None:
        message = f"entry {shown.entry.number}: the log has another one, and nobody signed this"
        return EntryRefused(message, reason="not_named", number=shown.entry.number)
    kept = _row(row.facility_id, replace(shown, logged=None), at_s=log.clock())
    store.keep_lost(connection, replace(kept, state=LostState.FORK.value))
    fork_those_behind(connection, row, [kept.entry_hash])
    return _forked(log, connection, row, terms, shown, at=at)


def _forked(
    log: Log,
    connection: Connection,
    row: FacilityRow,
    terms: FacilityTerms,
    shown: Shown,
    *,
    at: int,
) -> LogForked:
    assert shown.signature is not None  # else nothing is proven
    context: dict[str, object] = {
        "number": shown.entry.number,
        "shown": signed_entry_document(SignedEntry(shown.entry, shown.signature)),
    }
    try:
        ours = logged_at(connection, terms.log, min(at, row.log_size)) if row.log_size else None
    except RecordsDamaged:
        ours = None
    if ours is not None:
        key = log.key_for(signers_of(keys_of(connection, terms)), ours.entry.number)
        if key is not None:
            context["ours"] = signed_entry_document(signed_entry_of(ours, key))
    message = (
        f"the log's key signed entry {shown.entry.number}, and the log has another"
        f" {'one' if at == shown.entry.number else f'entry {at}, which it does not name'}: it was"
        " forked. Keep the receipt, and tell attesters and holders"
    )
    return LogForked(message, **context)


def _standing(
    facility_id: FacilityId, hashed: Bytes32, taken: str, connection: Connection
) -> Standing:
    row = lock_facility(connection, facility_id)
    waiting = store.lost_row(connection, facility_id, hashed)
    state = "restored" if taken in ("held", "noted") and waiting is None else taken
    following = store.held_row(connection, facility_id, row.log_size + 1)
    refused = None if following is None else following.refused
    return Standing(state, row.log_size, row.log_due, missing_of(connection, row), refused)
