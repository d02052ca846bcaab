"""Rent of a facility as its operator sees it: attested, paid, due, by lease and by payment."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from api.db import chain_store
from api.db.standing import standing_posts
from api.db.statements import lease_rows
from api.domain.lifecycle import final_at_s, is_final
from api.reads.sql import cashflow
from api.reads.sql import console as store

MAX_PAYMENTS = 500


@dataclass(frozen=True, slots=True)
class RentBook:
    """Rent of one facility, micros; one of `receivable` and `prepaid` is zero.

    due: of final statements and not collected. due_since_s: finality of the first of them.
    """

    attested_micros: int
    collected_micros: int
    receivable_micros: int
    prepaid_micros: int
    due_micros: int
    due_since_s: int | None


def rent_book(connection: Connection, facility_id: int, *, window_s: int, now_s: int) -> RentBook:
    """Rent as of the newest indexed block; the same sums as the reconciliation."""
    sums = cashflow.event_sums(connection, facility_id)

    def total(name: str) -> int:
        return sums.get(name, (0, 0))[0]

    collected = total("RentPaid") - total("RentRefunded")
    covered = collected + total("ReceivableWrittenOff")
    posted = sorted(cashflow.posted_by_epoch(connection, facility_id).items())
    attested = sum(gross for _, (gross, _) in posted)
    final = 0
    due_since_s = None
    for _, (gross, posted_at_s) in posted:
        if not is_final(posted_at_s, challenge_window_s=window_s, now_s=now_s):
            break
        final += gross
        if final > covered and due_since_s is None:
            due_since_s = final_at_s(posted_at_s, challenge_window_s=window_s)
    return RentBook(
        attested,
        collected,
        max(0, attested - covered),
        max(0, collected - attested),
        max(0, final - covered),
        due_since_s,
    )


@dataclass(frozen=True, slots=True)
class LeaseRent:
    """Rent of one lease; `lease_id` is None for a hash that is none of the facility's leases."""

    lease: bytes
    lease_id: str | None
    attested_micros: int
    paid_micros: int

    @property
    def due_micros(self) -> int:
        """Attested and not paid under this lease; refunds name no lease and are not in it."""
        return max(0, self.attested_micros - self.paid_micros)


def attested_by_lease(connection: Connection, facility_id: int) -> Mapping[bytes, int]:
    """Charges by lease over the statements that stand on-chain."""
    standing = standing_posts(connection, facility_id)
    found: dict[bytes, int] = {}
    for lease, epoch, micros in store.charges_by_lease_and_epoch(connection, facility_id):
        if epoch in standing:
            found[lease] = found.get(lease, 0) + micros
    return found


def lease_of(event: Any) -> bytes:
    """Lease hash that a RentPaid event names."""
    return bytes.fromhex(json.loads(event.payload)["lease"][2:])


def rent_by_lease(connection: Connection, facility_id: int) -> list[LeaseRent]:
    """Rent by lease: every lease, and every other hash that somebody paid for."""
    attested = attested_by_lease(connection, facility_id)
    paid: dict[bytes, int] = {}
    for event in chain_store.events_named(connection, "RentPaid", facility_id=facility_id):
        lease = lease_of(event)
        paid[lease] = paid.get(lease, 0) + event.amount
    names = {row.lease: row.lease_id for row in lease_rows(connection, facility_id)}
    rows = [
        LeaseRent(lease, names.get(lease), attested.get(lease, 0), paid.get(lease, 0))
        for lease in names.keys() | paid.keys() | attested.keys()
    ]
    return sorted(rows, key=lambda r: (r.lease_id is None, r.lease_id or "", r.lease))


def payments(connection: Connection, facility_id: int) -> list[Any]:
    """RentPaid events, newest first, at most MAX_PAYMENTS."""
    found = chain_store.events_named(connection, "RentPaid", facility_id=facility_id)
    return found[::-1][:MAX_PAYMENTS]
