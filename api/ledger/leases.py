"""Leases and their price versions: opening, repricing, closing; never back into a closed epoch."""

from dataclasses import dataclass

from sqlalchemy import Connection, select, update

from api.db.leases import prices_of_lease
from api.db.rows import insert_record
from api.db.tables.facilities import FacilityRow
from api.db.tables.leases import LeaseRow, PriceRow, leases
from api.db.tables.ledger import outages, usage_records
from api.domain.hashing import salted_hash
from api.domain.statements.rating import PricePlan
from api.domain.units import MAX_PRICE_MICROS_PER_GPU_HOUR, Micros
from api.errors import Conflict, InvalidInput


@dataclass(frozen=True, slots=True)
class NewPrice:
    """A price as an operator agrees it, from an instant on; credit in basis points."""

    effective_from_s: int
    price_micros_per_gpu_hour: Micros
    sla_credit_bps: int


@dataclass(frozen=True, slots=True)
class NewLease:
    """A lease as an operator opens it; price in micros per GPU-hour, credit in basis points."""

    lease_id: str
    renter_ref: str
    plan: PricePlan
    committed_gpus: int
    max_gpus: int
    opened_at_s: int
    price_micros_per_gpu_hour: Micros
    sla_credit_bps: int

    @property
    def first_price(self) -> NewPrice:
        """The price at its opening."""
        return NewPrice(
            effective_from_s=self.opened_at_s,
            price_micros_per_gpu_hour=self.price_micros_per_gpu_hour,
            sla_credit_bps=self.sla_credit_bps,
        )


def _closed_until_s(facility: FacilityRow) -> int:
    """End of the last epoch whose records are frozen: terms before it can no longer change.

    Closing freezes an epoch by moving `last_recorded_at_s` to its cut-off before it computes.
    """
    past_s = facility.last_recorded_at_s - facility.grace_s - facility.window_start_s
    epochs = max(facility.epochs_closed, past_s // facility.epoch_length_s)
    end_s = facility.window_start_s + epochs * facility.epoch_length_s
    return end_s if epochs > 0 else 0


def _require_open(facility: FacilityRow, instant_s: int, field: str) -> None:
    if instant_s < _closed_until_s(facility):
        message = f"{field} lies in an epoch that is already closed"
        raise Conflict(message, field=field, reason="epoch_closed")


def open_lease(
    connection: Connection, facility: FacilityRow, new: NewLease, *, existing: LeaseRow | None
) -> tuple[LeaseRow, bool]:
    """Open a lease of a locked facility. The same lease again is answered with what is stored.

    Args:    existing: the facility's stored lease of this id, if any.
    Returns: the row, and whether it is new.
    Raises:  InvalidInput, Conflict (`lease_exists`, `epoch_closed`).
    """
    _check(new, facility)
    if existing is not None:
        _require_same(connection, existing, new)
        return existing, False
    # A lease that would have changed a closed statement must not appear after the fact.
    _require_open(facility, max(new.opened_at_s, facility.window_start_s), "opened_at")
    row = LeaseRow(
        facility_id=facility.facility_id,
        lease=salted_hash(facility.salt, new.lease_id),
        lease_id=new.lease_id,
        renter_ref=new.renter_ref,
        renter=salted_hash(facility.salt, "renter:" + new.renter_ref),
        plan=new.plan.value,
        committed_gpus=new.committed_gpus,
        max_gpus=new.max_gpus,
        opened_at_s=new.opened_at_s,
        closed_at_s=None,
    )
    insert_record(connection, row)
    _insert_price(connection, row, new.first_price, version=1)
    return row, True


def _check(new: NewLease, facility: FacilityRow) -> None:
    if not 0 <= new.price_micros_per_gpu_hour <= MAX_PRICE_MICROS_PER_GPU_HOUR:
        raise InvalidInput("price is out of range", field="price_micros_per_gpu_hour")
    if new.committed_gpus > facility.device_count:
        raise InvalidInput("more GPUs committed than pledged", field="committed_gpus")
    if (new.plan is PricePlan.TAKE_OR_PAY) != (new.committed_gpus > 0):
        message = "a take-or-pay lease, and no other, commits GPUs"
        raise InvalidInput(message, field="committed_gpus")
    if new.max_gpus and new.max_gpus < new.committed_gpus:
        raise InvalidInput("max_gpus is below committed_gpus", field="max_gpus")


def _require_same(connection: Connection, existing: LeaseRow, new: NewLease) -> None:
    first = prices_of_lease(connection, existing.facility_id, existing.lease)[0]
    stored = NewLease(
        lease_id=existing.lease_id,
        renter_ref=existing.renter_ref,
        plan=PricePlan(existing.plan),
        committed_gpus=existing.committed_gpus,
        max_gpus=existing.max_gpus,
        opened_at_s=existing.opened_at_s,
        price_micros_per_gpu_hour=first.price_micros_per_gpu_hour,
        sla_credit_bps=first.sla_credit_bps,
    )
    if stored != new:
        message = f"lease {new.lease_id!r} exists with other terms"
        raise Conflict(message, lease_id=new.lease_id, reason="lease_exists")


def _insert_price(
    connection: Connection, lease: LeaseRow, price: NewPrice, *, version: int
) -> None:
    row = PriceRow(
        facility_id=lease.facility_id,
        lease=lease.lease,
        version=version,
        effective_from_s=price.effective_from_s,
        price_micros_per_gpu_hour=price.price_micros_per_gpu_hour,
        sla_credit_bps=price.sla_credit_bps,
    )
    insert_record(connection, row)


def add_price(
    connection: Connection, facility: FacilityRow, lease: LeaseRow, price: NewPrice
) -> bool:
    """Add a price version to a lease of a locked facility.

    Returns: whether it is new; the newest version again is not.
    Raises:  Conflict (`epoch_closed`, `price_order`).
    """
    newest = prices_of_lease(connection, facility.facility_id, lease.lease)[-1]
    stored = NewPrice(
        effective_from_s=newest.effective_from_s,
        price_micros_per_gpu_hour=newest.price_micros_per_gpu_hour,
        sla_credit_bps=newest.sla_credit_bps,
    )
    if stored == price:
        return False
    _require_open(facility, price.effective_from_s, "effective_from")
    if price.effective_from_s <= newest.effective_from_s:
        message = "a price must take effect after the one before it"
        raise Conflict(message, field="effective_from", reason="price_order")
    _insert_price(connection, lease, price, version=newest.version + 1)
    return True


def close_lease(
    connection: Connection, facility: FacilityRow, lease: LeaseRow, *, closed_at_s: int
) -> bool:
    """End a lease of a locked facility. Returns whether that is new.

    Raises:  Conflict (`epoch_closed`, `lease_closed`, `lease_in_use`).
    """
    facility_id, lease_id = facility.facility_id, lease.lease_id
    if lease.closed_at_s == closed_at_s:
        return False
    if lease.closed_at_s is not None:
        raise Conflict(f"lease {lease_id!r} is closed", reason="lease_closed")
    _require_open(facility, closed_at_s, "closed_at")
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
