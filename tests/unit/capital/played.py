"""A story of `exact_deal` as `api.domain` computes it, from the first settlement to late rent."""

from api.domain.capital.closing import (
    Closing,
    Escrow,
    Shares,
    TrancheEnd,
    close,
    late_rent,
    missing_gpu_seconds,
    payable_by_bond,
    share_late,
)
from api.domain.capital.sale import SaleBook, SaleState, earned, surrender, unsigned
from api.domain.capital.settlement import TrancheBook, TrancheSupply, settle
from api.domain.units import BPS
from tests.unit.capital.exact_deal import Story


class Played:
    """What everybody has of a facility, minor units."""

    def __init__(self, story: Story) -> None:
        self.story, parts = story, story.parts
        self.supplies = [TrancheSupply(p.coupon, p.live, p.unsold) for p in parts]
        self.books = [TrancheBook() for _ in parts]
        self.settled = self.settled_epochs = self.treasury = self.operator = 0
        self.units, self.vouchers = [0] * len(parts), [0] * len(parts)
        self.billed = sum(epoch.billed for epoch in story.stated)
        for number, epoch in enumerate(story.stated, start=1):
            self._rent(epoch.paid, number)
        self.closing = self._close()
        self.claims, self.reimbursed = self.closing.claims, 0
        self.collected = sum(epoch.paid for epoch in story.stated)

    @property
    def total(self) -> int:
        """All that everybody has."""
        return sum(self.units) + sum(self.vouchers) + self.treasury + self.operator

    def late(self, amount: int) -> None:
        """Rent after the closing, settled at once."""
        self.collected += amount
        due = late_rent(
            collected=self.collected,
            settled=self.settled,
            attested=self.billed,
            advanced=self.closing.advance.amount,
            reimbursed=self.reimbursed,
        )
        shares, self.claims, left = share_late(due.late, self.claims, further=due.further)
        self._take(shares)
        self.reimbursed += due.late + due.further - left
        self._rent(left, self.settled_epochs)

    def _rent(self, amount: int, epochs: int) -> None:
        paid = settle(
            amount,
            fee_bps=int(self.story.fee * BPS),
            settled=self.settled,
            tranches=self.supplies,
            books=self.books,
            from_epochs=self.settled_epochs,
            to_epochs=epochs,
            epoch_count=self.story.epochs,
        )
        self.settled, self.settled_epochs = self.settled + amount, epochs
        self.books = list(paid.books)
        nothing = (0,) * len(paid.payments)
        self._take(Shares(paid.payments, nothing, paid.fee, paid.to_gpu_operator))

    def _take(self, shares: Shares) -> None:
        self.units = [a + b for a, b in zip(self.units, shares.units, strict=True)]
        self.vouchers = [a + b for a, b in zip(self.vouchers, shares.vouchers, strict=True)]
        self.treasury += shares.treasury
        self.operator += shares.gpu_operator

    def _close(self) -> Closing:
        story, stated = self.story, len(self.story.stated)
        there_s = sum(epoch.there_s for epoch in story.stated)
        stated_s = story.promise_s * stated
        known_s = story.promise_s * (stated + story.published)
        all_s = story.promise_s * story.epochs
        missing = missing_gpu_seconds(
            promised_stated=stated_s,
            available=there_s,
            promised_known=known_s,
            promised_all=all_s,
        )
        unpaid = payable_by_bond(
            attested=self.billed,
            settled=self.settled,
            available=there_s,
            served=sum(part.served_s for part in story.parts),
            open_gpu_seconds=sum(part.open_s for part in story.parts),
            missing=missing,
            rate_per_gpu_hour=story.rate,
        )
        closing = close(
            tranches=[
                TrancheEnd(supply, book, part.open_s, part.worth_s)
                for supply, book, part in zip(self.supplies, self.books, story.parts, strict=True)
            ],
            epochs=stated,
            epoch_count=story.epochs,
            fee_bps=int(story.fee * BPS),
            settled=self.settled,
            unpaid=unpaid,
            missing=missing,
            rate_per_gpu_hour=story.rate,
            bond=story.bond,
            sale=self._surrender(there_s, stated_s, known_s, all_s),
        )
        advance = closing.advance
        self.settled, self.books = self.settled + advance.amount, list(closing.books)
        nothing = (0,) * len(self.units)
        self._take(Shares(advance.payments, nothing, advance.fee, advance.to_gpu_operator))
        self._take(closing.paid)
        return closing

    def _surrender(self, there_s: int, stated_s: int, known_s: int, all_s: int) -> Escrow:
        story = self.story
        if not story.proceeds:
            return Escrow()
        terms = {"proceeds": story.proceeds, "up_front_bps": int(story.up_front * BPS)}
        now = earned(**terms, available=there_s, promised_so_far=stated_s, promised=all_s)
        dark = {"promised_stated": stated_s, "promised_known": known_s, "promised": all_s}
        book = SaleBook(SaleState.SUCCESSFUL, 1, story.proceeds, released=story.released)
        after = surrender(book, earned_now=now)
        self.operator += after.released
        return Escrow(
            story.proceeds,
            story.proceeds - now,
            unsigned(**terms, **dark),
            after.returned,
            tuple(part.price for part in story.parts),
        )
