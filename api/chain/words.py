"""Values of one word of ABI data, read without eth_abi, which takes ten times as long."""

import re
from collections.abc import Callable, Sequence
from functools import cache

from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.registry import registry

WORD = 32
_ADDRESS_ZEROS = bytes(12)
_UINT = re.compile(r"uint(\d+)")
Reader = Callable[[bytes], object]
# A contract takes any bytes as a string, also such as are no UTF-8: nobody must stop us by these.
_lenient = registry.copy()  # type: ignore[no-untyped-call]
_lenient.unregister_decoder("string")
_replacing = StringDecoder(handle_string_errors="replace")  # type: ignore[no-untyped-call]
_lenient.register_decoder("string", _replacing)
_decoder = ABIDecoder(_lenient)


def _uint(bits: int) -> Reader:
    def read(word: bytes) -> int:
        value = int.from_bytes(word)
        if value >> bits:
            raise ValueError(f"a uint{bits} is too large")
        return value

    return read


def _address(word: bytes) -> str:
    if word[:12] != _ADDRESS_ZEROS:
        raise ValueError("an address is too long")
    return "0x" + word[12:].hex()


def _bool(word: bytes) -> bool:
    value = int.from_bytes(word)
    if value > 1:
        raise ValueError("a bool is neither 0 nor 1")
    return value == 1


@cache
def reader_of(kind: str) -> Reader | None:
    """What reads a kind from its word; None if it is more than a word."""
    uint = _UINT.fullmatch(kind)
    if uint:
        return _uint(int(uint[1]))
    known: dict[str, Reader] = {"address": _address, "bool": _bool, "bytes32": bytes}
    return known.get(kind)


@cache
def _readers(kinds: tuple[str, ...]) -> tuple[Reader, ...] | None:
    """A reader for each kind; None if one of them is more than a word."""
    found = [reader_of(kind) for kind in kinds]
    readers = tuple(reader for reader in found if reader is not None)
    return readers if len(readers) == len(found) else None


def decode_words(kinds: Sequence[str], data: bytes) -> Sequence[object]:
    """As `eth_abi.decode`; what is no UTF-8 in a string becomes U+FFFD.

    Raises:  ValueError, or eth_abi's errors for what is more than words.
    """
    readers = _readers(tuple(kinds))
    if readers is None:
        return _decoder.decode(kinds, data)
    if len(data) < WORD * len(readers):
        raise ValueError(f"{len(data)} bytes are too few for {len(readers)} words")
    words = (data[place : place + WORD] for place in range(0, WORD * len(readers), WORD))
    return tuple(read(word) for read, word in zip(readers, words, strict=True))
