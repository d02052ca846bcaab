"""Hashes shared by Solidity and Python: keccak-256, device identifiers, ABI words."""

import hashlib
from functools import lru_cache

import sha3

from api.domain.units import Bytes32


def keccak(data: bytes) -> Bytes32:
    """keccak-256 of `data`, as in the EVM (not NIST SHA3-256)."""
    return Bytes32(sha3.keccak_256(data).digest())


def sha256(data: bytes) -> Bytes32:
    """SHA-256 of `data`."""
    return Bytes32(hashlib.sha256(data).digest())


@lru_cache(maxsize=65_536)
def device_hash(name: str) -> Bytes32:
    """Identifier of a device in public evidence: keccak-256 of its name."""
    return keccak(name.encode("ascii"))


def word(value: int) -> bytes:
    """One 32-byte ABI word of an integer, two's complement when negative."""
    return value.to_bytes(32, "big", signed=value < 0)


def ascii_word(text: str) -> Bytes32:
    """Left-aligned ASCII in 32 bytes, as `FacilityTerms.gpuClass` and `site` hold it."""
    return Bytes32(text.encode("ascii").ljust(32, b"\0"))
