"""Published files of a facility with their hashes, and which of these stand on-chain."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Engine

from api.db.session import reading
from api.db.standing import standing_posts
from api.domain.hashing import sha256
from api.domain.lifecycle import STATES
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
from api.errors import NotFound
from api.evidence_store import EvidenceFolder
from api.reads.market import find_tranche
from api.reads.sql import market

# In an epoch's folder, in reading order.
_FILES = (
    STATEMENT_FILE,
    ATTESTATIONS_FILE,
    MANIFEST_FILE,
    *(name for name in COMMITTED_FILES if name != FACILITY_FILE),
)


@dataclass(frozen=True, slots=True)
class Document:
    """A file below the evidence root."""

    name: str
    path: str
    sha256: str
    bytes: int
    on_chain: str | None
    epoch: int | None


def list_documents(
    engine: Engine, evidence: EvidenceFolder, token_id: int, *, offset: int, limit: int
) -> tuple[int, list[Document]]:
    """How many files can be published, and a page: the facility's terms, then the files of its
    epochs, newest first. Raises NotFound.
    """
    with reading(engine) as connection:
        tranche = find_tranche(connection, token_id)[1]
        facility_id = tranche.facility_id
        row = market.facility_rows(connection, facility_id)[0]
        posts = standing_posts(connection, facility_id)
    offered = tranche.state != STATES[0]
    on_chain = {hex32(row.terms_hash): "termsHash"} if offered else {}
    for post in posts.values() if offered else ():
        # Place 9 of the statement is its evidence hash.
        on_chain[json.loads(post.payload)["statement"][9]] = "evidenceHash"
    paths = islice(_paths(row), offset, offset + limit)
    found = (_document(evidence, on_chain, path, epoch) for path, epoch in paths)
    total = 1 + row.epochs_closed * len(_FILES)
    return total, [document for document in found if document is not None]


def _paths(row: Any) -> Iterator[tuple[str, int | None]]:
    yield f"{facility_folder(row.facility_id)}/{FACILITY_FILE}", None
    for epoch in range(row.epochs_closed - 1, -1, -1):
        folder = epoch_folder(row.facility_id, epoch)
        for name in _FILES:
            yield f"{folder}/{name}", epoch


def _document(
    evidence: EvidenceFolder, on_chain: dict[str, str], path: str, epoch: int | None
) -> Document | None:
    """A file as it lies there now; None if it is not published yet."""
    try:
        data = evidence.read(path)
    except NotFound:
        return None
    digest = hex32(sha256(data))
    name = path.rpartition("/")[2]
    # Only these two are hashed on-chain as files; another with equal bytes is no proof.
    named = on_chain.get(digest) if name in (FACILITY_FILE, MANIFEST_FILE) else None
    return Document(name, path, digest, len(data), named, epoch)
