"""cards that take the place of others"""

from alembic import op

from api.db.tables.replacements import replacement_signatures, replacements

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; on an empty database the first migration has made them already."""
    replacements.create(op.get_bind(), checkfirst=True)
    replacement_signatures.create(op.get_bind(), checkfirst=True)
