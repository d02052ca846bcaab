"""reopenings and superseded statements"""

from alembic import op

from api.db.tables.history import epoch_reopenings, superseded_statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what is not there: on an empty database the first migration may have made it."""
    for table in (epoch_reopenings, superseded_statements):
        table.create(op.get_bind(), checkfirst=True)
