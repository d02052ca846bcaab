"""The closing of an ended facility: who gets its bond and unearned proceeds.

Model of `RentLockbox`. One formula for every ending: docs/DEAL.md says what it means for a buyer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.domain.capital.settlement import (
    Settlement,
    TrancheBook,
    TrancheSupply,
    coupon_per_unit_through,
    settle,
    waterfall,
)
from api.domain.lifecycle import statements_until_s
from api.domain.units import BPS, MAX_U64, SECONDS_PER_HOUR, GpuSeconds

# Time for deliveries of the last statements to be served, before a closing.
SERVING_S = 86_400
# Money of a closing streams for an epoch, but at least for so long.
MIN_SPAN_S = 86_400


def closable_from_s(
    *,
    ended_at_s: int,
    matured: bool,
    epoch_length_s: int,
    voided_at_s: int,
    last_final_at_s: int,
) -> int:
    """First second at which an ended facility can be closed: `RentLockbox.closableFrom`.

    Args:    voided_at_s: of the last void, 0 without one.  last_final_at_s: when the newest posted
             statement is final, 0 without one.
    """
    until_s = ended_at_s
    if not matured:
        until_s = statements_until_s(
            ended_at_s=ended_at_s, voided_at_s=voided_at_s, epoch_length_s=epoch_length_s
        )
    return max(until_s, last_final_at_s) + SERVING_S


def missing_gpu_seconds(
    *, promised_stated: int, available: int, promised_known: int, promised_all: int
) -> GpuSeconds:
    """Promised and not delivered: of stated epochs what they fall short, of epochs neither stated
    nor published everything.

    Args:    promised_known: of the epochs that are stated or published.
    """
    return GpuSeconds(max(0, promised_stated - available) + promised_all - promised_known)


@dataclass(frozen=True, slots=True)
class Escrow:
    """What a closing takes over of a sale, minor units: `IPrimarySale.Surrendered`.

    unsigned: the part of `unearned` that belongs to published epochs nobody stated.
    escrow: proceeds that were not released.
    """

    proceeds: int = 0
    unearned: int = 0
    unsigned: int = 0
    escrow: int = 0
    unit_prices: tuple[int, ...] = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class TrancheEnd:
    """One tranche at the end: its units, what rent paid of their coupons, and its vouchers.

    open_unit_seconds: what of burned units is not served, 3,600 a unit.
    """

    supply: TrancheSupply
    book: TrancheBook
    open_gpu_seconds: int = 0
    open_unit_seconds: int = 0


@dataclass(frozen=True, slots=True)
class Shares:
    """Sums by who they belong to, minor units; units and vouchers by seniority."""

    units: tuple[int, ...]
    vouchers: tuple[int, ...]
    treasury: int = 0
    gpu_operator: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return sum(self.units) + sum(self.vouchers) + self.treasury + self.gpu_operator


@dataclass(frozen=True, slots=True)
class Closing:
    """What a closing does, minor units.

    bond + escrow == advance.amount + paid.total. advance: rent that the bond pays for renters.
    claims: what stays owed; late rent pays it, see `LateRent`.
    books: coupons that stay due; what of them became a claim is a claim alone.
    """

    advance: Settlement
    paid: Shares
    claims: Shares
    books: tuple[TrancheBook, ...]


def close(
    *,
    tranches: Sequence[TrancheEnd],
    epochs: int,
    epoch_count: int,
    fee_bps: int,
    settled: int,
    unpaid: int,
    missing: GpuSeconds,
    rate_per_gpu_hour: int,
    bond: int,
    sale: Escrow,
) -> Closing:
    """Share bond and escrow of an ended facility whose final epochs are all settled.

    Args:    epochs: leading final epochs, counted by settlements.  settled: rent paid out so far.
             unpaid: see `payable_by_bond`.  missing: see `missing_gpu_seconds`.
    Source:  `Closings.sol` and `ClosingRules.sol` compute the same, to the minor unit.
    """
    supplies = [tranche.supply for tranche in tranches]
    books = [tranche.book for tranche in tranches]

    def paid_as_rent(amount: int) -> Settlement:
        return settle(
            amount,
            fee_bps=fee_bps,
            settled=settled,
            tranches=supplies,
            books=books,
            from_epochs=epochs,
            to_epochs=epochs,
            epoch_count=epoch_count,
        )

    advance = paid_as_rent(min(bond, unpaid))
    behind = advance.books
    due = _coupons_left(supplies, behind, epochs=epochs, epoch_count=epoch_count)
    claims, left = _claims(
        tranches, due, missing=missing, rate_per_gpu_hour=rate_per_gpu_hour, fee_bps=fee_bps
    )
    after = tuple(
        replace(book, arrears=book.arrears - min(book.arrears, claimed))
        for book, claimed in zip(behind, claims.units, strict=True)
    )
    paid, claims, rest = _pay_back(tranches, sale, claims=claims, coupons_left=left)
    paid, claims, rest = _fill(rest, paid=paid, claims=claims)
    paid = replace(paid, gpu_operator=rest)
    paid, claims = _spend(bond - advance.amount, paid=paid, claims=claims)
    return Closing(advance, paid, claims, after)


def payable_by_bond(
    *,
    attested: int,
    settled: int,
    available: int,
    served: int,
    open_gpu_seconds: int,
    missing: int,
    rate_per_gpu_hour: int,
) -> int:
    """Attested rent that nobody paid, up to what delivered hours are worth: the bond may pay it.

    Attesters believe leases: what a friend of the operator owes and never pays must take nothing
    from damages. Hours that vouchers were served, or claim, earn no rent.

    Args:    served, open_gpu_seconds: of all vouchers.  available, missing: GPU-seconds.
    """
    others = served + max(0, open_gpu_seconds - missing)
    worth = max(0, available - others) * rate_per_gpu_hour // SECONDS_PER_HOUR
    return max(0, min(attested, worth, MAX_U64) - settled)


@dataclass(frozen=True, slots=True)
class LateRent:
    """How rent that came after a closing is paid out, minor units.

    late: where the bond, which advanced it, would have gone.  further: to claims first, and what
    they leave down the waterfall.
    """

    late: int
    further: int


def late_rent(
    *, collected: int, settled: int, attested: int, advanced: int, reimbursed: int
) -> LateRent:
    """Part what is there to be paid out: `RentLockbox.settle` of a closed facility.

    Args:    advanced, reimbursed: `RentLockbox.advanceOf`.
    """
    left = collected + advanced - reimbursed - settled
    late = min(left, max(0, advanced - reimbursed))
    unpaid = attested - settled - max(0, reimbursed - advanced)
    return LateRent(late, min(left - late, max(0, unpaid)))


def share_late(amount: int, claims: Shares, *, further: int = 0) -> tuple[Shares, Shares, int]:
    """Share rent that comes after the closing: what each gets, is still owed, and what is rent.

    Args:    amount, further: `LateRent.late` and `.further`.
    """
    nothing = Shares((0,) * len(claims.units), (0,) * len(claims.vouchers))
    paid, claims = _spend(amount, paid=nothing, claims=claims)
    return _fill(further, paid=paid, claims=claims)


def voucher_share(pool: int, *, open_gpu_seconds: int, all_open_gpu_seconds: int) -> int:
    """What a voucher gets of its tranche's pool in all, rounded down."""
    return pool * open_gpu_seconds // all_open_gpu_seconds if pool else 0


def _coupons_left(
    supplies: Sequence[TrancheSupply],
    books: Sequence[TrancheBook],
    *,
    epochs: int,
    epoch_count: int,
) -> list[TrancheBook]:
    """What tranches are behind once the coupons of the whole window are due."""
    due = []
    for supply, book in zip(supplies, books, strict=True):
        per_unit = supply.coupon_per_unit - coupon_per_unit_through(
            supply.coupon_per_unit, epochs=epochs, epoch_count=epoch_count
        )
        due.append(
            TrancheBook(
                book.arrears + per_unit * supply.supply,
                book.unsold_arrears + per_unit * supply.unsold,
                supply.supply,
            )
        )
    return due


def _claims(
    tranches: Sequence[TrancheEnd],
    due: Sequence[TrancheBook],
    *,
    missing: GpuSeconds,
    rate_per_gpu_hour: int,
    fee_bps: int,
) -> tuple[Shares, tuple[int, ...]]:
    """Claims on missing hours, and what coupons leave above them."""
    open_gpu_seconds = sum(t.open_gpu_seconds for t in tranches)
    damages = max(0, missing - open_gpu_seconds) * rate_per_gpu_hour // SECONDS_PER_HOUR
    fee = damages * fee_bps // BPS
    units, after, _ = waterfall(damages - fee, due=due, last=tranches[-1].supply)
    vouchers = tuple(t.open_gpu_seconds * rate_per_gpu_hour // SECONDS_PER_HOUR for t in tranches)
    return Shares(units, vouchers, fee), tuple(book.arrears for book in after)


def _pay_back(
    tranches: Sequence[TrancheEnd], sale: Escrow, *, claims: Shares, coupons_left: tuple[int, ...]
) -> tuple[Shares, Shares, int]:
    """Unearned proceeds by price, as far as they are there: of unsigned epochs whole, up to the
    coupon; the rest up to each claim. Also returns what fell on no claim."""
    units, vouchers = [0] * len(tranches), [0] * len(tranches)
    unit_claims, voucher_claims = list(claims.units), list(claims.vouchers)
    if sale.unearned and sale.escrow:
        back = [
            (
                price * sale.unearned * t.supply.supply // sale.proceeds,
                price * sale.unearned * t.open_unit_seconds // (sale.proceeds * SECONDS_PER_HOUR),
            )
            for t, price in zip(tranches, sale.unit_prices, strict=False)
        ]
        whole = sum(map(sum, back))
        most = min(whole, sale.escrow)
        for i, by_price in enumerate(back):
            of_units, of_vouchers = (part * most // whole if whole else 0 for part in by_price)
            unsigned = of_units * sale.unsigned // sale.unearned
            last = i + 1 == len(tranches)
            kept = unsigned if last else min(unsigned, coupons_left[i])
            damages = min(of_units - unsigned, unit_claims[i])
            units[i] = kept + damages
            unit_claims[i] -= damages
            unsigned = of_vouchers * sale.unsigned // sale.unearned
            damages = min(of_vouchers - unsigned, voucher_claims[i])
            vouchers[i] = unsigned + damages
            voucher_claims[i] -= damages
    rest = sale.escrow - sum(units) - sum(vouchers)
    return (
        Shares(tuple(units), tuple(vouchers)),
        replace(claims, units=tuple(unit_claims), vouchers=tuple(voucher_claims)),
        rest,
    )


def _fill(amount: int, *, paid: Shares, claims: Shares) -> tuple[Shares, Shares, int]:
    """Pay claims by rank, units and vouchers of one rank in proportion, rounded down for units."""
    units, vouchers = list(paid.units), list(paid.vouchers)
    unit_claims, voucher_claims = list(claims.units), list(claims.vouchers)
    left = amount
    for i in range(len(units)):
        owed = unit_claims[i] + voucher_claims[i]
        pay = min(left, owed)
        if not pay:
            continue
        to_units = pay * unit_claims[i] // owed
        units[i] += to_units
        unit_claims[i] -= to_units
        vouchers[i] += pay - to_units
        voucher_claims[i] -= pay - to_units
        left -= pay
    return (
        replace(paid, units=tuple(units), vouchers=tuple(vouchers)),
        replace(claims, units=tuple(unit_claims), vouchers=tuple(voucher_claims)),
        left,
    )


def _spend(amount: int, *, paid: Shares, claims: Shares) -> tuple[Shares, Shares]:
    """Pay claims by rank, then the treasury's; the rest is the gpuOperator's."""
    paid, claims, left = _fill(amount, paid=paid, claims=claims)
    fee = min(left, claims.treasury)
    paid = replace(paid, treasury=paid.treasury + fee, gpu_operator=paid.gpu_operator + left - fee)
    return paid, replace(claims, treasury=claims.treasury - fee)
