"""Coupons that fell due, replayed from settlements and changes of supply."""

from collections.abc import Iterable
from dataclasses import dataclass

from api.domain.capital.settlement import coupon_per_unit_through


@dataclass(frozen=True, slots=True)
class Settling:
    """A settlement that counted the first `epochs` epochs."""

    epochs: int


@dataclass(frozen=True, slots=True)
class Supplied:
    """Units minted (above zero) or burned (below zero)."""

    units: int


def coupon_due(
    changes: Iterable[Settling | Supplied], *, coupon_per_unit: int, epoch_count: int
) -> int:
    """Coupon that fell due in all settlements, on the units that circulated at each.

    Args:    changes: of one tranche, in chain order.
    Returns: minor units, rounded down as `RentLockbox.settle` rounds: per unit, on the cumulative.
    """
    units = per_unit = due = 0
    for change in changes:
        if isinstance(change, Supplied):
            units += change.units
            continue
        through = coupon_per_unit_through(
            coupon_per_unit, epochs=change.epochs, epoch_count=epoch_count
        )
        due += units * (through - per_unit)
        per_unit = through
    return due
