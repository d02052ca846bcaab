"""devices name their cards, so that a card and its slices are known to be one silicon"""

import sqlalchemy as sa
from alembic import op

from api.domain.devices import check_device, is_slice
from api.errors import DeviceNameRefused, InvalidInput

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_INDEX = "ix_devices_card_uuid"


def upgrade() -> None:
    """Add the card of each device. Whole cards are their own; of what slices no card is known."""
    bind = op.get_bind()
    columns = {column["name"] for column in sa.inspect(bind).get_columns("devices")}
    if "card_uuid" not in columns:
        for row in bind.execute(sa.text("SELECT uuid FROM devices")):
            _require_card(row.uuid)
        for name, kind in (("card", sa.LargeBinary(32)), ("card_uuid", sa.String(96))):
            empty = sa.text("''")
            op.add_column("devices", sa.Column(name, kind, nullable=False, server_default=empty))
        op.execute("UPDATE devices SET card = device, card_uuid = uuid")
    if _INDEX not in {index["name"] for index in sa.inspect(bind).get_indexes("devices")}:
        op.create_index(_INDEX, "devices", ["card_uuid"])


def _require_card(name: str) -> None:
    try:
        card = not is_slice(check_device(name))
    except DeviceNameRefused:
        card = False
    if not card:
        raise InvalidInput(
            f"this database has {name[:100]!r} for a device, of which no card is known: keep it"
            " with the version that made it, and begin with an empty one"
        )
