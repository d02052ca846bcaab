"""Disclosures of operators about their facilities: appended, never changed."""

from sqlalchemy import Connection

from api.db.facilities import own_facility_row
from api.db.rows import insert_record
from api.db.tables.facilities import HardwareDisclosure
from api.domain.units import FacilityId, Micros, OperatorId
from api.errors import InvalidInput


def disclose_hardware(
    connection: Connection,
    operator_id: OperatorId,
    facility_id: FacilityId,
    *,
    cost_micros_per_device: Micros,
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
    disclosure = HardwareDisclosure(
        facility_id=facility_id,
        cost_micros_per_device=cost_micros_per_device,
        in_service_s=in_service_s,
        disclosed_at_s=now_s,
    )
    insert_record(connection, disclosure)
