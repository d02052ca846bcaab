"""Objects of a backup: bytes under their SHA-256. What is there already is not written again."""

import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from api.domain.hashing import sha256
from api.errors import EvidenceInvalid
from api.evidence_store import sync_folder

_READ_AT_ONCE = 1 << 20


@dataclass(frozen=True, slots=True)
class ObjectName:
    """Bytes by their SHA-256 (hex) and size."""

    sha256: str
    size: int


class Objects:
    """A folder of objects, readable by its owner alone."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, name: ObjectName) -> Path:
        """Where an object lies."""
        return self._folder / name.sha256[:2] / name.sha256

    def put(self, data: bytes) -> ObjectName:
        """Keep bytes, durably."""
        name = ObjectName(sha256(data).hex(), len(data))
        path = self.path(name)
        # By its bytes: a disk that lost some would spoil every backup of the folder to come.
        if self.problem(name) is None:
            return name
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        write_owned(path, data)
        return name

    def get(self, name: ObjectName) -> bytes:
        """The bytes of an object. Raises EvidenceInvalid if they are not there, or others."""
        try:
            data = self.path(name).read_bytes()
        except OSError as error:
            raise EvidenceInvalid(f"object {name.sha256} of the backup is missing") from error
        if (len(data), sha256(data).hex()) != (name.size, name.sha256):
            raise EvidenceInvalid(f"object {name.sha256} of the backup has other bytes")
        return data

    def problem(self, name: ObjectName) -> str | None:
        """What is wrong with an object; None if nothing is. Holds no more than a part of it."""
        digest, size = hashlib.sha256(), 0
        try:
            with self.path(name).open("rb") as file:
                while part := file.read(_READ_AT_ONCE):
                    digest.update(part)
                    size += len(part)
        except OSError:
            return "is missing"
        same = (size, digest.hexdigest()) == (name.size, name.sha256)
        return None if same else "has other bytes"


def write_owned(path: Path, data: bytes) -> None:
    """Write a file whole and durably, over what is there, readable by its owner alone."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
