"""terms name the attesters' share of the fee"""

import sqlalchemy as sa
from alembic import op

from api.errors import InvalidInput

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No column changes. Terms without the share are of contracts of before."""
    documents = op.get_bind().execute(sa.text("SELECT terms_json FROM facilities"))
    if any(b'"attester_fee_bps"' not in bytes(row.terms_json) for row in documents):
        raise InvalidInput(
            "this database has facilities without a share of the fee for attesters, for contracts"
            " of before: keep it with the version that made it, and begin with an empty one"
        )
