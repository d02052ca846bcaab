"""Devices of a facility whose card another one pledged before for the same time.

The rule that attesters hold pledges to (`cards_pledged_before`), by what is indexed: all pledges,
replacements too. What is not approved yet comes after all that is, in the order of registering:
attesters would refuse it.
"""

from collections.abc import Mapping
from dataclasses import replace

from api.db.chain_store import ended_at
from api.db.session import Connection
from api.db.tables.facilities import FacilityRow
from api.domain.pledges import OFFER_EPOCH, Pledge, Pledging, cards_pledged_before
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, FacilityId
from api.ledger.rosters import approved_pledges
from api.reads.sql.shared_cards import facilities_with_cards_of


def devices_pledged_before(connection: Connection, facility: FacilityRow) -> list[Bytes32]:
    """Devices, ascending, of which another facility that is not cancelled pledged a part first."""
    others = facilities_with_cards_of(connection, facility)
    if not others:
        return []
    rows = sorted([facility, *others], key=lambda row: (row.created_at_s, row.facility_id))
    ends = ended_at(connection, [row.facility_id for row in rows])
    pledgings = [_pledging(connection, row, ends) for row in rows]
    known = _numbered(pledgings)
    own = known.pop(facility.facility_id)
    cards = {card for other in known.values() for card in cards_pledged_before(own, other=other)}
    return sorted({d.device for p in own.pledges for d in p.devices if d.card in cards})


def _pledging(connection: Connection, row: FacilityRow, ends: Mapping[FacilityId, int]) -> Pledging:
    """A facility's approved pledges; without any, that of its offer, with number 0."""
    terms = terms_from_bytes(row.terms_json)
    approved = approved_pledges(connection, row, terms)
    return Pledging(
        row.facility_id,
        row.window_start_s,
        row.window_end_s,
        row.epoch_length_s,
        approved or (Pledge(0, OFFER_EPOCH, terms.pledge),),
        ended_at_s=ends.get(row.facility_id),
    )


def _numbered(pledgings: list[Pledging]) -> dict[FacilityId, Pledging]:
    """By facility; what is not approved gets the numbers behind all that is, in this order."""
    last = max(pledge.number for each in pledgings for pledge in each.pledges)
    known = {}
    for each in pledgings:
        (first, *later) = each.pledges
        if first.number == 0:
            last += 1
            first = replace(first, number=last)
        known[each.facility_id] = replace(each, pledges=(first, *later))
    return known
