"""Published files of a facility with their hashes, and which of these hashes are on-chain."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from api.db.session import Engine, reading
from api.db.statements import statement_numbers
from api.domain.hashing import sha256
from api.domain.statements.evidence import (
    ATTESTATIONS_FILE,
    COMMITTED_FILES,
    FACILITY_FILE,
    MANIFEST_FILE,
    STATEMENT_FILE,
    epoch_folder,
    facility_folder,
    hex32,
)
from api.domain.units import Epoch
from api.errors import NotFound
from api.evidence_store import EvidenceFolder
from api.reads.market import find_tranche
from api.reads.sql.facilities import ListedFacilityRow
from api.reads.sql.market import posted_statements

# In an epoch's folder, in reading order.
_FILES = (
    STATEMENT_FILE,
    ATTESTATIONS_FILE,
    MANIFEST_FILE,
    *(name for name in COMMITTED_FILES if name != FACILITY_FILE),
)


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A file below the evidence root."""

    name: str
    path: str
    sha256: str
    bytes: int
    on_chain: str | None
    epoch: int | None


def list_documents(
    engine: Engine, evidence: EvidenceFolder, token_id: int, *, offset: int, limit: int
) -> tuple[int, list[DocumentView]]:
    """How many files can be published, and a page: the facility's terms, then the files of its
    epochs, newest first. Raises NotFound.
    """
    with reading(engine) as connection:
        listing = find_tranche(connection, token_id)
        facility = listing.facility
        on_chain: dict[str, str] = {}
        if listing.tranche.on_chain:
            on_chain[hex32(facility.terms_hash)] = "termsHash"
            for statement in posted_statements(connection, facility.facility_id).values():
                on_chain[hex32(statement.evidence_hash)] = "evidenceHash"
        numbers = statement_numbers(connection, facility.facility_id)
    paths = islice(_paths(facility, numbers), offset, offset + limit)
    files = (_document(evidence, on_chain, path, epoch) for path, epoch in paths)
    total = 1 + len(numbers) * len(_FILES)
    return total, [file for file in files if file is not None]


def _paths(
    facility: ListedFacilityRow, numbers: Sequence[Epoch]
) -> Iterator[tuple[str, Epoch | None]]:
    yield f"{facility_folder(facility.facility_id)}/{FACILITY_FILE}", None
    for epoch in reversed(numbers):
        folder = epoch_folder(facility.facility_id, epoch)
        for name in _FILES:
            yield f"{folder}/{name}", epoch


def _document(
    evidence: EvidenceFolder, on_chain: dict[str, str], path: str, epoch: int | None
) -> DocumentView | None:
    """A file as it is published now; None if it is not published yet."""
    try:
        data = evidence.read(path)
    except NotFound:
        return None
    digest = hex32(sha256(data))
    name = path.rpartition("/")[2]
    # Only these two are hashed on-chain as files; another with equal bytes is no proof.
    named = on_chain.get(digest) if name in (FACILITY_FILE, MANIFEST_FILE) else None
    return DocumentView(name, path, digest, len(data), named, epoch)
