"""One key by its settings, opened and closed again."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from api.chain.signer import Signer
from api.keys.keystore import local_key
from api.keys.kms import KmsKey, KmsSettings
from api.keys.web3signer import Web3SignerKey, Web3SignerSettings


@dataclass(frozen=True, slots=True)
class KeystoreSettings:
    """A keystore of version 3, and the file of its password."""

    file: Path
    password_file: Path


@dataclass(frozen=True, slots=True)
class RawKeySettings:
    """A file of 32 bytes in hex."""

    file: Path


KeySettings = KeystoreSettings | RawKeySettings | Web3SignerSettings | KmsSettings


@contextmanager
def open_key(settings: KeySettings) -> Iterator[Signer]:
    """The key that signs.

    Raises:  KeyFileWrong, SettingsWrong, SignerFailed where it has to be asked for.
    """
    if isinstance(settings, KeystoreSettings):
        yield local_key(settings.file, password_file=settings.password_file)
    elif isinstance(settings, Web3SignerSettings):
        with closing(Web3SignerKey(settings)) as remote:
            yield remote
    elif isinstance(settings, KmsSettings):
        with closing(KmsKey(settings)) as kept:
            yield kept
    else:
        yield local_key(settings.file)
