"""SQL of endings: what closings did, and late rent afterwards."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, true

from api.chain.emitted.rent_lockbox import Closing, LateRentShared
from api.db import event_columns as e
from api.domain.units import FacilityId
from api.reads.sql import payloads
from api.reads.sql.facilities import Scope


def _within(scope: Scope) -> ColumnElement[bool]:
    return true() if scope is None else e.facility_id.in_(scope)


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """A closing and its time."""

    closed_at_s: int
    closing: Closing


def closings(connection: Connection, scope: Scope = None) -> dict[FacilityId, ClosingRow]:
    """Closings by facility."""
    query = select(e.facility_id, e.block_time_s, e.payload).where(
        e.event == "FacilityClosed", _within(scope)
    )
    return {
        facility_id: ClosingRow(closed_at_s=time_s, closing=payloads.closing(payload))
        for facility_id, time_s, payload in connection.execute(query)
    }


def late_rents(connection: Connection, facility_id: FacilityId) -> list[LateRentShared]:
    """What rent that came after a closing did, in chain order."""
    query = select(e.payload).where(e.event == "LateRentShared", e.facility_id == facility_id)
    found = connection.execute(query.order_by(*e.chain_order)).scalars()
    return [payloads.late_rent(payload) for payload in found]
