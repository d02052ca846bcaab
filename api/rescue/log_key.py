"""The key of the logs in a backup: only if somebody asks for it, for its owner's eyes alone."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from api.errors import Conflict
from api.local.key_file import read_key_file
from api.local.secret_file import KeyFileWrong, read_secret, write_secret
from api.rescue.objects import write_owned


@dataclass(frozen=True, slots=True)
class LogKeyCopy:
    """Where a service has the key of its logs, and whether it goes into a backup.

    passphrase: by which it is encrypted there, None: by nothing.
    """

    path: Path
    taken: bool = False
    passphrase: bytes | None = None

    @property
    def public(self) -> str | None:
        """The public key, hex; None where there is no file. Raises KeyFileWrong."""
        if not self.path.exists():
            return None
        return _public(read_key_file(self.path))


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


def copy_log_key(copy: LogKeyCopy, folder: Path) -> str | None:
    """Write the key into a backup's folder, as PKCS #8 in PEM. Returns the file's name."""
    if not copy.taken:
        return None
    if not copy.path.exists():
        raise KeyFileWrong(f"{copy.path} is not there: no key can be kept")
    key = read_key_file(copy.path)
    lock: KeySerializationEncryption = NoEncryption()
    if copy.passphrase is not None:
        lock = BestAvailableEncryption(copy.passphrase)
    name = f"log-key-{_public(key)[:16]}.pem"
    write_owned(folder / name, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    return name


def restore_log_key(copy: LogKeyCopy, kept: Path | None, public: str | None) -> str | None:
    """Put the key where the service has it, unless it is there.

    Args:    kept: its file in the backup, if it is in it.  public: that a backup names.
    Returns: what is missing, in words; None if the key is there.
    Raises:  KeyFileWrong; Conflict if another key is there.
    """
    if public is None:
        return None
    here = copy.public
    if here is not None and here != public:
        message = (
            f"{copy.path} is another key than that of the backup's logs, {public}: move it away, it"
            " may sign receipts of others"
        )
        raise Conflict(message, reason="log_key_differs")
    if here is not None:
        return None
    if kept is None:
        return (
            f"the key of the logs is not in the backup: put that of {public} at {copy.path} before"
            " `rentroll serve`, which would make another. Without it no receipt is given and no"
            " signed request taken"
        )
    try:
        key = load_pem_private_key(read_secret(kept), password=copy.passphrase)
    except (ValueError, TypeError) as error:
        message = f"{kept} cannot be read: is the passphrase (--passphrase-file) the one of then?"
        raise KeyFileWrong(message) from error
    if not isinstance(key, Ed25519PrivateKey) or _public(key) != public:
        raise KeyFileWrong(f"{kept} is not the key of the backup's logs")
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    copy.path.parent.mkdir(parents=True, exist_ok=True)
    write_secret(copy.path, text)
    return None
