"""Secrets in files: keys, passwords and API keys, each readable by its owner alone."""

import os
import stat
from pathlib import Path

from api.errors import AppError

_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class KeyFileWrong(AppError):
    """The key file cannot be used: it is missing, malformed, or others may read it."""

    status = 422
    code = "key_file"


def write_secret(path: Path, content: bytes) -> None:
    """Write a new file that its owner alone may read. Raises KeyFileWrong if there is one."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _MODE)
    except FileExistsError as error:
        raise KeyFileWrong(f"{path} is there already: it is not written over") from error
    except OSError as error:
        raise KeyFileWrong(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_secret(path: Path) -> bytes:
    """What a file holds that its owner alone may read. Raises KeyFileWrong."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & _OTHERS:
                message = f"others may read {path}: run `chmod 600` on it, and think of a new one"
                raise KeyFileWrong(message)
            return file.read(65_536)
    except OSError as error:
        raise KeyFileWrong(f"{path} cannot be read: {error.strerror}") from error
