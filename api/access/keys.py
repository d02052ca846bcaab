"""API keys as they are used: whose a key is, what it may do, when it was used last."""

import hmac
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Engine, and_, or_, select, update
from sqlalchemy.exc import OperationalError

from api.access.key_text import begins_like_ours, id_of
from api.access.scopes import SCOPES, Role, Scope, from_db_scopes
from api.db.rows import columns_of, first_as
from api.db.session import reading, transaction
from api.db.tables.access import ApiKeyRow, api_keys
from api.domain.hashing import sha256
from api.domain.units import KeyId, OperatorId
from api.errors import ScopeMissing, Unauthorized

# A use is written down only if the one that is written is this old.
USE_PAUSE_S = 60
# Actors that are neither a key nor a wallet.
ADMIN_SETTING, COMMAND_LINE, UNKNOWN = "setting", "command line", "unknown"


class KeyState(StrEnum):
    """What a key is by now. `ending` ones work, and have a last second."""

    LIVE = "live"
    ENDING = "ending"
    EXPIRED = "expired"
    REVOKED = "revoked"


def state_of(key: ApiKeyRow, now_s: int) -> KeyState:
    """State of a key: the one rule by which it works or does not. Intervals are half-open."""
    if key.revoked_at_s is not None and key.revoked_at_s <= now_s:
        return KeyState.REVOKED
    if key.expires_at_s is not None and key.expires_at_s <= now_s:
        return KeyState.EXPIRED
    return KeyState.LIVE if key.revoked_at_s is None else KeyState.ENDING


def works_at(now_s: int) -> ColumnElement[bool]:
    """The same rule for the database: keys that work."""
    end, expiry = api_keys.c.revoked_at_s, api_keys.c.expires_at_s
    return and_(or_(end.is_(None), end > now_s), or_(expiry.is_(None), expiry > now_s))


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling and what it may do.

    operator_id: None unless the role is operator.
    attester: account that an attester's key speaks for; None of other roles, and of a key that was
    made before keys named one.
    actor: for the record of changes: the key's id, the wallet's address, or `setting`.
    """

    role: Role
    operator_id: OperatorId | None
    scopes: frozenset[Scope]
    actor: str
    attester: str | None = None

    def require(self, scope: Scope) -> None:
        """Raises ScopeMissing."""
        if scope not in self.scopes:
            raise ScopeMissing(f"this key lacks the scope {scope}", scope=scope.value)

    def require_all(self, scopes: Collection[Scope]) -> None:
        """Raises ScopeMissing for the first scope that is missing."""
        for scope in sorted(scopes):
            self.require(scope)


class KeyUses:
    """Writes down when a key was used last, at most once a minute, beside the request.

    A thread of its own does it: on SQLite a write may have to wait for another one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._thread: ThreadPoolExecutor | None = None
        self._noted: dict[KeyId, int] = {}

    def note(self, key: ApiKeyRow, now_s: int) -> None:
        """A key was used."""
        last_s = max(key.last_used_s or 0, self._noted.get(key.key_id, 0))
        # A use in the future was noted by a clock that was wrong: it is put right.
        if last_s + USE_PAUSE_S <= now_s or last_s > now_s + USE_PAUSE_S:
            self._noted[key.key_id] = now_s
            self._thread = self._thread or ThreadPoolExecutor(1, "key-uses")
            self._thread.submit(self._write, key.key_id, now_s)

    def _write(self, key_id: KeyId, now_s: int) -> None:
        column = api_keys.c.last_used_s
        # Another process may have been first.
        stale = or_(column.is_(None), column <= now_s - USE_PAUSE_S, column > now_s + USE_PAUSE_S)
        change = update(api_keys).where(api_keys.c.key_id == key_id, stale)
        # A database that takes no writes now may do so in a minute; the request does not care.
        with suppress(OperationalError), transaction(self._engine) as connection:
            connection.execute(change.values(last_used_s=now_s))

    def close(self) -> None:
        """Return when all that was noted is written."""
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.shutdown()


def _refused(reason: str, sentence: str) -> Unauthorized:
    return Unauthorized(sentence, reason=reason)


def caller_of_key(
    engine: Engine, uses: KeyUses, *, text: str, admin_key: str | None, now_s: int
) -> Caller:
    """Who sends a key: one of the database, or the admin's of the settings, which may all.

    Asked for every request, so a revocation holds from the next one on, in every process.
    Raises:  Unauthorized; `reason` is mistyped, unknown, expired or revoked.
    """
    if admin_key is not None and hmac.compare_digest(text.encode(), admin_key.encode()):
        return Caller(Role.ADMIN, None, SCOPES[Role.ADMIN], ADMIN_SETTING)
    key_id = id_of(text)
    if key_id is None and begins_like_ours(text):
        raise _refused("mistyped", "the API key was cut or mistyped: its checksum is wrong")
    query = select(*columns_of(ApiKeyRow)).where(api_keys.c.key_id == key_id)
    with reading(engine) as connection:
        key = None if key_id is None else first_as(ApiKeyRow, connection.execute(query))
    # The id is no secret. What is, is compared as a hash and in constant time.
    if key is None or not hmac.compare_digest(key.key_hash, sha256(text.encode())):
        raise _refused("unknown", "the API key is unknown")
    state = state_of(key, now_s)
    if state in (KeyState.EXPIRED, KeyState.REVOKED):
        raise _refused(state.value, f"the API key {key.key_id} is {state}")
    uses.note(key, now_s)
    scopes = from_db_scopes(key.scopes)
    return Caller(Role(key.role), key.operator_id, scopes, key.key_id, key.attester)
