"""Metering as its operator sees it: devices, and events that were rejected."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from api.db import rejections
from api.db.conflicts import conflict_count
from api.db.facilities import own_facility
from api.db.session import Connection
from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash
from api.domain.lifecycle import ReplacementState
from api.domain.roster import PledgeState
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import terms_from_bytes
from api.ledger.rosters import pledged_in_part, replacements_in, roster_of
from api.reads.sql import metering
from api.reads.sql.facilities import DeviceRow, pledged_devices
from api.routes.http.credentials import OperatorReader
from api.routes.http.parameters import FacilityPath, Offset, PageLimit
from api.routes.http.problems import errors
from api.routes.operator.console import CONSOLE_FACILITY
from api.routes.service import ServiceDep

router = APIRouter(tags=["console"])


class ConsoleDevice(BaseModel):
    """Metering of one device over the whole window so far."""

    device: str = Field(description="keccak-256 of the name, as in statements, 0x-hex.")
    uuid: str = Field(description="Name of the device; only its operator sees it.")
    last_event_end_s: int | None = Field(
        description="End of the newest standing record or outage, UTC seconds; null if none."
    )
    lag_s: int | None = Field(
        description="Seconds since then, while the delivery window is open and pledges the device;"
        " else null."
    )
    pledge: PledgeState = Field(
        description="`pledged` if the current epoch pledges it; `gone` once another took its"
        " place, `to_come` before it takes another's. Only records of epochs that pledge it count."
    )
    records: int = Field(description="Number of standing usage records.")
    gap_seconds: int = Field(
        description="Seconds from the window's start to the newest interval that neither a"
        " standing record nor an outage covers, of a device that is gone to its going, of one that"
        " came from its coming. Idle time is a gap too."
    )
    gaps: int = Field(description="Number of such gaps.")
    duplicates: int = Field(description="Number of events that came again, unchanged.")
    conflicts: int = Field(
        description="Number of kept events that reused an id for something else."
    )
    outage_seconds: int = Field(description="Seconds out of service.")


class RejectionOut(BaseModel):
    """One rejected event."""

    received_at_s: int = Field(description="UTC seconds.")
    source: str | None = Field(description="`source` as sent; null if unreadable.")
    id: str | None = Field(description="`id` as sent; null if unreadable.")
    code: str = Field(description="Stable code, as answered by `POST /v1/events`.")
    detail: str = Field(description="What was wrong, cut to 300 characters.")
    device: str | None = Field(description="Device as the event names it; null if unreadable.")


class RejectionsOut(BaseModel):
    """A page of rejections."""

    total: int = Field(description="Number of rejections that are kept.")
    rejections: list[RejectionOut] = Field(description="Newest first.")
    conflicts: int = Field(
        description="Number of events of yours so far that reused an id for something else; the"
        " newest 1,000 are kept."
    )


@router.get(f"{CONSOLE_FACILITY}/devices", responses=errors(401, 403, 404, 422))
def list_console_devices(
    service: ServiceDep, operator_id: OperatorReader, facility_id: FacilityPath
) -> list[ConsoleDevice]:
    """Metering health of every device that is or was pledged; those that came later, last."""
    now_s = service.clock()
    with own_facility(service.engine, operator_id, facility_id) as (connection, facility):
        terms = terms_from_bytes(facility.terms_json)
        roster = roster_of(connection, terms, facility.terms_json)
        devices = [*pledged_devices(connection, facility_id), *_came(connection, terms)]
        by_device = metering.metering_by_device(
            connection,
            facility,
            from_s=facility.window_start_s,
            now_s=now_s,
            in_part=pledged_in_part(connection, terms, facility.terms_json),
        )
        duplicates = metering.duplicates_by_device(connection, facility_id)
        conflicts = metering.conflicts_by_device(connection, facility_id)
    is_open = facility.window_start_s <= now_s < facility.window_end_s
    answers = []
    for pledged in devices:
        metered = by_device.get(pledged.device, metering.MeteringRow())
        last_s = metered.last_end_s
        state = roster.pledge_state(pledged.device, now_s=now_s)
        lags = is_open and state is PledgeState.PLEDGED
        answers.append(
            ConsoleDevice(
                device=hex32(pledged.device),
                uuid=pledged.uuid,
                last_event_end_s=last_s,
                # A record may end a little ahead of the clock: then there is no lag.
                lag_s=max(0, now_s - last_s) if lags and last_s is not None else None,
                pledge=state,
                records=metered.records,
                gap_seconds=metered.gap_seconds,
                gaps=metered.gaps,
                duplicates=duplicates.get(pledged.device, 0),
                conflicts=conflicts.get(pledged.device, 0),
                outage_seconds=metered.outage_seconds,
            )
        )
    return answers


def _came(connection: Connection, terms: FacilityTerms) -> list[DeviceRow]:
    """Devices that took others' places, in the order of their requests, each once."""
    first = terms.device_set
    named = {
        device_hash(found.row.uuid): found.row.uuid
        for found in replacements_in(connection, terms)
        if found.state is ReplacementState.APPROVED
    }
    return [DeviceRow(device, uuid) for device, uuid in named.items() if device not in first]


@router.get(f"{CONSOLE_FACILITY}/rejections", responses=errors(401, 403, 404, 422))
def list_console_rejections(
    service: ServiceDep,
    operator_id: OperatorReader,
    facility_id: FacilityPath,
    offset: Offset = 0,
    limit: PageLimit = 100,
) -> RejectionsOut:
    """Rejected events, newest first.

    Events whose facility could not be read, or is not yours, stand in the list of each facility.
    The newest 10,000 of an operator are kept. Texts are the sender's: escape them.
    """
    with own_facility(service.engine, operator_id, facility_id) as (connection, _):
        total, rows = rejections.rejections_of(
            connection, operator_id, facility_id, offset=offset, limit=limit
        )
        conflicts = conflict_count(connection, operator_id)
    return RejectionsOut(
        total=total,
        rejections=[
            RejectionOut(
                received_at_s=r.received_at_s,
                source=r.source,
                id=r.event_id,
                code=r.code,
                detail=r.detail,
                device=r.device,
            )
            for r in rows
        ],
        conflicts=conflicts,
    )
