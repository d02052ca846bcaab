"""Entries that a log lost, when its database was restored from an older copy: what is missing."""

from collections.abc import Iterable

# So many stretches of missing entries are named; whoever has the first of them gets the others.
MOST_STRETCHES = 20


def missing(*, size: int, due: int, held: Iterable[int]) -> list[tuple[int, int]]:
    """Entries that a log lacks up to one, `[first, last]` each; at most MOST_STRETCHES of them.

    Args:    size: entries that it has.  due: the newest one that it is known to have had.
             held: numbers of those that wait to be appended.
    """
    found: list[tuple[int, int]] = []
    next_number = size + 1
    for number in sorted(n for n in held if size < n <= due):
        if len(found) == MOST_STRETCHES:
            return found
        if next_number < number:
            found.append((next_number, number - 1))
        next_number = max(next_number, number + 1)
    if next_number <= due and len(found) < MOST_STRETCHES:
        found.append((next_number, due))
    return found
