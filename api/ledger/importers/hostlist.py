"""Slurm's compressed lists: `gpu[01-03,07],login1`, and `0-3,6`."""

import re
from collections.abc import Iterator
from itertools import islice

from api.errors import RowRefused

MOST = 100_000
# A name with at most one level of brackets in it, each with numbers and ranges.
_NAME = re.compile(r"(?:[^\[\],\s]|\[[0-9,-]+\])+", re.ASCII)
_BRACKETS = re.compile(r"\[([0-9,-]+)\]", re.ASCII)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


def expand_nodes(text: str) -> list[str]:
    """Names of nodes in a list. Raises RowRefused."""
    names: list[str] = []
    at = 0
    while at < len(text):
        found = _NAME.match(text, at)
        if found is None or (found.end() < len(text) and text[found.end()] != ","):
            raise RowRefused("field_missing", f"{text[:60]!r} is no list of nodes")
        names.extend(islice(_expand(found[0]), MOST + 1))
        at = found.end() + 1
        _bound(names)
    return names


def expand_numbers(text: str) -> list[str]:
    """Numbers of `0-3,6` as text, as wide as they are written. Raises RowRefused."""
    numbers: list[str] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part)
        first = int(found[1]) if found else 0
        last = int(found[2] or found[1]) if found else -1
        if found is None or not 0 <= last - first < MOST:
            raise RowRefused("field_missing", f"{text[:60]!r} is no list of numbers")
        numbers.extend(str(n).zfill(len(found[1])) for n in range(first, last + 1))
        _bound(numbers)
    return numbers


def _expand(name: str) -> Iterator[str]:
    found = _BRACKETS.search(name)
    if found is None:
        yield name
        return
    head, tail = name[: found.start()], name[found.end() :]
    for number in expand_numbers(found[1]):
        for rest in _expand(tail):
            yield head + number + rest


def _bound(names: list[str]) -> None:
    if len(names) > MOST:
        raise RowRefused("field_missing", f"a list names more than {MOST}")
