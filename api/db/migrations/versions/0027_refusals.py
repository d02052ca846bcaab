"""what attesters refuse"""

from alembic import op

from api.db.tables.refusals import refusals

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; on an empty database the first migration has made it already."""
    refusals.create(op.get_bind(), checkfirst=True)
