"""The folder of an attester's refusals: plain JSON that any web server can serve, never changed."""

import hashlib
import json
import os
import re
from pathlib import Path

from api.domain.json_text import as_object, read_json
from api.domain.statements.refusal_files import (
    FORMAT,
    SignedRefusal,
    refusal_document,
    refusal_from,
)
from api.domain.statements.refusals import RefusalCode
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import InvalidInput, Misconfigured

INDEX_FILE = "index.json"
NAME = re.compile(r"facility-\d{1,20}-epoch-\d{1,10}-[0-9a-f]{16}\.json")
_MODE = 0o644


class RefusalShelf:
    """Refusals in a folder, a file each, and `index.json`, which lists them.

    Raises Misconfigured where the folder cannot be written or holds something else.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Misconfigured(f"refusals: {folder}: {error.strerror}") from error
        # Until when a refusal counts, by what it is of; and its file.
        self._known: dict[str, int] = {}
        for path in sorted(folder.iterdir()):
            if NAME.fullmatch(path.name):
                self._known[path.name] = _read(path).refusal.until_s
        self._write_index()

    def standing(
        self,
        facility_id: FacilityId,
        epoch: Epoch,
        about: Bytes32,
        code: RefusalCode,
        *,
        now_s: int,
    ) -> str | None:
        """File of a refusal of the same for the same reason that still counts.

        about: hash of the statement, or of the evidence where no statement is refused.
        """
        name = _name(facility_id, epoch, about, code)
        return name if self._known.get(name, -1) >= now_s else None

    def names(self, *, from_s: int) -> list[tuple[str, int]]:
        """Files that count at a time or later, and until when each does."""
        return sorted(each for each in [*self._known.items()] if each[1] >= from_s)

    def read(self, name: str) -> SignedRefusal:
        """A refusal of the shelf."""
        return _read(self.folder / name)

    def count(self, facility_id: FacilityId, epoch: Epoch) -> int:
        """How many refusals there are of statements of an epoch."""
        begins = f"facility-{facility_id}-epoch-{epoch}-"
        return sum(name.startswith(begins) for name in self._known)

    def put(self, signed: SignedRefusal) -> str:
        """Write a refusal, durably. Returns its file's name. Raises Misconfigured."""
        said = signed.refusal
        name = _name(said.facility_id, said.epoch, said.about, said.code)
        text = json.dumps(refusal_document(signed), separators=(",", ":"), ensure_ascii=True)
        self._write(name, text=text + "\n")
        self._known[name] = said.until_s
        self._write_index()
        return name

    def _write_index(self) -> None:
        text = json.dumps({"format": FORMAT, "refusals": sorted(self._known)}, indent=1) + "\n"
        self._write(INDEX_FILE, text=text)

    def _write(self, name: str, *, text: str) -> None:
        target, partial = self.folder / name, self.folder / f".{name}.partial"
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _MODE)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise Misconfigured(f"refusals: {target}: {error.strerror}") from error


def _name(facility_id: FacilityId, epoch: Epoch, about: Bytes32, code: RefusalCode) -> str:
    what = hashlib.sha256(about + code.to_bytes(1, "big")).hexdigest()[:16]
    return f"facility-{facility_id}-epoch-{epoch}-{what}.json"


def _read(path: Path) -> SignedRefusal:
    try:
        return refusal_from(as_object(read_json(path.read_bytes())))
    except (OSError, ValueError, TypeError, InvalidInput) as error:
        raise Misconfigured(f"refusals: {path} is no refusal: {error!r}") from error
