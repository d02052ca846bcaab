"""Keys and their changes, as they are shown to those who manage them."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select, true

from api.access.key_book import Account, of_account
from api.access.keys import works_at
from api.db.rows import columns_of, rows_as
from api.db.tables.access import ApiKeyRow, api_key_changes, api_keys
from api.domain.units import KeyId, OperatorId


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key with who made it."""

    row: ApiKeyRow
    created_by: str


def list_keys(
    connection: Connection,
    account: Account | None,
    *,
    ended: bool,
    now_s: int,
    offset: int,
    limit: int,
) -> tuple[int, list[ListedKey]]:
    """Number of keys, and a page of them, newest first; those that ended only if asked for."""
    wanted = (of_account(account), true() if ended else works_at(now_s))
    total = connection.execute(select(func.count()).select_from(api_keys).where(*wanted))
    query = (
        select(*columns_of(ApiKeyRow))
        .where(*wanted)
        .order_by(api_keys.c.created_at_s.desc(), api_keys.c.key_id)
        .offset(offset)
        .limit(limit)
    )
    rows = rows_as(ApiKeyRow, connection.execute(query))
    makers = select(api_key_changes.c.key_id, api_key_changes.c.actor).where(
        api_key_changes.c.change == "created",
        api_key_changes.c.key_id.in_([row.key_id for row in rows]),
    )
    actors = {made.key_id: made.actor for made in connection.execute(makers)}
    return total.scalar_one(), [ListedKey(row, actors[row.key_id]) for row in rows]


@dataclass(frozen=True, slots=True)
class KeyChange:
    """Who did what to which key, and when. `ends_at_s`: when the key stops, as said then."""

    key_id: KeyId
    name: str
    role: str
    operator_id: OperatorId | None
    attester: str | None
    change: str
    actor: str
    at_s: int
    ends_at_s: int | None


def list_changes(
    connection: Connection, account: Account | None, *, offset: int, limit: int
) -> tuple[int, list[KeyChange]]:
    """Number of changes of an account's keys, and a page of them, newest first."""
    joined = api_key_changes.join(api_keys)
    total = connection.execute(select(func.count()).select_from(joined).where(of_account(account)))
    changes = api_key_changes.c
    query = (
        select(
            changes.key_id,
            api_keys.c.name,
            api_keys.c.role,
            api_keys.c.operator_id,
            api_keys.c.attester,
            changes.change,
            changes.actor,
            changes.at_s,
            changes.ends_at_s,
        )
        .select_from(joined)
        .where(of_account(account))
        .order_by(changes.change_id.desc())
        .offset(offset)
        .limit(limit)
    )
    return total.scalar_one(), rows_as(KeyChange, connection.execute(query))


def expiring_keys(connection: Connection, *, now_s: int, until_s: int) -> list[ApiKeyRow]:
    """Keys that work, were not rotated and will expire by then, the next one first."""
    query = (
        select(*columns_of(ApiKeyRow))
        .where(works_at(now_s), api_keys.c.revoked_at_s.is_(None))
        .where(api_keys.c.expires_at_s <= until_s)
        .order_by(api_keys.c.expires_at_s)
    )
    return rows_as(ApiKeyRow, connection.execute(query))
