"""Manifest of a backup: what was copied, by hash, and where chain and logs were at that time.

Its file is written last, and its name holds the hash of its bytes: a backup that was cut short has
none, and one that was changed does not go by its name.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from api.domain.hashing import sha256
from api.domain.json_text import as_integer, as_list, as_object, as_text, read_json
from api.domain.statements.evidence import canonical_json
from api.errors import EvidenceInvalid, NotFound
from api.rescue.objects import ObjectName, Objects, write_owned

FORMAT = "rentroll-backup-1"
_FILE = re.compile(r"backup-([0-9]{8}T[0-9]{6}Z)-([0-9a-f]{16})\.json")


@dataclass(frozen=True, slots=True)
class TableCopy:
    """Rows of a table, in parts. months: in which PostgreSQL keeps them, year x 12 + month."""

    name: str
    columns: tuple[str, ...]
    rows: int
    parts: tuple[ObjectName, ...]
    months: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OlderKey:
    """A key that signed receipts before the newest. key: public half, hex.

    file: where the private half lies in the backup; None if it is not in it.
    """

    key: str
    file: str | None


@dataclass(frozen=True, slots=True)
class FacilityState:
    """How far a facility was: its log, and its statements."""

    facility_id: int
    log_size: int
    log_head: str
    statements: int
    last_statement: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A backup.

    version, migration: of the service, and of its database's tables.
    block: the newest that was indexed: number, hash, seconds; None without any.
    log_key: public key of new logs, hex; None where there is no key file.  log_key_file: where the
    private one lies in the backup; None if it is not in it.
    older_keys: the other keys of logs, those that were not there either.
    successors: entries by which keys of logs named the next; None where there is no such file.
    settings: names of those that were set.
    detached: months that stand apart from their tables, and are not in it.
    not_whole: published files that were damaged or missing then.
    """

    made_at: str
    version: str
    migration: str
    block: tuple[int, str, int] | None
    deployment: ObjectName | None
    log_key: str | None
    log_key_file: str | None
    settings: tuple[str, ...]
    facilities: tuple[FacilityState, ...]
    tables: tuple[TableCopy, ...]
    evidence: Mapping[str, ObjectName]
    detached: tuple[str, ...]
    not_whole: tuple[str, ...]
    older_keys: tuple[OlderKey, ...] = ()
    successors: ObjectName | None = None

    def objects(self) -> Iterator[ObjectName]:
        """All objects of the backup."""
        yield from self.evidence.values()
        for table in self.tables:
            yield from table.parts
        yield from (each for each in (self.deployment, self.successors) if each is not None)


def encode_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest."""
    return canonical_json({"format": FORMAT, **asdict(manifest)})


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write the manifest of a backup whose objects are there."""
    data = encode_manifest(manifest)
    path = folder / f"backup-{manifest.made_at}-{sha256(data).hex()[:16]}.json"
    write_owned(path, data)
    return path


def backups_in(folder: Path) -> list[Path]:
    """Manifests of a folder, the newest last."""
    found = [path for path in folder.iterdir() if _FILE.fullmatch(path.name)]
    return sorted(found, key=lambda path: path.name)


def read_manifest(path: Path) -> Manifest:
    """Read a manifest. Raises EvidenceInvalid, NotFound."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise NotFound(f"no backup at {path}") from error
    named = _FILE.fullmatch(path.name)
    if named is None or not sha256(data).hex().startswith(named[2]):
        raise EvidenceInvalid(f"{path.name} does not go by the hash of its bytes: it was changed")
    try:
        return _decode(as_object(read_json(data)))
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceInvalid(f"{path.name} is no manifest of a backup: {error!r}") from error


def _decode(document: dict[str, Any]) -> Manifest:
    if document["format"] != FORMAT:
        raise ValueError(f"its format is {str(document['format'])[:40]}, not {FORMAT}")
    block = document["block"]
    evidence = as_object(document["evidence"])
    deployment, successors = document["deployment"], document.get("successors")
    return Manifest(
        made_at=as_text(document["made_at"]),
        version=as_text(document["version"]),
        migration=as_text(document["migration"]),
        block=None
        if block is None
        else (as_integer(block[0]), as_text(block[1]), as_integer(block[2])),
        deployment=None if deployment is None else _object(deployment),
        log_key=_text_or_none(document["log_key"]),
        log_key_file=_file_or_none(document["log_key_file"]),
        settings=_texts(document["settings"]),
        facilities=tuple(_facility(as_object(each)) for each in as_list(document["facilities"])),
        tables=tuple(_table(as_object(each)) for each in as_list(document["tables"])),
        evidence={_inside(path): _object(named) for path, named in evidence.items()},
        detached=_texts(document["detached"]),
        not_whole=_texts(document["not_whole"]),
        # Backups of before have neither; they say by their migration who can restore them.
        older_keys=tuple(map(_older_key, as_list(document.get("older_keys", [])))),
        successors=None if successors is None else _object(successors),
    )


def _older_key(value: object) -> OlderKey:
    row = as_object(value)
    return OlderKey(as_text(row["key"]), _file_or_none(row["file"]))


def _facility(row: dict[str, object]) -> FacilityState:
    return FacilityState(
        as_integer(row["facility_id"]),
        as_integer(row["log_size"]),
        as_text(row["log_head"]),
        as_integer(row["statements"]),
        as_text(row["last_statement"]),
    )


def _table(row: dict[str, object]) -> TableCopy:
    return TableCopy(
        as_text(row["name"]),
        _texts(row["columns"]),
        as_integer(row["rows"]),
        tuple(_object(part) for part in as_list(row["parts"])),
        tuple(as_integer(month) for month in as_list(row["months"])),
    )


def _object(value: object) -> ObjectName:
    named = as_object(value)
    digest, size = as_text(named["sha256"]), as_integer(named["size"])
    if re.fullmatch("[0-9a-f]{64}", digest) is None or size < 0:
        raise ValueError("an object goes by another name than a hash")
    return ObjectName(digest, size)


def _inside(path: str) -> str:
    """A path that leads out of the evidence would be written anywhere."""
    parts = path.split("/")
    if not path or any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise ValueError(f"{path[:100]!r} is no path of evidence")
    return path


def _texts(value: object) -> tuple[str, ...]:
    return tuple(as_text(each) for each in as_list(value))


def _file_or_none(value: object) -> str | None:
    name = _text_or_none(value)
    if name is not None and "/" in _inside(name):
        raise ValueError(f"{name[:100]!r} is no file of a backup")
    return name


def _text_or_none(value: object) -> str | None:
    return None if value is None else as_text(value)


def problems_of(manifest: Manifest, objects: Objects) -> list[str]:
    """What of a backup is missing or changed, each in words."""
    bad = {name: problem for name in set(manifest.objects()) if (problem := objects.problem(name))}
    said = [
        f"{path} {bad[name]}" for path, name in sorted(manifest.evidence.items()) if name in bad
    ]
    said += [
        f"rows of {table.name} ({part.sha256[:16]}) {bad[part]}"
        for table in manifest.tables
        for part in table.parts
        if part in bad
    ]
    if manifest.deployment in bad:
        said.append(f"the deployment file {bad[manifest.deployment]}")
    if manifest.successors in bad:
        said.append(f"the file of log keys' successors {bad[manifest.successors]}")
    return said
