"""What the command line does with operators and keys, in the database of the settings.

By this machine's clock, like keys everywhere: nothing here asks a chain.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from api.access import accounts, key_book, key_list
from api.access.key_book import Account, Maker, NewKey
from api.access.keys import COMMAND_LINE, state_of
from api.access.scopes import SCOPES, Role, Scope
from api.chain.calldata import checksum
from api.clock import system_clock
from api.db.migrate import migrated
from api.db.session import Connection, transaction
from api.db.tables.access import ApiKeyRow
from api.domain.units import OperatorId
from api.errors import InvalidInput
from api.settings import Settings

_HOUSE = Maker(COMMAND_LINE, None)
_EVERYTHING = 1_000_000
Shown = dict[str, object]


@contextmanager
def _book(settings: Settings) -> Iterator[Connection]:
    with migrated(settings.database_url) as engine, transaction(engine) as connection:
        yield connection


def add_operator(settings: Settings, name: str, address: str) -> Shown:
    """Register an operator."""
    with _book(settings) as connection:
        operator_id, key = accounts.add_operator(
            connection,
            name=name,
            address=checksum(address),
            actor=COMMAND_LINE,
            now_s=system_clock(),
        )
    return {"operator_id": operator_id, "name": name, "api_key": key}


def add_attester_key(settings: Settings, label: str, address: str) -> Shown:
    """Make an attester's key, which speaks for an account."""
    attester = checksum(address)
    with _book(settings) as connection:
        key = accounts.add_attester_key(
            connection, name=label, attester=attester, actor=COMMAND_LINE, now_s=system_clock()
        )
    return {"label": label, "attester": attester, "api_key": key}


def _account(role: Role, operator_id: int | None) -> Account:
    return Account(role, None if operator_id is None else OperatorId(operator_id))


def _scopes(role: Role, wanted: Sequence[str]) -> frozenset[Scope]:
    """Scopes by their names; all of the role where none is named. Raises InvalidInput."""
    unknown = sorted(set(wanted) - {scope.value for scope in Scope})
    if unknown:
        raise InvalidInput(f"there is no scope {unknown[0]}", field="scopes")
    return frozenset(map(Scope, wanted)) or SCOPES[role]


def _shown(key: ApiKeyRow, now_s: int) -> Shown:
    return {
        "key_id": key.key_id,
        "name": key.name,
        "role": key.role,
        "operator_id": key.operator_id,
        "attester": key.attester,
        "scopes": key.scopes,
        "state": state_of(key, now_s).value,
        "created_at_s": key.created_at_s,
        "last_used_s": key.last_used_s,
        "expires_at_s": key.expires_at_s,
        "revoked_at_s": key.revoked_at_s,
        "successor_id": key.successor_id,
    }


def list_keys(
    settings: Settings, *, role: Role | None, operator_id: int | None, ended: bool
) -> list[Shown]:
    """Keys of an account, or of everybody."""
    whose = None if role is None else _account(role, operator_id)
    now_s = system_clock()
    with _book(settings) as connection:
        _, keys = key_list.list_keys(
            connection, whose, ended=ended, now_s=now_s, offset=0, limit=_EVERYTHING
        )
    return [_shown(key.row, now_s) | {"created_by": key.created_by} for key in keys]


def list_changes(settings: Settings, *, limit: int) -> list[Shown]:
    """The newest changes of keys."""
    with _book(settings) as connection:
        _, changes = key_list.list_changes(connection, None, offset=0, limit=limit)
    return [
        {
            "at_s": change.at_s,
            "change": change.change,
            "key_id": change.key_id,
            "name": change.name,
            "role": change.role,
            "operator_id": change.operator_id,
            "attester": change.attester,
            "actor": change.actor,
            "ends_at_s": change.ends_at_s,
        }
        for change in changes
    ]


def make_key(
    settings: Settings,
    name: str,
    *,
    role: Role,
    operator_id: int | None,
    attester: str | None,
    scopes: Sequence[str],
    life_s: int | None,
) -> Shown:
    """Make a key; `life_s` None: it has no expiry. attester: whom one of an attester speaks for."""
    now_s = system_clock()
    expires_at_s = None if life_s is None else now_s + life_s
    account = None if attester is None else checksum(attester)
    new = NewKey(_account(role, operator_id), name, _scopes(role, scopes), expires_at_s, account)
    with _book(settings) as connection:
        made = key_book.make_key(connection, new, by=_HOUSE, now_s=now_s)
    return _shown(made.row, now_s) | {"api_key": made.text}


def rotate_key(settings: Settings, key_id: str, *, overlap_s: int) -> Shown:
    """Make a key's successor; the old one works on for the overlap."""
    now_s = system_clock()
    with _book(settings) as connection:
        old, made = key_book.rotate_key(
            connection,
            None,
            key_id,
            overlap_s=overlap_s,
            expires_at_s=None,
            by=_HOUSE,
            now_s=now_s,
        )
    replaced = {"replaces": old.key_id, "replaced_ends_at_s": old.revoked_at_s}
    return _shown(made.row, now_s) | replaced | {"api_key": made.text}


def revoke_key(settings: Settings, key_id: str, *, after_s: int) -> Shown:
    """End a key, now or some seconds from now."""
    now_s = system_clock()
    with _book(settings) as connection:
        key, changed = key_book.revoke_key(
            connection,
            None,
            key_id,
            at_s=now_s + after_s,
            also_last=True,
            by=_HOUSE,
            now_s=now_s,
        )
    return _shown(key, now_s) | {"changed": changed}
