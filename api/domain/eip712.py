"""EIP-712: the digest of a typed struct, bound to a chain and to one of our contracts."""

from api.domain.hashing import keccak, word
from api.domain.units import Bytes32

_DOMAIN_TYPEHASH = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


def domain_separator(*, name: str, version: str, chain_id: int, contract: str) -> Bytes32:
    """Separator of a contract's signatures. contract: its address, hex."""
    return keccak(
        _DOMAIN_TYPEHASH
        + keccak(name.encode())
        + keccak(version.encode())
        + word(chain_id)
        + word(int(contract, 16))
    )


def typed_preimage(struct_hash: bytes, *, separator: bytes) -> bytes:
    """66 bytes whose keccak-256 is what is signed: for signers that hash by themselves."""
    return b"\x19\x01" + separator + struct_hash


def typed_digest(struct_hash: bytes, *, separator: bytes) -> Bytes32:
    """What is signed: a struct's hash under a separator."""
    return keccak(typed_preimage(struct_hash, separator=separator))
