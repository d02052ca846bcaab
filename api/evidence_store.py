"""Evidence on disk or behind a URL: written whole or not at all, read with bounds."""

import os
import ssl
import stat
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import httpx

from api.errors import Conflict, EvidenceInvalid, EvidenceUnreachable, NotFound

# What Python raises when a reader or a recomputation meets evidence that is not what it says:
# numbers that are infinite or too long, keys and leases that are not there, other JSON types.
HOSTILE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
MAX_FILE_BYTES = 256 * 1024 * 1024
# On disk nothing has to be served: some five million lines.
MAX_LOCAL_BYTES = 1024 * 1024 * 1024
_TIMEOUT_S = 60.0
# So long in all a file is asked for where the service says that it is asked too much.
_PATIENCE_S, _DIGITS = 120, 6
_PARTIAL = ".partial"
# What says that there is no such file, and not that nobody can tell.
_ANSWERS = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)


def is_partial(name: str) -> bool:
    """Whether a writer that was killed left a file behind: it is nobody's evidence."""
    return name.startswith(".") and name.endswith(_PARTIAL)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class EvidenceSource(Protocol):
    """Where evidence is read from."""

    def read(self, path: str) -> bytes:
        """Bytes of a file below the root. Raises NotFound."""
        ...

    def names(self, folder: str) -> list[str] | None:
        """What lies in a folder, other folders with `/` behind; None where nobody can list.

        Raises:  NotFound.
        """
        ...


class EvidenceFolder:
    """Evidence root in the file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def _path(self, path: str) -> Path:
        try:
            target = (self.root / path).resolve()
            inside = target.is_relative_to(self.root.resolve())
        except (OSError, RuntimeError, ValueError) as error:
            # RuntimeError: a link that leads back to itself. ValueError: a name with a zero byte.
            raise NotFound(f"no evidence at {path!r}", path=path) from error
        if not inside:
            raise NotFound(f"no evidence at {path!r}", path=path)
        return target

    def read(self, path: str) -> bytes:
        """Bytes of a file below the root. Raises NotFound, EvidenceInvalid for a huge one."""
        target = self._path(path)
        try:
            found = target.stat()
            # A pipe would keep its reader waiting for ever.
            if not stat.S_ISREG(found.st_mode):
                raise NotFound(f"no evidence at {path!r}: it is no file", path=path)
            if found.st_size > MAX_LOCAL_BYTES:
                raise EvidenceInvalid(f"{path} is larger than any evidence", file=path)
            return target.read_bytes()
        except OSError as error:
            raise NotFound(f"no evidence at {path!r}", path=path) from error

    def names(self, folder: str) -> list[str] | None:
        """What lies in a folder: files, links and others by name, folders with `/` behind."""
        try:
            with os.scandir(self._path(folder)) as entries:
                return sorted(e.name + "/" * e.is_dir(follow_symlinks=False) for e in entries)
        except OSError as error:
            raise NotFound(f"no evidence at {folder!r}", path=folder) from error

    def write(self, path: str, data: bytes) -> None:
        """Write a file whole and durably. What is committed never changes.

        Raises:  Conflict if other bytes are there already.
        """
        target = self._path(path)
        if target.exists():
            if target.read_bytes() == data:
                return
            raise Conflict(f"evidence {path} exists with other bytes", path=path)
        self.replace(path, data)

    def replace(self, path: str, data: bytes) -> None:
        """Write a file whole and durably, over what is there: for signatures that still grow."""
        target = self._path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        # A name of its own for every write: requests and workers publish at the same time.
        partial = target.with_name(f".{target.name}.{uuid.uuid4().hex}{_PARTIAL}")
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
        # The name is durable only once its folder is.
        sync_folder(target.parent)

    def names_or_none(self, folder: str) -> list[str]:
        """Names of the evidence in a folder, without other folders; none if it is not there."""
        target = self._path(folder)
        names = [e.name for e in target.iterdir() if e.is_file()] if target.is_dir() else []
        return sorted(name for name in names if not is_partial(name))

    def remove(self, folder: str) -> None:
        """Remove the files of a folder, whose bytes are kept elsewhere, and the folder."""
        target = self._path(folder)
        if target == self.root.resolve() or not target.is_dir():
            return
        for entry in target.iterdir():
            if entry.is_file():
                entry.unlink()
        target.rmdir()


def _wait_s(retry_after: str) -> int:
    """Seconds to wait; a date, or nonsense, is a second."""
    text = retry_after.strip()
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 1


class EvidenceUrl:
    """Evidence root behind HTTP."""

    def __init__(self, base_url: str, *, ca_file: Path | None = None) -> None:
        """Args: ca_file: certificates to trust instead of the public authorities'.

        Raises:  OSError, which SSLError is, if it cannot be read.
        """
        self._base = base_url.rstrip("/") + "/"
        trusted = ssl.create_default_context(cafile=ca_file)
        self._client = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, verify=trusted)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def read(self, path: str) -> bytes:
        """Bytes of a file.

        Raises:  NotFound, of these EvidenceUnreachable where that cannot be told; EvidenceInvalid
                 for an unbounded answer.
        """
        waited_s = 0
        while True:
            found = self._once(path)
            if isinstance(found, bytes):
                return found
            if waited_s + found > _PATIENCE_S:
                message = f"evidence at {self._base + quote(path)} is not to be had so fast"
                raise EvidenceUnreachable(message, path=path)
            time.sleep(found)
            waited_s += found

    def _once(self, path: str) -> bytes | int:
        """Bytes of a file, or the seconds for which the service wants to be left alone."""
        url = self._base + quote(path)
        try:
            with self._client.stream("GET", url) as answer:
                if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                    return _wait_s(answer.headers.get("retry-after", ""))
                if answer.status_code not in (*_ANSWERS, HTTPStatus.OK):
                    message = f"evidence at {url} cannot be read ({answer.status_code})"
                    raise EvidenceUnreachable(message, path=path)
                if answer.status_code != HTTPStatus.OK:
                    raise NotFound(f"no evidence at {url} ({answer.status_code})", path=path)
                data = bytearray()
                for part in answer.iter_bytes():
                    data += part
                    if len(data) > MAX_FILE_BYTES:
                        raise EvidenceInvalid(f"{path} is larger than any evidence", file=path)
                return bytes(data)
        except httpx.HTTPError as error:
            raise EvidenceUnreachable(f"evidence at {url} cannot be read", path=path) from error

    def names(self, folder: str) -> list[str] | None:
        """HTTP has no listing: stray files cannot be seen."""
        return None


@contextmanager
def open_evidence(location: str) -> Iterator[EvidenceSource]:
    """Evidence at a folder or an http(s) URL; its connections are closed afterwards."""
    if not location.startswith(("http://", "https://")):
        yield EvidenceFolder(Path(location.removeprefix("file://")))
        return
    with closing(EvidenceUrl(location)) as source:
        yield source
