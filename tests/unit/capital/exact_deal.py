"""Rule 4 of docs/DEAL.md a second time, in exact fractions. Shares no code with `api.domain`.

Whatever somebody has of a facility is a pile: bought units and vouchers of each tranche, the
treasury, the operator. Rent and the closing only ever put money on piles.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from fractions import Fraction

ZERO = Fraction(0)


@dataclass(frozen=True)
class Part:
    """Units of one tranche; `worth_s` is what of the burned ones is open, 3,600 a unit.

    open_s, served_s: seconds that its vouchers wait for, and that they got.
    """

    live: int
    unsold: int
    price: int
    coupon: int
    open_s: int = 0
    worth_s: int = 0
    served_s: int = 0


@dataclass(frozen=True)
class Epoch:
    """A stated epoch: GPU-seconds there, rent billed, and what was paid in by its settlement."""

    there_s: int
    billed: int
    paid: int


@dataclass(frozen=True)
class Story:
    """A facility up to its closing. `promise_s` is of one epoch."""

    parts: Sequence[Part]
    stated: Sequence[Epoch]
    published: int
    epochs: int
    promise_s: int
    rate: int
    fee: Fraction
    up_front: Fraction
    bond: int
    proceeds: int
    released: int = 0


@dataclass
class Piles:
    """Money that everybody has, in minor units."""

    units: list[Fraction]
    vouchers: list[Fraction]
    treasury: Fraction = ZERO
    operator: Fraction = ZERO

    @property
    def sum(self) -> Fraction:
        """All of it."""
        return sum(self.units, ZERO) + sum(self.vouchers, ZERO) + self.treasury + self.operator


@dataclass
class Demand:
    """What each is still owed of missing hours."""

    units: list[Fraction]
    vouchers: list[Fraction]
    treasury: Fraction = ZERO


@dataclass
class Waiting:
    """Coupons that fell due and were not paid: of live and of unsold units."""

    live: list[Fraction] = field(default_factory=list)
    unsold: list[Fraction] = field(default_factory=list)


@dataclass
class Unpaid:
    """What renters still owe at the closing, in the order in which it is made good.

    lent: what the bond paid of it, for hours that somebody could have rented.  doubtful: the rest.
    """

    lent: Fraction = ZERO
    doubtful: Fraction = ZERO


class Exact:
    """One facility from its first settlement on."""

    def __init__(self, story: Story) -> None:
        self.story, n = story, len(story.parts)
        self.piles = Piles([ZERO] * n, [ZERO] * n)
        self.waiting = Waiting([ZERO] * n, [ZERO] * n)
        self.demand = Demand([ZERO] * n, [ZERO] * n)
        self.unpaid = Unpaid()
        self.paid_in = ZERO
        for epoch in story.stated:
            self._coupons(1)
            self._rent(Fraction(epoch.paid))
        self.billed = sum(epoch.billed for epoch in story.stated)

    def close(self) -> None:
        """Hand out bond and escrow."""
        story = self.story
        there = sum(epoch.there_s for epoch in story.stated)
        promised = story.promise_s * len(story.stated)
        rest = 1 - story.up_front
        part = Fraction(min(there, promised), story.promise_s * story.epochs)
        earned = story.proceeds * (story.up_front + rest * part)
        kept = max(earned, Fraction(story.released))
        self.piles.operator += kept
        unsigned = story.proceeds * rest * story.published / story.epochs
        dark = story.epochs - len(story.stated) - story.published
        missing = max(0, promised - there) + story.promise_s * dark

        debt = self._sound(there, missing) - self.paid_in
        lent = min(Fraction(story.bond), debt)
        self.unpaid = Unpaid(lent, self.billed - self.paid_in - lent)
        self._rent(lent)
        above = self._ask(missing)
        self._unearned(story.proceeds - kept, story.proceeds - earned, unsigned, above)
        self._demands(story.bond - lent)

    def late(self, amount: int) -> None:
        """Rent after the closing: what the bond lent, then what is doubtful."""
        money = Fraction(amount)
        lent = min(money, self.unpaid.lent)
        self.unpaid.lent -= lent
        self._demands(lent)
        doubtful = min(money - lent, self.unpaid.doubtful)
        self.unpaid.doubtful -= doubtful
        self._rent(self._ranks(doubtful))

    def _sound(self, there_s: int, missing_s: int) -> Fraction:
        """Rent paid and owed, the latter only as far as hours that were there for renters go.

        A voucher that still waits will have hours that are missing first.
        """
        parts = self.story.parts
        waiting_s = max(0, sum(part.open_s for part in parts) - missing_s)
        for_renters_s = there_s - sum(part.served_s for part in parts) - waiting_s
        most = Fraction(max(0, for_renters_s) * self.story.rate, 3_600)
        return max(self.paid_in, min(Fraction(self.billed), most))

    def _coupons(self, epochs: int) -> None:
        for i, part in enumerate(self.story.parts[:-1]):
            each = Fraction(part.coupon * epochs, self.story.epochs)
            self.waiting.live[i] += each * part.live
            self.waiting.unsold[i] += each * part.unsold

    def _rent(self, amount: Fraction) -> None:
        self.paid_in += amount
        fee = amount * self.story.fee
        self.piles.treasury += fee
        for i, share in enumerate(self._cascade(amount - fee)):
            self.piles.units[i] += share
            amount -= share
        self.piles.operator += amount - fee

    def _cascade(self, money: Fraction) -> list[Fraction]:
        """Down the ranks: what live units get; the rest of `money` is the operator's."""
        got = []
        for i in range(len(self.story.parts) - 1):
            pay = min(money, self.waiting.live[i])
            self.waiting.live[i] -= pay
            money -= pay
            got.append(pay)
            pay = min(money, self.waiting.unsold[i])
            self.waiting.unsold[i] -= pay
            money -= pay
        last = self.story.parts[-1]
        all_ = last.live + last.unsold
        # A tranche without live units gets nothing, whatever is unsold of it.
        got.append(money * last.live / all_ if last.live else ZERO)
        return got

    def _ask(self, missing_s: int) -> list[Fraction]:
        """Note what everybody is owed; returns what coupons are left above it."""
        story, scene = self.story, deepcopy(self)
        late = list(scene.waiting.live)
        scene._coupons(story.epochs - len(story.stated))
        self.demand.vouchers = [Fraction(c.open_s * story.rate, 3_600) for c in story.parts]
        uncovered_s = max(0, missing_s - sum(c.open_s for c in story.parts))
        cost = Fraction(uncovered_s * story.rate, 3_600)
        self.demand.treasury = cost * story.fee
        self.demand.units = scene._cascade(cost - self.demand.treasury)
        # Demands stand for the oldest coupons first, and nobody waits for a coupon twice.
        for i, coupon in enumerate(late):
            self.waiting.live[i] -= min(coupon, self.demand.units[i])
        return scene.waiting.live

    def _unearned(
        self, escrow: Fraction, unearned: Fraction, unsigned: Fraction, above: list[Fraction]
    ) -> None:
        """By price: the unsigned part whole, up to coupons; the other part up to demands."""
        if not unearned:
            return
        parts, spare = self.story.parts, escrow
        price = unearned / self.story.proceeds
        to_units = [price * c.price * c.live for c in parts]
        to_vouchers = [price * c.price * Fraction(c.worth_s, 3_600) for c in parts]
        wanted = sum(to_units, ZERO) + sum(to_vouchers, ZERO)
        short = min(Fraction(1), escrow / wanted) if wanted else ZERO
        of_unsigned = unsigned / unearned
        # Only a unit with a coupon has a most that it can get.
        limits: list[Fraction | None] = [*above[:-1], None]
        for i, limit in enumerate(limits):
            for back, pile, demand, most in (
                (to_units, self.piles.units, self.demand.units, limit),
                (to_vouchers, self.piles.vouchers, self.demand.vouchers, None),
            ):
                whole = back[i] * short * of_unsigned
                other = back[i] * short - whole
                given = whole if most is None else min(whole, most)
                damages = min(other, demand[i])
                demand[i] -= damages
                spare -= given + damages
                pile[i] += given + damages
        self.piles.operator += self._ranks(spare)

    def _demands(self, money: Fraction) -> None:
        """Demands by rank, then the treasury's, then the operator."""
        left = self._ranks(money)
        fee = min(left, self.demand.treasury)
        self.demand.treasury -= fee
        self.piles.treasury += fee
        self.piles.operator += left - fee

    def _ranks(self, money: Fraction) -> Fraction:
        for i in range(len(self.story.parts)):
            owed = self.demand.units[i] + self.demand.vouchers[i]
            part = min(Fraction(1), money / owed) if owed else ZERO
            for pile, demand in (
                (self.piles.units, self.demand.units),
                (self.piles.vouchers, self.demand.vouchers),
            ):
                pay = demand[i] * part
                demand[i] -= pay
                pile[i] += pay
                money -= pay
        return money
