"""What the database says was published: the files of the evidence, and by what each is known.

A file is known by its bytes, where the database holds them, or by a hash: of a manifest, and of
what a manifest names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from api.db.reopenings import superseded_of
from api.db.replacements import pledge_documents, roots_asked_for
from api.db.statements import signatures_of, statement_numbers, statement_rows, to_statement
from api.db.tables.facilities import FacilityRow
from api.domain.hashing import sha256
from api.domain.json_text import as_integer, as_list, as_object, as_text, read_json
from api.domain.statements.evidence import (
    COMMITTED_FILES,
    FACILITY_FILE,
    encode_attestations,
    encode_statement,
    epoch_folder,
    facility_folder,
)
from api.domain.statements.evidence_reader import read_attestations
from api.domain.statements.pledge_files import pledge_path
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import EvidenceInvalid
from api.evidence_store import HOSTILE

# Of a statement's folder: facility.json is named by the manifest and lies one folder up.
FOLDER_FILES = tuple(name for name in COMMITTED_FILES if name != FACILITY_FILE)


@dataclass(frozen=True, slots=True)
class PublishedStatement:
    """The folder of a statement.

    said, signatures: `statement.json` and `attestations.json`, as far as the database has them.
    signed: somebody signed it, so both were published.  superseded: a reopening replaced it.
    """

    facility_id: FacilityId
    epoch: Epoch
    folder: str
    statement_hash: Bytes32
    manifest_hash: Bytes32
    said: bytes
    signatures: bytes
    signed: bool
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class Published:
    """All that was published of a facility: whole files by path, and folders of statements.

    next_epoch: evidence of this number and later ones is of statements that are not stored.
    """

    files: Mapping[str, bytes]
    statements: tuple[PublishedStatement, ...]
    next_epoch: Epoch


def published_of(connection: Connection, row: FacilityRow) -> Published:
    """What the database says was published of a facility."""
    facility_id = row.facility_id
    files = {f"{facility_folder(facility_id)}/{FACILITY_FILE}": row.terms_json}
    roots = sorted(roots_asked_for(connection, facility_id))
    documents = pledge_documents(connection, facility_id, roots)
    files |= {pledge_path(facility_id, root): data for root, data in documents.items()}
    numbers = statement_numbers(connection, facility_id)
    statements = (*_standing(connection, facility_id), *_superseded(connection, facility_id))
    return Published(files, statements, Epoch(max(numbers, default=-1) + 1))


def _standing(connection: Connection, facility_id: FacilityId) -> Iterator[PublishedStatement]:
    numbers = statement_numbers(connection, facility_id)
    for epoch, row in sorted(statement_rows(connection, facility_id, numbers).items()):
        known = signatures_of(connection, facility_id, epoch)
        yield PublishedStatement(
            facility_id,
            epoch,
            epoch_folder(facility_id, epoch),
            row.statement_hash,
            row.evidence_hash,
            encode_statement(to_statement(row)),
            encode_attestations({address.lower(): each for address, each in known.items()}),
            signed=bool(known),
        )


def _superseded(connection: Connection, facility_id: FacilityId) -> Iterator[PublishedStatement]:
    for row in superseded_of(connection, facility_id):
        yield PublishedStatement(
            facility_id,
            row.epoch,
            row.evidence,
            row.statement_hash,
            row.evidence_hash,
            row.statement_json,
            row.attestations_json,
            signed=True,
            superseded=True,
        )


def has_more_signatures(found: bytes, known: bytes) -> bool:
    """Whether `attestations.json` holds all signatures that the database knows, and others too: a
    database that was restored from a copy knows fewer than were published."""
    try:
        there, ours = read_attestations(found), read_attestations(known)
    except (EvidenceInvalid, *HOSTILE):
        return False
    same = all(there.get(address) == signature for address, signature in ours.items())
    return same and len(there) > len(ours) and encode_attestations(there) == found


def named_in(manifest: bytes) -> Mapping[str, tuple[int, str]]:
    """Size and SHA-256 (hex) by name of what a manifest, whose hash is known, names."""
    rows = [as_object(row) for row in as_list(as_object(read_json(manifest))["files"])]
    return {
        as_text(row["name"]): (as_integer(row["bytes"]), as_text(row["sha256"])) for row in rows
    }


def is_named(data: bytes, named: tuple[int, str] | None) -> bool:
    """Whether bytes are those that a manifest names."""
    return named == (len(data), sha256(data).hex())
