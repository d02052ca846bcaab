"""Facilities as everybody may see them, from ledger and indexed events alone."""

from dataclasses import dataclass

from api.db import chain_store
from api.db.session import Connection
from api.domain.lifecycle import FacilityState, facility_state
from api.reads.ending import EndingView, read_endings
from api.reads.panels import PanelView, PledgeView, read_panels, read_pledges, unapproved
from api.reads.sql import market
from api.reads.sql.facilities import ListedFacilityRow, Scope, listed_facilities
from api.reads.terms import ShortTerms, short_terms


@dataclass(frozen=True, slots=True)
class FacilityView:
    """A facility, how far it came, and how it ended."""

    listed: ListedFacilityRow
    terms: ShortTerms
    state: FacilityState
    ending: EndingView | None
    panel: PanelView | None
    pledge: PledgeView


def read_facilities(
    connection: Connection, scope: Scope = None, *, offset: int = 0, limit: int | None = None
) -> list[FacilityView]:
    """Facilities, by id: all, some, or a page; as of the newest indexed block."""
    block = chain_store.last_block(connection)
    listed = listed_facilities(connection, scope, offset=offset, limit=limit)
    terms = short_terms(connection, listed)
    ids = [facility.facility_id for facility in listed]
    offered = market.offered_hashes(connection, ids)
    announced = market.announced_states(connection, ids)
    endings = read_endings(connection, ids)
    now_s = 0 if block is None else block.time_s
    panels = read_panels(connection, ids, now_s=now_s)
    pledges = read_pledges(connection, listed, now_s=now_s)
    views = []
    for facility in listed:
        facility_id = facility.facility_id
        state = facility_state(
            offered=offered.get(facility_id) == facility.terms_hash,
            announced=announced.get(facility_id),
            window_start_s=facility.window_start_s,
            expires_at_s=facility.expires_at_s,
            now_s=now_s,
        )
        # An offer with other terms is not this facility's, and neither is its ending.
        ending = endings.get(facility_id) if state.ended else None
        on_chain = state is not FacilityState.REGISTERED
        views.append(
            FacilityView(
                facility,
                terms[facility_id],
                state,
                ending,
                panels.get(facility_id) if on_chain else None,
                pledges[facility_id] if on_chain else unapproved(facility),
            )
        )
    return views
