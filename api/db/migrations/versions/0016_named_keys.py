"""API keys have ids, names, scopes and an end, and every change of one is kept"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from api.access.key_text import old_id
from api.access.keys import UNKNOWN
from api.access.scopes import SCOPES, Role, to_db_scopes
from api.db.tables.access import api_key_changes, api_keys
from api.domain.units import Bytes32

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_FIRST = "first"
_MARKS = {"operator": "op", "attester": "at"}


def upgrade() -> None:
    """Keys of before go on: an operator's as `first`, an attester's under its label.

    Each gets all scopes of its role. The table is made anew, because its primary key changes.
    """
    connection = op.get_bind()
    columns = {column["name"] for column in sa.inspect(connection).get_columns("api_keys")}
    if "key_id" not in columns:
        query = sa.text("SELECT * FROM api_keys ORDER BY created_at_s, label, key_hash")
        before = connection.execute(query).all()
        op.drop_table("api_keys")
        api_keys.create(connection)
        api_key_changes.create(connection)
        taken: set[tuple[str, int | None, str]] = set()
        for row in before:
            key_hash = Bytes32(bytes(row.key_hash))
            key = {
                "key_id": old_id(mark=_MARKS[row.role], key_hash=key_hash),
                "key_hash": key_hash,
                "role": row.role,
                "operator_id": row.operator_id,
                "name": _free_name(row, taken),
                "scopes": to_db_scopes(SCOPES[Role(row.role)]),
                "created_at_s": row.created_at_s,
                "revoked_at_s": row.revoked_at_s,
            }
            connection.execute(sa.insert(api_keys).values(key))
            made = {"key_id": key["key_id"], "change": "created"}
            made |= {"actor": UNKNOWN, "at_s": row.created_at_s}
            connection.execute(sa.insert(api_key_changes).values(made))
    api_key_changes.create(connection, checkfirst=True)


def _free_name(row: sa.Row[*tuple[Any, ...]], taken: set[tuple[str, int | None, str]]) -> str:
    """The name of a key of before: labels were no names, and could be given twice."""
    name = _FIRST if row.operator_id is not None else row.label.strip()[:70] or _FIRST
    number, free = 1, name
    while (row.role, row.operator_id, free) in taken:
        number += 1
        free = f"{name} {number}"
    taken.add((row.role, row.operator_id, free))
    return free
