"""Ed25519 as logs use it: a signature holds only under a key that somebody can have."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.domain.units import Bytes32

# Source: RFC 8032 §5.1, read 2026-11-30: the field, and how a point is 32 bytes.
_FIELD = 2**255 - 19
_OF_ORDER_8 = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
# y of the eight points of small order. Under such a key anybody makes signatures that hold; the
# libraries take them, and one of the keys is 32 zero bytes, which says `none` all over here.
_WEAK = {0, 1, _FIELD - 1, _OF_ORDER_8, _FIELD - _OF_ORDER_8}


def is_weak(key: Bytes32) -> bool:
    """Whether signatures under a key prove nothing, since everybody can make them."""
    y = int.from_bytes(key, "little") & (2**255 - 1)
    return y % _FIELD in _WEAK


def holds(signature: bytes, message: bytes, *, key: Bytes32) -> bool:
    """Whether a signature over a message is a key's; never of a weak one."""
    if is_weak(key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
