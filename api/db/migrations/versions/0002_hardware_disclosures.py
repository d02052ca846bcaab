"""hardware disclosures"""

from alembic import op

from api.db.tables.facilities import hardware_disclosures

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; on an empty database the first migration has made it already."""
    hardware_disclosures.create(op.get_bind(), checkfirst=True)
