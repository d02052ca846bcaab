"""A remote signer that speaks Web3Signer's HTTP interface for Ethereum 1 keys.

It hashes what it is given: so it gets the preimage, never the digest.
"""

import ssl
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import httpx

from api.chain.calldata import checksum
from api.domain.hashing import keccak
from api.domain.json_text import as_list, as_text, read_json
from api.errors import SignerFailed
from api.local.settings_table import SettingsWrong

_TIMEOUT_S = 20.0
_KEY_BYTES, _SIGNATURE_BYTES, _FIRST_V = 64, 65, 27
_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Web3SignerSettings:
    """Where the signer is. client_file: certificate and key in PEM that show who asks."""

    url: str
    address: str
    ca_file: Path | None = None
    client_file: Path | None = None


class Web3SignerKey:
    """A key that a Web3Signer, or what speaks like it, holds."""

    def __init__(self, settings: Web3SignerSettings) -> None:
        """Raises SettingsWrong for certificates that cannot be read."""
        self.address = checksum(settings.address)
        self._public: str | None = None
        self._client = httpx.Client(
            base_url=settings.url, timeout=_TIMEOUT_S, verify=_trusted(settings)
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def sign(self, preimage: bytes) -> bytes:
        """Signature over the keccak-256 of a preimage. Raises SignerFailed."""
        path = f"/api/v1/eth1/sign/{self._identifier()}"
        answer = self._ask("POST", path, body={"data": "0x" + preimage.hex()})
        try:
            signature = bytes.fromhex(answer.text.strip().strip('"').removeprefix("0x"))
        except ValueError:
            signature = b""
        if len(signature) != _SIGNATURE_BYTES:
            raise SignerFailed("the remote signer's answer is no signature of 65 bytes")
        # Some number the recovery id from 0, the contracts from 27.
        if signature[-1] < _FIRST_V:
            signature = signature[:-1] + bytes([signature[-1] + _FIRST_V])
        return signature

    def _identifier(self) -> str:
        """The key's name at the signer: its public key."""
        if self._public is None:
            answer = self._ask("GET", "/api/v1/eth1/publicKeys")
            try:
                listed = [as_text(key) for key in as_list(read_json(answer.content))]
                by_address = {_address(key): key for key in listed}
            except (ValueError, TypeError) as error:
                raise SignerFailed("the remote signer's list of keys is not readable") from error
            if self.address not in by_address:
                held = ", ".join(sorted(by_address)) or "none"
                raise SignerFailed(f"the remote signer does not hold {self.address}, but: {held}")
            self._public = by_address[self.address]
        return self._public

    def _ask(self, method: str, path: str, *, body: object = None) -> httpx.Response:
        try:
            answer = self._client.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise SignerFailed("the remote signer does not answer") from error
        if answer.status_code != HTTPStatus.OK or len(answer.content) > _MOST_BYTES:
            raise SignerFailed(f"the remote signer answers {answer.status_code}")
        return answer


def _address(public_key: str) -> str:
    """Address of a public key, with or without the byte that marks it as uncompressed."""
    raw = bytes.fromhex(public_key.removeprefix("0x"))
    if len(raw) == _KEY_BYTES + 1:
        raw = raw[1:]
    if len(raw) != _KEY_BYTES:
        raise ValueError("not an uncompressed public key")
    return checksum("0x" + keccak(raw)[-20:].hex())


def _trusted(settings: Web3SignerSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
        if settings.client_file is not None:
            context.load_cert_chain(settings.client_file)
    except (OSError, ssl.SSLError) as error:
        raise SettingsWrong(f"[key] ca_file or client_file: {error}") from error
    return context
