"""facilities learn when their offer expires"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import inspect

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `expires_at_s`; what was registered before can be funded as late as it could."""
    if "expires_at_s" in {
        column["name"] for column in inspect(op.get_bind()).get_columns("facilities")
    }:
        return
    op.add_column(
        "facilities", sa.Column("expires_at_s", sa.BigInteger, nullable=False, server_default="0")
    )
    # Three days: what the contracts allowed a sale before offers named their own end.
    op.execute("UPDATE facilities SET expires_at_s = window_start_s + 259200")
