"""Books that an attester reproduced, kept on its disk, so that a restart reads on where it was.

A help, never a judge: they hold what this attester itself read and judged, for this very version.
Without them, or where anything did not hold that was computed from them, the log is read again
from its first entry.
"""

import os
import pickle
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from api.attester.requirements import Reproduced
from api.domain.units import FacilityId

# One more with every change of what books are made of.
_FORM = 4
_FOLDER_MODE, _FILE_MODE = 0o700, 0o600


class KeptBooks:
    """Books by facility, a file each, in a folder of their owner's. Without a folder: none."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._head = f"rentroll {version('rentroll')} books {_FORM}\n".encode()
        if folder is not None:
            folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)

    def _file(self, facility_id: FacilityId) -> Path | None:
        return None if self._folder is None else self._folder / f"facility-{facility_id}.books"

    def load(self, facility_id: FacilityId) -> Reproduced | None:
        """The books of a facility as they were kept; None without any, or of another version."""
        file = self._file(facility_id)
        if file is None:
            return None
        try:
            head, _, data = file.read_bytes().partition(b"\n")
            if head + b"\n" != self._head:
                return None
            found = pickle.loads(data)  # noqa: S301  ours: from a folder of its owner alone
        except Exception:
            return None
        return found if isinstance(found, Reproduced) else None

    def keep(self, facility_id: FacilityId, books: Reproduced) -> None:
        """Keep books. What cannot be kept is computed again one day, and stops nothing now."""
        file = self._file(facility_id)
        if file is None:
            return
        partial = file.with_suffix(".partial")
        try:
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _FILE_MODE)
            with os.fdopen(descriptor, "wb") as out:
                out.write(self._head)
                pickle.dump(books, out, pickle.HIGHEST_PROTOCOL)
            # Whole under its name, or as it was: a kill leaves no half.
            partial.replace(file)
        except OSError:
            with suppress(OSError):
                partial.unlink()

    def drop(self, facility_id: FacilityId) -> None:
        """Forget the books of a facility: something computed from them did not hold."""
        file = self._file(facility_id)
        if file is not None:
            file.unlink(missing_ok=True)
