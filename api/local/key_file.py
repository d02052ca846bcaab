"""Ed25519 keys of agents, operators and logs: each one file, readable by its owner alone."""

import base64
import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from api.local.secret_file import KeyFileWrong, read_secret, write_secret


def make_key_file(path: Path) -> str:
    """Make a key and write it, as PKCS #8 in PEM. Returns the public key, base64url.

    Raises:  KeyFileWrong if the file is there: a key that signed something is not replaced.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_secret(path, text)
    return public_key(key)


def read_key_file(path: Path) -> Ed25519PrivateKey:
    """The key of a file. Raises KeyFileWrong if others may read it, or it is no such key."""
    try:
        key = load_pem_private_key(read_secret(path), password=None)
    except (ValueError, TypeError) as error:
        raise KeyFileWrong(f"{path} holds no private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileWrong(f"{path} holds a key of another kind than Ed25519")
    return key


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


def public_key(key: Ed25519PrivateKey) -> str:
    """The 32 bytes of a public key, base64url without padding, as requests name it."""
    raw = key.public_key().public_bytes_raw()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
