"""indexed events lose a column that no event fills any more"""

from alembic import op
from sqlalchemy import inspect

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop `flag`, which is null in every row: no contract has an event with `member` now."""
    if "flag" in {column["name"] for column in inspect(op.get_bind()).get_columns("chain_events")}:
        # No index, constraint or default names it, so SQLite (3.35 or newer) drops it in place.
        op.drop_column("chain_events", "flag")
