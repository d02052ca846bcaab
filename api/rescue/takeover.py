"""Takeover: a new database from the chain, the published evidence, and operators' escrows alone.

All of it is made in a folder of its own by the code of a service that runs: the chain is indexed,
logs are appended, statements are closed and compared. Only then evidence is completed, and the
database written whole, SQLite or PostgreSQL. So a kill leaves an empty one, or all of it.
"""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine

from api.chain.contracts import Contracts
from api.chain.deployment import code_problems, parse_deployment
from api.chain.published import DEPLOYMENT_FILE, published_deployment
from api.db.chain_store import events_named
from api.db.copying import (
    copied_tables,
    go_on_counting,
    make_partitions,
    month_in,
    put_rows,
    rows_of,
)
from api.db.migrate import upgrade
from api.db.session import opened, reading
from api.domain.statements.evidence import ATTESTATIONS_FILE
from api.domain.units import FacilityId
from api.epochs.behind import note_published
from api.epochs.index import Indexer
from api.epochs.reindex import read_again
from api.errors import (
    ChainUnavailable,
    Conflict,
    EvidenceUnreachable,
    Misconfigured,
    NotFound,
)
from api.evidence_store import EvidenceFolder, EvidenceSource
from api.ledger.recorder import LogKeyRing
from api.rescue.backup import files_below, require_same_deployment
from api.rescue.databases import put_database, require_room
from api.rescue.escrow import FacilityEscrow, escrow_of, facilities_in
from api.rescue.published import has_more_signatures
from api.rescue.taken import OnProgress, Site, TakenFacility, TakeoverRefused
from api.rescue.taking import take_facility

# What is lost of a facility of which nobody has an escrow.
LOST = (
    "lost are the secret by which all its later statements name leases and renters, the names of"
    " its devices, and the facts behind its last statement: nothing of it can be closed or posted"
    " any more. What was posted stands, and what is on the chain can be settled and claimed"
)


@dataclass(frozen=True, slots=True)
class Successor:
    """Where a successor of the service has its things, and what it takes over by.

    evidence: where its evidence is; it may be the published one.  scratch: a folder of its own, in
    which everything is made first; it holds secrets while that lasts.
    """

    database_url: str
    evidence: EvidenceFolder
    source: EvidenceSource
    contracts: Contracts
    ring: LogKeyRing
    scratch: Path
    confirmations: int | None


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What was taken over, facility by facility, and what was left out."""

    facilities: tuple[TakenFacility, ...]
    without: tuple[FacilityId, ...]
    block: int


def take_over(
    successor: Successor,
    escrows: Sequence[Path],
    *,
    without: Collection[FacilityId] = (),
    dry_run: bool = False,
    on_progress: OnProgress = lambda _facility, _what, _done: None,
) -> TakenOver:
    """Make a new database, and complete the evidence, from what others kept.

    Args:    escrows: folders of operators.  without: facilities that are left out for ever.
             dry_run: everything is made and compared, and nothing of it is kept.
    Raises:  TakeoverRefused, EscrowBroken (both name facility and file), Conflict (`not_empty`,
             `in_use`, `deployment_differs`, `evidence_differs`, `escrow_twice`), NotFound,
             EvidenceUnreachable, ChainUnavailable, Misconfigured, DatabaseUnavailable.
    """
    require_room(successor.database_url, replace=False)
    if successor.scratch.resolve().is_relative_to(successor.evidence.root.resolve()):
        message = f"{successor.scratch} (--scratch) lies inside the evidence, which is served"
        raise Misconfigured(message)
    kept = _escrows(escrows)
    _require_deployment(successor)
    with _scratch(successor.scratch) as folder, opened(f"sqlite:///{folder}/new.db") as engine:
        upgrade(engine)
        site = Site(
            engine,
            EvidenceFolder(folder / "evidence"),
            successor.source,
            successor.contracts,
            successor.ring,
            on_progress,
        )
        block = _index(site, successor.confirmations)
        offered = _offered(engine)
        _require_escrows(offered, kept, without)
        facilities = tuple(
            take_facility(site, escrow, offered=facility_id in offered)
            for facility_id, escrow in sorted(kept.items())
            if facility_id not in without
        )
        note_published(engine, site.evidence)
        site.evidence.write(DEPLOYMENT_FILE, published_deployment(successor.contracts))
        _require_same(site.evidence, successor.evidence)
        if not dry_run:
            _complete(site.evidence, successor.evidence)
            with reading(engine) as made:
                fill = partial(_fill, made)
                put_database(successor.database_url, fill, replace=False, stamp="")
    return TakenOver(facilities, tuple(sorted(without)), block)


def _escrows(folders: Sequence[Path]) -> dict[FacilityId, FacilityEscrow]:
    """Escrows by facility. Raises NotFound, Conflict."""
    found: dict[FacilityId, FacilityEscrow] = {}
    for folder in folders:
        for facility_id in facilities_in(folder):
            if facility_id in found:
                message = (
                    f"facility {facility_id} is in {found[facility_id].folder.parent} and in"
                    f" {folder}: give the newer one alone"
                )
                raise Conflict(message, reason="escrow_twice")
            found[facility_id] = escrow_of(folder, facility_id)
    return found


def _require_deployment(successor: Successor) -> None:
    """Refuse a chain or evidence of other contracts. Raises Conflict, Misconfigured."""
    deployment = successor.contracts.deployment
    problems = code_problems(successor.contracts.client, deployment)
    if problems:
        message = f"the chain is not the one of the deployment file: {'; '.join(problems[:3])}"
        raise Conflict(message, reason="deployment_differs")
    try:
        theirs = parse_deployment(successor.source.read(DEPLOYMENT_FILE))
    except EvidenceUnreachable:
        raise
    except NotFound:
        return
    require_same_deployment(theirs, deployment, what="the published evidence")


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder for its owner alone, which ends with the block: what one that was killed left in it
    goes first. Raises Misconfigured where something else is there."""
    mark = folder / ".rentroll-takeover"
    if folder.exists() and not mark.exists() and any(folder.iterdir()):
        raise Misconfigured(f"{folder} has other things in it (--scratch)")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    mark.touch()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# --- the chain ------------------------------------------------------------------------------------


def _index(site: Site, confirmations: int | None) -> int:
    """Index the chain up to its head. Returns the block. Raises ChainUnavailable, IndexHalted."""
    indexer = Indexer(site.engine, site.contracts, confirmations=confirmations)
    said = partial(_said_blocks, site.on_progress)
    read_again(site.engine, indexer, said)
    progress = indexer.advance()
    if progress.behind:
        message = f"the chain is read up to block {progress.indexed} of {progress.head}: try again"
        raise ChainUnavailable(message)
    return progress.indexed


def _said_blocks(on_progress: OnProgress, done: int, _total: int) -> None:
    on_progress(FacilityId(0), "blocks", done)


def _offered(engine: Engine) -> set[FacilityId]:
    with reading(engine) as connection:
        rows = events_named(connection, "FacilityOffered")
    return {row.facility_id for row in rows if row.facility_id is not None}


def _require_escrows(
    offered: set[FacilityId],
    kept: Mapping[FacilityId, FacilityEscrow],
    without: Collection[FacilityId],
) -> None:
    """Refuse facilities of which nobody has an escrow, unless they are given up by name."""
    missing = sorted(offered - kept.keys() - set(without))
    if missing:
        named = ", ".join(map(str, missing))
        message = (
            f"nobody has an escrow of facilities {named}: {LOST}. Ask their operators; or leave"
            f" them out with {' '.join(f'--without {each}' for each in missing)}"
        )
        raise TakeoverRefused(message, facility_ids=missing)
    unknown = sorted(set(without) - offered - kept.keys())
    if unknown:
        message = f"there is no facility {unknown[0]} to leave out (--without)"
        raise NotFound(message, facility_id=unknown[0])


# --- into place -----------------------------------------------------------------------------------


def _require_same(made: EvidenceFolder, there: EvidenceFolder) -> None:
    """Refuse evidence that is there with bytes that contradict what was made. Raises Conflict."""
    differing = []
    for path in files_below(made, ""):
        known = _read(there, path)
        if known is None:
            if os.path.lexists(there.root / path):
                differing.append(path)
        elif known != made.read(path) and not _may_differ(path, known, made.read(path)):
            differing.append(path)
    if differing:
        message = (
            f"{len(differing)} files of the evidence that is here (RENTROLL_EVIDENCE_DIR) are"
            f" others than those that were made again, such as {', '.join(differing[:3])}: put it"
            " aside"
        )
        raise Conflict(message, reason="evidence_differs")


def _may_differ(path: str, there: bytes, made: bytes) -> bool:
    if path == DEPLOYMENT_FILE:
        ours, theirs = parse_deployment(made), parse_deployment(there)
        return (ours.chain_id, ours.addresses) == (theirs.chain_id, theirs.addresses)
    return path.endswith(f"/{ATTESTATIONS_FILE}") and has_more_signatures(there, made)


def _read(evidence: EvidenceFolder, path: str) -> bytes | None:
    with suppress(NotFound):
        return evidence.read(path)
    return None


def _complete(made: EvidenceFolder, there: EvidenceFolder) -> None:
    there.root.mkdir(parents=True, exist_ok=True)
    for path in files_below(made, ""):
        if _read(there, path) is None:
            there.write(path, made.read(path))


def _fill(made: Connection, connection: Connection) -> None:
    tables = copied_tables()
    months = {
        month
        for table in tables
        if table.dialect_kwargs.get("postgresql_partition_by")
        for row in rows_of(made, table)
        if (month := month_in(table, row)) is not None
    }
    make_partitions(connection, months)
    for table in tables:
        put_rows(connection, table, rows_of(made, table))
    go_on_counting(connection)
