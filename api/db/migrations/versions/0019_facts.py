"""a log of entries and facts, and leases by versions of their terms"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.base import metadata
from api.errors import InvalidInput

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# In the order in which they can be dropped; none holds a row without a facility.
_OLD = (
    *("outages", "usage_voids", "usage_records", "event_conflicts", "meter_events"),
    *("price_versions", "leases", "superseded_statements", "attestations", "statement_lines"),
    *("statement_trees", "statements", "epoch_reopenings"),
)


def upgrade() -> None:
    """Make the tables anew. What was billed by the rules of before has no other form."""
    connection = op.get_bind()
    tables = set(sa.inspect(connection).get_table_names())
    if "usage_records" not in tables:
        return
    if connection.execute(sa.text("SELECT 1 FROM facilities LIMIT 1")).first() is not None:
        raise InvalidInput(
            "this database has facilities that were billed by the rules of before: late usage did"
            " not lower a shortfall, and prices had no versions. Keep it with the version that made"
            " it until their closings, and begin with an empty one for new facilities"
        )
    for name in _OLD:
        if name in tables:
            op.drop_table(name)
    columns = {column["name"] for column in sa.inspect(connection).get_columns("facilities")}
    for name in {"log_size", "longest_s"} - columns:
        op.add_column("facilities", sa.Column(name, sa.BigInteger, nullable=False))
    metadata.create_all(connection)
