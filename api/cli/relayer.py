"""The relayer's key: which of the settings names it, and the key itself."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from api.chain.calldata import checksum
from api.chain.signer import Signer
from api.clock import system_clock
from api.db.outbox import forget_problems, note_no_key
from api.db.session import Engine, transaction
from api.errors import AppError, Misconfigured
from api.keys.kms import KmsSettings
from api.keys.opening import KeySettings, KeystoreSettings, RawKeySettings, open_key
from api.keys.web3signer import Web3SignerSettings
from api.settings import Settings

_ADDRESS = re.compile("0x[0-9a-fA-F]{40}")


def relayer_settings(settings: Settings) -> KeySettings | None:
    """Where the relayer's key is; None: nothing is sent.

    Raises:  Misconfigured if two places are named, or a part of one.
    """
    found = [part for part in (_file(settings), _remote(settings), _kms(settings)) if part]
    if len(found) > 1:
        named = ("relayer_key_file", "relayer_signer_url", "relayer_kms_key_id")
        given = " and ".join(f"RENTROLL_{n.upper()}" for n in named if getattr(settings, n))
        raise Misconfigured(f"the relayer has one key, and {given} name more than one")
    return found[0] if found else None


def _file(settings: Settings) -> KeySettings | None:
    file, password = settings.relayer_key_file, settings.relayer_password_file
    if file is None:
        if password is not None:
            raise Misconfigured("RENTROLL_RELAYER_PASSWORD_FILE needs RENTROLL_RELAYER_KEY_FILE")
        return None
    return RawKeySettings(file) if password is None else KeystoreSettings(file, password)


def _remote(settings: Settings) -> KeySettings | None:
    url, address = settings.relayer_signer_url, settings.relayer_address
    if url is None and address is None:
        return None
    if url is None or address is None:
        message = "RENTROLL_RELAYER_SIGNER_URL and RENTROLL_RELAYER_ADDRESS are given together"
        raise Misconfigured(message)
    if not url.startswith(("http://", "https://")):
        raise Misconfigured("RENTROLL_RELAYER_SIGNER_URL begins with http:// or https://")
    if not _ADDRESS.fullmatch(address):
        raise Misconfigured("RENTROLL_RELAYER_ADDRESS is 0x and 40 hex digits")
    return Web3SignerSettings(
        url=url.rstrip("/"),
        address=checksum(address),
        ca_file=settings.relayer_signer_ca_file,
        client_file=settings.relayer_signer_client_file,
    )


def _kms(settings: Settings) -> KeySettings | None:
    if settings.relayer_kms_key_id is None:
        return None
    return KmsSettings(
        key_id=settings.relayer_kms_key_id,
        region=settings.relayer_kms_region,
        endpoint=settings.relayer_kms_endpoint,
    )


@contextmanager
def noted_relayer(settings: Settings, engine: Engine) -> Iterator[Signer | None]:
    """The same for the worker: that there is no key is kept where others see it.

    Raises:  as `open_relayer`.
    """
    with ExitStack() as exits:
        try:
            key = exits.enter_context(open_relayer(settings))
        except AppError as error:
            with transaction(engine) as connection:
                note_no_key(connection, error.message, system_clock())
            raise
        with transaction(engine) as connection:
            forget_problems(connection, but_of=None if key is None else key.address)
        yield key


@contextmanager
def open_relayer(settings: Settings) -> Iterator[Signer | None]:
    """The key that posts and settles; None without one.

    Raises:  Misconfigured, KeyFileWrong, SettingsWrong, SignerFailed.
    """
    named = relayer_settings(settings)
    if named is None:
        yield None
        return
    with open_key(named) as key:
        yield key
