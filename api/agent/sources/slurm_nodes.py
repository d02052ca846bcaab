"""Slurm's lists of nodes, `gpu[01-03,07],login1`, as names."""

import re

_MOST = 100_000
_NAME = re.compile(r"((?:[^\[\],\s]|\[[0-9,-]+\])+)(?:,|$)", re.ASCII)
_BRACKETS = re.compile(r"\[([0-9,-]+)\]", re.ASCII)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?", re.ASCII)


def node_names(text: str) -> list[str]:
    """Names of a list, in its order. Raises ValueError."""
    names: list[str] = []
    at = 0
    while at < len(text):
        found = _NAME.match(text, at)
        if found is None:
            raise ValueError(f"{text[:60]!r} is no list of nodes")
        names += _expanded(found[1])
        at = found.end()
        if len(names) > _MOST:
            raise ValueError(f"a list names more than {_MOST} nodes")
    return names


def _expanded(name: str) -> list[str]:
    heads = [""]
    at = 0
    for brackets in _BRACKETS.finditer(name):
        between = name[at : brackets.start()]
        numbers = _numbers(brackets[1])
        if len(heads) * len(numbers) > _MOST:
            raise ValueError(f"a list names more than {_MOST} nodes")
        heads = [head + between + number for head in heads for number in numbers]
        at = brackets.end()
    return [head + name[at:] for head in heads]


def _numbers(text: str) -> list[str]:
    numbers: list[str] = []
    for part in text.split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            raise ValueError(f"{text[:60]!r} is no list of numbers")
        first, last = int(found[1]), int(found[2] or found[1])
        if not 0 <= last - first < _MOST:
            raise ValueError(f"{part!r} is no range")
        # Numbers are as wide as the first is written.
        numbers += [str(n).zfill(len(found[1])) for n in range(first, last + 1)]
    return numbers
