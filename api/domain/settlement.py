"""Settlement: what may be paid out, and how it runs down the waterfall. Model of `RentLockbox`."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.domain.units import BPS


@dataclass(frozen=True, slots=True)
class TrancheBook:
    """Cumulative coupon that fell due and revenue paid of one tranche, minor units."""

    coupon_due: int = 0
    paid: int = 0


@dataclass(frozen=True, slots=True)
class TrancheSupply:
    """What a settlement must know of one tranche: coupon per unit and window, and units."""

    coupon_per_unit: int
    supply: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """One settlement: `fee + sum(payments) == amount`; payments and books by seniority."""

    amount: int
    fee: int
    payments: tuple[int, ...]
    books: tuple[TrancheBook, ...]


def settleable(*, attested: int, collected: int, settled: int) -> int:
    """Amount that is both attested (final) and collected, and not yet settled."""
    return max(0, min(attested, collected) - settled)


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
    """Split a settlement: fee first (rounded down), then coupons by seniority, rest to the last.

    Args:    amount: minor units, >= 0.  books: before this settlement, same length as tranches.
             from_epochs, to_epochs: leading epochs counted before and by this settlement.
    Source:  `Waterfall.sol` and `RentLockbox.settle` compute the same.
    """
    fee = amount * fee_bps // BPS
    left = amount - fee
    payments: list[int] = []
    next_books: list[TrancheBook] = []
    last = len(tranches) - 1
    for seniority, (tranche, book) in enumerate(zip(tranches, books, strict=True)):
        due_per_unit = coupon_per_unit_through(
            tranche.coupon_per_unit, epochs=to_epochs, epoch_count=epoch_count
        ) - coupon_per_unit_through(
            tranche.coupon_per_unit, epochs=from_epochs, epoch_count=epoch_count
        )
        due = book.coupon_due + tranche.supply * due_per_unit
        payment = left if seniority == last else min(left, due - book.paid)
        left -= payment
        payments.append(payment)
        next_books.append(TrancheBook(due, book.paid + payment))
    return Settlement(amount, fee, tuple(payments), tuple(next_books))
