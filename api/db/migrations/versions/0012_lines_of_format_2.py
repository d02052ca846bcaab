"""lines of format 2: a subject in place of a device, other kinds"""

import sqlalchemy as sa
from alembic import op

from api.errors import InvalidInput

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INDEX = "ix_statement_lines_deliveries"


def upgrade() -> None:
    """Rename the column and the index of deliveries. A closed statement has no other format."""
    connection = op.get_bind()
    columns = {column["name"] for column in sa.inspect(connection).get_columns("statement_lines")}
    if "subject" in columns:
        return
    if connection.execute(sa.text("SELECT 1 FROM statements LIMIT 1")).first() is not None:
        raise InvalidInput("this database has statements of format 1: begin with an empty one")
    op.drop_index(_INDEX, "statement_lines")
    op.alter_column("statement_lines", "device", new_column_name="subject")
    delivery = sa.text("kind IN (1, 3)")
    op.create_index(
        _INDEX,
        "statement_lines",
        ["facility_id", "lease"],
        sqlite_where=delivery,
        postgresql_where=delivery,
    )
    # Records that wait for their first statement: late usage was 4.
    op.execute("UPDATE usage_records SET kind = 2 WHERE kind = 4")
