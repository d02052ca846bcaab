"""Keys in files: a keystore with its password beside it, or 32 bytes of hex."""

import json
import re
import secrets
from pathlib import Path

from eth_account import Account

from api.chain.signer import LocalSigner
from api.errors import Misconfigured
from api.local.secret_file import KeyFileWrong, read_secret, write_secret

_PASSWORD_BYTES = 32
_HEX_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


def raw_key(file: Path) -> LocalSigner:
    """Key of a file of hex. Raises KeyFileWrong if others may read it, or it is no key."""
    text = read_secret(file).decode(errors="replace").strip()
    # Half a digit less would be another key.
    if _HEX_KEY.fullmatch(text) is None:
        raise KeyFileWrong(f"{file} does not hold 32 bytes of hex")
    try:
        return LocalSigner(text)
    except Misconfigured:
        raise KeyFileWrong(f"{file} holds no key") from None


def password_of(file: Path) -> str:
    """Password of a file, without the line's end. Raises KeyFileWrong."""
    text = read_secret(file).decode(errors="replace").rstrip("\r\n")
    if not text:
        raise KeyFileWrong(f"{file} holds no password")
    return text


def keystore_key(file: Path, *, password_file: Path) -> LocalSigner:
    """Key of a keystore, version 3. Raises KeyFileWrong."""
    password = password_of(password_file)
    try:
        document = json.loads(read_secret(file))
        return LocalSigner("0x" + bytes(Account.decrypt(document, password)).hex())
    except KeyFileWrong:
        raise
    except (ValueError, TypeError, LookupError, NotImplementedError) as error:
        wrong_password = "MAC" in str(error)
        what = (
            f"is not opened by the password in {password_file}"
            if wrong_password
            else "is no keystore of version 3"
        )
        raise KeyFileWrong(f"{file} {what}") from None


def local_key(file: Path, *, password_file: Path | None = None) -> LocalSigner:
    """Key of a keystore, or without a password of a file of hex. Raises KeyFileWrong."""
    if password_file is None:
        return raw_key(file)
    return keystore_key(file, password_file=password_file)


def make_keystore(file: Path, *, password_file: Path) -> str:
    """Make a key and write it as a keystore, and a password of its own where there is none yet.

    Returns: the key's address.
    Raises:  KeyFileWrong if the keystore is there: a key that signed something is not replaced.
    """
    if file.exists():
        raise KeyFileWrong(f"{file} is there already: it is not written over")
    if not password_file.exists():
        write_secret(password_file, secrets.token_urlsafe(_PASSWORD_BYTES).encode() + b"\n")
    account = Account.create(secrets.token_hex(_PASSWORD_BYTES))
    document = Account.encrypt(account.key, password_of(password_file))
    write_secret(file, json.dumps(document).encode() + b"\n")
    return str(account.address)
