"""The facility as `api.domain` has it: what each call does, and whether it is refused now."""

from contextlib import suppress

from api.domain import lifecycle
from api.domain.capital import closing as rules
from api.domain.capital import sale as sales
from api.domain.capital import vouchers as desk
from api.domain.capital.settlement import settleable
from api.domain.lifecycle import FacilityState
from api.domain.units import Micros
from tests.games import moves
from tests.games.money import HOLDERS, OTHERS, Money, Refused, require
from tests.games.moves import CHALLENGE_S, DAY_S, EPOCH_S, EPOCHS, FULL_S, RATE, Move


class Table(Money):
    """One facility at which players move."""

    # --- what a player sees ---

    @property
    def paused(self) -> bool:
        """Whether postings and transfers are paused."""
        return self.paused_until_s is not None and self.now_s < self.paused_until_s

    def held(self, tranche: int) -> int:
        """Units of the tranche's holder."""
        return self.tranches[tranche].position(self.holders[tranche], self._clock()).units

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
        require(self.sealed is None)
        require(epoch < EPOCHS and self.now_s >= over_s and there_s <= FULL_S)
        if self.state is FacilityState.DELIVERING:
            require(not self.paused)
        else:
            require(lifecycle.stated_after_end(over_s, ended_at_s=self.ended_at_s))
            self._require_last_word()
        self.posted.append((there_s, rent, self.now_s))

    def _seal(self, adjusted_s: int, rent: int) -> None:
        number, over_s = len(self.posted), moves.WINDOW_S + moves.SEAL_S
        require(self.sealed is None and number > 0)
        if self.state is FacilityState.DELIVERING:
            require(not self.paused and number == EPOCHS)
        else:
            self._require_last_word()
            require(number == min(EPOCHS, self.ended_at_s // EPOCH_S))
            if self.ended_at_s < over_s:
                over_s = self.ended_at_s + moves.GRACE_S
        require(self.now_s >= over_s)
        require(0 <= self._there(number, sealed=False) + adjusted_s <= FULL_S * number)
        self.sealed = (adjusted_s, rent, self.now_s)

    def _require_last_word(self) -> None:
        """An ended facility still takes statements."""
        require(self.state in (FacilityState.DEFAULTED, FacilityState.STOPPED))
        until_s = lifecycle.statements_until_s(
            ended_at_s=self.ended_at_s, voided_at_s=0, epoch_length_s=EPOCH_S
        )
        require(self.now_s < until_s)

    def _lone(self, *_: int) -> None:
        raise Refused

    def _grab(self, *_: int) -> None:
        raise Refused

    def _publish(self, epoch: int, _: int) -> None:
        require(self.state is FacilityState.DELIVERING and epoch == self.first_open)
        require(epoch not in self.rejected and epoch < EPOCHS)
        require(self.now_s >= (epoch + 1) * EPOCH_S)
        self.published = epoch + 1

    def _reject(self, epoch: int, _: int) -> None:
        require(len(self.posted) <= epoch < self.published and self.closing is None)
        self.published = epoch
        self.rejected.add(epoch)
        self.rejected_at_s = self.now_s

    def _pay(self, amount: int, _: int) -> None:
        require(amount > 0)
        if self.closing is not None:
            require(amount <= max(0, self.billed - self.collected))
        self.collected += amount

    def _burn(self, tranche: int, units: int) -> None:
        running = self.state in (FacilityState.FUNDED, FacilityState.DELIVERING)
        require(running and self.now_s < moves.WINDOW_S and not self.paused)
        require(0 < units <= self.held(tranche))
        owed = desk.gpu_seconds_of_units(
            self.terms,
            seniority=tranche,
            units=units,
            rate_micros_per_gpu_hour=Micros(RATE),
            now_s=self._clock(),
        )
        require(owed > 0)
        self.tranches[tranche].burn(self.holders[tranche], units, self._clock())
        self.vouchers[tranche].append(desk.Voucher(units, owed, self._clock()))

    def _flash(self, tranche: int, _: int) -> None:
        units, model = self.held(tranche), self.tranches[tranche]
        require(units > 0 and not self.paused)
        holder = self.holders[tranche]
        model.transfer(holder, "stranger", units, self._clock())
        with suppress(Refused):
            self._settle()
        assert model.claimable("stranger", self._clock()) == 0
        model.transfer("stranger", holder, units, self._clock())

    def _seize(self, tranche: int, _: int) -> None:
        units, holder = self.held(tranche), self.holders[tranche]
        require(units > 0)
        other = OTHERS[tranche] if holder in HOLDERS else HOLDERS[tranche]
        self.tranches[tranche].forced_transfer(holder, other, units, self._clock())
        self.holders[tranche] = other

    def _pause(self, *_: int) -> None:
        resting = self.paused_until_s is not None and self.now_s < self.paused_until_s + 30 * DAY_S
        require(not resting)
        self.paused_until_s = self.now_s + 7 * DAY_S

    def _release(self, *_: int) -> None:
        require(self.state is FacilityState.DELIVERING)
        earned = self._earned(self._final(), sealed=self._seal_final())
        require(earned > self.sale.released)
        self._take_release(sales.release(self.sale, earned_now=earned))

    def _settle(self, *_: int) -> None:
        final = self._final()
        attested = self._attested(final, sealed=self._seal_final())
        if self.closing is not None:
            self._settle_late(attested)
            return
        amount = settleable(attested=attested, collected=self.collected, settled=self.settled)
        require(amount > 0 or final > self.settled_epochs)
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
        require(self.now_s >= due_s and not self._counts(epoch))
        self.noticed[epoch] = self.now_s

    def _declare(self, epoch: int, _: int) -> None:
        self._require_open(epoch)
        require(self._counts(epoch))
        until_s = lifecycle.cured_until_s(self.noticed[epoch], epoch_length_s=EPOCH_S)
        require(self.now_s >= until_s)
        self._end(FacilityState.DEFAULTED)

    def _stop(self, *_: int) -> None:
        require(self.state is FacilityState.DELIVERING)
        require(self.now_s >= moves.WINDOW_S + moves.SEAL_S + moves.LONG_STOP_S)
        self._end(FacilityState.STOPPED)

    def _notice_unpaid(self, *_: int) -> None:
        require(self.state is FacilityState.DELIVERING and self._seal_final())
        require(self.collected < self.billed and not self.unpaid_noticed_at_s)
        self.unpaid_noticed_at_s = self.now_s

    def _mature(self, *_: int) -> None:
        require(self.state is FacilityState.DELIVERING and self._seal_final())
        if self.collected < self.billed:
            noticed_s = self.unpaid_noticed_at_s
            require(noticed_s > 0 and self.now_s >= noticed_s + lifecycle.RECEIVABLE_LIFE_S)
        self._end(FacilityState.MATURED)

    def _close(self, *_: int) -> None:
        require(self.state.ended and self.closing is None)
        last_s = self.posted[-1][2] + CHALLENGE_S if self.posted else 0
        if self.sealed is not None:
            last_s = self.sealed[2] + CHALLENGE_S
        opens_s = rules.closable_from_s(
            ended_at_s=self.ended_at_s,
            matured=self.state is FacilityState.MATURED,
            epoch_length_s=EPOCH_S,
            voided_at_s=0,
            last_final_at_s=last_s,
        )
        require(self.now_s >= opens_s)
        with suppress(Refused):
            self._settle()
        self._share()

    # --- how ---

    def _counts(self, epoch: int) -> bool:
        noticed_s = self.noticed.get(epoch, 0)
        return noticed_s > 0 and lifecycle.notice_counts(
            noticed_s, voided_at_s=0, rejected_at_s=self.rejected_at_s
        )

    def _require_open(self, epoch: int) -> None:
        require(self.state is FacilityState.DELIVERING and self.first_open <= epoch < EPOCHS)

    def _end(self, state: FacilityState) -> None:
        self.state, self.ended_at_s = state, self.now_s
