"""Rows of an attester's memory: lines of JSON, each of which says by itself whose it is."""

import json
from dataclasses import dataclass

from api.domain.json_text import as_bytes32, as_integer, as_object, as_text, read_json
from api.domain.log.entry import NO_LOG, LogEnd
from api.domain.log.receipts import SignedEntry, signed_entry_document, signed_entry_from
from api.domain.statements.evidence import hex32
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid

# What Python raises when a row is something else.
BROKEN_ROW = (ValueError, LookupError, TypeError, ArithmeticError, EvidenceInvalid)


@dataclass(frozen=True, slots=True)
class Bound:
    """Whose memory it is: the account that attests, and the deployment it signs for."""

    attester: str
    chain_id: int
    registry: str

    def document(self) -> dict[str, object]:
        """As rows name it."""
        return {
            "attester": self.attester,
            "chain_id": self.chain_id,
            "registry": self.registry,
        }

    def sentence(self) -> str:
        """In words."""
        return f"{self.attester} on chain {self.chain_id}, registry {self.registry}"


@dataclass(frozen=True, slots=True)
class Place:
    """Statements of one place are rivals: `ISignerCharges.chargeEquivocation`."""

    facility_id: FacilityId
    epoch: Epoch
    previous: Bytes32


@dataclass(frozen=True, slots=True)
class Signed:
    """A statement that is, or is about to be, signed, and the log's end that it rests on.

    end: the entry there, as the log's key signed it; None of a log without a key.
    """

    place: Place
    statement: Bytes32
    log: LogEnd = NO_LOG
    end: SignedEntry | None = None

    def document(self) -> dict[str, object]:
        """As a row says it."""
        return {
            "facility_id": self.place.facility_id,
            "epoch": self.place.epoch,
            "previous": hex32(self.place.previous),
            "statement": hex32(self.statement),
            "log_size": self.log.size,
            "log_head": hex32(self.log.head),
            **({} if self.end is None else {"log_end": signed_entry_document(self.end)}),
        }


@dataclass(frozen=True, slots=True)
class Begun:
    """First epoch of a facility that is signed: of earlier ones this memory knows nothing."""

    facility_id: FacilityId
    epoch: Epoch

    def document(self) -> dict[str, object]:
        """As a row says it."""
        return {"kind": "begun", "facility_id": self.facility_id, "epoch": self.epoch}


@dataclass(frozen=True, slots=True)
class Whose:
    """The first row: nothing is signed yet."""

    def document(self) -> dict[str, object]:
        """As a row says it."""
        return {"kind": "whose"}


@dataclass(frozen=True, slots=True)
class Moved:
    """The memory went elsewhere (`exported`), or comes from there (`importing`, `imported`).

    id: of the export.

    rows: so many rows came before it in the file that was exported.
    """

    kind: str
    id: str
    at_s: int
    rows: int

    def document(self) -> dict[str, object]:
        """As a row says it."""
        return {"kind": self.kind, "id": self.id, "at_s": self.at_s, "rows": self.rows}


Row = Signed | Begun | Whose | Moved


def signed_row(statement: Statement, log: LogEnd, end: SignedEntry | None = None) -> Signed:
    """The row of a statement."""
    place = Place(statement.facility_id, statement.epoch, statement.previous_statement_hash)
    return Signed(place, statement_hash(statement), log, end)


def encode_row(bound: Bound, row: Row) -> bytes:
    """A row as a line."""
    return json.dumps({**bound.document(), **row.document()}).encode() + b"\n"


def decode_row(line: bytes) -> tuple[Bound, Row]:
    """Whose a line is, and what it says. Raises one of BROKEN_ROW."""
    said = as_object(read_json(line))
    bound = Bound(
        as_text(said["attester"]), as_integer(said["chain_id"]), as_text(said["registry"])
    )
    # Rows of before there were kinds are statements; of before logs had entries, they name none.
    kind = said.get("kind", "signed")
    if kind == "whose":
        return bound, Whose()
    if kind in ("exported", "importing", "imported"):
        moved = as_text(said["id"]), as_integer(said["at_s"]), as_integer(said["rows"])
        return bound, Moved(str(kind), *moved)
    facility_id = FacilityId(as_integer(said["facility_id"]))
    epoch = Epoch(as_integer(said["epoch"]))
    if kind == "begun":
        return bound, Begun(facility_id, epoch)
    if kind != "signed":
        raise ValueError("a row of an unknown kind")
    log = NO_LOG
    if "log_size" in said:
        log = LogEnd(as_integer(said["log_size"]), as_bytes32(said["log_head"]))
    end = signed_entry_from(as_object(said["log_end"])) if "log_end" in said else None
    place = Place(facility_id, epoch, as_bytes32(said["previous"]))
    return bound, Signed(place, as_bytes32(said["statement"]), log, end)
