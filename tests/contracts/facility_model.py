"""One facility's money and units as `api.domain` computes them, without any chain."""

from copy import deepcopy
from dataclasses import dataclass, replace

from api.domain.capital.accumulator import TrancheModel
from api.domain.capital.closing import (
    MIN_SPAN_S,
    Closing,
    Escrow,
    LateRent,
    Shares,
    TrancheEnd,
    closable_from_s,
    close,
    late_rent,
    missing_gpu_seconds,
    payable_by_bond,
    share_late,
    voucher_share,
)
from api.domain.capital.sale import SaleBook, promised_of, unsigned
from api.domain.capital.settlement import TrancheBook, TrancheSupply, settle
from api.domain.capital.vouchers import OpenVouchers, Voucher, gpu_seconds_of_units, open_of
from api.domain.facility import DAY_S, FacilityTerms, Period
from api.domain.lifecycle import FacilityState
from api.domain.units import MAX_U64, Epoch, GpuSeconds, Micros

# Of a facility that ended before its seal was over: so long after its end come late facts.
GRACE_S = 600
RECEIVABLE_LIFE_S = 90 * DAY_S
NOTHING = Shares((0, 0), (0, 0))


@dataclass(frozen=True)
class Issued:
    """A voucher, of which tranche and for whom, and what its pool paid it."""

    seniority: int
    holder: str
    voucher: Voucher
    paid: int = 0


@dataclass(frozen=True)
class ClosingStatement:
    """What is stated behind the last epoch: revenue of either sign, and what was available."""

    gross: int
    adjustment: int
    posted_s: int


class FacilityModel:
    """Books, bond and tranches of a funded facility. Times never go back."""

    def __init__(
        self, terms: FacilityTerms, *, bond: int, rate: int, challenge_window_s: int
    ) -> None:
        self.terms, self.bond, self.rate = terms, bond, rate
        self.challenge_window_s = challenge_window_s
        self.tranches = [TrancheModel() for _ in terms.tranches]
        self.books = [TrancheBook() for _ in terms.tranches]
        # By posted epoch.
        self.gross: list[int] = []
        self.available: list[int] = []
        self.posted_s: list[int] = []
        self.closing_statement: ClosingStatement | None = None
        self.published = 0
        self.collected = self.settled = self.settled_epochs = self.fees = self.residual = 0
        self.vouchers: list[Issued] = []
        # By epoch.
        self.noticed_s: dict[int, int] = {}
        self.state = FacilityState.DELIVERING
        self.unpaid_noticed_s = self.ended_s = 0
        self.closing: Closing | None = None
        self.claims = NOTHING
        self.advanced = self.reimbursed = 0
        self.pools = [0 for _ in terms.tranches]

    # --- vouchers ---------------------------------------------------------------------------

    def voucher_seconds(self, seniority: int, units: int, now_s: int) -> int:
        """What units would give as compute; 0 for nothing, after the window or the end."""
        if now_s >= self.terms.window_end_s or self.state.ended:
            return 0
        burned = {"seniority": seniority, "units": units}
        given = {"rate_micros_per_gpu_hour": Micros(self.rate), "now_s": now_s}
        return gpu_seconds_of_units(self.terms, **burned, **given)

    def issue(self, seniority: int, holder: str, units: int, gpu_seconds: int, now_s: int) -> None:
        """A voucher for burned units."""
        voucher = Voucher(units, GpuSeconds(gpu_seconds), now_s)
        self.vouchers.append(Issued(seniority, holder, voucher))

    def open_of(self, seniority: int) -> OpenVouchers:
        """What the vouchers of a tranche are open for."""
        return open_of(v.voucher for v in self.vouchers if v.seniority == seniority)

    def payable(self, place: int) -> int:
        """What a voucher can still be paid of its tranche's pool."""
        issued = self.vouchers[place]
        whole = voucher_share(
            self.pools[issued.seniority],
            open_gpu_seconds=issued.voucher.open,
            all_open_gpu_seconds=self.open_of(issued.seniority).gpu_seconds,
        )
        return whole - issued.paid

    def pay_voucher(self, place: int) -> None:
        """Pay a voucher what it can be paid; its pool keeps the rest."""
        issued = self.vouchers[place]
        self.vouchers[place] = replace(issued, paid=issued.paid + self.payable(place))

    # --- statements -------------------------------------------------------------------------

    def post(self, gross: int, available: int, now_s: int) -> None:
        """Append the statement of the next epoch. Args: available: with its adjustment."""
        self.gross.append(gross)
        self.available.append(available)
        self.posted_s.append(now_s)

    def post_closing(self, gross: int, adjustment: int, now_s: int) -> None:
        """The closing statement, behind the last epoch."""
        self.closing_statement = ClosingStatement(gross, adjustment, now_s)

    def next_period(self) -> Period | None:
        """What the next statement is over; None behind the closing statement."""
        if self.closing_statement is not None:
            return None
        number, ended_at_s = Epoch(len(self.gross)), self.ended_s if self.state.ended else None
        return self.terms.stated_period(number, ended_at_s=ended_at_s, grace_s=GRACE_S)

    def postable(self, now_s: int) -> bool:
        """Whether the next statement would be taken at a time after its end."""
        period = self.next_period()
        if period is None or self.state is FacilityState.MATURED:
            return False
        if not self.state.ended:
            return True
        over = period.closing or period.end_s <= self.ended_s
        return over and now_s < self.ended_s + self.terms.epoch_length_s + DAY_S

    def adjustable(self, wanted: int, *, stated: int) -> int:
        """What of an adjustment fits: from nothing to all capacity of the epochs stated by then.

        Args:    stated: available GPU-seconds of the same statement's own epoch; of the closing
                 statement 0.
        """
        known = self.posted_available + stated
        period = self.next_period()
        epochs = len(self.gross) + (period is not None and not period.closing)
        most = self.terms.capacity_gpu_seconds() * epochs
        return max(-known, min(wanted, most - known))

    def publishable(self, now_s: int) -> bool:
        """Whether the gpuOperator can publish evidence of the first open epoch."""
        if self.state.ended or self.first_open == self.terms.epoch_count:
            return False
        return now_s >= self.terms.epoch_bounds(self.first_open)[1]

    @property
    def first_open(self) -> int:
        """First epoch that is neither stated nor published."""
        return max(len(self.gross), self.published)

    def epochs_final(self, now_s: int) -> int:
        """Number of leading epochs that nobody can challenge any more."""
        return sum(now_s >= posted_s + self.challenge_window_s for posted_s in self.posted_s)

    def is_closing_final(self, now_s: int) -> bool:
        """Whether nobody can challenge the closing statement any more."""
        closing = self.closing_statement
        return closing is not None and now_s >= closing.posted_s + self.challenge_window_s

    def attested_by_epochs(self, now_s: int) -> int:
        """Gross revenue of all final epochs."""
        return sum(self.gross[: self.epochs_final(now_s)])

    def attested(self, now_s: int) -> int:
        """The same with the closing statement once that is final."""
        final = self.is_closing_final(now_s)
        return self.posted_gross if final else self.attested_by_epochs(now_s)

    @property
    def posted_gross(self) -> int:
        """Gross revenue of all that is posted; what is below zero lowers it to zero at least."""
        late = self.closing_statement.gross if self.closing_statement else 0
        return max(0, sum(self.gross) + late)

    @property
    def posted_available(self) -> int:
        """Available GPU-seconds of all that is posted."""
        adjustment = self.closing_statement.adjustment if self.closing_statement else 0
        return sum(self.available) + adjustment

    # --- rent -------------------------------------------------------------------------------

    def rent_limit(self) -> int:
        """Most rent that would be taken now."""
        most = MAX_U64 - self.collected
        if self.closing is None:
            return most
        return min(most - self.advanced, max(0, self.posted_gross - self.collected))

    def due(self, now_s: int) -> tuple[int, LateRent]:
        """What a settlement would pay: rent alone before the closing, late rent alone after it."""
        attested = self.attested(now_s)
        if self.closing is None:
            # What is settled stays paid where a closing statement lowers what is attested.
            return max(0, min(attested, self.collected) - self.settled), LateRent(0, 0)
        return 0, late_rent(
            collected=self.collected,
            settled=self.settled,
            attested=attested,
            advanced=self.advanced,
            reimbursed=self.reimbursed,
        )

    def settle(self, now_s: int) -> bool:
        """Settle all final epochs; whether anything changed."""
        (rent, due), final = self.due(now_s), self.epochs_final(now_s)
        to_claims = due.late + due.further
        if not rent and not to_claims and final == self.settled_epochs:
            return False
        shares, self.claims, left = share_late(due.late, self.claims, further=due.further)
        self.reimbursed += to_claims - left
        self._pay_out(self._pay_rent(rent + left, final), shares, now_s)
        return True

    def excess(self) -> int:
        """Rent above all that is attested, and still here."""
        return max(0, self.collected - max(self.posted_gross, self.settled))

    def arrears(self) -> list[int]:
        """What the units that are left are behind."""
        pairs = zip(self.books, self.tranches, strict=True)
        return [book.arrears_of(tranche.stream.supply) for book, tranche in pairs]

    # --- the end ----------------------------------------------------------------------------

    def overdue_s(self, epoch: int) -> int:
        """When an epoch is open for longer than the patience."""
        return self.terms.epoch_bounds(epoch)[1] + self.terms.patience_s

    def cured_s(self, epoch: int) -> int:
        """From when a noticed default can be declared."""
        return self.noticed_s[epoch] + self.terms.epoch_length_s + DAY_S

    def unpaid(self, now_s: int) -> int | None:
        """What renters owe once the closing statement is final; None before."""
        if not self.is_closing_final(now_s):
            return None
        return max(0, self.posted_gross - self.collected)

    def is_mature(self, now_s: int) -> bool:
        """All is attested, and paid but for what renters owe 90 days after a notice."""
        unpaid = self.unpaid(now_s)
        old_s = self.unpaid_noticed_s + RECEIVABLE_LIFE_S
        written_off = self.unpaid_noticed_s > 0 and now_s >= old_s
        return unpaid is not None and (unpaid == 0 or written_off)

    def end(self, state: FacilityState, now_s: int) -> None:
        """Mature, default or stop: what streams streams on."""
        self.state, self.ended_s = state, now_s

    def closable_from_s(self) -> int:
        """From when an ended facility can be closed."""
        posted_s = list(self.posted_s)
        if self.closing_statement:
            posted_s.append(self.closing_statement.posted_s)
        final_s = posted_s[-1] + self.challenge_window_s if posted_s else 0
        return closable_from_s(
            ended_at_s=self.ended_s,
            matured=self.state is FacilityState.MATURED,
            epoch_length_s=self.terms.epoch_length_s,
            voided_at_s=0,
            last_final_at_s=final_s,
        )

    def missing(self) -> GpuSeconds:
        """Promised and not delivered."""
        promised = [promised_of(self.terms, n) for n in range(self.terms.epoch_count + 1)]
        return missing_gpu_seconds(
            promised_stated=promised[len(self.gross)],
            available=self.posted_available,
            promised_known=promised[self.first_open],
            promised_all=promised[-1],
        )

    def close(self, now_s: int, sale: Escrow | None = None) -> Closing:
        """Settle, then share bond and escrow."""
        self.settle(now_s)
        supplies, missing = self.supplies(), self.missing()
        opened = [self.open_of(i) for i in range(len(supplies))]
        unpaid = payable_by_bond(
            attested=self.posted_gross,
            settled=self.settled,
            available=self.posted_available,
            served=sum(issued.voucher.served for issued in self.vouchers),
            open_gpu_seconds=sum(each.gpu_seconds for each in opened),
            missing=missing,
            rate_per_gpu_hour=self.rate,
        )
        closing = close(
            tranches=[
                TrancheEnd(supply, book, each.gpu_seconds, each.unit_seconds)
                for supply, book, each in zip(supplies, self.books, opened, strict=True)
            ],
            epochs=self.settled_epochs,
            epoch_count=self.terms.epoch_count,
            fee_bps=self.terms.fee_bps,
            settled=self.settled,
            unpaid=unpaid,
            missing=missing,
            rate_per_gpu_hour=self.rate,
            bond=self.bond,
            sale=sale or Escrow(),
        )
        advance = closing.advance
        self.closing, self.claims, self.advanced = closing, closing.claims, advance.amount
        self.settled, self.books = self.settled + advance.amount, list(closing.books)
        self.fees, self.residual = self.fees + advance.fee, self.residual + advance.to_gpu_operator
        self.bond = 0
        self._pay_out(list(advance.payments), closing.paid, now_s)
        return closing

    def surrendered(
        self, book: SaleBook, *, earned_now: int, up_front_bps: int, unit_prices: tuple[int, ...]
    ) -> Escrow:
        """What a sale gives up at the closing, of its book after that."""
        promised = [promised_of(self.terms, n) for n in range(self.terms.epoch_count + 1)]
        part = unsigned(
            proceeds=book.proceeds,
            up_front_bps=up_front_bps,
            promised_stated=promised[len(self.gross)],
            promised_known=promised[self.first_open],
            promised=promised[-1],
        )
        unearned = book.proceeds - earned_now
        return Escrow(book.proceeds, unearned, part, book.returned, unit_prices)

    # --- parts ------------------------------------------------------------------------------

    def attempt(self, index: int, action: str, *moves: tuple) -> bool:
        """Do all moves of one tranche or none; whether the model lets them."""
        tranche = deepcopy(self.tranches[index])
        try:
            for arguments in moves:
                getattr(tranche, action)(*arguments)
        except ValueError:
            return False
        self.tranches[index] = tranche
        return True

    def supplies(self) -> list[TrancheSupply]:
        """Coupon, units and unsold units: what was under the cap and never minted."""
        pairs = zip(self.terms.tranches, self.tranches, strict=True)
        return [
            TrancheSupply(t.coupon_micros_per_unit, m.stream.supply, t.unit_cap - m.minted)
            for t, m in pairs
        ]

    def _pay_rent(self, amount: int, epochs: int) -> list[int]:
        split = settle(
            amount,
            fee_bps=self.terms.fee_bps,
            settled=self.settled,
            tranches=self.supplies(),
            books=self.books,
            from_epochs=self.settled_epochs,
            to_epochs=epochs,
            epoch_count=self.terms.epoch_count,
        )
        self.settled, self.settled_epochs = self.settled + amount, epochs
        self.books, self.fees = list(split.books), self.fees + split.fee
        self.residual += split.to_gpu_operator
        return list(split.payments)

    def _pay_out(self, payments: list[int], shares: Shares, now_s: int) -> None:
        """Stream to units what rent and shares pay them together; the rest is booked."""
        length_s = self.terms.epoch_length_s
        span_s = length_s if self.closing is None else max(length_s, MIN_SPAN_S)
        for i, tranche in enumerate(self.tranches):
            self.residual += tranche.accrue(payments[i] + shares.units[i], span_s, now_s)
            self.pools[i] += shares.vouchers[i]
        self.fees += shares.treasury
        self.residual += shares.gpu_operator
