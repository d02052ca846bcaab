"""What an operator does to leases by a route or command: each is an event of the facility's log."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine

from api.clock import Clock
from api.db.facilities import lock_own_facility, own_facility
from api.db.facts import terms_of
from api.db.leases import known_lease_named, lease_named
from api.db.session import write
from api.db.tables.leases import LeaseRow
from api.domain.metering.events import LEASE_CLOSED, LEASE_OPENED, LEASE_TERMS
from api.domain.metering.instants import format_instant
from api.domain.metering.items import EventResult, read_item
from api.domain.metering.lease import Lease
from api.domain.metering.lease_changes import priced
from api.domain.metering.lease_terms import FOREVER_S, PriceStep, TermsVersion
from api.domain.units import FacilityId, Minor, OperatorId
from api.errors import AppError, Conflict, InvalidInput, NotFound
from api.ledger.ingest import record_events

# Source of the events that the service writes for its operators.
SOURCE = "rentroll:service"
# What is wrong with a request itself, and not with what the log holds.
_INVALID = frozenset(
    {
        *("malformed_event", "unknown_field", "number_out_of_range", "invalid_time"),
        *("interval_empty", "invalid_input", "terms_unsupported", "terms_invalid"),
    }
)


@dataclass(frozen=True, slots=True)
class NewLease:
    """A lease as an operator opens it; price in minor units per GPU-hour."""

    lease_id: str
    renter_ref: str
    plan: str
    committed_gpus: int
    max_gpus: int
    opened_at_s: int
    price: Minor


def open_lease(
    engine: Engine, operator_id: OperatorId, facility_id: FacilityId, new: NewLease, *, clock: Clock
) -> tuple[LeaseRow, bool]:
    """Open a lease. The same lease again is answered with what is stored.

    Returns: its names, and whether it is new.
    Raises:  NotFound, InvalidInput, Conflict (`lease_exists`, `sealed`, `facility_closed`).
    """

    def work(connection: Connection) -> tuple[LeaseRow, bool]:
        lock_own_facility(connection, operator_id, facility_id)
        before = lease_named(connection, facility_id, new.lease_id)
        data = {
            "lease_id": new.lease_id,
            "renter_ref": new.renter_ref,
            "plan": new.plan,
            "committed_gpus": new.committed_gpus,
            "max_gpus": new.max_gpus,
            "opened_at": format_instant(new.opened_at_s),
            "price_micros_per_gpu_hour": new.price,
        }
        _record(connection, operator_id, _event(facility_id, LEASE_OPENED, data), clock)
        return known_lease_named(connection, facility_id, new.lease_id), before is None

    return write(engine, work)


def add_price(
    engine: Engine,
    operator_id: OperatorId,
    facility_id: FacilityId,
    lease_id: str,
    price: PriceStep,
    *,
    clock: Clock,
) -> bool:
    """Set the price of a lease from an instant on, also one that is past.

    Returns: whether that is new; the price of now again is not.
    Raises:  NotFound, InvalidInput, Conflict (`sealed`, `facility_closed`).
    """

    def work(connection: Connection) -> bool:
        lock_own_facility(connection, operator_id, facility_id)
        row = known_lease_named(connection, facility_id, lease_id)
        events = _price_events(connection, row, price)
        for event in events:
            _record(connection, operator_id, event, clock)
        return bool(events)

    return write(engine, work)


def price_events(
    engine: Engine,
    operator_id: OperatorId,
    facility_id: FacilityId,
    lease_id: str,
    price: PriceStep,
) -> list[dict[str, object]]:
    """Events that `add_price` would record now; none where the price is just that.

    Raises:  NotFound, InvalidInput.
    """
    with own_facility(engine, operator_id, facility_id) as (connection, _):
        row = known_lease_named(connection, facility_id, lease_id)
        return _price_events(connection, row, price)


def _price_events(
    connection: Connection, row: LeaseRow, price: PriceStep
) -> list[dict[str, object]]:
    [lease] = terms_of(connection, row.facility_id, [row.lease])
    names = {"lease_id": row.lease_id, "renter_ref": row.renter_ref}
    return [
        _event(row.facility_id, LEASE_TERMS, {**names, **terms_data(terms)})
        for terms in priced(lease, price)
    ]


def close_lease(
    engine: Engine,
    operator_id: OperatorId,
    facility_id: FacilityId,
    lease_id: str,
    *,
    closed_at_s: int,
    clock: Clock,
) -> bool:
    """End a lease at an instant, also one that is past. Returns whether that is new.

    Raises:  NotFound, InvalidInput, Conflict (`sealed`, `lease_closed`, `facility_closed`).
    """

    def work(connection: Connection) -> bool:
        lock_own_facility(connection, operator_id, facility_id)
        row = known_lease_named(connection, facility_id, lease_id)
        [lease] = terms_of(connection, facility_id, [row.lease])
        if ends_at(lease) == closed_at_s:
            return False
        data = {"lease_id": lease_id, "closed_at": format_instant(closed_at_s)}
        _record(connection, operator_id, _event(facility_id, LEASE_CLOSED, data), clock)
        return True

    return write(engine, work)


def ends_at(lease: Lease) -> int | None:
    """When a lease ends, as agreed now; None without an end."""
    return None if lease.ends_s == FOREVER_S else lease.ends_s


def terms_data(terms: TermsVersion) -> dict[str, object]:
    """A version as the data of its event has it."""
    until_s = terms.until_s
    return {
        "version": terms.version,
        "from": format_instant(terms.from_s),
        "until": None if until_s is None else format_instant(until_s),
        "max_gpus": terms.max_gpus,
        "prices": [
            {"from": format_instant(p.from_s), "price": p.price, "gpus": p.gpus}
            for p in terms.prices
        ],
        "tiers": [
            {"above_hours": t.above_hours, "discount_bps": t.discount_bps} for t in terms.tiers
        ],
        "hours_before": terms.hours_before,
        "commitment": [
            {"from": format_instant(c.from_s), "gpus": c.gpus} for c in terms.commitment
        ],
        "minimum": terms.minimum,
        "fixed": [
            {"id": f.name, "at": format_instant(f.at_s), "amount": f.amount} for f in terms.fixed
        ],
        "sla": [{"above_ppm": s.above_ppm, "credit_bps": s.credit_bps} for s in terms.sla],
        "sla_cap_bps": terms.sla_cap_bps,
    }


def _event(
    facility_id: FacilityId, event_type: str, data: Mapping[str, object]
) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": secrets.token_hex(16),
        "source": SOURCE,
        "type": event_type,
        "data": {"facility_id": facility_id, **data},
    }


def _record(
    connection: Connection, operator_id: OperatorId, event: dict[str, object], clock: Clock
) -> None:
    """Record an event of the operator's own doing. Raises what its rejection means."""
    read = read_item(0, event, None)
    [result] = record_events(connection, operator_id, [read], raw=[event], clock=clock)
    if result.status == "rejected":
        raise _refusal(result)


def _refusal(result: EventResult) -> AppError:
    message, code = result.detail or "", result.code or ""
    if code == "lease_unknown":
        return NotFound(message, reason=code)
    if code in _INVALID:
        return InvalidInput(message, reason=code)
    return Conflict(message, reason=code)
