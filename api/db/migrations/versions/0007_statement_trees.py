"""the Merkle tree of every statement is stored"""

from alembic import op
from sqlalchemy import select

from api.db.statements import lines_of
from api.db.tables.statements import statement_trees, statements
from api.db.trees import insert_tree
from api.domain.statements.lines import usage_tree

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and store the trees of what is closed: a second for 30,000 lines."""
    bind = op.get_bind()
    statement_trees.create(bind, checkfirst=True)
    query = select(statements.c.facility_id, statements.c.epoch)
    for facility_id, epoch in bind.execute(query).all():
        lines = lines_of(bind, facility_id, epoch)
        insert_tree(bind, facility_id, epoch, usage_tree(facility_id, epoch, lines))
