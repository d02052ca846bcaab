"""initial schema"""

from alembic import op

from api.db.tables.base import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    metadata.create_all(op.get_bind())
