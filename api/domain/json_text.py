"""Reading JSON that strangers wrote: nesting is bounded before Python's parser, which recurses."""

import json
import re
from collections.abc import Callable

from api.domain.units import ZERO32, Bytes32

# Ours nests 6 deep at most. Python's parser uses the C stack, a frame a level: text of 100,000
# brackets kills the process wherever an import has raised the recursion limit (py_ecc does).
MAX_DEPTH = 64

# A string, closed or not, or one bracket. Nothing backtracks, so that the scan stays linear.
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def read_json(
    data: bytes | str,
    *,
    parse_constant: Callable[[str], object] | None = None,
    parse_float: Callable[[str], object] | None = None,
    parse_int: Callable[[str], object] | None = None,
    object_pairs_hook: Callable[[list[tuple[str, object]]], object] | None = None,
) -> object:
    """Value of UTF-8 JSON with integers exact.

    parse_constant, parse_float, parse_int: what stands for NaN and Infinity, for numbers with a
        fraction or exponent, and for others; Python's own if left out.
    object_pairs_hook: makes an object's value of all its members, repeated keys among them.
    Raises:  ValueError if it is no JSON, or nested deeper than MAX_DEPTH.
    """
    # Other encodings, which json.loads would guess, could hide brackets from the scan.
    text = data if isinstance(data, str) else data.decode("utf-8")
    _require_shallow(text)
    value: object = json.loads(
        text,
        parse_constant=parse_constant,
        parse_float=parse_float,
        parse_int=parse_int,
        object_pairs_hook=object_pairs_hook,
    )
    return value


def canonical_line(value: object) -> bytes:
    """One canonical encoding on one line: sorted keys, no spaces, ASCII, a newline at the end."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode("ascii") + b"\n"


def as_object(value: object) -> dict[str, object]:
    """A JSON object. Raises TypeError."""
    if not isinstance(value, dict):
        raise TypeError(f"{str(value)[:40]!r} is not an object")
    return value


def as_list(value: object) -> list[object]:
    """A JSON array. Raises TypeError."""
    if not isinstance(value, list):
        raise TypeError(f"{str(value)[:40]!r} is not a list")
    return value


def as_integer(value: object) -> int:
    """A JSON integer: no fraction, text or truth value is taken for one. Raises TypeError."""
    if type(value) is not int:
        raise TypeError(f"{str(value)[:40]!r} is not an integer")
    return value


def as_text(value: object) -> str:
    """A JSON string. Raises TypeError."""
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is not text")
    return value


def _require_shallow(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        mark = match.group()
        if mark in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif mark in ("]", "}"):
            depth -= 1


def end_of_value(text: str, start: int) -> int | None:
    """Where the list or object that begins at `start` ends; None if the text breaks off before.

    Raises:  ValueError if it is nested deeper than MAX_DEPTH.
    """
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(text, start):
        mark = match.group()
        if mark in ("[", "{"):
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        elif mark in ("]", "}"):
            depth -= 1
            if depth == 0:
                return match.end()
    return None


def as_bytes32(value: object) -> Bytes32:
    """Hexadecimal text of 32 bytes, with or without 0x. Raises ValueError for anything else."""
    text = as_text(value)
    data = bytes.fromhex(text.removeprefix("0x"))
    if len(data) != len(ZERO32):
        raise ValueError(f"{text[:80]!r} is not 32 bytes")
    return Bytes32(data)
