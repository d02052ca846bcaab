"""sessions"""

from alembic import op

from api.db.tables.access import session_nonces, sessions

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what is not there: on an empty database the first migration may have made it."""
    for table in (session_nonces, sessions):
        table.create(op.get_bind(), checkfirst=True)
