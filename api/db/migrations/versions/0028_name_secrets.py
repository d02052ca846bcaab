"""a name secret for each facility, from which the secrets of its leases and renters follow"""

import secrets

import sqlalchemy as sa
from alembic import op

from api.errors import InvalidInput

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Take a name secret in place of the salt. Names of before are hashed with the salt for ever,
    which attesters were given: nothing that follows from it would be a secret."""
    connection = op.get_bind()
    columns = {column["name"] for column in sa.inspect(connection).get_columns("facilities")}
    if "salt" not in columns:
        return
    if connection.execute(sa.text("SELECT 1 FROM leases LIMIT 1")).first() is not None:
        raise InvalidInput(
            "this database has leases of before each had a secret of its own: their evidence names"
            " them by one salt, which attesters know. Keep it with the version that made it until"
            " their closings, and begin with an empty one for new facilities"
        )
    op.execute("ALTER TABLE facilities RENAME COLUMN salt TO name_secret")
    anew = sa.text("UPDATE facilities SET name_secret = :secret WHERE facility_id = :facility_id")
    known = connection.execute(sa.text("SELECT facility_id FROM facilities")).scalars().all()
    for facility_id in known:
        values = {"secret": secrets.token_bytes(32), "facility_id": facility_id}
        connection.execute(anew, values)
