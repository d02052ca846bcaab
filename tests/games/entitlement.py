"""Who is entitled to what, in exact fractions: docs/DEAL.md, written down once more.

Shares no code with `api.domain`, and keeps its books another way: coupons are counted for one unit,
and every sum is put on one of five piles. It is told what was done, and never asks whether it was
allowed.
"""

from fractions import Fraction

from tests.games.moves import (
    CAPS,
    CHALLENGE_S,
    COUPON,
    EPOCHS,
    PRICES,
    RATE,
    UP_FRONT_BPS,
    WINDOW_S,
    Deal,
    Totals,
)

NONE = Fraction(0)
HOUR_S = 3_600


class Entitlement:
    """One facility. Seniors are tranche 0, juniors tranche 1."""

    def __init__(self, deal: Deal) -> None:
        self.deal = deal
        self.units = list(deal.bought)
        self.unsold = [cap - n for cap, n in zip(CAPS, deal.bought, strict=True)]
        self.price_of_all = sum(n * p for n, p in zip(deal.bought, PRICES, strict=True))
        self.holders, self.to_vouchers = [NONE, NONE], [NONE, NONE]
        self.operator, self.fees = NONE, NONE
        # Coupon of one senior unit that fell due and was not paid: bought, unsold.
        self.behind, self.behind_unsold = NONE, NONE
        self.stated: list[tuple[int, int, int]] = []
        # What turned out after the last epoch, and when that was stated.
        self.found: tuple[int, int, int] | None = None
        self.known = self.counted = 0
        self.paid_in = self.spent = NONE
        self.taken = NONE
        self.waits_s, self.burned = [0, 0], [0, 0]
        self.owed_units, self.owed_vouchers, self.owed_fee = [NONE, NONE], [NONE, NONE], NONE
        self.lent = self.doubtful = NONE
        self.closed = False

    # --- what is done ---

    def state(self, there_s: int, rent: int, at_s: int) -> None:
        """Attesters state the next epoch."""
        self.stated.append((there_s, rent, at_s))

    def seal(self, there_s: int, rent: int, at_s: int) -> None:
        """Attesters state what came late, once."""
        self.found = (there_s, rent, at_s)

    def publish(self, epoch: int) -> None:
        """The operator publishes evidence."""
        self.known = epoch + 1

    def reject(self, epoch: int) -> None:
        """Attesters reject it."""
        self.known = epoch

    def burn(self, tranche: int, units: int, at_s: int) -> None:
        """Units go for compute that is not served: their arrears lapse, a voucher waits."""
        promised_worth = Fraction(EPOCHS * self.deal.promise_s * RATE, HOUR_S)
        worth = [Fraction(min(RATE, COUPON, int(promised_worth) // CAPS[0]))]
        left = max(NONE, Fraction(int(promised_worth)) - CAPS[0] * COUPON)
        worth.append(min(Fraction(RATE), Fraction(left // CAPS[1])))
        part = Fraction(WINDOW_S - max(0, at_s), WINDOW_S)
        self.waits_s[tranche] += int(units * HOUR_S * part * worth[tranche] / RATE)
        self.burned[tranche] += units
        self.units[tranche] -= units

    def pay(self, amount: int) -> None:
        """A renter pays."""
        self.paid_in += amount

    def release(self, at_s: int) -> None:
        """The operator takes what delivery earned so far."""
        self._take(self._final(at_s), self._late(at_s)[0])

    def settle(self, at_s: int) -> None:
        """Rent that is attested, final and there runs down the ranks."""
        if self.closed:
            self._settle_late()
            return
        final = self._final(at_s)
        self._coupons(final - self.counted)
        self.counted = final
        billed = max(0, sum(rent for _, rent, _ in self.stated[:final]) + self._late(at_s)[1])
        # What was paid out stays paid, also where less is owed by now.
        amount = max(NONE, min(Fraction(billed), self.paid_in) - self.spent)
        self.spent += amount
        self._rent(amount)

    def close(self, at_s: int) -> None:
        """Share the bond, and proceeds that were not released."""
        self.settle(at_s)
        n, promise = len(self.stated), self.deal.promise_s
        there = sum(s for s, _, _ in self.stated) + self._late(at_s)[0]
        billed = self._billed()
        known = max(n, self.known)
        missing = max(0, promise * n - there) + promise * (EPOCHS - known)
        waiting = sum(self.waits_s)
        rentable = max(0, there - max(0, waiting - missing))
        sound = min(Fraction(billed), Fraction(rentable * RATE, HOUR_S))
        bond = Fraction(self.deal.bond)
        self.lent = min(bond, max(NONE, sound - self.spent))
        self.spent += self.lent
        self._rent(self.lent)
        self.doubtful = max(NONE, billed - self.spent)
        spare = self._claim(missing, waiting)
        self._give_back(spare, known - n, self._late(at_s)[0])
        self.operator += self._fee_then_rest(self._by_rank(bond - self.lent))
        self.closed = True

    def totals(self) -> Totals:
        """What everybody has. Before the closing the bond and the escrow are nobody's."""
        return Totals(
            self.operator, self.holders[0], self.holders[1], sum(self.to_vouchers), self.fees
        )

    # --- rent ---

    def _final(self, at_s: int) -> int:
        return sum(1 for _, _, posted in self.stated if at_s >= posted + CHALLENGE_S)

    def _late(self, at_s: int) -> tuple[int, int]:
        """GPU-seconds and rent that turned out late, once that is final."""
        if self.found is None or at_s < self.found[2] + CHALLENGE_S:
            return 0, 0
        return self.found[0], self.found[1]

    def _billed(self) -> int:
        late = self.found[1] if self.found else 0
        return max(0, sum(rent for _, rent, _ in self.stated) + late)

    def _coupons(self, epochs: int) -> None:
        self.behind += Fraction(COUPON * epochs, EPOCHS)
        self.behind_unsold += Fraction(COUPON * epochs, EPOCHS)

    def _rent(self, amount: Fraction) -> None:
        fee = amount * self.deal.fee_bps / 10_000
        self.fees += fee
        seniors, juniors, nobody = self._ranks(amount - fee)
        self.holders[0] += seniors
        self.holders[1] += juniors
        self.operator += nobody

    def _ranks(self, money: Fraction) -> tuple[Fraction, Fraction, Fraction]:
        """Seniors' coupons, those of unsold seniors, then juniors with their unsold ones."""
        seniors = min(money, self.behind * self.units[0])
        if self.units[0]:
            self.behind -= seniors / self.units[0]
        money -= seniors
        nobody = min(money, self.behind_unsold * self.unsold[0])
        if self.unsold[0]:
            self.behind_unsold -= nobody / self.unsold[0]
        money -= nobody
        live, unsold = self.units[1], self.unsold[1]
        juniors = money * live / (live + unsold) if live else NONE
        return seniors, juniors, nobody + money - juniors

    # --- proceeds ---

    def _earned(self, epochs: int, late_s: int) -> Fraction:
        promise = self.deal.promise_s
        there = min(sum(s for s, _, _ in self.stated[:epochs]) + late_s, promise * epochs)
        up_front = Fraction(self.price_of_all * UP_FRONT_BPS, 10_000)
        return up_front + (self.price_of_all - up_front) * Fraction(there, promise * EPOCHS)

    def _take(self, epochs: int, late_s: int) -> None:
        more = max(NONE, self._earned(epochs, late_s) - self.taken)
        self.taken += more
        self.operator += more

    def _give_back(self, spare_coupon: Fraction, dark: int, late_s: int) -> None:
        """Unearned proceeds: by price to units and to what of burned ones is open."""
        n = len(self.stated)
        unearned = self.price_of_all - self._earned(n, late_s)
        self._take(n, late_s)
        pot = self.price_of_all - self.taken
        if not unearned:
            return
        whole_dark = (
            Fraction(self.price_of_all * (10_000 - UP_FRONT_BPS) * dark, 10_000 * EPOCHS) / unearned
        )
        for_units = [unearned * PRICES[t] * self.units[t] / self.price_of_all for t in (0, 1)]
        for_vouchers = [unearned * PRICES[t] * self.burned[t] / self.price_of_all for t in (0, 1)]
        asked = sum(for_units) + sum(for_vouchers)
        cut = min(Fraction(1), pot / asked) if asked else NONE
        left = pot
        for t in (0, 1):
            dark_part = for_units[t] * cut * whole_dark
            most = min(dark_part, spare_coupon) if t == 0 else dark_part
            damages = min(for_units[t] * cut - dark_part, self.owed_units[t])
            self.owed_units[t] -= damages
            self.holders[t] += most + damages
            left -= most + damages
            dark_part = for_vouchers[t] * cut * whole_dark
            damages = min(for_vouchers[t] * cut - dark_part, self.owed_vouchers[t])
            self.owed_vouchers[t] -= damages
            self.to_vouchers[t] += dark_part + damages
            left -= dark_part + damages
        self.operator += self._by_rank(left)

    # --- claims ---

    def _claim(self, missing_s: int, waiting_s: int) -> Fraction:
        """Note what missing hours cost; returns what seniors could still get of their coupons."""
        self.owed_vouchers = [Fraction(s * RATE, HOUR_S) for s in self.waits_s]
        cost = Fraction(max(0, missing_s - waiting_s) * RATE, HOUR_S)
        self.owed_fee = cost * self.deal.fee_bps / 10_000
        kept = (self.behind, self.behind_unsold)
        arrears = self.behind * self.units[0]
        self._coupons(EPOCHS - self.counted)
        seniors, juniors, _ = self._ranks(cost - self.owed_fee)
        spare = self.behind * self.units[0]
        self.behind, self.behind_unsold = kept
        # Arrears that are claimed are claims from now on.
        if self.units[0]:
            self.behind -= min(arrears, seniors) / self.units[0]
        self.owed_units = [seniors, juniors]
        return spare

    def _by_rank(self, money: Fraction) -> Fraction:
        for t in (0, 1):
            owed = self.owed_units[t] + self.owed_vouchers[t]
            pay = min(money, owed)
            if not pay:
                continue
            to_units = pay * self.owed_units[t] / owed
            self.holders[t] += to_units
            self.owed_units[t] -= to_units
            self.to_vouchers[t] += pay - to_units
            self.owed_vouchers[t] -= pay - to_units
            money -= pay
        return money

    def _fee_then_rest(self, money: Fraction) -> Fraction:
        fee = min(money, self.owed_fee)
        self.owed_fee -= fee
        self.fees += fee
        return money - fee

    def _settle_late(self) -> None:
        """First what the bond lent, to where the bond would have gone; the rest is rent."""
        new = min(self.paid_in, Fraction(self._billed())) - (self.spent - self.lent)
        new = max(NONE, new)
        lent = min(new, self.lent)
        self.lent -= lent
        self.operator += self._fee_then_rest(self._by_rank(lent))
        rest = min(new - lent, self.doubtful)
        self.doubtful -= rest
        after = self._by_rank(rest)
        self.spent += rest
        self._rent(after)
