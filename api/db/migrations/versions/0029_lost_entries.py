"""entries that a log lost with an older copy of its database"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.columns import INT64
from api.db.tables.lost import lost_entries

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room; on an empty database the first migration has made it already."""
    lost_entries.create(op.get_bind(), checkfirst=True)
    inspector = sa.inspect(op.get_bind())
    if "log_due" not in {column["name"] for column in inspector.get_columns("facilities")}:
        op.add_column("facilities", sa.Column("log_due", INT64, nullable=False, server_default="0"))
