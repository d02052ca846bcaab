"""Keys of a service's logs: the one of new logs, and those of before, whose logs follow it."""

from collections.abc import Mapping
from pathlib import Path
from threading import Lock

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.errors import Conflict
from api.local.key_file import load_or_make_key, public_key, read_key_file


def kept_name(path: Path, key: Ed25519PrivateKey) -> Path:
    """File that a key gets once the one at `path` took its place."""
    return path.with_name(f"{path.stem}-{public_key(key)[:16]}{path.suffix}")


def kept_files(path: Path) -> list[Path]:
    """Files of keys that the one at `path` took the place of."""
    return sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))


def successors_file(path: Path) -> Path:
    """File with each entry by which a key named the next, beside the key at `path`."""
    return path.with_name("log-successors.jsonl")


class LogKeyFiles:
    """The key of new logs, in one file, made when it is first needed; beside it, as
    `<name>-*.pem`, keys that it took the place of.

    Another process may put a new one in its place: each call sees the files as they are.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._read: dict[Path, tuple[tuple[int, int], Ed25519PrivateKey]] = {}

    @property
    def key(self) -> Ed25519PrivateKey:
        """The key of new logs; as it was read, while its file is gone. Raises KeyFileWrong."""
        with self._lock:
            if not self._path.exists():
                if self._path in self._read:
                    return self._read[self._path][1]
                load_or_make_key(self._path)
            return self._key_of(self._path)

    @property
    def public(self) -> bytes:
        """Public half of the key of new logs. Raises KeyFileWrong."""
        return _public(self.key)

    def of(self, public: bytes) -> Ed25519PrivateKey | None:
        """The private half of a key, if it is here. Raises KeyFileWrong."""
        key = self.key
        return key if _public(key) == public else self.held().get(public)

    def held(self) -> Mapping[bytes, Ed25519PrivateKey]:
        """All keys that are here, by their public halves. Raises KeyFileWrong."""
        own = self.key
        with self._lock:
            before = map(self._key_of, kept_files(self._path))
            return {_public(key): key for key in (own, *before)}

    def retire(self) -> Path:
        """Keep the key of new logs as one of before. The next that is needed is made anew.

        Raises:  KeyFileWrong; Conflict if another file has the name that it gets.
        """
        kept = kept_name(self._path, self.key)
        if kept.exists():
            raise Conflict(f"{kept} is there already")
        with self._lock:
            self._read.pop(self._path, None)
            return self._path.rename(kept)

    def _key_of(self, path: Path) -> Ed25519PrivateKey:
        stat = path.stat()
        seen = stat.st_ino, stat.st_mtime_ns
        known = self._read.get(path)
        if known is None or known[0] != seen:
            known = self._read[path] = seen, read_key_file(path)
        return known[1]


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()
