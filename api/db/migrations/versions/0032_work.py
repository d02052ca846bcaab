"""what the worker has to do, a row for a step and a facility"""

from alembic import op

from api.db.tables.base import metadata
from api.db.tables.work import work

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, empty: a worker that starts looks at everything once."""
    metadata.create_all(op.get_bind(), tables=[work])
