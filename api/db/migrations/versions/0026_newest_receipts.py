"""receipts of the newest entry of each key"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room; what was signed before is still read from the log."""
    inspector = sa.inspect(op.get_bind())
    if "receipt" not in {column["name"] for column in inspector.get_columns("log_keys")}:
        op.add_column("log_keys", sa.Column("receipt", sa.LargeBinary(), nullable=True))
