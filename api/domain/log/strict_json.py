"""Strict JSON: bounded depth, no NaN or Infinity, no key named twice (ATTACKS 32 and 35)."""

from collections.abc import Iterable

import orjson

from api.domain.json_text import read_json
from api.errors import InvalidInput

MAX_DEPTH = 12


def count_keys(value: object, *, most_levels: int = MAX_DEPTH) -> int:
    """Keys of all objects inside a parsed JSON value.

    Raises:  InvalidInput if it is nested deeper than `most_levels`.
    """
    # Level by level, not by recursion: a hostile body must not exhaust the stack.
    keys = 0
    level: list[dict[str, object] | list[object]] = (
        [value] if isinstance(value, (dict, list)) else []
    )
    for _ in range(most_levels):
        below: list[dict[str, object] | list[object]] = []
        for container in level:
            items: Iterable[object] = container
            if isinstance(container, dict):
                keys += len(container)
                items = container.values()
            below += [item for item in items if isinstance(item, (dict, list))]
        if not below:
            return keys
        level = below
    raise InvalidInput(f"body is nested deeper than {most_levels} levels", field="body")


def count_batch_keys(body: bytes, batch: list[object]) -> int:
    """The same as `count_keys` of a batch, given the body that it was parsed from.

    Nearly every body is an array of objects that hold an object `data`, where a correction has one
    more. Each of these has an opening bracket of its own: if the body has no more, there is nothing
    else.
    """
    brackets = body.count(b"{") + body.count(b"[") - 1
    levels = [[event for event in batch if isinstance(event, dict)]]
    levels += [[data for e in levels[0] if isinstance(data := e.get("data"), dict)]]
    if brackets != sum(map(len, levels)):
        levels += [[v for data in levels[1] for v in data.values() if isinstance(v, dict)]]
    if brackets == sum(map(len, levels)):
        return sum(len(named) for level in levels for named in level)
    return count_keys(batch, most_levels=MAX_DEPTH + 1)  # an array is a level around its events


def parse_json(body: bytes) -> object:
    """Strict JSON: UTF-8, no NaN or Infinity.

    orjson keeps the last of duplicate keys; `duplicate_key_events` finds them.
    Raises:  InvalidInput.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"body is not JSON: {error}", field="body") from error


# What can stand before the colon of a member, beside the key's closing quote.
_SPACE = (b" ", b"\t", b"\n", b"\r")


def may_repeat_keys(body: bytes, keys: int) -> bool:
    """Whether valid JSON could name a key twice, given how many keys were left after parsing.

    False is certain. Every member has a colon after a quote or white space, so the marks are at
    least as many as the members, and these at least as many as the keys that parsing kept: if
    marks and keys are equal, no member was lost. Colons inside texts only raise the marks.
    """
    marks = body.count(b'":')
    for space in _SPACE:
        # One byte is found, or not, in a tenth of the time that two take to be counted.
        if space in body:
            marks += body.count(space + b":")
    return marks != keys


def duplicate_key_events(body: bytes, count: int) -> frozenset[int]:
    """Indices of the events of a JSON array (or 0 of a single object) with a duplicate key.

    A second, exact parse: no shortcut is worth billing the wrong one of two values.
    """
    flagged: set[int] = set()

    class _Marked(dict[str, object]):
        bad = False

    def hook(pairs: list[tuple[str, object]]) -> _Marked:
        marked = _Marked(pairs)
        marked.bad = len(marked) != len(pairs) or any(_is_bad(v) for v in marked.values())
        return marked

    def _is_bad(value: object) -> bool:
        if isinstance(value, list):
            return any(_is_bad(v) for v in value)
        return isinstance(value, _Marked) and value.bad

    try:
        value = read_json(body, object_pairs_hook=hook)
    except ValueError as error:
        # Of a key named twice the first parse kept one value: the other may be nested too deep.
        raise InvalidInput(f"body is not JSON: {error}", field="body") from error
    for index, event in enumerate(value if isinstance(value, list) else [value]):
        if _is_bad(event):
            flagged.add(index)
    return frozenset(i for i in flagged if i < count)
