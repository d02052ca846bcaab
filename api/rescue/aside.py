"""A folder beside, into which goes what is in the way. Nothing is ever deleted."""

import os
import shutil
from pathlib import Path

from api.evidence_store import sync_folder


class Aside:
    """A folder that is made when the first thing goes into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def used(self) -> bool:
        """Whether anything went into it."""
        return self.folder.exists()

    def move(self, root: Path, path: str) -> Path:
        """Move a file, link or folder below a root to the same place in here."""
        source, target = root / path.rstrip("/"), self._place(path)
        shutil.move(source, target)
        sync_folder(target.parent)
        return target

    def copy(self, root: Path, path: str) -> None:
        """Keep a copy of a file, durably, before other bytes take its place."""
        target = self._place(path)
        with (root / path).open("rb") as source, target.open("xb") as kept:
            shutil.copyfileobj(source, kept)
            kept.flush()
            os.fsync(kept.fileno())
        sync_folder(target.parent)

    def _place(self, path: str) -> Path:
        target = self.folder / path.rstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        number = 1
        # What was there before stays: a second run in one second, say.
        while os.path.lexists(target):
            target = target.with_name(f"{target.name}.{number}")
            number += 1
        return target
