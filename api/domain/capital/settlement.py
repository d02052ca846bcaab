"""Settlement: what may be paid out, and how it runs down the waterfall. Model of `RentLockbox`."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.domain.units import BPS


@dataclass(frozen=True, slots=True)
class TrancheBook:
    """Coupon of one tranche that fell due and is not paid, minor units."""

    arrears: int = 0


@dataclass(frozen=True, slots=True)
class TrancheSupply:
    """What a settlement must know of one tranche: coupon per unit and window, and units."""

    coupon_per_unit: int
    supply: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """One payment down the waterfall; payments and books by seniority.

    fee + sum(payments) + to_gpu_operator == amount; to_gpu_operator is 0 unless no tranche has
    units.
    """

    amount: int
    fee: int
    payments: tuple[int, ...]
    books: tuple[TrancheBook, ...]
    to_gpu_operator: int = 0


def settleable(*, attested: int, collected: int, settled: int) -> int:
    """Amount that is both attested (final) and collected, and not yet settled."""
    return max(0, min(attested, collected) - settled)


def excess(*, posted: int, collected: int) -> int:
    """Rent that exceeds everything posted: what may go back to payers once a facility ended."""
    return max(0, collected - posted)


def coupon_per_unit_through(coupon_per_unit: int, *, epochs: int, epoch_count: int) -> int:
    """Coupon of one unit that fell due in the first `epochs` epochs, rounded down."""
    return coupon_per_unit * epochs // epoch_count


def settle(
    amount: int,
    *,
    fee_bps: int,
    tranches: Sequence[TrancheSupply],
    books: Sequence[TrancheBook],
    from_epochs: int,
    to_epochs: int,
    epoch_count: int,
) -> Settlement:
    """Split a settlement: fee first (rounded down), then the waterfall.

    Args:    amount: minor units, >= 0.  books: before this settlement, same length as tranches.
             from_epochs, to_epochs: leading epochs counted before and by this settlement.
    Source:  `Waterfall.sol` and `RentLockbox.settle` compute the same.
    """
    fee = amount * fee_bps // BPS
    due = []
    for tranche, book in zip(tranches, books, strict=True):
        per_unit = coupon_per_unit_through(
            tranche.coupon_per_unit, epochs=to_epochs, epoch_count=epoch_count
        ) - coupon_per_unit_through(
            tranche.coupon_per_unit, epochs=from_epochs, epoch_count=epoch_count
        )
        due.append(book.arrears + tranche.supply * per_unit)
    return _split(amount, fee=fee, due=due, supplies=[t.supply for t in tranches])


def distribute(
    amount: int, *, tranches: Sequence[TrancheSupply], books: Sequence[TrancheBook]
) -> Settlement:
    """Split money of bond or sale: no fee, no new coupon, else as a settlement.

    `RentLockbox.distribute` settles every final epoch first, so that its coupons have fallen due.
    """
    due, supplies = [b.arrears for b in books], [t.supply for t in tranches]
    return _split(amount, fee=0, due=due, supplies=supplies)


def _split(amount: int, *, fee: int, due: Sequence[int], supplies: Sequence[int]) -> Settlement:
    """Arrears by seniority, the residual to the lowest-ranking tranche that has units.

    A tranche without units gets nothing and its arrears lapse.
    """
    left = amount - fee
    payments, arrears = [0] * len(due), [0] * len(due)
    for seniority, supply in enumerate(supplies):
        if supply:
            payments[seniority] = min(left, due[seniority])
            arrears[seniority] = due[seniority] - payments[seniority]
            left -= payments[seniority]
    with_units = [seniority for seniority, supply in enumerate(supplies) if supply]
    if with_units:
        payments[with_units[-1]] += left
        left = 0
    return Settlement(amount, fee, tuple(payments), tuple(map(TrancheBook, arrears)), left)
