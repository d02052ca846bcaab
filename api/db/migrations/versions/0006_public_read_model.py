"""indexes of the public read model; the chain index is rebuilt with batches in parts"""

from alembic import op
from sqlalchemy import delete

from api.db.tables.chain import chain_blocks, chain_events

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the indexes and forget what was indexed: the worker reads the chain again."""
    bind = op.get_bind()
    for index in chain_events.indexes:
        index.create(bind, checkfirst=True)
    bind.execute(delete(chain_events))
    bind.execute(delete(chain_blocks))
