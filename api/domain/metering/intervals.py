"""Sets of seconds as sorted, disjoint intervals `[start, end)`: union, cut, difference, overlap."""

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span], *, gap_s: int = 0) -> list[Span]:
    """Smallest sorted list that covers all spans; spans at most `gap_s` apart become one."""
    ordered = sorted(spans)
    if len(ordered) == 1 and ordered[0][0] < ordered[0][1]:
        return ordered
    merged: list[Span] = []
    for start_s, end_s in ordered:
        if start_s >= end_s:
            continue
        if merged and start_s <= merged[-1][1] + gap_s:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        else:
            merged.append((start_s, end_s))
    return merged


def overlap(left: Sequence[Span], right: Sequence[Span]) -> list[Span]:
    """Seconds of both. Both are sorted and disjoint."""
    if len(left) == 1 and len(right) == 1:  # by far the most common
        start_s, end_s = max(left[0][0], right[0][0]), min(left[0][1], right[0][1])
        return [(start_s, end_s)] if start_s < end_s else []
    found: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start_s = max(left[i][0], right[j][0])
        end_s = min(left[i][1], right[j][1])
        if start_s < end_s:
            found.append((start_s, end_s))
        if left[i][1] <= right[j][1]:
            i += 1
        else:
            j += 1
    return found


def without(spans: Sequence[Span], *, taken: Sequence[Span]) -> list[Span]:
    """Seconds of `spans` that are not in `taken`. Both are sorted and disjoint."""
    if not taken:
        return list(spans)
    found: list[Span] = []
    j = 0
    for start_s, end_s in spans:
        while j < len(taken) and taken[j][1] <= start_s:
            j += 1
        k = j
        while k < len(taken) and taken[k][0] < end_s:
            if start_s < taken[k][0]:
                found.append((start_s, taken[k][0]))
            start_s = max(start_s, taken[k][1])
            k += 1
        if start_s < end_s:
            found.append((start_s, end_s))
    return found


def clipped(spans: Iterable[Span], *, start_s: int, end_s: int) -> list[Span]:
    """The part of each span inside `[start_s, end_s)`, in the order given."""
    cut = ((max(a, start_s), min(b, end_s)) for a, b in spans)
    return [(a, b) for a, b in cut if a < b]


def length_s(spans: Iterable[Span]) -> int:
    """Seconds of disjoint spans."""
    return sum(end_s - start_s for start_s, end_s in spans)
