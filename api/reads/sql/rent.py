"""SQL of rent by lease: charges of statements, and payments."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from api.db import event_columns as e
from api.db.tables.statements import statement_lines
from api.domain.units import Address, Bytes32, Epoch, FacilityId, Micros
from api.reads.sql import payloads


@dataclass(frozen=True, slots=True)
class LeaseChargeRow:
    """Charges of one lease in one epoch's statement; a sum of lines, below zero after credits."""

    lease: Bytes32
    epoch: Epoch
    charge_micros: Micros


def lease_charges(connection: Connection, facility_id: FacilityId) -> list[LeaseChargeRow]:
    """Charges by lease and epoch over all statements of a facility."""
    line = statement_lines.c
    query = (
        select(line.lease, line.epoch, func.sum(line.charge_micros))
        .where(line.facility_id == facility_id)
        .group_by(line.lease, line.epoch)
    )
    return [
        LeaseChargeRow(lease=lease, epoch=epoch, charge_micros=Micros(int(micros or 0)))
        for lease, epoch, micros in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class RentPaymentRow:
    """A RentPaid: who paid how much under which lease."""

    lease: Bytes32
    payer: Address
    amount_micros: Micros
    block_time_s: int
    tx_hash: Bytes32


def rent_payments(connection: Connection, facility_id: FacilityId) -> list[RentPaymentRow]:
    """Rent payments of a facility, in chain order."""
    query = (
        select(e.payload, e.account, e.amount_micros, e.block_time_s, e.tx_hash)
        .where(e.event == "RentPaid", e.facility_id == facility_id)
        .order_by(*e.chain_order)
    )
    return [
        RentPaymentRow(
            lease=payloads.paid_lease(payload),
            payer=payer,
            amount_micros=micros,
            block_time_s=block_time_s,
            tx_hash=tx_hash,
        )
        for payload, payer, micros, block_time_s, tx_hash in connection.execute(query)
    ]


@dataclass(frozen=True, slots=True)
class RentRefundRow:
    """A CreditRefunded: a signed credit of a lease that went back to who had paid."""

    lease: Bytes32
    amount_micros: Micros


def rent_refunds(connection: Connection, facility_id: FacilityId) -> list[RentRefundRow]:
    """Credits of leases that were paid back, in chain order."""
    query = (
        select(e.payload, e.amount_micros)
        .where(e.event == "CreditRefunded", e.facility_id == facility_id)
        .order_by(*e.chain_order)
    )
    return [
        RentRefundRow(lease=payloads.credited_lease(payload), amount_micros=micros)
        for payload, micros in connection.execute(query)
    ]
