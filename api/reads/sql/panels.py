"""SQL of panels and pledges: who signs for a facility, and what they approved."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select, true

from api.chain.emitted.attester_registry import PanelSet
from api.db import event_columns as e
from api.db import pledges as store
from api.db.tables.facilities import facilities, operators
from api.domain.units import Address, Bytes32, Epoch, FacilityId
from api.reads.sql import payloads
from api.reads.sql.facilities import Scope


@dataclass(frozen=True, slots=True)
class PanelRow:
    """Seats of a panel at one time: accounts lower-case, ascending."""

    number: int
    threshold: int
    attesters: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Seatings:
    """Panels by number: as they are seated at a time, and as they will be after a change."""

    current: dict[int, PanelRow]
    announced: dict[int, PanelRow]


def panels_at(connection: Connection, now_s: int) -> dict[int, PanelRow]:
    """Panels whose seats hold at a time, by number."""
    return seatings_at(connection, now_s).current


def seatings_at(connection: Connection, now_s: int) -> Seatings:
    """Panels whose seats hold at a time, and changes of seats that wait then."""
    query = select(e.payload, e.block_time_s).where(e.event == "PanelSet")
    current: dict[int, PanelSet] = {}
    coming: dict[int, PanelSet] = {}
    for payload, at_s in connection.execute(query.order_by(*e.chain_order)):
        changed = payloads.panel_set(payload)
        # A change that still waited when the next one came was replaced.
        before = coming.get(changed.panel)
        if before is not None and before.from_s <= at_s:
            current[changed.panel] = before
        coming[changed.panel] = changed
    current |= {number: panel for number, panel in coming.items() if panel.from_s <= now_s}
    waiting = {number: panel for number, panel in coming.items() if panel.from_s > now_s}
    return Seatings(_rows(current), _rows(waiting))


def _rows(panels: Mapping[int, PanelSet]) -> dict[int, PanelRow]:
    return {
        number: PanelRow(number, panel.threshold, panel.attesters)
        for number, panel in sorted(panels.items())
    }


def offered_panels(connection: Connection, scope: Scope) -> dict[FacilityId, int]:
    """Number of the panel that a facility was given with its offer."""
    inside = true() if scope is None else e.facility_id.in_(scope)
    query = select(e.facility_id, e.payload).where(
        e.event == "FacilityOffered", e.facility_id.is_not(None), inside
    )
    return {
        facility_id: payloads.offered_panel(payload)
        for facility_id, payload in connection.execute(query.order_by(*e.chain_order))
    }


def own_offer(connection: Connection, facility_id: FacilityId) -> int | None:
    """Number of the panel that a registered facility was given with its offer.

    None while its own operator offered nothing, or other terms: on-chain another operator may offer
    any id, with any hash.
    """
    query = (
        select(e.payload, facilities.c.terms_hash, operators.c.address)
        .join(facilities, facilities.c.facility_id == e.facility_id)
        .join(operators, operators.c.operator_id == facilities.c.operator_id)
        .where(e.event == "FacilityOffered", e.facility_id == facility_id)
        .order_by(*(column.desc() for column in e.chain_order))
    )
    newest = connection.execute(query.limit(1)).first()
    if newest is None:
        return None
    offer, terms_hash, operator = payloads.offer(newest.payload), newest.terms_hash, newest.address
    own = offer.gpu_operator.lower() == operator.lower() and offer.terms.terms_hash == terms_hash
    return offer.panel if own else None


@dataclass(frozen=True, slots=True)
class ApprovedPledgeRow:
    """A pledge that attesters approved. number: of the approval among all facilities, from 1."""

    from_epoch: Epoch
    root: Bytes32
    number: int
    approved_at_s: int


def approved_pledges(
    connection: Connection, scope: Scope
) -> dict[FacilityId, list[ApprovedPledgeRow]]:
    """Approved pledges by facility, in order of their epochs; those without any left out."""
    inside = true() if scope is None else e.facility_id.in_(scope)
    query = select(e.facility_id, e.payload, e.block_time_s).where(
        e.event == "PledgeApproved", e.facility_id.is_not(None), inside
    )
    found: dict[FacilityId, list[ApprovedPledgeRow]] = {}
    for facility_id, payload, at_s in connection.execute(query.order_by(*e.chain_order)):
        approved = payloads.pledge_approved(payload)
        row = ApprovedPledgeRow(approved.from_epoch, approved.pledge_root, approved.number, at_s)
        found.setdefault(facility_id, []).append(row)
    return found


def pledge_signers(connection: Connection, facility_id: FacilityId) -> list[str]:
    """Attesters whose signature over a facility's pledge no other approval has made void."""
    approvals = connection.execute(
        select(func.count()).where(e.event == "PledgeApproved")
    ).scalar_one()
    return sorted(store.pledge_signatures_of(connection, facility_id, approvals=approvals))
