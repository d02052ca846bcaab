"""Leases and their price versions: opening, repricing, closing; never back into a closed epoch."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from api.db import ledger
from api.db.tables.ledger import leases, outages, price_versions, usage_records
from api.domain.hashing import salted_hash
from api.domain.metering.events import LeaseOpenedEvent
from api.domain.statements.rating import PricePlan
from api.domain.units import MAX_PRICE_MICROS_PER_GPU_HOUR
from api.errors import Conflict, InvalidInput, NotFound


@dataclass(frozen=True, slots=True)
class NewLease:
    """A lease as an operator opens it; price in micros per GPU-hour, credit in basis points."""

    lease_id: str
    renter_ref: str
    plan: PricePlan
    committed_gpus: int
    max_gpus: int
    opened_at_s: int
    price_micros_per_gpu_hour: int
    sla_credit_bps: int


def _facility(connection: Connection, facility_id: int) -> Any:
    row = ledger.lock_facilities(connection, [facility_id]).get(facility_id)
    if row is None:
        raise NotFound(f"no facility {facility_id}", facility_id=facility_id)
    return row


def _closed_until_s(row: Any) -> int:
    """End of the last epoch whose records are frozen: terms before it can no longer change.

    Closing freezes an epoch by moving `last_recorded_at_s` to its cut-off before it computes.
    """
    past_s = row.last_recorded_at_s - row.grace_s - row.window_start_s
    epochs = max(row.epochs_closed, past_s // row.epoch_length_s)
    end_s: int = row.window_start_s + epochs * row.epoch_length_s
    return end_s if epochs > 0 else 0


def _require_open(row: Any, instant_s: int, field: str) -> None:
    if instant_s < _closed_until_s(row):
        message = f"{field} lies in an epoch that is already closed"
        raise Conflict(message, field=field, reason="epoch_closed")


def open_lease(connection: Connection, facility_id: int, new: NewLease) -> tuple[Any, bool]:
    """Open a lease. The same lease again is answered with what is stored.

    Returns: the row, and whether it is new.
    Raises:  NotFound, InvalidInput, Conflict (`lease_exists`, `epoch_closed`).
    """
    row = _facility(connection, facility_id)
    _check(new, row)
    existing = ledger.leases_named(connection, facility_id, [new.lease_id]).get(new.lease_id)
    if existing is not None:
        _require_same(connection, existing, new)
        return existing, False
    # A lease that would have changed a closed statement must not appear after the fact.
    _require_open(row, max(new.opened_at_s, row.window_start_s), "opened_at")
    lease = salted_hash(row.salt, new.lease_id)
    ledger.insert_rows(
        connection,
        leases,
        [
            {
                "facility_id": facility_id,
                "lease": lease,
                "lease_id": new.lease_id,
                "renter_ref": new.renter_ref,
                "renter": salted_hash(row.salt, "renter:" + new.renter_ref),
                "plan": new.plan.value,
                "committed_gpus": new.committed_gpus,
                "max_gpus": new.max_gpus,
                "opened_at_s": new.opened_at_s,
                "closed_at_s": None,
            }
        ],
    )
    first = (new.opened_at_s, new.price_micros_per_gpu_hour, new.sla_credit_bps)
    _insert_price(connection, facility_id, lease, 1, first)
    return ledger.leases_named(connection, facility_id, [new.lease_id])[new.lease_id], True


def _check(new: NewLease, row: Any) -> None:
    if not 0 <= new.price_micros_per_gpu_hour <= MAX_PRICE_MICROS_PER_GPU_HOUR:
        raise InvalidInput("price is out of range", field="price_micros_per_gpu_hour")
    if new.committed_gpus > row.device_count:
        raise InvalidInput("more GPUs committed than pledged", field="committed_gpus")
    if (new.plan is PricePlan.TAKE_OR_PAY) != (new.committed_gpus > 0):
        message = "a take-or-pay lease, and no other, commits GPUs"
        raise InvalidInput(message, field="committed_gpus")
    if new.max_gpus and new.max_gpus < new.committed_gpus:
        raise InvalidInput("max_gpus is below committed_gpus", field="max_gpus")


def _require_same(connection: Connection, existing: Any, new: NewLease) -> None:
    prices = [
        p for p in ledger.prices_of(connection, existing.facility_id) if p.lease == existing.lease
    ]
    stored = (
        existing.renter_ref,
        existing.plan,
        existing.committed_gpus,
        existing.max_gpus,
        existing.opened_at_s,
        prices[0].price_micros_per_gpu_hour,
        prices[0].sla_credit_bps,
    )
    given = (
        new.renter_ref,
        new.plan.value,
        new.committed_gpus,
        new.max_gpus,
        new.opened_at_s,
        new.price_micros_per_gpu_hour,
        new.sla_credit_bps,
    )
    if stored != given:
        message = f"lease {new.lease_id!r} exists with other terms"
        raise Conflict(message, lease_id=new.lease_id, reason="lease_exists")


def _insert_price(
    connection: Connection,
    facility_id: int,
    lease: bytes,
    version: int,
    price: tuple[int, int, int],
) -> None:
    effective_from_s, price_micros, sla_credit_bps = price
    row = {
        "facility_id": facility_id,
        "lease": lease,
        "version": version,
        "effective_from_s": effective_from_s,
        "price_micros_per_gpu_hour": price_micros,
        "sla_credit_bps": sla_credit_bps,
    }
    ledger.insert_rows(connection, price_versions, [row])


def _named(connection: Connection, facility_id: int, lease_id: str) -> Any:
    lease = ledger.leases_named(connection, facility_id, [lease_id]).get(lease_id)
    if lease is None:
        raise NotFound(f"no lease {lease_id!r}", lease_id=lease_id, reason="lease_unknown")
    return lease


def add_price(
    connection: Connection, facility_id: int, lease_id: str, price: tuple[int, int, int]
) -> bool:
    """Add a price version `(effective_from_s, price_micros_per_gpu_hour, sla_credit_bps)`.

    Returns: whether it is new; the newest version again is not.
    Raises:  NotFound, Conflict (`epoch_closed`, `price_order`).
    """
    row = _facility(connection, facility_id)
    lease = _named(connection, facility_id, lease_id)
    newest = [p for p in ledger.prices_of(connection, facility_id) if p.lease == lease.lease][-1]
    stored = (
        newest.effective_from_s,
        newest.price_micros_per_gpu_hour,
        newest.sla_credit_bps,
    )
    if stored == price:
        return False
    _require_open(row, price[0], "effective_from")
    if price[0] <= newest.effective_from_s:
        message = "a price must take effect after the one before it"
        raise Conflict(message, field="effective_from", reason="price_order")
    _insert_price(connection, facility_id, lease.lease, newest.version + 1, price)
    return True


def close_lease(connection: Connection, facility_id: int, lease_id: str, closed_at_s: int) -> bool:
    """End a lease. Returns whether that is new.

    Raises:  NotFound, Conflict (`epoch_closed`, `lease_closed`, `lease_in_use`).
    """
    row = _facility(connection, facility_id)
    lease = _named(connection, facility_id, lease_id)
    if lease.closed_at_s == closed_at_s:
        return False
    if lease.closed_at_s is not None:
        raise Conflict(f"lease {lease_id!r} is closed", reason="lease_closed")
    _require_open(row, closed_at_s, "closed_at")
    if closed_at_s <= lease.opened_at_s:
        raise Conflict("a lease must close after it opened", reason="lease_closed")
    used = select(usage_records.c.record_pk).where(
        usage_records.c.facility_id == facility_id,
        usage_records.c.lease == lease.lease,
        usage_records.c.end_s > closed_at_s,
    )
    if connection.execute(used.limit(1)).first() is not None:
        message = f"lease {lease_id!r} has usage after this time"
        raise Conflict(message, field="closed_at", reason="lease_in_use")
    withheld = select(outages.c.outage_pk).where(
        outages.c.facility_id == facility_id,
        outages.c.lease == lease.lease,
        outages.c.end_s > closed_at_s,
    )
    if connection.execute(withheld.limit(1)).first() is not None:
        message = f"lease {lease_id!r} has an outage after this time"
        raise Conflict(message, field="closed_at", reason="lease_in_use")
    connection.execute(
        update(leases)
        .where(leases.c.facility_id == facility_id, leases.c.lease == lease.lease)
        .values(closed_at_s=closed_at_s)
    )
    return True


def open_lease_from_event(connection: Connection, event: LeaseOpenedEvent) -> None:
    """Open a lease that a collector reported. Raises what `open_lease` raises."""
    try:
        plan = PricePlan(event.plan)
    except ValueError as error:
        message = f"plan must be one of {', '.join(PricePlan)}"
        raise InvalidInput(message, field="plan", reason="malformed_event") from error
    new = NewLease(
        event.lease_id,
        event.renter_ref,
        plan,
        event.committed_gpus,
        event.max_gpus,
        event.opened_at_s,
        event.price_micros_per_gpu_hour,
        event.sla_credit_bps,
    )
    open_lease(connection, event.envelope.facility_id, new)
