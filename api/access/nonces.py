"""Nonces of sign-in: nothing is stored until one is used, so nobody can crowd another's out.

A nonce is 8 random bytes, the second at which it expires (5 bytes), and a code of both by a key of
the service: 58 hex digits, within EIP-4361's alphabet.
"""

import hmac
import secrets
from dataclasses import dataclass

NONCE_LIFE_S = 3_600
_RANDOM_BYTES, _TIME_BYTES, _CODE_BYTES = 8, 5, 16
_STEM_CHARS = 2 * (_RANDOM_BYTES + _TIME_BYTES)


@dataclass(frozen=True, slots=True)
class Nonce:
    """A nonce of ours. stem: what of it is unique."""

    text: str
    expires_at_s: int

    @property
    def stem(self) -> str:
        """Without its code."""
        return self.text[:_STEM_CHARS]


def nonce_key(secret: bytes) -> bytes:
    """The key of nonces, from a secret that all processes of the service have."""
    return hmac.digest(secret, b"rentroll sign-in nonces 1", "sha256")


def make_nonce(key: bytes, now_s: int) -> Nonce:
    """A fresh nonce: good for one sign-in within an hour, as owners of a Safe sign in turn."""
    expires_at_s = now_s + NONCE_LIFE_S
    stem = secrets.token_bytes(_RANDOM_BYTES) + expires_at_s.to_bytes(_TIME_BYTES)
    return Nonce((stem + _code(key, stem)).hex(), expires_at_s)


def read_nonce(key: bytes, text: str, now_s: int) -> Nonce | None:
    """A nonce that is ours and not expired; else None. Whether it was used, the database knows."""
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        return None
    if len(raw) != _RANDOM_BYTES + _TIME_BYTES + _CODE_BYTES or raw.hex() != text:
        return None
    stem, code = raw[:-_CODE_BYTES], raw[-_CODE_BYTES:]
    expires_at_s = int.from_bytes(stem[_RANDOM_BYTES:])
    if not hmac.compare_digest(code, _code(key, stem)) or now_s >= expires_at_s:
        return None
    return Nonce(text, expires_at_s)


def _code(key: bytes, stem: bytes) -> bytes:
    return hmac.digest(key, stem, "sha256")[:_CODE_BYTES]
