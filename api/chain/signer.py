"""Keys: signing transactions and statement digests. Keys never appear in logs or errors."""

from dataclasses import dataclass
from typing import Protocol

import rlp
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.exceptions import ValidationError
from hexbytes import HexBytes

from api.chain.calldata import checksum
from api.domain.hashing import keccak
from api.errors import Misconfigured, SignerFailed

# Order of secp256k1. Source: SEC 2, 2.4.1.
CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
# Signatures above half of it are malleable, and OpenZeppelin refuses them.
_HALF_ORDER = CURVE_ORDER // 2
_TYPE = b"\x02"


class Signer(Protocol):
    """A secp256k1 key, wherever it is."""

    @property
    def address(self) -> str:
        """Checksummed address of the key."""
        ...

    def sign(self, preimage: bytes) -> bytes:
        """65 bytes `r ‖ s ‖ v` over the keccak-256 of a preimage.

        Raises:  SignerFailed.
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


def signature_of(signer: Signer, preimage: bytes) -> bytes:
    """65 bytes over the keccak-256 of a preimage, and nothing that another key signed.

    Raises:  SignerFailed, also if what came is no signature of the signer's over this.
    """
    signature = signer.sign(preimage)
    if recover(keccak(preimage), signature) != signer.address:
        raise SignerFailed(f"what the signer gave is no signature of {signer.address} over this")
    return signature


@dataclass(frozen=True, slots=True)
class Transaction:
    """A call that is to be sent. Fees are wei per gas; type 2 of EIP-2718, without access list."""

    chain_id: int
    nonce: int
    to: str
    data: bytes
    gas: int
    max_fee_wei: int
    priority_fee_wei: int
    value_wei: int = 0


def sign_transaction(signer: Signer, transaction: Transaction) -> tuple[bytes, bytes]:
    """Raw transaction and its hash, known before it is sent.

    Source:  EIP-1559. A remote signer is given the bytes that it hashes, as for all else.
    Raises:  SignerFailed.
    """
    t = transaction
    target = bytes.fromhex(t.to.removeprefix("0x"))
    fees = t.priority_fee_wei, t.max_fee_wei
    fields = [t.chain_id, t.nonce, *fees, t.gas, target, t.value_wei, t.data, []]
    signature = signature_of(signer, _TYPE + rlp.encode(fields))
    r, s = (int.from_bytes(signature[i : i + 32], "big") for i in (0, 32))
    raw = _TYPE + rlp.encode([*fields, signature[64] - 27, r, s])
    return raw, keccak(raw)


def sign_legacy_transaction(signer: Signer, transaction: Transaction) -> tuple[bytes, bytes]:
    """The same for a chain that knows one gas price only, which is `max_fee_wei`.

    Source:  EIP-155.
    Raises:  SignerFailed.
    """
    t = transaction
    target = bytes.fromhex(t.to.removeprefix("0x"))
    fields = [t.nonce, t.max_fee_wei, t.gas, target, t.value_wei, t.data]
    signature = signature_of(signer, rlp.encode([*fields, t.chain_id, 0, 0]))
    r, s = (int.from_bytes(signature[i : i + 32], "big") for i in (0, 32))
    raw = rlp.encode([*fields, signature[64] - 27 + 35 + 2 * t.chain_id, r, s])
    return raw, keccak(raw)


def call_of(raw: bytes) -> tuple[str, bytes]:
    """Target and calldata of a raw transaction that we signed."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    return checksum("0x" + bytes(fields["to"]).hex()), bytes(fields["data"])


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
