"""What one account did, listed once each, and its account statement with running totals."""

from collections import defaultdict
from dataclasses import dataclass

from api.chain.calldata import checksum
from api.db.session import Engine, reading
from api.domain.statements.evidence import hex32
from api.domain.units import ZERO_ADDRESS
from api.reads.export import Cell, encode_csv
from api.reads.sql import holders
from api.reads.sql.holders import HistoryRow

_NAMES = {
    "UnitsSold": "units_bought",
    "UnitsRefunded": "units_refunded",
    "VoucherIssued": "voucher_issued",
    "RevenueClaimed": "revenue_claimed",
    "VoucherPaid": "voucher_paid",
}
_TAKES_UNITS = ("units_bought", "units_minted", "units_received")
_GIVES_UNITS = ("units_sent", "units_burned", "units_refunded", "voucher_issued")
_BRINGS_MONEY = ("revenue_claimed", "voucher_paid")


@dataclass(frozen=True, slots=True)
class HistoryEntryView:
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
class HistoryView:
    """A page of entries, newest first."""

    total: int
    entries: tuple[HistoryEntryView, ...]


def read_history(engine: Engine, address: str, *, offset: int, limit: int) -> HistoryView:
    """A page of what an account did."""
    account = address.lower()
    with reading(engine) as connection:
        total = holders.history_size(connection, account)
        rows = holders.history(connection, account, newest_first=True, offset=offset, limit=limit)
    return HistoryView(total, tuple(_entry(row, account) for row in rows))


def _entry(row: HistoryRow, account: str) -> HistoryEntryView:
    name = _moved(row, account) if row.event == "TransferSingle" else _NAMES[row.event]
    return HistoryEntryView(
        event=name,
        facility_id=row.facility_id,
        token_id=row.token_id,
        units=row.units,
        amount_micros=row.amount_micros,
        counterparty=_counterparty(row, account),
        block_number=row.block_number,
        block_time_s=row.block_time_s,
        tx_hash=hex32(row.tx_hash),
        held=_held(name, row),
    )


def _moved(transfer: HistoryRow, account: str) -> str:
    if transfer.account == ZERO_ADDRESS:
        return "units_minted"
    if transfer.counterparty == ZERO_ADDRESS:
        return "units_burned"
    return "units_sent" if transfer.account == account else "units_received"


def _held(name: str, row: HistoryRow) -> int:
    """Change of the units held."""
    units = row.units or 0
    if name in _TAKES_UNITS:
        return units
    # A transfer to oneself is told as sent and changes nothing.
    to_oneself = row.event == "TransferSingle" and row.account == row.counterparty
    return -units if name in _GIVES_UNITS and not to_oneself else 0


def _counterparty(row: HistoryRow, account: str) -> str | None:
    """The other account; for claims and refunds, where the money went."""
    other = row.counterparty if row.account == account else row.account
    # The zero address is the far side of a mint or a burn, not an account.
    return None if other in (None, ZERO_ADDRESS) else checksum(other)


# In the order of the cells of `statement_csv`.
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


def statement_csv(engine: Engine, address: str) -> bytes:
    """Everything that an account did, oldest first.

    Running totals: units held of the entry's tranche, micros spent on units less refunds, and
    micros received as revenue or for vouchers.
    """
    account = address.lower()
    with reading(engine) as connection:
        rows = holders.history(connection, account, newest_first=False)
    held: defaultdict[str | None, int] = defaultdict(int)
    spent = received = 0
    table: list[list[Cell]] = []
    for row in rows:
        entry = _entry(row, account)
        amount = entry.amount_micros or 0
        held[entry.token_id] += entry.held
        if entry.event == "units_bought":
            spent += amount
        elif entry.event == "units_refunded":
            spent -= amount
        elif entry.event in _BRINGS_MONEY:
            received += amount
        units_held = None if entry.token_id is None else held[entry.token_id]
        table.append(
            [
                entry.block_time_s,
                entry.block_number,
                entry.tx_hash,
                entry.event,
                entry.facility_id,
                entry.token_id,
                entry.units,
                entry.amount_micros,
                entry.counterparty,
                units_held,
                spent,
                received,
            ]
        )
    return encode_csv(_HEADER, table)
