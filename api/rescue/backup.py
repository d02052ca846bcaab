"""Backup: one view of the database, and the evidence, into a folder of objects and a manifest.

The service goes on meanwhile. Evidence is written before what names it is stored, so whatever a
view of the database names is there when its files are read; newer files are copied with them.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Connection, Engine

from api.chain.deployment import Deployment, parse_deployment
from api.db.chain_store import last_block
from api.db.copying import copied_tables, detached_months
from api.db.facilities import facility_rows
from api.db.migrate import newest_migration
from api.db.session import reading
from api.db.statements import statements_before
from api.domain.log.keys import KeyRole
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import MAX_I64, ZERO32, Epoch
from api.errors import Conflict, Misconfigured, NotFound
from api.evidence_store import EvidenceFolder, is_partial
from api.ledger.recorder import keys_of
from api.rescue.check import check_evidence
from api.rescue.log_key import LogKeyCopy, copy_log_key, copy_older_keys, copy_successors
from api.rescue.manifest import (
    FacilityState,
    Manifest,
    backups_in,
    read_manifest,
    write_manifest,
)
from api.rescue.objects import ObjectName, Objects
from api.rescue.table_parts import copy_table

_OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that was made, and its manifest's file."""

    path: Path
    manifest: Manifest


def make_backup(
    engine: Engine,
    evidence: EvidenceFolder,
    folder: Path,
    *,
    deployment: Deployment | None,
    log_key: LogKeyCopy,
    settings: Sequence[str],
    made_at: str,
) -> Made:
    """Copy a service into a folder; what a backup there has already is not written again.

    Args:    settings: names of those that are set.  made_at: `20261130T224500Z`.
    Raises:  Conflict where the folder is of another deployment, Misconfigured where others may read
             it or it is served, DatabaseUnavailable, KeyFileWrong.
    """
    _require_own(folder, evidence, deployment)
    objects = Objects(folder / "objects")
    with reading(engine) as connection:
        tables = tuple(copy_table(connection, table, objects) for table in copied_tables())
        states = tuple(_states(connection))
        block = last_block(connection)
        detached = tuple(detached_months(connection))
        named = set(_log_keys(connection))
    copied = dict(_copy_evidence(evidence, objects))
    wrong = [f for f in check_evidence(engine, evidence, deployment) if f.wrong]
    key_file = copy_log_key(log_key, folder)
    older_keys = copy_older_keys(log_key, folder, known=named)
    manifest = Manifest(
        made_at=made_at,
        version=version("rentroll"),
        migration=newest_migration(),
        block=None if block is None else (block.number, block.block_hash.hex(), block.time_s),
        deployment=None if deployment is None else objects.put(deployment.document),
        log_key=log_key.public,
        log_key_file=key_file,
        settings=tuple(sorted(settings)),
        facilities=states,
        tables=tables,
        evidence=copied,
        detached=detached,
        not_whole=tuple(f"{f.path}: {f.state}" for f in wrong),
        older_keys=older_keys,
        successors=copy_successors(log_key, objects),
    )
    return Made(write_manifest(folder, manifest), manifest)


def _require_own(folder: Path, evidence: EvidenceFolder, deployment: Deployment | None) -> None:
    if folder.resolve().is_relative_to(evidence.root.resolve()):
        raise Misconfigured(f"{folder} lies inside the evidence, where everything is served")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if folder.stat().st_mode & _OTHERS:
        message = f"others may enter {folder}, and a backup holds secrets: run `chmod 700` on it"
        raise Misconfigured(message)
    before = backups_in(folder)
    if not before or deployment is None:
        return
    last = read_manifest(before[-1])
    if last.deployment is None:
        return
    theirs = parse_deployment(Objects(folder / "objects").get(last.deployment))
    require_same_deployment(theirs, deployment, what=str(folder))


def require_same_deployment(theirs: Deployment, ours: Deployment, *, what: str) -> None:
    """Refuse what is of other contracts. Raises Conflict."""
    if (theirs.chain_id, theirs.addresses) != (ours.chain_id, ours.addresses):
        message = (
            f"{what} is of another deployment: chain {theirs.chain_id}, StatementRegistry"
            f" {theirs.statement_registry}; here chain {ours.chain_id}, {ours.statement_registry}"
        )
        raise Conflict(message, reason="deployment_differs")


def _states(connection: Connection) -> Iterator[FacilityState]:
    for row in sorted(facility_rows(connection), key=lambda r: r.facility_id):
        stated = statements_before(connection, row.facility_id, Epoch(MAX_I64))
        last = stated[-1].statement_hash if stated else ZERO32
        yield FacilityState(
            row.facility_id, row.log_size, row.log_head.hex(), len(stated), last.hex()
        )


def _log_keys(connection: Connection) -> Iterator[str]:
    """Public halves, hex, of the keys that logs have or had."""
    for row in facility_rows(connection):
        for key in keys_of(connection, terms_from_bytes(row.terms_json)):
            if key.role is KeyRole.LOG:
                yield key.key.hex()


def _copy_evidence(evidence: EvidenceFolder, objects: Objects) -> Iterator[tuple[str, ObjectName]]:
    for path in files_below(evidence, ""):
        # Meanwhile a reopening may take a folder away: what replaced it is of the next backup.
        with suppress(NotFound):
            yield path, objects.put(evidence.read(path))


def files_below(evidence: EvidenceFolder, folder: str) -> Iterator[str]:
    """Files of a folder of the evidence and of those below it; what is being written left out."""
    try:
        names = evidence.names(folder or ".") or []
    except NotFound:
        return
    for name in names:
        path = f"{folder}{name}"
        if name.endswith("/"):
            yield from files_below(evidence, path)
        elif not is_partial(name):
            yield path
