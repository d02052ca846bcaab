"""Disclosures of operators about their facilities: appended, never changed."""

from sqlalchemy import Connection

from api.db.ledger import insert_rows
from api.db.tables.ledger import hardware_disclosures
from api.errors import InvalidInput
from api.ledger.facilities import own_facility_row


def disclose_hardware(
    connection: Connection,
    operator_id: int,
    facility_id: int,
    *,
    cost_micros_per_device: int,
    in_service_s: int,
    now_s: int,
) -> None:
    """Keep what an operator says of a facility's devices.

    Raises:  NotFound for a facility that is not the operator's, InvalidInput for a date ahead.
    """
    own_facility_row(connection, operator_id, facility_id)
    if not 0 <= in_service_s <= now_s:
        raise InvalidInput(
            "devices cannot have begun to serve in the future", field="in_service_at"
        )
    row = {
        "facility_id": facility_id,
        "cost_micros_per_device": cost_micros_per_device,
        "in_service_s": in_service_s,
        "disclosed_at_s": now_s,
    }
    insert_rows(connection, hardware_disclosures, [row])
