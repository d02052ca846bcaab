"""Keys of the logs in a backup: only if somebody asks for them, for their owner's eyes alone; and
the entries by which each named the next, which everybody may see."""

from collections.abc import Collection, Iterator, Mapping
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
from api.local.log_keys import kept_files, kept_name, successors_file
from api.local.secret_file import KeyFileWrong, read_secret, write_secret
from api.rescue.manifest import Manifest, OlderKey
from api.rescue.objects import ObjectName, Objects, write_owned


@dataclass(frozen=True, slots=True)
class LogKeyCopy:
    """Where a service has the keys of its logs, and whether they go into a backup.

    path: of the key of new logs; those of before lie beside it.
    passphrase: by which they are encrypted there, None: by nothing.
    """

    path: Path
    taken: bool = False
    passphrase: bytes | None = None

    @property
    def public(self) -> str | None:
        """The public key of new logs, hex; None where there is no file. Raises KeyFileWrong."""
        if not self.path.exists():
            return None
        return _public(read_key_file(self.path))

    def older(self) -> Mapping[str, Ed25519PrivateKey]:
        """Keys that it took the place of, by their public halves. Raises KeyFileWrong."""
        return {_public(key): key for key in map(read_key_file, kept_files(self.path))}


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes_raw().hex()


# --- into a backup --------------------------------------------------------------------------------


def copy_log_key(copy: LogKeyCopy, folder: Path) -> str | None:
    """Write the key of new logs into a backup's folder, as PKCS #8 in PEM. Returns the file's
    name."""
    if not copy.taken:
        return None
    if not copy.path.exists():
        raise KeyFileWrong(f"{copy.path} is not there: no key can be kept")
    return _keep(copy, read_key_file(copy.path), folder)


def copy_older_keys(
    copy: LogKeyCopy, folder: Path, *, known: Collection[str]
) -> tuple[OlderKey, ...]:
    """Write the keys of before, too: what logs still name them for must be signed by them.

    Args:    known: public halves that logs name, hex; of those that are not here it is said.
    """
    held, newest = copy.older(), copy.public
    return tuple(
        OlderKey(key, _keep(copy, held[key], folder) if copy.taken and key in held else None)
        for key in sorted({*held, *known} - {newest})
    )


def _keep(copy: LogKeyCopy, key: Ed25519PrivateKey, folder: Path) -> str:
    lock: KeySerializationEncryption = NoEncryption()
    if copy.passphrase is not None:
        lock = BestAvailableEncryption(copy.passphrase)
    name = f"log-key-{_public(key)[:16]}.pem"
    write_owned(folder / name, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock))
    return name


def copy_successors(copy: LogKeyCopy, objects: Objects) -> ObjectName | None:
    """Keep the entries by which keys named the next. The log shows them to everybody."""
    file = successors_file(copy.path)
    return objects.put(file.read_bytes()) if file.exists() else None


# --- out of it ------------------------------------------------------------------------------------


def restore_log_keys(
    copy: LogKeyCopy, manifest: Manifest, folder: Path, objects: Objects
) -> tuple[str, ...]:
    """Put keys and successors where the service has them, each unless it is there.

    Returns: what is missing, in words.
    Raises:  KeyFileWrong; Conflict if another key is there. Nothing is written then.
    """
    written = list(_new_keys(copy, manifest, folder))
    copy.path.parent.mkdir(parents=True, exist_ok=True)
    for path, key in written:
        write_secret(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    if manifest.successors is not None:
        _merge(successors_file(copy.path), objects.get(manifest.successors))
    return tuple(_missing(copy, manifest))


def _new_keys(
    copy: LogKeyCopy, manifest: Manifest, folder: Path
) -> Iterator[tuple[Path, Ed25519PrivateKey]]:
    """Keys of a backup that are not here, and where each belongs."""
    here, older = copy.public, copy.older()
    if manifest.log_key is not None and here is None and manifest.log_key not in older:
        if manifest.log_key_file is not None:
            yield copy.path, _read(copy, folder / manifest.log_key_file, manifest.log_key)
    elif manifest.log_key not in (None, here, *older):
        message = (
            f"{copy.path} is another key than that of the backup's logs, {manifest.log_key}: move"
            " it away, it may sign receipts of others"
        )
        raise Conflict(message, reason="log_key_differs")
    for each in manifest.older_keys:
        if each.file is None or each.key == here or each.key in older:
            continue
        key = _read(copy, folder / each.file, each.key)
        path = kept_name(copy.path, key)
        if path.exists():
            message = f"{path} is another key than the one of before in the backup, {each.key}"
            raise Conflict(message, reason="log_key_differs")
        yield path, key


def _read(copy: LogKeyCopy, kept: Path, public: str) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(read_secret(kept), password=copy.passphrase)
    except (ValueError, TypeError) as error:
        message = f"{kept} cannot be read: is the passphrase (--passphrase-file) the one of then?"
        raise KeyFileWrong(message) from error
    if not isinstance(key, Ed25519PrivateKey) or _public(key) != public:
        raise KeyFileWrong(f"{kept} is not the key of the backup's logs")
    return key


def _merge(file: Path, kept: bytes) -> None:
    """Let a file of successors have the lines of a backup, and whatever it had besides."""
    here = file.read_bytes() if file.exists() else b""
    lines = kept.splitlines()
    lines += [line for line in here.splitlines() if line not in lines]
    whole = b"".join(line + b"\n" for line in lines)
    if whole != here:
        write_owned(file, whole)


def _missing(copy: LogKeyCopy, manifest: Manifest) -> Iterator[str]:
    here, older = copy.public, copy.older()
    if manifest.log_key not in (None, here, *older):
        yield (
            f"the key of the logs is not in the backup: put that of {manifest.log_key} at"
            f" {copy.path} before `rentroll serve`, which would make another. Without it no receipt"
            " is given and no signed request taken"
        )
    for each in manifest.older_keys:
        if each.key not in (here, *older):
            yield (
                f"key {each.key}, which signed receipts before, is not in the backup: put its file"
                f" beside {copy.path}, as {copy.path.stem}-….pem. A log whose key it still is gives"
                " no receipt without it"
            )
