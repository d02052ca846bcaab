"""Restore: a backup into an empty database and evidence, every hash looked at first.

Evidence comes first, file by file; the database last, whole in one step. Cut short, nothing runs on
a part of it, and the same command again goes on.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from api.chain.deployment import load_deployment, parse_deployment
from api.chain.published import DEPLOYMENT_FILE
from api.db.copying import copied_tables, go_on_counting, make_partitions, put_rows
from api.db.facilities import facility_rows
from api.db.leases import lease_rows
from api.db.log import entries_between
from api.db.migrate import newest_migration
from api.domain.log.entry import NO_LOG, entry_hash
from api.domain.statements.evidence import ATTESTATIONS_FILE
from api.domain.statements.evidence_reader import terms_from_bytes
from api.errors import Conflict, EvidenceInvalid, Misconfigured, NotFound
from api.evidence_store import EvidenceFolder, sync_folder
from api.ledger.names import names_of
from api.rescue.backup import require_same_deployment
from api.rescue.databases import put_database, require_room
from api.rescue.log_key import LogKeyCopy, restore_log_keys
from api.rescue.manifest import Manifest, backups_in, problems_of, read_manifest
from api.rescue.objects import Objects, write_owned
from api.rescue.published import has_more_signatures
from api.rescue.table_parts import copied_rows

_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a service has its things."""

    database_url: str
    evidence: EvidenceFolder
    deployment_file: Path
    log_key: LogKeyCopy


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored.

    aside: where old things are now.  newer: files of the evidence that are newer than the backup,
    and stayed.  lacking: what has to be brought before the service starts.
    """

    manifest: Manifest
    aside: tuple[str, ...]
    newer: tuple[str, ...]
    lacking: tuple[str, ...]


def chosen(folder: Path, name: str | None) -> Path:
    """The manifest of a name in a folder; the newest where none is named. Raises NotFound."""
    if name is not None:
        return folder / name
    try:
        found = backups_in(folder)
    except OSError as error:
        raise NotFound(f"no backup at {folder}: {error.strerror}") from error
    if not found:
        message = f"no backup in {folder}: its manifest is written last, so it may be half of one"
        raise NotFound(message)
    return found[-1]


def restore(path: Path, place: Place, *, replace: bool, stamp: str) -> Restored:
    """Restore the backup of a manifest.

    Args:    replace: what is there already is put aside under a name that ends in the stamp.
    Raises:  EvidenceInvalid for a backup that is not whole; Conflict (`deployment_differs`,
             `not_empty`, `in_use`, `evidence_differs`, `log_key_differs`); Misconfigured;
             KeyFileWrong; DatabaseUnavailable. The database is then as it was.
    """
    manifest = read_manifest(path)
    objects = Objects(path.parent / "objects")
    _require_whole(manifest, objects)
    _require_fitting(manifest, objects, place)
    require_room(place.database_url, replace=replace)
    differing = _differing(manifest, objects, place.evidence)
    aside = []
    if differing and not replace:
        named = ", ".join(differing[:5])
        message = (
            f"{len(differing)} files of the evidence are others than in the backup, such as"
            f" {named}: `rentroll evidence check` says which, or put all aside with --replace"
        )
        raise Conflict(message, reason="evidence_differs")
    if differing:
        aside.append(_put_evidence_aside(place.evidence.root, stamp))
    lacking = restore_log_keys(place.log_key, manifest, path.parent, objects)
    newer = _complete(manifest, objects, place.evidence)
    if manifest.deployment is not None and not place.deployment_file.exists():
        place.deployment_file.parent.mkdir(parents=True, exist_ok=True)
        write_owned(place.deployment_file, objects.get(manifest.deployment))
    fill = partial(_fill, manifest, objects)
    old = put_database(place.database_url, fill, replace=replace, stamp=stamp)
    aside += [] if old is None else [old]
    return Restored(manifest, tuple(aside), newer, lacking)


def _require_whole(manifest: Manifest, objects: Objects) -> None:
    problems = problems_of(manifest, objects)
    if problems:
        shown = "; ".join(problems[:5])
        more = f"; and {len(problems) - 5} more" if len(problems) > len(problems[:5]) else ""
        message = f"the backup is not whole, and nothing of it is restored: {shown}{more}"
        raise EvidenceInvalid(message)
    if manifest.migration != newest_migration():
        message = (
            f"the backup is of version {manifest.version}, whose tables are of migration"
            f" {manifest.migration}; this version's are of {newest_migration()}: restore it with"
            f" version {manifest.version}, then start this one, which brings them up"
        )
        raise Misconfigured(message)


def _require_fitting(manifest: Manifest, objects: Objects, place: Place) -> None:
    ours = load_deployment(place.deployment_file)
    if ours is None or manifest.deployment is None:
        return
    theirs = parse_deployment(objects.get(manifest.deployment))
    require_same_deployment(theirs, ours, what="the backup")


# --- evidence -------------------------------------------------------------------------------------


def _differing(manifest: Manifest, objects: Objects, evidence: EvidenceFolder) -> Sequence[str]:
    """Files that are there with bytes that contradict the backup's."""
    found = []
    for path, name in manifest.evidence.items():
        there = _read(evidence, path)
        if there is None:
            # Something that is no file stands in the way of one.
            if os.path.lexists(evidence.root / path):
                found.append(path)
            continue
        ours = objects.get(name)
        if there != ours and not _is_newer(path, there, ours):
            found.append(path)
    return found


def _is_newer(path: str, there: bytes, ours: bytes) -> bool:
    """Whether a file that may grow has grown since the backup."""
    if path == DEPLOYMENT_FILE:
        theirs, mine = parse_deployment(there), parse_deployment(ours)
        return (theirs.chain_id, theirs.addresses) == (mine.chain_id, mine.addresses)
    return path.endswith(f"/{ATTESTATIONS_FILE}") and has_more_signatures(there, ours)


def _read(evidence: EvidenceFolder, path: str) -> bytes | None:
    with suppress(NotFound):
        return evidence.read(path)
    return None


def _put_evidence_aside(root: Path, stamp: str) -> str:
    aside = root.with_name(f"{root.name}.before-{stamp}")
    if aside.exists():
        raise Conflict(f"{aside} is there already", reason="not_empty")
    root.rename(aside)
    sync_folder(root.parent)
    return str(aside)


def _complete(manifest: Manifest, objects: Objects, evidence: EvidenceFolder) -> tuple[str, ...]:
    """Write the files that lack. Returns those that have grown, and stay."""
    evidence.root.mkdir(parents=True, exist_ok=True)
    newer = []
    for path, name in manifest.evidence.items():
        there = _read(evidence, path)
        if there is None:
            evidence.write(path, objects.get(name))
        elif there != objects.get(name):
            newer.append(path)
    return tuple(newer)


# --- database -------------------------------------------------------------------------------------


def _fill(manifest: Manifest, objects: Objects, connection: Connection) -> None:
    copies = {copy.name: copy for copy in manifest.tables}
    tables = copied_tables()
    if copies.keys() != {table.name for table in tables}:
        raise EvidenceInvalid("the backup has other tables than this version")
    make_partitions(connection, {month for copy in copies.values() for month in copy.months})
    for table in tables:
        copy = copies[table.name]
        count = put_rows(connection, table, copied_rows(table, copy, objects))
        if count != copy.rows:
            message = f"{table.name} has {count} rows in the backup, where it says {copy.rows}"
            raise EvidenceInvalid(message)
    go_on_counting(connection)
    _require_names(connection)
    if not manifest.detached:
        _require_logs(connection)


def _require_names(connection: Connection) -> None:
    """Refuse leases whose hashes do not follow from their facility's name secret: what is stated
    next would be of other names. Raises EvidenceInvalid."""
    for row in facility_rows(connection):
        names = names_of(row)
        for lease in lease_rows(connection, row.facility_id):
            if names.lease(lease.lease_id) != lease.lease:
                message = (
                    f"the name secret of facility {row.facility_id} in the backup is not that of"
                    " its leases"
                )
                raise EvidenceInvalid(message)


def _require_logs(connection: Connection) -> None:
    """Refuse logs of which an entry does not name the one before. Raises EvidenceInvalid."""
    for row in facility_rows(connection):
        log = terms_from_bytes(row.terms_json).log
        size, head = 0, NO_LOG.head
        while True:
            span = {"after": size, "up_to": size + _AT_ONCE}
            recorded = 0, row.last_recorded_at_s + 1
            entries = entries_between(connection, log, recorded=recorded, **span)
            if not entries:
                break
            for entry in entries:
                if (entry.number, entry.previous) != (size + 1, head):
                    message = f"log {log} of the backup is broken behind entry {size}"
                    raise EvidenceInvalid(message)
                size, head = entry.number, entry_hash(entry)
        if (size, head) != (row.log_size, row.log_head):
            raise EvidenceInvalid(f"log {log} of the backup ends at entry {size}, not where it did")
