"""What one account did, each thing once, with running totals for its statement."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine

from api.chain.calldata import checksum
from api.db.session import reading
from api.domain.statements.evidence import hex32
from api.reads.export import Cell, encode_csv
from api.reads.sql import holders as store
from api.reads.sql.market import ZERO_ADDRESS

_NAMES = {
    "UnitsSold": "units_bought",
    "UnitsRetained": "units_retained",
    "UnitsRefunded": "units_refunded",
    "VoucherIssued": "voucher_issued",
    "RevenueClaimed": "revenue_claimed",
    "UnservedPaid": "voucher_paid",
}
# The second number of these events is units; of UnservedPaid it is GPU-seconds.
_WITH_UNITS = ("UnitsSold", "UnitsRetained", "UnitsRefunded", "VoucherIssued")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that an account did or that happened to it; None where it has no meaning."""

    event: str
    facility_id: int | None
    token_id: str | None
    units: int | None
    amount_micros: int | None
    counterparty: str | None
    block_number: int
    block_time_s: int
    tx_hash: str
    # Change of the units held.
    held: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """A page of entries, newest first."""

    total: int
    entries: tuple[Entry, ...]


def read_history(engine: Engine, address: str, *, offset: int, limit: int) -> History:
    """A page of what an account did."""
    account = address.lower()
    with reading(engine) as connection:
        total = store.history_size(connection, account)
        rows = store.history(connection, account, newest_first=True, offset=offset, limit=limit)
    return History(total, tuple(_entry(row, account) for row in rows))


def _entry(row: Any, account: str) -> Entry:
    units: int | None = row.extra if row.event in _WITH_UNITS else None
    amount: int | None = row.amount
    if row.event == "TransferSingle":
        name, units, amount = _moved(row, account), row.amount, None
    else:
        name = _NAMES[row.event]
    return Entry(
        event=name,
        facility_id=row.facility_id,
        token_id=row.token_id,
        units=units,
        amount_micros=amount,
        counterparty=_counterparty(row, account),
        block_number=row.block_number,
        block_time_s=row.block_time_s,
        tx_hash=hex32(row.tx_hash),
        held=_held(name, units or 0, row),
    )


def _moved(row: Any, account: str) -> str:
    if row.account == ZERO_ADDRESS:
        return "units_minted"
    if row.counterparty == ZERO_ADDRESS:
        return "units_burned"
    return "units_sent" if row.account == account else "units_received"


def _held(name: str, units: int, row: Any) -> int:
    """Change of the units held."""
    if name in ("units_bought", "units_retained", "units_minted", "units_received"):
        return units
    # To oneself nothing changes.
    taken = row.event != "TransferSingle" or row.account != row.counterparty
    gone = ("units_sent", "units_burned", "units_refunded", "voucher_issued")
    return -units if name in gone and taken else 0


def _counterparty(row: Any, account: str) -> str | None:
    """The other account; for claims and refunds, where the money went."""
    other = row.counterparty if row.account == account else row.account
    return None if other in (None, ZERO_ADDRESS) else checksum(other)


_HEADER = (
    "block_time_s",
    "block_number",
    "tx_hash",
    "event",
    "facility_id",
    "token_id",
    "units",
    "amount_micros",
    "counterparty",
    "units_held",
    "spent_micros",
    "received_micros",
)
_RECEIVED = ("revenue_claimed", "voucher_paid")


def statement_csv(engine: Engine, address: str) -> bytes:
    """Everything that an account did, oldest first.

    Running totals: units held of the entry's tranche, micros spent on units less refunds, and
    micros received as revenue or for vouchers.
    """
    account = address.lower()
    with reading(engine) as connection:
        rows = store.history(connection, account, newest_first=False)
    held: dict[str | None, int] = {}
    spent = received = 0
    cells: list[list[Cell]] = []
    for row in rows:
        entry = _entry(row, account)
        amount = entry.amount_micros or 0
        held[entry.token_id] = held.get(entry.token_id, 0) + entry.held
        spent += (entry.event == "units_bought") * amount
        spent -= (entry.event == "units_refunded") * amount
        received += (entry.event in _RECEIVED) * amount
        plain: list[Cell] = [getattr(entry, name) for name in _HEADER[:9]]
        units_held = None if entry.token_id is None else held[entry.token_id]
        cells.append([*plain, units_held, spent, received])
    return encode_csv(_HEADER, cells)
