"""the index keeps logs as they came, and says how it stands; it is read from the chain anew"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.index import chain_logs, index_state

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables. What was indexed before has no logs beside it: the worker reads again."""
    connection = op.get_bind()
    index_state.create(connection, checkfirst=True)
    chain_logs.create(connection, checkfirst=True)
    for name in ("chain_events", "chain_blocks"):
        connection.execute(sa.text(f"DELETE FROM {name}"))  # noqa: S608 - names of ours
