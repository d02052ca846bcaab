"""Ed25519 keys of agents, operators and logs: each one file, readable by its owner alone."""

import base64
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from api.errors import KeyFileWrong

_MODE = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def make_key_file(path: Path) -> str:
    """Make a key and write it, as PKCS #8 in PEM. Returns the public key, base64url.

    Raises:  KeyFileWrong if the file is there: a key that signed something is not replaced.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_secret(path, text)
    return public_key(key)


def load_or_make_key(path: Path) -> Ed25519PrivateKey:
    """The key of a file, made if there is none; of several processes one makes it.

    Raises:  KeyFileWrong.
    """
    if not path.exists():
        own = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        make_key_file(own)
        try:
            # Whole under its name, or not there: another process never reads a part of it.
            with suppress(FileExistsError):
                os.link(own, path)
        finally:
            own.unlink()
    return read_key_file(path)


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


def read_key_file(path: Path) -> Ed25519PrivateKey:
    """The key of a file. Raises KeyFileWrong if others may read it, or it is no such key."""
    try:
        key = load_pem_private_key(read_secret(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileWrong(f"{path} holds no private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileWrong(f"{path} holds a key of another kind than Ed25519")
    return key


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


def public_key(key: Ed25519PrivateKey) -> str:
    """The 32 bytes of a public key, base64url without padding, as requests name it."""
    raw = key.public_key().public_bytes_raw()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
