"""an operator takes back a replacement that it asked for"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `withdrawn_at_s`: of what was asked for before, nothing is taken back."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("replacements")}
    if "withdrawn_at_s" not in columns:
        op.add_column("replacements", sa.Column("withdrawn_at_s", sa.BigInteger))
