"""Escrow: what only the database knows of a facility, as its operator keeps it for a successor.

Names and their secret, devices, replacements, reopenings; and beside them the log with its bodies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from api.db.facilities import own_facility_row
from api.db.facts import leases_agreed_in
from api.db.leases import leases_hashed
from api.db.log import logged_after
from api.db.reopenings import reopened_of, superseded_of
from api.db.replacements import pledge_documents, replacements_of
from api.db.rows import row_as
from api.db.session import Engine, reading
from api.db.tables.facilities import FacilityRow, OperatorRow, operators
from api.db.tables.history import NewReopening
from api.db.tables.leases import LeaseRow
from api.db.tables.replacements import NewReplacement
from api.domain.json_text import as_bytes32, as_integer, as_list, as_object, as_text, read_json
from api.domain.log.entry import Entry
from api.domain.log.logged import LoggedEntry
from api.domain.log.receipts import SignedEntry, signed_entry_of
from api.domain.log.signers import signers_of
from api.domain.statements.evidence import hex32
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Bytes32, Epoch, FacilityId, OperatorId
from api.errors import EvidenceInvalid
from api.ledger.facilities import device_names
from api.ledger.recorder import Log, keys_of

FORMAT = "rentroll-escrow-1"
# Of one page of a log. Bodies are packed: they are some five times as large when they are read.
_MOST_ENTRIES, _MOST_BYTES = 2_000, 4 << 20


@dataclass(frozen=True, slots=True)
class Asked:
    """A replacement that was asked for, and when its operator took it back, if it did."""

    new: NewReplacement
    withdrawn_at_s: int | None


@dataclass(frozen=True, slots=True)
class Replaced:
    """A statement that a reopening took out of the books. Its files are in the evidence."""

    epoch: Epoch
    statement_hash: Bytes32
    reason: str
    closed_at_s: int


@dataclass(frozen=True, slots=True)
class Reopened:
    """A reopening, and the statements that it replaced."""

    new: NewReopening
    replaced: tuple[Replaced, ...]


@dataclass(frozen=True, slots=True)
class EscrowState:
    """What the database knows of a facility beside its log.

    devices: of the first pledge, by name, each with its card.  closed: how many epochs had been
    closed by then: that of the last one names how long the log was.
    """

    facility_id: FacilityId
    operator_name: str
    operator_address: str
    name: str
    name_secret: Bytes32
    terms_json: bytes
    created_at_s: int
    devices: tuple[tuple[str, str], ...]
    replacements: tuple[Asked, ...]
    reopenings: tuple[Reopened, ...]
    closed: int


@dataclass(frozen=True, slots=True)
class LogPage:
    """A part of a log: its entries whole, the names of leases of which they tell terms, and its
    last entry signed by the log's key; None where that key is not here."""

    leases: tuple[LeaseRow, ...]
    entries: tuple[LoggedEntry, ...]
    head: SignedEntry | None


def escrowed_state(engine: Engine, operator_id: OperatorId, facility_id: FacilityId) -> EscrowState:
    """What an operator keeps of its facility beside the log. Raises NotFound for another's."""
    with reading(engine) as connection:
        row = own_facility_row(connection, operator_id, facility_id)
        query = select(operators).where(operators.c.operator_id == row.operator_id)
        operator = row_as(OperatorRow, connection.execute(query).one())
        return EscrowState(
            facility_id,
            operator.name,
            operator.address,
            row.name,
            Bytes32(row.name_secret),
            row.terms_json,
            row.created_at_s,
            tuple(sorted(device_names(connection, facility_id))),
            tuple(_asked(connection, facility_id)),
            tuple(_reopened(connection, facility_id)),
            row.epochs_closed,
        )


def _asked(connection: Connection, facility_id: FacilityId) -> Sequence[Asked]:
    rows = replacements_of(connection, facility_id)
    documents = pledge_documents(connection, facility_id, [row.pledge_root for row in rows])
    return [
        Asked(
            NewReplacement(
                facility_id=facility_id,
                from_epoch=row.from_epoch,
                pledge_root=row.pledge_root,
                old_uuid=row.old_uuid,
                uuid=row.uuid,
                card_uuid=row.card_uuid,
                reason=row.reason,
                document=documents[row.pledge_root],
                asked_at_s=row.asked_at_s,
            ),
            row.withdrawn_at_s,
        )
        for row in rows
    ]


def _reopened(connection: Connection, facility_id: FacilityId) -> Sequence[Reopened]:
    gone = superseded_of(connection, facility_id)
    return [
        Reopened(
            new,
            tuple(
                Replaced(row.epoch, Bytes32(row.statement_hash), row.reason, row.closed_at_s)
                for row in gone
                if row.reopening_pk == key
            ),
        )
        for key, new in reopened_of(connection, facility_id)
    ]


def escrowed_log(
    log: Log, operator_id: OperatorId, facility_id: FacilityId, *, after: int
) -> LogPage:
    """Entries of an operator's facility behind one. Raises NotFound for another's."""
    with reading(log.engine) as connection:
        row = own_facility_row(connection, operator_id, facility_id)
        terms = terms_from_bytes(row.terms_json)
        most = {"most": _MOST_ENTRIES, "most_bytes": _MOST_BYTES}
        entries = logged_after(connection, terms.log, after=after, **most)
        # Asked again behind its end, the log still says who vouches for it.
        last = entries[-1:] or (
            logged_after(connection, terms.log, after=after - 1, most=1) if after else []
        )
        leases = _leases(connection, row, [logged.entry for logged in entries])
        signers = signers_of(keys_of(connection, terms))
    key = log.key_for(signers, last[0].entry.number) if last else None
    head = None if key is None else signed_entry_of(last[0], key)
    return LogPage(tuple(leases), tuple(entries), head)


def _leases(
    connection: Connection, row: FacilityRow, entries: Sequence[Entry]
) -> Sequence[LeaseRow]:
    if not entries:
        return []
    hashes = leases_agreed_in(
        connection,
        row.facility_id,
        first=entries[0].number,
        last=entries[-1].number,
        recorded=(entries[0].recorded_at_s, entries[-1].recorded_at_s + 1),
    )
    found = leases_hashed(connection, row.facility_id, hashes)
    return sorted(found, key=lambda lease: lease.lease_id)


# --- as JSON ------------------------------------------------------------------------------------


def state_document(state: EscrowState) -> dict[str, object]:
    """The state as JSON."""
    return {
        "format": FORMAT,
        "facility_id": state.facility_id,
        "operator": {"name": state.operator_name, "address": state.operator_address},
        "name": state.name,
        "name_secret": hex32(state.name_secret),
        "facility_json": state.terms_json.decode("ascii"),
        "created_at_s": state.created_at_s,
        "devices": [{"uuid": uuid, "card": card} for uuid, card in state.devices],
        "replacements": [
            {
                "from_epoch": asked.new.from_epoch,
                "pledge_root": hex32(asked.new.pledge_root),
                "old": asked.new.old_uuid,
                "new": asked.new.uuid,
                "card": asked.new.card_uuid,
                "reason": asked.new.reason,
                "pledge": asked.new.document.decode("ascii"),
                "asked_at_s": asked.new.asked_at_s,
                "withdrawn_at_s": asked.withdrawn_at_s,
            }
            for asked in state.replacements
        ],
        "reopenings": [
            {
                "first_epoch": opened.new.first_epoch,
                "reopened_at_s": opened.new.reopened_at_s,
                "epochs_closed": opened.new.epochs_closed,
                "replaced": [
                    {
                        "epoch": gone.epoch,
                        "statement_hash": hex32(gone.statement_hash),
                        "reason": gone.reason,
                        "closed_at_s": gone.closed_at_s,
                    }
                    for gone in opened.replaced
                ],
            }
            for opened in state.reopenings
        ],
        "epochs_closed": state.closed,
    }


def state_from(data: bytes) -> EscrowState:
    """Read what `state_document` wrote. Raises EvidenceInvalid."""
    try:
        doc = as_object(read_json(data))
        if doc["format"] != FORMAT:
            raise ValueError(f"its format is {str(doc['format'])[:40]}, not {FORMAT}")
        facility_id = FacilityId(as_integer(doc["facility_id"]))
        operator = as_object(doc["operator"])
        devices = map(as_object, as_list(doc["devices"]))
        asked = map(as_object, as_list(doc["replacements"]))
        opened = map(as_object, as_list(doc["reopenings"]))
        return EscrowState(
            facility_id,
            as_text(operator["name"]),
            as_text(operator["address"]),
            as_text(doc["name"]),
            as_bytes32(doc["name_secret"]),
            as_text(doc["facility_json"]).encode("ascii"),
            as_integer(doc["created_at_s"]),
            tuple((as_text(row["uuid"]), as_text(row["card"])) for row in devices),
            tuple(_asked_from(facility_id, row) for row in asked),
            tuple(_reopened_from(facility_id, row) for row in opened),
            as_integer(doc["epochs_closed"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise EvidenceInvalid(f"the state of an escrow cannot be read: {error}") from error


def _asked_from(facility_id: FacilityId, row: Mapping[str, object]) -> Asked:
    withdrawn = row["withdrawn_at_s"]
    new = NewReplacement(
        facility_id=facility_id,
        from_epoch=Epoch(as_integer(row["from_epoch"])),
        pledge_root=as_bytes32(row["pledge_root"]),
        old_uuid=as_text(row["old"]),
        uuid=as_text(row["new"]),
        card_uuid=as_text(row["card"]),
        reason=as_text(row["reason"]),
        document=as_text(row["pledge"]).encode("ascii"),
        asked_at_s=as_integer(row["asked_at_s"]),
    )
    return Asked(new, None if withdrawn is None else as_integer(withdrawn))


def _reopened_from(facility_id: FacilityId, row: Mapping[str, object]) -> Reopened:
    new = NewReopening(
        facility_id=facility_id,
        first_epoch=Epoch(as_integer(row["first_epoch"])),
        reopened_at_s=as_integer(row["reopened_at_s"]),
        epochs_closed=as_integer(row["epochs_closed"]),
    )
    replaced = [
        Replaced(
            Epoch(as_integer(gone["epoch"])),
            as_bytes32(gone["statement_hash"]),
            as_text(gone["reason"]),
            as_integer(gone["closed_at_s"]),
        )
        for gone in map(as_object, as_list(row["replaced"]))
    ]
    return Reopened(new, tuple(replaced))


def lease_document(lease: LeaseRow) -> dict[str, object]:
    """Names of a lease, beside the hash that evidence has of it."""
    return {
        "type": "lease",
        "lease": hex32(lease.lease),
        "lease_id": lease.lease_id,
        "renter_ref": lease.renter_ref,
    }


def lease_from(facility_id: FacilityId, row: Mapping[str, object]) -> LeaseRow:
    """Read what `lease_document` wrote. Raises ValueError, KeyError, TypeError."""
    names = as_text(row["lease_id"]), as_text(row["renter_ref"])
    return LeaseRow(facility_id, as_bytes32(row["lease"]), *names)
