"""The facility's money as `api.domain` has it: settled, released and closed."""

from dataclasses import replace

from api.domain import lifecycle
from api.domain.capital import closing as rules
from api.domain.capital import sale as sales
from api.domain.capital import vouchers as desk
from api.domain.capital.accumulator import TrancheModel
from api.domain.capital.settlement import TrancheBook, TrancheSupply, settle
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import Bytes32, FacilityId, Micros
from tests.games import moves
from tests.games.moves import CHALLENGE_S, EPOCH_S, EPOCHS, RATE, Deal

# The window begins at 1,000,000: times of the table are since then.
_START_S = 1_000_000
HOLDERS, OTHERS = ("ann", "bob"), ("carl", "dora")


class Refused(Exception):
    """A contract reverts here."""


def require(condition: bool) -> None:
    if not condition:
        raise Refused


def _terms(deal: Deal) -> FacilityTerms:
    return FacilityTerms(
        facility_id=FacilityId(7),
        gpu_operator="operator",
        settlement_token="dollar",
        gpu_class="H100",
        site="site",
        window_start_s=_START_S,
        window_end_s=_START_S + moves.WINDOW_S,
        expires_at_s=_START_S,
        epoch_length_s=EPOCH_S,
        devices=tuple(Bytes32(bytes([n] * 32)) for n in range(moves.GPUS)),
        promised_availability_ppm=deal.promised_ppm,
        fee_bps=deal.fee_bps,
        tranches=(
            TrancheTerms(moves.CAPS[0], Micros(moves.COUPON)),
            TrancheTerms(moves.CAPS[1]),
        ),
        patience_s=moves.PATIENCE_S,
        seal_s=moves.SEAL_S,
        long_stop_s=moves.LONG_STOP_S,
    )


class Money:
    """What one facility owes and pays, from a thousand seconds before its window."""

    def __init__(self, deal: Deal) -> None:
        self.deal, self.terms, self.now_s = deal, _terms(deal), -1_000
        self.state = FacilityState.FUNDED
        self.posted: list[tuple[int, int, int]] = []
        self.sealed: tuple[int, int, int] | None = None
        self.published = self.rejected_at_s = self.collected = self.settled = 0
        self.rejected: set[int] = set()
        self.noticed: dict[int, int] = {}
        self.unpaid_noticed_at_s = self.ended_at_s = self.settled_epochs = 0
        self.paused_until_s: int | None = None
        self.books = [TrancheBook(), TrancheBook()]
        self.fees = self.operator = self.reimbursed = 0
        self.holders = list(HOLDERS)
        self.tranches = [TrancheModel(), TrancheModel()]
        for tranche, holder, units in zip(self.tranches, HOLDERS, deal.bought, strict=True):
            if units:
                tranche.mint(holder, units, self._clock())
            tranche.activate(self._clock())
        self.unsold = [c - n for c, n in zip(moves.CAPS, deal.bought, strict=True)]
        price = sum(n * p for n, p in zip(deal.bought, moves.PRICES, strict=True))
        self.sale = sales.SaleBook(sales.SaleState.SUCCESSFUL, sum(deal.bought), price, price)
        self.vouchers: list[list[desk.Voucher]] = [[], []]
        self.pools, self.closing = [0, 0], None
        self.claims: rules.Shares | None = None

    @property
    def first_open(self) -> int:
        """The first epoch that is neither stated nor published."""
        return max(len(self.posted), self.published)

    @property
    def billed(self) -> int:
        """Rent of all statements: the closing one takes back no more than there is."""
        return self._attested(len(self.posted), sealed=self.sealed is not None)

    def totals(self) -> moves.Totals:
        """What everybody has, once all streams are over."""
        earned = [
            sum(t.claimable(holder, self._clock()) for holder in (*HOLDERS, *OTHERS, "stranger"))
            for t in self.tranches
        ]
        return moves.Totals(self.operator, earned[0], earned[1], sum(self.pools), self.fees)

    def _clock(self) -> int:
        return _START_S + self.now_s

    def _final(self) -> int:
        return sum(
            lifecycle.is_final(at_s, challenge_window_s=CHALLENGE_S, now_s=self.now_s)
            for _, _, at_s in self.posted
        )

    def _seal_final(self) -> bool:
        return self.sealed is not None and lifecycle.is_final(
            self.sealed[2], challenge_window_s=CHALLENGE_S, now_s=self.now_s
        )

    def _attested(self, epochs: int, *, sealed: bool) -> int:
        closing = self.sealed[1] if self.sealed and sealed else 0
        return max(0, sum(rent for _, rent, _ in self.posted[:epochs]) + closing)

    def _there(self, epochs: int, *, sealed: bool) -> int:
        adjusted = self.sealed[0] if self.sealed and sealed else 0
        return sum(there_s for there_s, _, _ in self.posted[:epochs]) + adjusted

    def _promised(self, epochs: int) -> int:
        return sales.promised_of(self.terms, epochs)

    def _earned(self, final: int, *, sealed: bool) -> int:
        return sales.earned(
            proceeds=self.sale.proceeds,
            up_front_bps=moves.UP_FRONT_BPS,
            available=self._there(final, sealed=sealed),
            promised_so_far=self._promised(final),
            promised=self._promised(EPOCHS),
        )

    def _take_release(self, book: sales.SaleBook) -> None:
        self.operator += book.released - self.sale.released
        self.sale = book

    def _supplies(self) -> list[TrancheSupply]:
        coupons = (moves.COUPON, 0)
        return [
            TrancheSupply(coupon, t.stream.supply, unsold)
            for coupon, t, unsold in zip(coupons, self.tranches, self.unsold, strict=True)
        ]

    def _accrue(self, amounts: list[int], span_s: int) -> None:
        for tranche, amount in zip(self.tranches, amounts, strict=True):
            if amount:
                self.operator += tranche.accrue(amount, span_s, self._clock())

    def _rent(self, amount: int, final: int, span_s: int) -> None:
        paid = settle(
            amount,
            fee_bps=self.deal.fee_bps,
            settled=self.settled,
            tranches=self._supplies(),
            books=self.books,
            from_epochs=self.settled_epochs,
            to_epochs=final,
            epoch_count=EPOCHS,
        )
        self.settled, self.settled_epochs = self.settled + amount, final
        self.books = list(paid.books)
        self.fees += paid.fee
        self.operator += paid.to_gpu_operator
        self._accrue(list(paid.payments), span_s)

    def _book(self, shares: rules.Shares) -> None:
        self.pools = [a + b for a, b in zip(self.pools, shares.vouchers, strict=True)]
        self.fees += shares.treasury
        self.operator += shares.gpu_operator
        self._accrue(list(shares.units), max(EPOCH_S, rules.MIN_SPAN_S))

    def _settle_late(self, attested: int) -> None:
        due = rules.late_rent(
            collected=self.collected,
            settled=self.settled,
            attested=attested,
            advanced=self.closing.advance.amount,
            reimbursed=self.reimbursed,
        )
        require(due.late + due.further > 0)
        shares, self.claims, rent = rules.share_late(due.late, self.claims, further=due.further)
        self.reimbursed += due.late + due.further - rent
        if rent:
            self._rent(rent, self.settled_epochs, rules.MIN_SPAN_S)
        self._book(shares)

    def _share(self) -> None:
        n = len(self.posted)
        there_s = self._there(n, sealed=True)
        missing = rules.missing_gpu_seconds(
            promised_stated=self._promised(n),
            available=there_s,
            promised_known=self._promised(self.first_open),
            promised_all=self._promised(EPOCHS),
        )
        opened = [desk.open_of(vouchers) for vouchers in self.vouchers]
        unpaid = rules.payable_by_bond(
            attested=self.billed,
            settled=self.settled,
            available=there_s,
            served=0,
            open_gpu_seconds=sum(o.gpu_seconds for o in opened),
            missing=missing,
            rate_per_gpu_hour=RATE,
        )
        self.closing = rules.close(
            tranches=[
                rules.TrancheEnd(supply, book, o.gpu_seconds, o.unit_seconds)
                for supply, book, o in zip(self._supplies(), self.books, opened, strict=True)
            ],
            epochs=n,
            epoch_count=EPOCHS,
            fee_bps=self.deal.fee_bps,
            settled=self.settled,
            unpaid=unpaid,
            missing=missing,
            rate_per_gpu_hour=RATE,
            bond=self.deal.bond,
            sale=self._surrender(n),
        )
        advance = self.closing.advance
        self.settled += advance.amount
        self.books, self.claims = list(self.closing.books), self.closing.claims
        self.fees += advance.fee
        self.operator += advance.to_gpu_operator
        self._accrue(list(advance.payments), max(EPOCH_S, rules.MIN_SPAN_S))
        self._book(self.closing.paid)

    def _surrender(self, n: int) -> rules.Escrow:
        earned = self._earned(n, sealed=True)
        unsigned = sales.unsigned(
            proceeds=self.sale.proceeds,
            up_front_bps=moves.UP_FRONT_BPS,
            promised_stated=self._promised(n),
            promised_known=self._promised(self.first_open),
            promised=self._promised(EPOCHS),
        )
        after = sales.surrender(self.sale, earned_now=earned)
        self._take_release(replace(after, returned=0))
        self.sale = after
        return rules.Escrow(
            after.proceeds, after.proceeds - earned, unsigned, after.returned, moves.PRICES
        )
