"""Rent of a facility as its operator sees it: attested, paid, due, by lease and by payment."""

from collections.abc import Mapping
from dataclasses import dataclass

from api.db.leases import lease_rows
from api.db.session import Connection
from api.db.standing import attested_micros, standing_posts
from api.domain.lifecycle import final_at_s, is_final
from api.domain.units import Bytes32, FacilityId, Micros
from api.reads.sql import cashflow, rent
from api.reads.sql.rent import RentPaymentRow

MAX_PAYMENTS = 500


@dataclass(frozen=True, slots=True)
class RentView:
    """Rent of one facility, micros; one of `receivable` and `prepaid` is zero.

    due: of final statements and not collected. due_since_s: finality of the first of them.
    """

    attested_micros: int
    collected_micros: int
    receivable_micros: int
    prepaid_micros: int
    due_micros: int
    due_since_s: int | None


def read_rent(
    connection: Connection, facility_id: FacilityId, *, window_s: int, now_s: int
) -> RentView:
    """Rent as of the newest indexed block; the same sums as the reconciliation."""
    sums = cashflow.money_sums(connection, facility_id)
    collected, covered = sums.collected_micros, sums.covered_micros
    posts = standing_posts(connection, facility_id).values()
    attested = attested_micros(posts)
    final = 0
    due_since_s = None
    for post in posts:
        if not is_final(post.posted_at_s, challenge_window_s=window_s, now_s=now_s):
            # Epochs are posted in order, so none of the later ones is final either.
            break
        final += post.gross_micros
        if final > covered and due_since_s is None:
            due_since_s = final_at_s(post.posted_at_s, challenge_window_s=window_s)
    if final <= covered:
        due_since_s = None
    return RentView(
        attested_micros=attested,
        collected_micros=collected,
        receivable_micros=max(0, attested - covered),
        prepaid_micros=max(0, collected - attested),
        due_micros=max(0, final - covered),
        due_since_s=due_since_s,
    )


@dataclass(frozen=True, slots=True)
class LeaseRentView:
    """Rent of one lease; `lease_id` is None for a hash that is none of the facility's leases."""

    lease: bytes
    lease_id: str | None
    attested_micros: int
    paid_micros: int

    @property
    def due_micros(self) -> int:
        """Attested and not paid under this lease; refunds name no lease and are not in it."""
        return max(0, self.attested_micros - self.paid_micros)


def attested_by_lease(connection: Connection, facility_id: FacilityId) -> Mapping[Bytes32, Micros]:
    """Charges by lease over the statements that stand on-chain."""
    standing = standing_posts(connection, facility_id)
    attested: dict[Bytes32, Micros] = {}
    for charge in rent.lease_charges(connection, facility_id):
        if charge.epoch in standing:
            before = attested.get(charge.lease, 0)
            attested[charge.lease] = Micros(before + charge.charge_micros)
    return attested


def rent_by_lease(connection: Connection, facility_id: FacilityId) -> list[LeaseRentView]:
    """Rent by lease: every lease, and every other hash that somebody paid for."""
    attested = attested_by_lease(connection, facility_id)
    paid: dict[Bytes32, int] = {}
    for payment in rent.rent_payments(connection, facility_id):
        paid[payment.lease] = paid.get(payment.lease, 0) + payment.amount_micros
    names = {lease.lease: lease.lease_id for lease in lease_rows(connection, facility_id)}
    leases = [
        LeaseRentView(lease, names.get(lease), attested.get(lease, 0), paid.get(lease, 0))
        for lease in names.keys() | paid.keys() | attested.keys()
    ]
    # Hashes that are none of our leases come last.
    return sorted(leases, key=lambda r: (r.lease_id is None, r.lease_id or "", r.lease))


def newest_payments(connection: Connection, facility_id: FacilityId) -> list[RentPaymentRow]:
    """Rent payments, newest first, at most MAX_PAYMENTS."""
    return rent.rent_payments(connection, facility_id)[::-1][:MAX_PAYMENTS]
