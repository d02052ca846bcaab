"""entries that somebody signed, and the keys of logs"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.base import metadata
from api.db.tables.columns import INT64
from api.errors import InvalidInput

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room for signatures. What was stated before names no share of signed entries."""
    connection = op.get_bind()
    inspector = sa.inspect(connection)
    if "log_keys" in inspector.get_table_names():
        return
    if connection.execute(sa.text("SELECT 1 FROM statements LIMIT 1")).first() is not None:
        raise InvalidInput(
            "this database has statements of before entries could be signed: their evidence has"
            " another format. Keep it with the version that made it until their closings, and"
            " begin with an empty one for new facilities"
        )
    op.add_column("log_entries", sa.Column("request", sa.LargeBinary(), nullable=True))
    for name in ("signed_gpu_seconds", "signed_charge", "absolute_charge"):
        op.add_column("statements", sa.Column(name, INT64, nullable=False))
    metadata.create_all(connection)
