"""How facilities ended and were closed, from indexed events alone."""

from dataclasses import dataclass

from api.chain.emitted.rent_lockbox import Closing, LateRentShared
from api.db import chain_store
from api.db.session import Connection
from api.domain.units import NO_MICROS, FacilityId, Micros
from api.reads.sql import endings
from api.reads.sql.facilities import Scope


@dataclass(frozen=True, slots=True)
class EndingView:
    """When a facility ended, and what its closing did; None while it is not closed."""

    ended_at_s: int
    closed_at_s: int | None
    closing: Closing | None


def read_endings(connection: Connection, scope: Scope = None) -> dict[FacilityId, EndingView]:
    """Endings by facility; those that have not ended left out."""
    closed = endings.closings(connection, scope)
    views = {}
    for facility_id, ended_at_s in chain_store.ended_at(connection, scope).items():
        row = closed.get(facility_id)
        views[facility_id] = EndingView(
            ended_at_s,
            None if row is None else row.closed_at_s,
            None if row is None else row.closing,
        )
    return views


@dataclass(frozen=True, slots=True)
class ClosedSums:
    """What a closing, and late rent since, did with money; all zero before. Micros.

    advanced_micros: rent that the bond paid in place of renters, less later rent that went to
    claims: below zero where that is more, for what did not count at the closing goes to them too.
    """

    advanced_micros: Micros = NO_MICROS
    to_units_micros: Micros = NO_MICROS
    to_vouchers_micros: Micros = NO_MICROS
    to_operator_micros: Micros = NO_MICROS


def closed_sums(connection: Connection, facility_id: FacilityId) -> ClosedSums:
    """Sums over a facility's closing and its late rent."""
    row = endings.closings(connection, [facility_id]).get(facility_id)
    if row is None:
        return ClosedSums()
    late = endings.late_rents(connection, facility_id)
    shared: list[Closing | LateRentShared] = [row.closing, *late]
    reimbursed = sum(rent.amount_micros for rent in late)
    return ClosedSums(
        advanced_micros=Micros(row.closing.advanced_micros - reimbursed),
        to_units_micros=Micros(sum(sum(part.to_units_micros) for part in shared)),
        to_vouchers_micros=Micros(sum(sum(part.to_vouchers_micros) for part in shared)),
        to_operator_micros=Micros(sum(part.to_operator_micros for part in shared)),
    )
