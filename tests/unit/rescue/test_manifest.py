"""Manifests of backups that somebody made up."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.domain.hashing import sha256
from api.domain.statements.evidence import canonical_json
from api.errors import EvidenceInvalid
from api.rescue.manifest import Manifest, encode_manifest, read_manifest, write_manifest
from api.rescue.objects import ObjectName, Objects

OBJECT = ObjectName("ab" * 32, 3)
MANIFEST = Manifest(
    made_at="20261130T224500Z",
    version="0.8.0",
    migration="0029",
    block=(7, "cd" * 32, 1_767_225_600),
    deployment=OBJECT,
    log_key=None,
    log_key_file=None,
    settings=("DATABASE_URL",),
    facilities=(),
    tables=(),
    evidence={"facility-1/facility.json": OBJECT},
    detached=(),
    not_whole=(),
)


def _written(folder: Path, document: dict[str, Any]) -> Path:
    data = canonical_json(document)
    path = folder / f"backup-20261130T224500Z-{sha256(data).hex()[:16]}.json"
    path.write_bytes(data)
    return path


def test_manifest__written__is_read_as_it_was(tmp_path: Path) -> None:
    bare = replace(MANIFEST, block=None, deployment=None)

    assert read_manifest(write_manifest(tmp_path, MANIFEST)) == MANIFEST
    assert read_manifest(write_manifest(tmp_path, bare)) == bare


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d["evidence"].update({"../rentroll.db": d["deployment"]}),
        lambda d: d["evidence"].update({"/etc/x": d["deployment"]}),
        lambda d: d["evidence"].update({"a//b": d["deployment"]}),
        lambda d: d["evidence"].update({"a/./b": d["deployment"]}),
        lambda d: d["evidence"].update({"a\0b": d["deployment"]}),
        lambda d: d["deployment"].update(sha256="../../etc/passwd"),
        lambda d: d["deployment"].update(size=-1),
        lambda d: d.update(format="rentroll-backup-2"),
        lambda d: d.update(block=7),
        lambda d: d.pop("tables"),
        lambda d: d.update(log_key_file="../../key"),
    ],
)
def test_manifest__made_up__leads_nowhere(
    tmp_path: Path, spoil: Callable[[dict[str, Any]], None]
) -> None:
    document = json.loads(encode_manifest(MANIFEST))
    spoil(document)

    with pytest.raises(EvidenceInvalid, match="is no manifest of a backup"):
        read_manifest(_written(tmp_path, document))


def test_object__damaged__is_written_again_by_the_next_backup(tmp_path: Path) -> None:
    objects = Objects(tmp_path / "objects")
    name = objects.put(b"abc")
    objects.path(name).write_bytes(b"abd")

    assert objects.problem(name) == "has other bytes"
    with pytest.raises(EvidenceInvalid, match="has other bytes"):
        objects.get(name)
    assert objects.put(b"abc") == name
    assert objects.problem(name) is None
