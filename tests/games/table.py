"""The facility as `api.domain` has it: what each call does, and whether it is refused now."""

from contextlib import suppress
from dataclasses import replace

from api.domain import lifecycle
from api.domain.capital import closing as rules
from api.domain.capital import sale as sales
from api.domain.capital import vouchers as desk
from api.domain.capital.accumulator import TrancheModel
from api.domain.capital.settlement import TrancheBook, TrancheSupply, settle, settleable
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.lifecycle import FacilityState
from api.domain.units import Bytes32, FacilityId, Micros
from tests.games import moves
from tests.games.moves import CHALLENGE_S, DAY_S, EPOCH_S, EPOCHS, FULL_S, RATE, Deal, Do, Move

# The window begins at 1,000,000: times of the table are since then.
_START_S = 1_000_000
_HOLDERS, _OTHERS = ("ann", "bob"), ("carl", "dora")


class Refused(Exception):
    """A contract reverts here."""


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
        long_stop_s=moves.LONG_STOP_S,
    )


class Table:
    """One facility, funded, a thousand seconds before its window."""

    def __init__(self, deal: Deal) -> None:
        self.deal, self.terms, self.now_s = deal, _terms(deal), -1_000
        self.state = FacilityState.FUNDED
        self.posted: list[tuple[int, int, int]] = []
        self.published = self.rejected_at_s = self.collected = self.settled = 0
        self.rejected: set[int] = set()
        self.noticed: dict[int, int] = {}
        self.unpaid_noticed_at_s = self.ended_at_s = self.settled_epochs = 0
        self.paused_until_s: int | None = None
        self.books = [TrancheBook(), TrancheBook()]
        self.fees = self.operator = self.reimbursed = 0
        self.holders = list(_HOLDERS)
        self.tranches = [TrancheModel(), TrancheModel()]
        for tranche, holder, units in zip(self.tranches, _HOLDERS, deal.bought, strict=True):
            if units:
                tranche.mint(holder, units, self._clock())
            tranche.activate(self._clock())
        self.unsold = [c - n for c, n in zip(moves.CAPS, deal.bought, strict=True)]
        price = sum(n * p for n, p in zip(deal.bought, moves.PRICES, strict=True))
        self.sale = sales.SaleBook(sales.SaleState.SUCCESSFUL, sum(deal.bought), price, price)
        self.vouchers: list[list[desk.Voucher]] = [[], []]
        self.pools, self.closing = [0, 0], None
        self.claims: rules.Shares | None = None

    # --- what a player sees ---

    @property
    def first_open(self) -> int:
        """The first epoch that is neither stated nor published."""
        return max(len(self.posted), self.published)

    @property
    def billed(self) -> int:
        """Rent of all statements."""
        return sum(rent for _, rent, _ in self.posted)

    @property
    def paused(self) -> bool:
        """Whether postings and transfers are paused."""
        return self.paused_until_s is not None and self.now_s < self.paused_until_s

    def held(self, tranche: int) -> int:
        """Units of the tranche's holder."""
        return self.tranches[tranche].position(self.holders[tranche], self._clock()).units

    def totals(self) -> moves.Totals:
        """What everybody has, once all streams are over."""
        earned = [
            sum(t.claimable(holder, self._clock()) for holder in (*_HOLDERS, *_OTHERS, "stranger"))
            for t in self.tranches
        ]
        return moves.Totals(self.operator, earned[0], earned[1], sum(self.pools), self.fees)

    def apply(self, move: Move) -> bool:
        """Make a move; False if it is refused."""
        try:
            getattr(self, f"_{move.do.name.lower()}")(move.first, move.second)
        except Refused:
            return False
        return True

    # --- moves ---

    def _wait(self, seconds: int, _: int) -> None:
        self.now_s += seconds
        if self.now_s >= 0 and self.state is FacilityState.FUNDED:
            self.state = FacilityState.DELIVERING

    def _state(self, there_s: int, rent: int) -> None:
        epoch = len(self.posted)
        over_s = (epoch + 1) * EPOCH_S
        _require(epoch < EPOCHS and self.now_s >= over_s and there_s <= FULL_S)
        if self.state is FacilityState.DELIVERING:
            _require(not self.paused)
        else:
            _require(self.state in (FacilityState.DEFAULTED, FacilityState.STOPPED))
            until_s = lifecycle.statements_until_s(
                ended_at_s=self.ended_at_s, voided_at_s=0, epoch_length_s=EPOCH_S
            )
            timely = lifecycle.stated_after_end(over_s, ended_at_s=self.ended_at_s)
            _require(timely and self.now_s < until_s)
        self.posted.append((there_s, rent, self.now_s))

    def _lone(self, *_: int) -> None:
        raise Refused

    def _grab(self, *_: int) -> None:
        raise Refused

    def _publish(self, epoch: int, _: int) -> None:
        _require(self.state is FacilityState.DELIVERING and epoch == self.first_open)
        _require(epoch not in self.rejected and epoch < EPOCHS)
        _require(self.now_s >= (epoch + 1) * EPOCH_S)
        self.published = epoch + 1

    def _reject(self, epoch: int, _: int) -> None:
        _require(len(self.posted) <= epoch < self.published and self.closing is None)
        self.published = epoch
        self.rejected.add(epoch)
        self.rejected_at_s = self.now_s

    def _pay(self, amount: int, _: int) -> None:
        _require(amount > 0)
        if self.closing is not None:
            _require(amount <= max(0, self.billed - self.collected))
        self.collected += amount

    def _burn(self, tranche: int, units: int) -> None:
        running = self.state in (FacilityState.FUNDED, FacilityState.DELIVERING)
        _require(running and self.now_s < moves.WINDOW_S and not self.paused)
        _require(0 < units <= self.held(tranche))
        owed = desk.gpu_seconds_of_units(
            self.terms,
            seniority=tranche,
            units=units,
            rate_micros_per_gpu_hour=Micros(RATE),
            now_s=self._clock(),
        )
        _require(owed > 0)
        self.tranches[tranche].burn(self.holders[tranche], units, self._clock())
        self.vouchers[tranche].append(desk.Voucher(units, owed, self._clock()))

    def _flash(self, tranche: int, _: int) -> None:
        units, model = self.held(tranche), self.tranches[tranche]
        _require(units > 0 and not self.paused)
        holder = self.holders[tranche]
        model.transfer(holder, "stranger", units, self._clock())
        with suppress(Refused):
            self._settle()
        assert model.claimable("stranger", self._clock()) == 0
        model.transfer("stranger", holder, units, self._clock())

    def _seize(self, tranche: int, _: int) -> None:
        units, holder = self.held(tranche), self.holders[tranche]
        _require(units > 0)
        other = _OTHERS[tranche] if holder in _HOLDERS else _HOLDERS[tranche]
        self.tranches[tranche].forced_transfer(holder, other, units, self._clock())
        self.holders[tranche] = other

    def _pause(self, *_: int) -> None:
        resting = self.paused_until_s is not None and self.now_s < self.paused_until_s + 30 * DAY_S
        _require(not resting)
        self.paused_until_s = self.now_s + 7 * DAY_S

    def _release(self, *_: int) -> None:
        _require(self.state is FacilityState.DELIVERING)
        earned = self._earned(self._final())
        _require(earned > self.sale.released)
        self._take_release(sales.release(self.sale, earned_now=earned))

    def _settle(self, *_: int) -> None:
        final = self._final()
        attested = sum(rent for _, rent, _ in self.posted[:final])
        if self.closing is not None:
            self._settle_late(attested)
            return
        amount = settleable(attested=attested, collected=self.collected, settled=self.settled)
        _require(amount > 0 or final > self.settled_epochs)
        self._rent(amount, final, EPOCH_S)

    def _notice(self, epoch: int, _: int) -> None:
        self._require_open(epoch)
        due_s = lifecycle.overdue_from_s(
            epoch_end_s=(epoch + 1) * EPOCH_S,
            funded_at_s=-1_000,
            voided_at_s=0,
            rejected_at_s=self.rejected_at_s,
            patience_s=moves.PATIENCE_S,
        )
        _require(self.now_s >= due_s and not self._counts(epoch))
        self.noticed[epoch] = self.now_s

    def _declare(self, epoch: int, _: int) -> None:
        self._require_open(epoch)
        _require(self._counts(epoch))
        until_s = lifecycle.cured_until_s(self.noticed[epoch], epoch_length_s=EPOCH_S)
        _require(self.now_s >= until_s)
        self._end(FacilityState.DEFAULTED)

    def _stop(self, *_: int) -> None:
        _require(self.state is FacilityState.DELIVERING)
        _require(self.now_s >= moves.WINDOW_S + moves.LONG_STOP_S)
        self._end(FacilityState.STOPPED)

    def _notice_unpaid(self, *_: int) -> None:
        _require(self.state is FacilityState.DELIVERING and self._final() == EPOCHS)
        _require(self.collected < self.billed and not self.unpaid_noticed_at_s)
        self.unpaid_noticed_at_s = self.now_s

    def _mature(self, *_: int) -> None:
        _require(self.state is FacilityState.DELIVERING and self._final() == EPOCHS)
        if self.collected < self.billed:
            noticed_s = self.unpaid_noticed_at_s
            _require(noticed_s > 0 and self.now_s >= noticed_s + lifecycle.RECEIVABLE_LIFE_S)
        self._end(FacilityState.MATURED)

    def _close(self, *_: int) -> None:
        _require(self.state.ended and self.closing is None)
        last_s = self.posted[-1][2] + CHALLENGE_S if self.posted else 0
        opens_s = rules.closable_from_s(
            ended_at_s=self.ended_at_s,
            matured=self.state is FacilityState.MATURED,
            epoch_length_s=EPOCH_S,
            voided_at_s=0,
            last_final_at_s=last_s,
        )
        _require(self.now_s >= opens_s)
        with suppress(Refused):
            self._settle()
        self._share()

    # --- how ---

    def _clock(self) -> int:
        return _START_S + self.now_s

    def _final(self) -> int:
        return sum(
            lifecycle.is_final(at_s, challenge_window_s=CHALLENGE_S, now_s=self.now_s)
            for _, _, at_s in self.posted
        )

    def _counts(self, epoch: int) -> bool:
        noticed_s = self.noticed.get(epoch, 0)
        return noticed_s > 0 and lifecycle.notice_counts(
            noticed_s, voided_at_s=0, rejected_at_s=self.rejected_at_s
        )

    def _require_open(self, epoch: int) -> None:
        _require(self.state is FacilityState.DELIVERING and self.first_open <= epoch < EPOCHS)

    def _end(self, state: FacilityState) -> None:
        self.state, self.ended_at_s = state, self.now_s

    def _promised(self, epochs: int) -> int:
        return sales.promised_of(self.terms, epochs)

    def _earned(self, final: int) -> int:
        return sales.earned(
            proceeds=self.sale.proceeds,
            up_front_bps=moves.UP_FRONT_BPS,
            available=sum(there_s for there_s, _, _ in self.posted[:final]),
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
        _require(due.late + due.further > 0)
        shares, self.claims, rent = rules.share_late(due.late, self.claims, further=due.further)
        self.reimbursed += due.late + due.further - rent
        if rent:
            self._rent(rent, self.settled_epochs, rules.MIN_SPAN_S)
        self._book(shares)

    def _share(self) -> None:
        n = len(self.posted)
        there_s = sum(there_s for there_s, _, _ in self.posted)
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
        earned = self._earned(n)
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


def _require(condition: bool) -> None:
    if not condition:
        raise Refused


def play_entitled(entitled: object, table: Table, move: Move) -> None:
    """Tell the entitlement what was done at the table."""
    at_s = table.now_s
    match move.do:
        case Do.STATE:
            entitled.state(move.first, move.second, at_s)
        case Do.PAY:
            entitled.pay(move.first)
        case Do.PUBLISH:
            entitled.publish(move.first)
        case Do.REJECT:
            entitled.reject(move.first)
        case Do.BURN:
            entitled.burn(move.first, move.second, at_s)
        case Do.RELEASE:
            entitled.release(at_s)
        case Do.SETTLE | Do.FLASH:
            entitled.settle(at_s)
        case Do.CLOSE:
            entitled.close(at_s)
