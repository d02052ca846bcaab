"""delivery lines are found by their lease"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAME = "ix_statement_lines_deliveries"


def upgrade() -> None:
    """Index the few lines that are deliveries: vouchers are served from them."""
    present = sa.inspect(op.get_bind()).get_indexes("statement_lines")
    if _NAME not in {index["name"] for index in present}:
        delivery = sa.text("kind = 1")
        op.create_index(
            _NAME,
            "statement_lines",
            ["facility_id", "lease"],
            sqlite_where=delivery,
            postgresql_where=delivery,
        )
