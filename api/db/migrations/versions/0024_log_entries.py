"""a log of entries, each with the hash of the one before; PostgreSQL: tables by month"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.base import metadata
from api.errors import InvalidInput

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

# In the order in which they can be dropped; none holds a row without a facility.
_ANEW = ("statement_lines", "statement_trees", "attestations", "statements", "facts")


def upgrade() -> None:
    """Make the log anew. What was registered before names no log, and cannot be given one."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "payload" not in {column["name"] for column in inspector.get_columns("meter_events")}:
        return
    if connection.execute(sa.text("SELECT 1 FROM facilities LIMIT 1")).first() is not None:
        raise InvalidInput(
            "this database has facilities of before logs had entries: their terms, which are on"
            " the chain, name no log. Keep it with the version that made it until their closings,"
            " and begin with an empty one for new facilities"
        )
    op.drop_column("meter_events", "payload")
    op.add_column("facilities", sa.Column("log_head", sa.LargeBinary(32), nullable=False))
    for name in _ANEW:
        op.drop_table(name)
    metadata.create_all(connection)
