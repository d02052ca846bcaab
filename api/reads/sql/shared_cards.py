"""SQL of cards that several facilities name for the same time."""

from sqlalchemy import Connection, literal, select

from api.db.chain_store import cancelled_facilities
from api.db.rows import columns_of, rows_as
from api.db.tables.facilities import FacilityRow, devices, facilities
from api.db.tables.replacements import replacements


def facilities_with_cards_of(connection: Connection, facility: FacilityRow) -> list[FacilityRow]:
    """Other facilities that name a card of this one, with a window that overlaps, by id.

    Names are those of the first pledge and of every replacement that was asked for; which of them
    were pledged is for the approvals to say. A facility that is cancelled has given its pledge up:
    it is not among them, and shares no card with anybody.
    """
    mine = facility.facility_id
    cards = (
        select(devices.c.card_uuid)
        .where(devices.c.facility_id == mine)
        .union(select(replacements.c.card_uuid).where(replacements.c.facility_id == mine))
    )
    named = (
        select(devices.c.facility_id)
        .where(devices.c.card_uuid.in_(cards))
        .union(select(replacements.c.facility_id).where(replacements.c.card_uuid.in_(cards)))
    )
    query = select(*columns_of(FacilityRow)).where(
        facilities.c.facility_id.in_(named),
        facilities.c.facility_id != mine,
        facilities.c.window_start_s < facility.window_end_s,
        facilities.c.window_end_s > facility.window_start_s,
        facilities.c.facility_id.not_in(cancelled_facilities()),
        literal(mine).not_in(cancelled_facilities()),
    )
    return rows_as(FacilityRow, connection.execute(query.order_by(facilities.c.facility_id)))
