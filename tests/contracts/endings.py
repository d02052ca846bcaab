"""How a facility of a random history ends and is closed: rules of the state machine."""

from collections import Counter

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from api.domain.lifecycle import FacilityState
from tests.contracts.conftest import EPOCHS
from tests.contracts.facility_model import RECEIVABLE_LIFE_S
from tests.contracts.model import World
from tests.contracts.twin import Twin, assert_closed, assert_late

SECONDS = st.sampled_from([600, 1, 59, 1_801])
EPOCH = st.integers(0, EPOCHS - 1)
WRONG = "FacilityStateWrong"


class Endings(Twin):
    """Notices, endings, the closing, and what comes after it; each allowed or refused."""

    def __init__(self, world: World, fate: str, counts: Counter) -> None:
        super().__init__(world)
        self.fate, self.counts, self.refunded = fate, counts, 0

    def running(self) -> bool:
        """Whether the facility has not ended."""
        return not self.model.state.ended

    def closed(self) -> bool:
        """Whether the facility is closed."""
        return self.model.closing is not None

    @rule(seconds=SECONDS)
    def notice_unpaid(self, seconds):
        """Anybody gives notice that renters owe money, once."""
        self.begin(seconds)
        model, call = self.model, (self.world.facilities.noticeUnpaid, 7)
        allowed = self.running() and not model.unpaid_noticed_s and model.unpaid(self.now_s)
        if self.attempt(bool(allowed), f"NothingUnpaid|{WRONG}", self.world.cleo, *call):
            model.unpaid_noticed_s = self.now_s
            self.counts["notice", "unpaid"] += 1

    @rule(seconds=SECONDS, far=st.booleans())
    def mature(self, seconds, far):
        """The facility matures: everything is stated and paid, or 90 days old and written off."""
        model, noticed_s = self.model, self.model.unpaid_noticed_s
        self.begin(seconds, noticed_s + RECEIVABLE_LIFE_S if far and noticed_s else 0)
        allowed = self.running() and model.is_mature(self.now_s)
        call = (self.world.facilities.mature, 7)
        if self.attempt(allowed, f"NotMature|{WRONG}", self.world.cleo, *call):
            unpaid = model.unpaid(self.now_s)
            self.counts["mature", "written off" if unpaid else "paid"] += 1
            streaming = any(t.stream.pending_x24 for t in model.tranches)
            self.counts["mature", "still streaming"] += streaming
            model.end(FacilityState.MATURED, self.now_s)

    @rule(seconds=SECONDS, epoch=EPOCH, far=st.booleans())
    def notice_default(self, seconds, epoch, far):
        """Anybody gives notice of an epoch that is open for too long, once."""
        model = self.model
        self.begin(seconds, model.overdue_s(epoch) if far else 0)
        overdue = epoch >= model.first_open and self.now_s >= model.overdue_s(epoch)
        allowed = self.running() and overdue and epoch not in model.noticed_s
        errors = f"EpochNotOpen|EpochNotOverdue|DefaultNoticedBefore|{WRONG}"
        call = (self.world.facilities.noticeDefault, 7, epoch)
        if self.attempt(allowed, errors, self.world.cleo, *call):
            model.noticed_s[epoch] = self.now_s
            self.counts["notice", "default"] += 1

    @rule(seconds=SECONDS, epoch=EPOCH, far=st.booleans())
    def declare_default(self, seconds, epoch, far):
        """Anybody declares the default after the cure, if the noticed epoch is still open."""
        model = self.model
        noticed = epoch in model.noticed_s
        self.begin(seconds, model.cured_s(epoch) if far and noticed else 0)
        cured = noticed and epoch >= model.first_open and self.now_s >= model.cured_s(epoch)
        errors = f"EpochNotOpen|DefaultNotNoticed|CureRunning|{WRONG}"
        call = (self.world.facilities.declareDefault, 7, epoch)
        if self.attempt(self.running() and cured, errors, self.world.cleo, *call):
            model.end(FacilityState.DEFAULTED, self.now_s)
            self.counts["default"] += 1

    @rule(seconds=SECONDS, far=st.booleans())
    def stop(self, seconds, far):
        """Long after the seal anybody stops what nobody ended."""
        terms = self.model.terms
        stops_s = terms.sealed_at_s + terms.long_stop_s
        self.begin(seconds, stops_s if far and self.fate in ("begun", "stopped") else 0)
        allowed = self.running() and self.now_s >= stops_s
        call = (self.world.facilities.stop, 7)
        if self.attempt(allowed, f"LongStopAhead|{WRONG}", self.world.cleo, *call):
            self.model.end(FacilityState.STOPPED, self.now_s)
            self.counts["stop"] += 1

    @rule(seconds=SECONDS, far=st.booleans())
    def close(self, seconds, far):
        """Anybody closes what has ended: every number is the model's."""
        model, ended = self.model, self.model.state.ended and not self.closed()
        self.begin(seconds, model.closable_from_s() if far and ended else 0)
        allowed, bond = ended and self.now_s >= model.closable_from_s(), model.bond
        lockbox = self.world.lockbox
        assert lockbox.closableFrom(7) == (model.closable_from_s() if ended else 0)
        if not allowed:
            self.attempt(False, "ClosingNotOpen", self.world.cleo, lockbox.close, 7)
            return
        done = self.send(self.world.cleo, lockbox.close, 7)
        assert_closed(self.world, done.events, model.close(self.now_s), bond=bond, escrow=0)
        assert_late(self.world, model)
        self.counts["close", model.state.word] += 1

    @precondition(lambda self: self.model.vouchers)
    @rule(seconds=SECONDS, dice=st.integers(0, 99))
    def pay_voucher(self, seconds, dice):
        """Anybody has a voucher paid its part of the pool, as often as there is more."""
        self.begin(seconds)
        model, lockbox = self.model, self.world.lockbox
        if not model.vouchers:
            return
        place = dice % len(model.vouchers)
        due, holder = model.payable(place), model.vouchers[place].holder
        assert lockbox.payableToVoucher(self.first_voucher + place) == due
        had = lockbox.owedTo(self.world.dollar, holder)
        call = (lockbox.payVoucher, self.first_voucher + place)
        if self.attempt(due > 0, "NothingForVoucher", self.world.cleo, *call):
            assert lockbox.owedTo(self.world.dollar, holder) - had == due
            model.pay_voucher(place)
            self.counts["pay voucher"] += 1

    @rule(seconds=SECONDS)
    def refund_excess(self, seconds):
        """Long after the closing, its only payer has all that was paid above what is attested."""
        desk, overpaid = self.world.refund_desk, self.closed() and self.model.excess() > 0
        self.begin(seconds, desk.sharesFrom(7) if overpaid else 0)
        lockbox, dollar, renter = self.world.lockbox, self.world.dollar, self.world.renter
        had = lockbox.owedTo(dollar, renter)
        excess = self.model.excess()
        errors = "FacilityNotClosed|SharesNotOpen|NoShare"
        call = (desk.refundShare, 7, renter)
        if self.attempt(self.closed() and excess > 0, errors, self.world.cleo, *call):
            self.model.collected -= excess
            assert lockbox.owedTo(dollar, renter) - had == excess
            self.refunded += excess
            self.counts["refund excess"] += 1
