"""A key in AWS KMS: ECC_SECG_P256K1, for signing. Needs the extra `rentroll[attester]`."""

from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from api.chain.calldata import checksum
from api.chain.signer import CURVE_ORDER, recover
from api.domain.hashing import keccak
from api.errors import SignerFailed
from api.local.settings_table import SettingsWrong

_TIMEOUT_S = 20
_RECOVERY_IDS = (27, 28)


@dataclass(frozen=True, slots=True)
class KmsSettings:
    """Which key. region, endpoint: empty for what AWS's own settings say."""

    key_id: str
    region: str = ""
    endpoint: str = ""


class KmsKey:
    """A key that never leaves AWS KMS."""

    def __init__(self, settings: KmsSettings) -> None:
        """Asks for the public key. Raises SettingsWrong without boto3, SignerFailed."""
        self._key_id = settings.key_id
        self._client, self._broken = _client(settings)
        answer = self._asked("get_public_key")
        try:
            public = load_der_public_key(answer["PublicKey"])
        except (ValueError, LookupError, UnsupportedAlgorithm) as error:
            raise SignerFailed("KMS's public key is not readable") from error
        curve = public.curve.name if isinstance(public, ec.EllipticCurvePublicKey) else "none"
        if not isinstance(public, ec.EllipticCurvePublicKey) or curve != "secp256k1":
            raise SettingsWrong(f"[key] key_id: {self._key_id} is no key of ECC_SECG_P256K1")
        raw = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.address = checksum("0x" + keccak(raw[1:])[-20:].hex())

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def sign(self, preimage: bytes) -> bytes:
        """Signature over the keccak-256 of a preimage. Raises SignerFailed."""
        digest = keccak(preimage)
        # KMS names SHA-256 as the digest's kind; of a digest it looks at the length alone.
        answer = self._asked(
            "sign", Message=digest, MessageType="DIGEST", SigningAlgorithm="ECDSA_SHA_256"
        )
        try:
            r, s = utils.decode_dss_signature(answer["Signature"])
        except (ValueError, LookupError) as error:
            raise SignerFailed("KMS's signature is not readable") from error
        # Of a signature and its mirror image only the lower one counts on-chain.
        low = min(s, CURVE_ORDER - s)
        both = r.to_bytes(32, "big") + low.to_bytes(32, "big")
        for v in _RECOVERY_IDS:
            if recover(digest, both + bytes([v])) == self.address:
                return both + bytes([v])
        raise SignerFailed(f"what KMS gave is no signature of {self.address} over this")

    def _asked(self, call: str, **options: object) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, call)(KeyId=self._key_id, **options)
        except self._broken as error:
            # The message names the call and AWS's code, and no secret.
            raise SignerFailed(f"KMS: {error}") from error
        return answer


def _client(settings: KmsSettings) -> tuple[Any, tuple[type[Exception], ...]]:
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        message = "[key] kind: kms needs boto3: install `rentroll[attester]`"
        raise SettingsWrong(message) from error
    config = Config(connect_timeout=_TIMEOUT_S, read_timeout=_TIMEOUT_S)
    try:
        client = boto3.client(
            "kms",
            region_name=settings.region or None,
            endpoint_url=settings.endpoint or None,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise SettingsWrong(f"[key] kms: {error}") from error
    return client, (BotoCoreError, ClientError)
