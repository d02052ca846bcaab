"""rejected events and repeats"""

from alembic import op

from api.db.tables.console import event_rejections, event_repeats

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what is not there: on an empty database the first migration may have made it."""
    for table in (event_rejections, event_repeats):
        table.create(op.get_bind(), checkfirst=True)
