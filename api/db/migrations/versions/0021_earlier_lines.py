"""lines that put earlier time right are found by that time"""

import sqlalchemy as sa
from alembic import op

from api.db.tables.statements import statement_lines

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_INDEX = "ix_statement_lines_earlier"


def upgrade() -> None:
    """Add the index; it holds few of the lines."""
    bind = op.get_bind()
    known = {index["name"] for index in sa.inspect(bind).get_indexes("statement_lines")}
    if _INDEX not in known:
        [index] = [index for index in statement_lines.indexes if index.name == _INDEX]
        index.create(bind)
