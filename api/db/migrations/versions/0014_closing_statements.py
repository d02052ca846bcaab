"""closing statements, and availability that changes later"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.columns import INT64
from api.errors import InvalidInput

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns. Terms without a seal, and what was stated under them, have no other form."""
    connection = op.get_bind()
    columns = {column["name"] for column in sa.inspect(connection).get_columns("statements")}
    if "closing" in columns:
        return
    if connection.execute(sa.text("SELECT 1 FROM facilities LIMIT 1")).first() is not None:
        raise InvalidInput(
            "this database has facilities without a seal, for contracts of before: keep it with the"
            " version that made it, and begin with an empty one"
        )
    op.add_column("statements", sa.Column("closing", sa.Boolean(), nullable=False))
    op.add_column("statements", sa.Column("available_adjustment", INT64, nullable=False))
