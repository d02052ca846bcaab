"""What two ways of stating one period differ in, by kind, lease and month."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.domain.metering.calendar import month_of
from api.domain.metering.usage import RECORDED_KINDS, LineKind
from api.domain.statements.books import Item, Stated
from api.domain.units import Bytes32, Minor


@dataclass(frozen=True, slots=True)
class Figures:
    """What a statement says as a whole.

    seconds: billed and delivered in its own time.  available_s, available_adjustment_s: of its own
    time, and of earlier time as known now.  held_back: due back, but the statement would be below
    zero by it: it returns in the next.
    """

    charge: Minor
    seconds: int
    available_s: int
    available_adjustment_s: int
    held_back: Minor


@dataclass(frozen=True, slots=True)
class Moved:
    """Lines of one kind, lease and month, as they would be without and with a change.

    seconds: length of their intervals; 0 of differences, whose interval is a month.
    """

    kind: LineKind
    lease: Bytes32
    month: int
    charge_before: Minor
    charge_after: Minor
    seconds_before: int
    seconds_after: int


def figures_of(stated: Stated) -> Figures:
    """What a statement says as a whole."""
    return Figures(
        charge=Minor(sum(item.charge for item in stated.items)),
        seconds=sum(
            item.end_s - item.start_s
            for item in stated.items
            if item.kind in (LineKind.USAGE, LineKind.DELIVERY)
        ),
        available_s=stated.available_s,
        available_adjustment_s=stated.available_adjustment_s,
        held_back=stated.held_back,
    )


def difference(*, before: Stated, after: Stated) -> tuple[Moved, ...]:
    """What differs between two ways of stating a period, in the order of lines."""
    old, new = _sums(before.items), _sums(after.items)
    nothing = (0, 0)
    return tuple(
        Moved(
            *key,
            charge_before=Minor(old.get(key, nothing)[0]),
            charge_after=Minor(new.get(key, nothing)[0]),
            seconds_before=old.get(key, nothing)[1],
            seconds_after=new.get(key, nothing)[1],
        )
        for key in sorted(old.keys() | new.keys())
        if old.get(key, nothing) != new.get(key, nothing)
    )


def _sums(items: Iterable[Item]) -> dict[tuple[LineKind, Bytes32, int], tuple[int, int]]:
    """Charge and seconds by kind, lease and month."""
    sums: dict[tuple[LineKind, Bytes32, int], tuple[int, int]] = {}
    for item in items:
        key = item.kind, item.lease, month_of(item.start_s)
        charge, seconds = sums.get(key, (0, 0))
        length_s = item.end_s - item.start_s if item.kind in RECORDED_KINDS else 0
        sums[key] = charge + item.charge, seconds + length_s
    return sums
