"""The panel of a facility and its pledge, from indexed events alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from api.chain.calldata import checksum
from api.db.session import Connection
from api.domain.units import Bytes32, FacilityId
from api.reads.sql import panels
from api.reads.sql.facilities import ListedFacilityRow


@dataclass(frozen=True, slots=True)
class PanelView:
    """Attesters whose signatures count for a facility, and how many of them it takes."""

    number: int
    threshold: int
    attesters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PledgeView:
    """The pledge in force, or the registered one while none is approved: then number is None."""

    root: Bytes32
    number: int | None
    approved_at_s: int | None


def to_panel(row: panels.PanelRow) -> PanelView:
    """A panel with checksummed addresses."""
    return PanelView(row.number, row.threshold, tuple(map(checksum, row.attesters)))


def read_panels(
    connection: Connection, facility_ids: Collection[FacilityId], *, now_s: int
) -> dict[FacilityId, PanelView]:
    """Panels by facility, as they are seated at a time; those without any left out."""
    seated = panels.panels_at(connection, now_s)
    offered = panels.offered_panels(connection, facility_ids)
    return {
        facility_id: to_panel(seated[number])
        for facility_id, number in offered.items()
        if number in seated
    }


def read_pledges(
    connection: Connection, listed: Collection[ListedFacilityRow], *, now_s: int
) -> dict[FacilityId, PledgeView]:
    """Pledges by facility, as they are in force at a time."""
    ids = [facility.facility_id for facility in listed]
    approved = panels.approved_pledges(connection, ids)
    return {facility.facility_id: _pledge(facility, approved, now_s) for facility in listed}


def _pledge(
    facility: ListedFacilityRow,
    approved: Mapping[FacilityId, list[panels.ApprovedPledgeRow]],
    now_s: int,
) -> PledgeView:
    # Before the window the first epoch's pledge counts, after it the last one's.
    epoch = max(0, now_s - facility.window_start_s) // facility.epoch_length_s
    rows = approved.get(facility.facility_id, [])
    row = next((row for row in reversed(rows) if row.from_epoch <= epoch), None)
    if row is None:
        return unapproved(facility)
    return PledgeView(row.root, row.number, row.approved_at_s)


def unapproved(facility: ListedFacilityRow) -> PledgeView:
    """The pledge as registered."""
    return PledgeView(facility.pledge_root, None, None)
