"""indexed postings name their statement's hash in a column"""

import json

from alembic import op
from sqlalchemy import Column, inspect, select, update

from api.db.tables.chain import chain_events

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and fill it from what was indexed."""
    bind, column = op.get_bind(), chain_events.c.statement_hash
    if column.name not in {found["name"] for found in inspect(bind).get_columns("chain_events")}:
        op.add_column("chain_events", Column(column.name, column.type))
    key = tuple(chain_events.primary_key.columns)
    posted = select(*key, chain_events.c.payload).where(
        chain_events.c.event == "StatementPosted", column.is_(None)
    )
    for row in bind.execute(posted).all():
        where = [mine == row._mapping[mine] for mine in key]
        found = bytes.fromhex(json.loads(row.payload)["statementHash"][2:])
        bind.execute(update(chain_events).where(*where).values(statement_hash=found))
