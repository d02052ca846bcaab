"""API keys as they are managed: made, rotated, revoked; each change with who and when."""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, func, select, text, true, update

from api.access.key_text import new_key
from api.access.keys import Caller, KeyState, state_of, works_at
from api.access.scopes import Role, Scope, check_scopes, from_db_scopes, to_db_scopes
from api.db.rows import columns_of, first_as, insert_record
from api.db.session import is_sqlite
from api.db.tables.access import ApiKeyRow, NewKeyChange, api_keys
from api.db.tables.facilities import operators
from api.domain.hashing import sha256
from api.domain.units import OperatorId
from api.errors import Conflict, InvalidInput, NotFound

DAY_S = 86_400
DEFAULT_OVERLAP_S, MAX_OVERLAP_S = DAY_S, 30 * DAY_S
# A key that somebody wants to live longer has no expiry.
MAX_LIFE_S = 3_660 * DAY_S
MAX_NAME_CHARS = 80
# Keys of an account that work and are not replaced; all attesters together are one account.
MAX_LIVE_KEYS = {Role.OPERATOR: 50, Role.ATTESTER: 200, Role.ADMIN: 50}
# Ended keys are kept for the record: a loop that makes and revokes must not fill the disk.
MAX_NEW_KEYS_A_DAY = 500


@dataclass(frozen=True, slots=True)
class Account:
    """Whose keys: an operator's, or those of all attesters, or of all admins."""

    role: Role
    operator_id: OperatorId | None

    def __post_init__(self) -> None:
        """Raises InvalidInput unless exactly an operator's keys name an operator."""
        if (self.role is Role.OPERATOR) != (self.operator_id is not None):
            sentence = "operator_id: for keys of operators, and for no others"
            raise InvalidInput(sentence, field="operator_id")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to be made. `expires_at_s` None: it works until it is revoked.

    attester: account that it speaks for, with its EIP-55 checksum; of an attester's key alone, and
    for good.
    """

    account: Account
    name: str
    scopes: Collection[Scope]
    expires_at_s: int | None = None
    attester: str | None = None

    def __post_init__(self) -> None:
        """Raises InvalidInput unless exactly an attester's key names an account."""
        if (self.account.role is Role.ATTESTER) != (self.attester is not None):
            sentence = "attester: the account that a key speaks for, of role attester and no other"
            raise InvalidInput(sentence, field="attester")


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new key. `text` is shown this once and stored as a hash only."""

    row: ApiKeyRow
    text: str


@dataclass(frozen=True, slots=True)
class Maker:
    """Who changes keys. `caller` None may give every scope: the house itself, at its machine."""

    actor: str
    caller: Caller | None

    def require_giving(self, role: Role, scopes: Collection[Scope]) -> None:
        """Nobody gets scopes that it lacks by making a key. Raises ScopeMissing.

        An admin's own scopes say nothing of those of operators and attesters, which it may give.
        """
        if self.caller is not None and self.caller.role is role:
            self.caller.require_all(scopes)


def maker_of(caller: Caller) -> Maker:
    """A caller as one who changes keys."""
    return Maker(caller.actor, caller)


def of_account(account: Account | None) -> ColumnElement[bool]:
    """Keys of an account; None is all of them."""
    if account is None:
        return true()
    if account.operator_id is not None:
        return api_keys.c.operator_id == account.operator_id
    return api_keys.c.role == account.role


def _lock(connection: Connection) -> None:
    # Two changes at once must not both find a name free, or both be the last manager's.
    # SQLite lets one transaction write at a time as it is.
    if not is_sqlite(connection):
        connection.execute(text("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE"))


def _check_name(name: str) -> None:
    # `isprintable` refuses controls, line breaks, characters that turn the direction of text
    # around, and lone surrogates.
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable() or name != name.strip():
        raise InvalidInput(
            f"name: 1 to {MAX_NAME_CHARS} printable characters, no space at either end",
            field="name",
        )


def _check_expiry(expires_at_s: int | None, now_s: int) -> None:
    if expires_at_s is not None and not now_s < expires_at_s <= now_s + MAX_LIFE_S:
        raise InvalidInput("expires_at: after now, within ten years", field="expires_at")


def _require_room(connection: Connection, account: Account, now_s: int) -> None:
    since = api_keys.c.created_at_s > now_s - DAY_S
    count = select(func.count()).select_from(api_keys).where(of_account(account), since)
    if connection.execute(count).scalar_one() >= MAX_NEW_KEYS_A_DAY:
        sentence = f"{MAX_NEW_KEYS_A_DAY} keys were made in a day: wait, or revoke fewer"
        raise Conflict(sentence, reason="too_many_keys")


def _require_free(connection: Connection, new: NewKey, now_s: int) -> None:
    """Raises Conflict if the name is taken or the account has enough keys."""
    held = (of_account(new.account), works_at(now_s), api_keys.c.successor_id.is_(None))
    names = list(connection.execute(select(api_keys.c.name).where(*held)).scalars())
    if new.name in names:
        raise Conflict("a live key has this name", field="name", reason="name_taken")
    most = MAX_LIVE_KEYS[new.account.role]
    if len(names) >= most:
        raise Conflict(f"there are {most} live keys: revoke one first", reason="too_many_keys")


def _insert(connection: Connection, new: NewKey, *, by: Maker, now_s: int) -> MadeKey:
    key_id, key = new_key(new.account.role)
    row = ApiKeyRow(
        key_id=key_id,
        key_hash=sha256(key.encode()),
        role=new.account.role.value,
        operator_id=new.account.operator_id,
        name=new.name,
        scopes=to_db_scopes(new.scopes),
        created_at_s=now_s,
        expires_at_s=new.expires_at_s,
        attester=new.attester,
    )
    insert_record(connection, row)
    insert_record(connection, NewKeyChange(key_id, "created", by.actor, now_s))
    return MadeKey(row, key)


def make_key(connection: Connection, new: NewKey, *, by: Maker, now_s: int) -> MadeKey:
    """Make a key.

    Raises:  InvalidInput naming the field, ScopeMissing, NotFound if there is no such operator,
             Conflict (`name_taken`, `too_many_keys`).
    """
    _check_name(new.name)
    _check_expiry(new.expires_at_s, now_s)
    by.require_giving(new.account.role, check_scopes(new.account.role, new.scopes))
    _lock(connection)
    operator_id = new.account.operator_id
    if operator_id is not None:
        known = select(operators.c.operator_id).where(operators.c.operator_id == operator_id)
        if connection.execute(known).first() is None:
            raise NotFound(f"there is no operator {operator_id}")
    _require_free(connection, new, now_s)
    _require_room(connection, new.account, now_s)
    return _insert(connection, new, by=by, now_s=now_s)


def _find(connection: Connection, account: Account | None, key_id: str) -> ApiKeyRow:
    """A key, under the lock. Another account's is as unknown as none."""
    _lock(connection)
    query = select(*columns_of(ApiKeyRow)).where(of_account(account), api_keys.c.key_id == key_id)
    key = first_as(ApiKeyRow, connection.execute(query))
    if key is None:
        raise NotFound(f"there is no key {key_id}")
    return key


def _end(
    connection: Connection, key: ApiKeyRow, *, change: str, ends_at_s: int, by: Maker, now_s: int
) -> None:
    named = update(api_keys).where(api_keys.c.key_id == key.key_id)
    connection.execute(named.values(revoked_at_s=ends_at_s, successor_id=key.successor_id))
    insert_record(connection, NewKeyChange(key.key_id, change, by.actor, now_s, ends_at_s))


def rotate_key(
    connection: Connection,
    account: Account | None,
    key_id: str,
    *,
    overlap_s: int,
    expires_at_s: int | None,
    by: Maker,
    now_s: int,
) -> tuple[ApiKeyRow, MadeKey]:
    """Make a key's successor, with its name, scopes and account; the old one works on for the
    overlap.

    Args:    account: None looks among all keys.  overlap_s: 0 to MAX_OVERLAP_S.
             expires_at_s: None gives the successor as long a life as the old key got, if any.
    Returns: the old key as it is now, and the new one.
    Raises:  NotFound, InvalidInput, ScopeMissing if `by` lacks a scope of the key,
             Conflict (`key_over`, `key_ending`, `too_many_keys`, `no_account` for an attester's
             key of before, which names none).
    """
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        raise InvalidInput(f"overlap_s: 0 to {MAX_OVERLAP_S}", field="overlap_s")
    old = _find(connection, account, key_id)
    state = state_of(old, now_s)
    if state is not KeyState.LIVE:
        reason = "key_ending" if state is KeyState.ENDING else "key_over"
        raise Conflict(f"the key is {state}: make another one", reason=reason)
    role, scopes = Role(old.role), from_db_scopes(old.scopes)
    if role is Role.ATTESTER and old.attester is None:
        sentence = "the key names no attester's account, nor would its successor: make another one"
        raise Conflict(sentence, reason="no_account")
    by.require_giving(role, scopes)
    if expires_at_s is None and old.expires_at_s is not None:
        expires_at_s = now_s + old.expires_at_s - old.created_at_s
    _check_expiry(expires_at_s, now_s)
    owner = Account(role, old.operator_id)
    _require_room(connection, owner, now_s)
    new = NewKey(owner, old.name, scopes, expires_at_s, old.attester)
    made = _insert(connection, new, by=by, now_s=now_s)
    ended = replace(old, revoked_at_s=now_s + overlap_s, successor_id=made.row.key_id)
    _end(connection, ended, change="rotated", ends_at_s=now_s + overlap_s, by=by, now_s=now_s)
    return ended, made


def revoke_key(
    connection: Connection,
    account: Account | None,
    key_id: str,
    *,
    at_s: int | None,
    also_last: bool,
    by: Maker,
    now_s: int,
) -> tuple[ApiKeyRow, bool]:
    """End a key now, or at a chosen time. An end can be brought forward, never put off.

    Args:    also_last: whether a key may revoke itself if no other of its account manages keys.
    Returns: the key as it is now, and whether anything changed.
    Raises:  NotFound, InvalidInput, Conflict (`last_manager`).
    """
    _check_end(at_s, now_s)
    key = _find(connection, account, key_id)
    ends_at_s = now_s if at_s is None else max(at_s, now_s)
    if key.revoked_at_s is not None and key.revoked_at_s <= ends_at_s:
        return key, False
    if by.actor == key.key_id and not also_last:
        _require_other_manager(connection, key, now_s)
    key = replace(key, revoked_at_s=ends_at_s)
    _end(connection, key, change="revoked", ends_at_s=ends_at_s, by=by, now_s=now_s)
    return key, True


def _check_end(at_s: int | None, now_s: int) -> None:
    if at_s is not None and at_s > now_s + MAX_LIFE_S:
        raise InvalidInput("at: within ten years", field="at")


def _require_other_manager(connection: Connection, key: ApiKeyRow, now_s: int) -> None:
    lasting = (works_at(now_s), api_keys.c.revoked_at_s.is_(None), api_keys.c.key_id != key.key_id)
    account = Account(Role(key.role), key.operator_id)
    others = connection.execute(select(api_keys.c.scopes).where(of_account(account), *lasting))
    if not any(Scope.KEYS_WRITE in from_db_scopes(scopes) for scopes in others.scalars()):
        sentence = "no other live key may manage keys: send `also_last` if you mean it"
        raise Conflict(sentence, reason="last_manager")
