"""bills that were issued"""

from alembic import op

from api.db.tables.bills import bills

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    bills.create(op.get_bind(), checkfirst=True)
