"""The text of an API key: who it is for, its public id, 256 secret bits, a checksum.

    rr_op_4fZkTq81LmXc_<43 secret characters><6 characters of checksum>
    └─────── id ─────┘

A key that turns up somewhere names the row to be revoked. Scanners of leaked secrets find one by
`rr_(ad|at|op)_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}`, and the checksum tells it from a text like it.
"""

import re
import secrets
import string
import zlib

from api.access.scopes import Role
from api.domain.hashing import sha256
from api.domain.units import Bytes32, KeyId

_MARKS = {Role.ADMIN: "ad", Role.OPERATOR: "op", Role.ATTESTER: "at"}
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
# 62 ** 43 is just above 2 ** 256, and 62 ** 6 above 2 ** 32.
_ID_CHARS, _SECRET_CHARS, _CHECKSUM_CHARS = 12, 43, 6
_KEY = re.compile(r"(rr_(?:ad|at|op)_[0-9A-Za-z]{12})_[0-9A-Za-z]{43}([0-9A-Za-z]{6})")
# Keys of before had no id and no checksum. They work until they are rotated.
_OLD_KEY = re.compile(r"rr_(op|at)_[0-9A-Za-z_-]{43}")
_OURS = re.compile(r"rr_(?:ad|at|op)_")


def _base62(number: int, length: int) -> str:
    """The last digits of a number."""
    digits = []
    for _ in range(length):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _checksum(text: str) -> str:
    return _base62(zlib.crc32(text.encode()), _CHECKSUM_CHARS)


def _random(length: int) -> str:
    return "".join(secrets.choice(_DIGITS) for _ in range(length))


def new_key(role: Role) -> tuple[KeyId, str]:
    """Id and text of a fresh key. 256 random bits need no salt or slow hash."""
    key_id = f"rr_{_MARKS[role]}_{_random(_ID_CHARS)}"
    text = f"{key_id}_{_random(_SECRET_CHARS)}"
    return KeyId(key_id), text + _checksum(text)


def old_id(*, mark: str, key_hash: Bytes32) -> KeyId:
    """Id of a key of before, which does not show it: from its hash, and so unlike the key."""
    return KeyId(f"rr_{mark}_" + _base62(int.from_bytes(sha256(key_hash)), _ID_CHARS))


def id_of(text: str) -> KeyId | None:
    """Id of a key that was sent; None unless it has the form of one, with its checksum."""
    if (match := _KEY.fullmatch(text)) is not None:
        whole = _checksum(text[:-_CHECKSUM_CHARS]) == match[2]
        return KeyId(match[1]) if whole else None
    if (old := _OLD_KEY.fullmatch(text)) is not None:
        return old_id(mark=old[1], key_hash=sha256(text.encode()))
    return None


def begins_like_ours(text: str) -> bool:
    """Whether it was one of our keys before somebody cut or mistyped it."""
    return _OURS.match(text) is not None
