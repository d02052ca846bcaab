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
    fee = (settled + amount) * fee_bps // BPS - settled * fee_bps // BPS
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
    return _split(amount, fee=fee, due=due, last=tranches[-1])


def distribute(
    amount: int, *, tranches: Sequence[TrancheSupply], books: Sequence[TrancheBook]
) -> Settlement:
    """Split money of bond or sale among units in circulation: no fee, no new coupon.

    What the operator's failure set free never falls on its unsold units: the rest goes to the
    lowest-ranking tranche that has units, above its coupon too. `RentLockbox.distribute` settles
    every final epoch first, so that its coupons have fallen due.
    """
    last = max((i for i, t in enumerate(tranches) if t.supply), default=0)
    left, payments, after = amount, [0] * len(tranches), []
    for i, (tranche, book) in enumerate(zip(tranches, books, strict=True)):
        arrears = book.arrears_of(tranche.supply)
        paid = left if i == last and tranche.supply else min(left, arrears)
        payments[i], left = paid, left - paid
        behind = arrears - min(arrears, paid)
        after.append(TrancheBook(behind, book.unsold_arrears, tranche.supply))
    after[-1] = TrancheBook()
    return Settlement(amount, 0, tuple(payments), tuple(after), left)


def _split(amount: int, *, fee: int, due: Sequence[TrancheBook], last: TrancheSupply) -> Settlement:
    """By seniority what units are behind, then what unsold ones are; the last tranche's units,
    bought and unsold alike, share the rest.

    What falls on unsold units, or on nobody, is the gpuOperator's, rounded down.
    """
    left, to_gpu_operator = amount - fee, 0
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
    to_gpu_operator += residual
    return Settlement(amount, fee, tuple(payments), tuple(books), to_gpu_operator)
