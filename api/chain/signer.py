"""Keys: signing transactions and statement digests. Keys never appear in logs or errors."""

from pathlib import Path
from typing import Any, Protocol

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes

from api.chain.calldata import checksum
from api.domain.hashing import keccak
from api.errors import Misconfigured

# Order of secp256k1. Source: SEC 2, 2.4.1.
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# Signatures above half of it are malleable, and OpenZeppelin refuses them.
_HALF_ORDER = CURVE_ORDER // 2


class Signer(Protocol):
    """A secp256k1 key, wherever it is."""

    @property
    def address(self) -> str:
        """Checksummed address of the key."""
        ...

    def sign(self, preimage: bytes) -> bytes:
        """65 bytes `r ‖ s ‖ v` over the keccak-256 of a preimage.

        Raises:  AppError if the signer is away, or refuses.
        """
        ...


class LocalSigner:
    """A key in memory, from a file that only its process should read."""

    def __init__(self, key: str) -> None:
        try:
            self._account = Account.from_key(key)
        except (ValueError, TypeError) as error:
            raise Misconfigured("the key is not 32 bytes of hex") from error
        self.address: str = checksum(self._account.address)

    def sign_digest(self, digest: bytes) -> bytes:
        """65-byte signature `r ‖ s ‖ v` over a 32-byte digest."""
        # "unsafe": eth-account adds no prefix. Our digests carry the EIP-712 domain already.
        return bytes(self._account.unsafe_sign_hash(digest).signature)

    def sign(self, preimage: bytes) -> bytes:
        """The same, over the keccak-256 of a preimage."""
        return self.sign_digest(keccak(preimage))

    def sign_transaction(self, transaction: dict[str, Any]) -> tuple[bytes, bytes]:
        """Raw transaction and its hash, known before it is sent."""
        signed = self._account.sign_transaction(transaction)
        return bytes(signed.raw_transaction), bytes(signed.hash)


def call_of(raw: bytes) -> tuple[str, bytes]:
    """Target and calldata of a raw transaction that we signed."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return checksum("0x" + bytes(fields["to"]).hex()), bytes(fields["data"])


def load_signer(path: Path | None) -> LocalSigner | None:
    """Signer of a key file, or None for a dry run. Raises Misconfigured."""
    if path is None:
        return None
    try:
        return LocalSigner(path.read_text().strip())
    except OSError as error:
        raise Misconfigured(f"key file {path} cannot be read: {error.strerror}") from error


def recover(digest: bytes, signature: bytes) -> str | None:
    """Checksummed address that signed a digest; None for malformed or malleable signatures."""
    # The contracts count neither compact signatures (EIP-2098, 64 bytes) nor other values of v.
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        # eth_keys numbers the recovery id from 0, Ethereum's signatures number it from 27.
        parsed = Signature(signature[:64] + bytes([signature[64] - 27]))
        return checksum(parsed.recover_public_key_from_msg_hash(digest).to_address())
    except (BadSignature, ValidationError):
        return None
