"""Columns of `chain_events` under the names that each event gives them.

The index flattens all events into the same few columns: `extra` is a fee in one event and units in
another. Queries take the columns from here, so that none has to remember which. An event leaves a
column empty that it has no use for; the columns of its own are never NULL.
"""

from typing import TypeVar, cast

from sqlalchemy import Column, ColumnElement

from api.db.tables.chain import chain_events
from api.domain.units import Address, Epoch, FacilityId, Micros

T = TypeVar("T")
all_columns = chain_events.c


def _given(column: Column[T | None]) -> ColumnElement[T]:
    return cast("ColumnElement[T]", column)


def _money(column: Column[int | None]) -> ColumnElement[Micros]:
    return cast("ColumnElement[Micros]", column)


def _address(column: Column[str | None]) -> ColumnElement[Address]:
    return cast("ColumnElement[Address]", column)


event = all_columns.event
payload = all_columns.payload
block_number = all_columns.block_number
block_time_s = all_columns.block_time_s
tx_hash = all_columns.tx_hash
chain_order = (all_columns.block_number, all_columns.log_index, all_columns.part)

facility_id: ColumnElement[FacilityId] = _given(all_columns.facility_id)
token_id = _given(all_columns.token_id)
statement_hash = _given(all_columns.statement_hash)  # StatementPosted
epoch: ColumnElement[Epoch] = _given(all_columns.epoch)  # StatementPosted
first_epoch: ColumnElement[Epoch] = _given(all_columns.epoch)  # StatementVoided
before_epoch = _given(all_columns.extra)  # StatementVoided: the first that it did not take
settled_epochs = _given(all_columns.epoch)  # Settled: how many epochs it counts
new_state = _given(all_columns.extra)  # FacilityStateChanged

# Money: what was paid, accrued, claimed, shared by a closing, written off, released or slashed.
amount_micros = _money(all_columns.amount)
gross_micros = _money(all_columns.amount)  # StatementPosted
cost_micros = _money(all_columns.amount)  # UnitsSold
refund_micros = _money(all_columns.amount)  # UnitsRefunded
fee_micros = _money(all_columns.extra)  # Settled: the part of its amount that the protocol got

# Units: of a transfer they are its value; of a sale, refund or voucher they stand beside money.
moved_units = _given(all_columns.amount)  # TransferSingle
units = _given(all_columns.extra)  # UnitsSold, UnitsRefunded, VoucherIssued

sender = _address(all_columns.account)  # TransferSingle: zero for a mint
receiver = _address(all_columns.counterparty)  # TransferSingle: zero for a burn
account = _address(all_columns.account)  # who bought, held, paid, attested or runs the GPUs
new_wallet = _address(all_columns.counterparty)  # VoucherMoved, WalletRecovered
