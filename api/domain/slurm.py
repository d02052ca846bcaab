"""What Slurm prints: absent values, GPUs in lists of resources, and compressed lists of names.

Source: Slurm's manuals of sacct(1) and scontrol(1), 24.05 and 24.11, read 2026-11-30.
"""

import re
from collections.abc import Iterator
from itertools import islice

MOST_NAMES = 100_000
# In place of a time or a node that is not there.
_ABSENT = frozenset({"", "unknown", "none", "n/a", "none assigned", "(null)"})
_GPUS = re.compile(r"gres/gpu(:[^=,]+)?=(\d{1,9})", re.ASCII)
_SHARED = re.compile(r"gres/(?:shard|mps)(?::[^=,]+)?=0*[1-9]", re.ASCII)
# A name with at most one level of brackets in it, each with numbers and ranges.
_NAME = re.compile(r"(?:[^\[\],\s]|\[[0-9,-]+\])+", re.ASCII)
_BRACKETS = re.compile(r"\[([0-9,-]+)\]", re.ASCII)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


def is_present(text: str) -> bool:
    """Whether a cell says something."""
    return text.strip().lower() not in _ABSENT


def gpus_of(tres: str) -> int | None:
    """GPUs of AllocTRES: the total, or the sum by type; None where it has parts of GPUs."""
    if _SHARED.search(tres):
        return None
    found = _GPUS.findall(tres)
    total = [int(count) for kind, count in found if not kind]
    return total[0] if total else sum(int(count) for _, count in found)


def expand_nodes(text: str) -> list[str]:
    """Names of `gpu[01-03,07],login1`, in its order. Raises ValueError."""
    names: list[str] = []
    at = 0
    while at < len(text):
        found = _NAME.match(text, at)
        if found is None or (found.end() < len(text) and text[found.end()] != ","):
            raise ValueError(f"{text[:60]!r} is no list of nodes")
        names.extend(islice(_expand(found[0]), MOST_NAMES + 1))
        at = found.end() + 1
        _bound(names)
    return names


def expand_numbers(text: str) -> list[str]:
    """Numbers of `0-3,6` as text, as wide as they are written. Raises ValueError."""
    numbers: list[str] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part)
        first = int(found[1]) if found else 0
        last = int(found[2] or found[1]) if found else -1
        if found is None or not 0 <= last - first < MOST_NAMES:
            raise ValueError(f"{text[:60]!r} is no list of numbers")
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
    if len(names) > MOST_NAMES:
        raise ValueError(f"a list names more than {MOST_NAMES}")
