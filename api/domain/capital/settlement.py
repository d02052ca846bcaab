"""Settlement: what may be paid out, and how it runs down the waterfall. Model of `RentLockbox`."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.domain.units import BPS


@dataclass(frozen=True, slots=True)
class TrancheBook:
    """Coupon of one tranche that fell due and is not paid, minor units.

    units: those that `arrears` belong to; the arrears of a unit that is burned lapse with it.
    """

    arrears: int = 0
    unsold_arrears: int = 0
    units: int = 0

    def arrears_of(self, units: int) -> int:
        """Arrears of the units that are left, rounded down."""
        return self.arrears * units // self.units if self.arrears else 0


@dataclass(frozen=True, slots=True)
class TrancheSupply:
    """What a settlement must know of one tranche: coupon per unit and window, and units.

    unsold: units under the cap that were never minted; what falls on them is the gpuOperator's.
    """

    coupon_per_unit: int
    supply: int
    unsold: int = 0


@dataclass(frozen=True, slots=True)
class Settlement:
    """One payment down the waterfall; payments and books by seniority.

    fee + sum(payments) + to_gpu_operator == amount; to_gpu_operator is what fell on unsold units or
    on nobody.
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
    settled: int,
    tranches: Sequence[TrancheSupply],
    books: Sequence[TrancheBook],
    from_epochs: int,
    to_epochs: int,
    epoch_count: int,
) -> Settlement:
    """Split a settlement: fee first (rounded down on the cumulative), then the waterfall.

    Args:    amount: minor units, >= 0.  settled: by all settlements before this one.
             books: before this settlement, same length as tranches.
             from_epochs, to_epochs: leading epochs counted before and by this settlement.
    Source:  `Waterfall.sol` and `RentLockbox.settle` compute the same.
    """
    fee = fee_on(amount, settled=settled, fee_bps=fee_bps)
    due = []
    for tranche, book in zip(tranches, books, strict=True):
        per_unit = coupon_per_unit_through(
            tranche.coupon_per_unit, epochs=to_epochs, epoch_count=epoch_count
        ) - coupon_per_unit_through(
            tranche.coupon_per_unit, epochs=from_epochs, epoch_count=epoch_count
        )
        due.append(
            TrancheBook(
                book.arrears_of(tranche.supply) + tranche.supply * per_unit,
                book.unsold_arrears + tranche.unsold * per_unit,
                tranche.supply,
            )
        )
    payments, after, to_gpu_operator = waterfall(amount - fee, due=due, last=tranches[-1])
    return Settlement(amount, fee, payments, after, to_gpu_operator)


def fee_on(amount: int, *, settled: int, fee_bps: int) -> int:
    """Fee on a payment of rent after others, rounded down on the cumulative."""
    return (settled + amount) * fee_bps // BPS - settled * fee_bps // BPS


def waterfall(
    amount: int, *, due: Sequence[TrancheBook], last: TrancheSupply
) -> tuple[tuple[int, ...], tuple[TrancheBook, ...], int]:
    """By seniority what units are behind, then what unsold ones are; the last tranche's units,
    bought and unsold alike, share the rest.

    Returns: payments and what stays behind, by seniority; and the gpuOperator's part, rounded
             down: what falls on unsold units, or on nobody.
    Source:  `Waterfall.split`.
    """
    left, to_gpu_operator = amount, 0
    payments, books = [], []
    for behind in due[:-1]:
        paid = min(left, behind.arrears)
        paid_unsold = min(left - paid, behind.unsold_arrears)
        left -= paid + paid_unsold
        to_gpu_operator += paid_unsold
        payments.append(paid)
        books.append(
            TrancheBook(
                behind.arrears - paid, behind.unsold_arrears - paid_unsold, units=behind.units
            )
        )
    residual = left * last.unsold // (last.supply + last.unsold) if last.supply else left
    payments.append(left - residual)
    books.append(TrancheBook())
    return tuple(payments), tuple(books), to_gpu_operator + residual
