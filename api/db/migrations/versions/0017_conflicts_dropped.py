"""operators count the conflicts that are no longer kept"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import inspect

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `conflicts_dropped`; the next conflict of an operator drops what is too much."""
    if "conflicts_dropped" in {
        column["name"] for column in inspect(op.get_bind()).get_columns("operators")
    }:
        return
    op.add_column(
        "operators",
        sa.Column("conflicts_dropped", sa.BigInteger, nullable=False, server_default="0"),
    )
