"""attesters sign pledges before funding"""

from alembic import op

from api.db.tables.pledges import pledge_signatures

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; on an empty database the first migration has made it already."""
    pledge_signatures.create(op.get_bind(), checkfirst=True)
