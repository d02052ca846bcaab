"""an attester's API key names the account that it speaks for"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make room. Nobody knows whose the keys of before are: they name no account, for good."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("api_keys")}
    if "attester" not in columns:
        op.add_column("api_keys", sa.Column("attester", sa.String(42), nullable=True))
