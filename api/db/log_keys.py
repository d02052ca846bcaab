"""SQL of the keys that sign entries of a facility's log."""

from collections.abc import Iterable

from sqlalchemy import Connection, select

from api.db.rows import columns_of, rows_as
from api.db.tables.ledger import LogKeyRow, log_keys
from api.domain.log.keys import KeyRole, LogKey
from api.domain.log.receipts import Receipt, pack_receipt, unpack_receipt
from api.domain.units import Bytes32, FacilityId


def log_key_rows(connection: Connection, facility_id: FacilityId) -> list[LogKeyRow]:
    """All keys that a log has, or had, in the order of the entries that brought them."""
    query = select(*columns_of(LogKeyRow)).where(log_keys.c.facility_id == facility_id)
    return list(rows_as(LogKeyRow, connection.execute(query.order_by(log_keys.c.entry))))


def to_log_key(row: LogKeyRow) -> LogKey:
    """A key, as the domain knows it."""
    return LogKey(
        row.key,
        KeyRole(row.role),
        row.name,
        row.entry,
        row.last_entry,
        row.last,
        row.before,
        row.ended,
    )


def newest_receipt(connection: Connection, facility_id: FacilityId, key: Bytes32) -> Receipt | None:
    """Receipt of the newest entry that a key signed; None of one that signed none yet, or not
    since receipts are kept."""
    query = select(log_keys.c.receipt).where(
        log_keys.c.facility_id == facility_id, log_keys.c.key == key
    )
    packed = connection.execute(query).scalar()
    return None if packed is None else unpack_receipt(packed)


def keep_log_keys(
    connection: Connection,
    facility_id: FacilityId,
    keys: Iterable[LogKey],
    *,
    at_s: int,
    receipt: Receipt | None = None,
) -> None:
    """Write keys as an entry left them.

    Args:    at_s: second of that entry.  receipt: of the entry, for its author.
    """
    known = {row.key: row for row in log_key_rows(connection, facility_id)}
    for key in keys:
        row = known.get(key.key)
        used = row is None or row.last_entry != key.last_entry
        values: dict[str, object] = {
            "role": key.role.value,
            "name": key.name,
            "entry": key.entry,
            "last_entry": key.last_entry,
            "last": key.last,
            "before": key.before,
            "ended": key.ended,
            "used_at_s": at_s if row is None or used else row.used_at_s,
        }
        if receipt is not None and receipt.entry.author == key.key:
            values["receipt"] = pack_receipt(receipt)
        if row is None:
            new = {"facility_id": facility_id, "key": key.key, "receipt": None, **values}
            connection.execute(log_keys.insert().values(**new))
        else:
            here = log_keys.c.facility_id == facility_id, log_keys.c.key == key.key
            connection.execute(log_keys.update().where(*here).values(**values))


def forget_receipts(connection: Connection, facility_id: FacilityId) -> None:
    """Forget the receipts of a log's authors: none of them is one that the log's key signed."""
    here = log_keys.c.facility_id == facility_id
    connection.execute(log_keys.update().where(here).values(receipt=None))
