"""Pledges that wait for approval, and the signatures over them."""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select

from api.db import event_columns as e
from api.db.chain_store import cancelled_facilities
from api.db.rows import insert_record, rows_as
from api.db.tables.facilities import facilities
from api.db.tables.pledges import PledgeSignature, pledge_signatures
from api.domain.lifecycle import FacilityState
from api.domain.units import Bytes32, FacilityId


@dataclass(frozen=True, slots=True)
class WaitingPledge:
    """The pledge of an offer that no attesters approved yet."""

    facility_id: FacilityId
    pledge_root: Bytes32
    device_count: int


def waiting_pledges(connection: Connection) -> list[WaitingPledge]:
    """Pledges of offers that can still be funded, by the newest indexed block, by facility."""
    offered = select(e.facility_id).where(e.event == "FacilityOffered", e.facility_id.is_not(None))
    approved = select(e.facility_id).where(e.event == "PledgeApproved", e.facility_id.is_not(None))
    moved_on = select(e.facility_id).where(
        e.event == "FacilityStateChanged",
        e.new_state != FacilityState.OFFERED,
        e.facility_id.is_not(None),
    )
    query = (
        select(facilities.c.facility_id, facilities.c.pledge_root, facilities.c.device_count)
        .where(
            facilities.c.facility_id.in_(offered),
            facilities.c.facility_id.not_in(approved),
            facilities.c.facility_id.not_in(moved_on),
            # An offer expires by time alone.
            facilities.c.facility_id.not_in(cancelled_facilities()),
        )
        .order_by(facilities.c.facility_id)
    )
    return rows_as(WaitingPledge, connection.execute(query))


def pledge_signatures_of(
    connection: Connection, facility_id: FacilityId, *, approvals: int
) -> dict[str, bytes]:
    """Signature by attester over a facility's pledge that count after so many approvals."""
    query = select(pledge_signatures.c.attester, pledge_signatures.c.signature).where(
        pledge_signatures.c.facility_id == facility_id,
        pledge_signatures.c.approvals == approvals,
    )
    return {row.attester: row.signature for row in connection.execute(query)}


def save_pledge_signature(connection: Connection, signature: PledgeSignature) -> None:
    """Store a signature in the place of the attester's earlier one."""
    connection.execute(
        delete(pledge_signatures).where(
            pledge_signatures.c.facility_id == signature.facility_id,
            pledge_signatures.c.attester == signature.attester,
        )
    )
    insert_record(connection, signature)
