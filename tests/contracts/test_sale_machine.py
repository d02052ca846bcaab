"""Random histories of a sale: `PrimarySale` beside its model `api.domain.capital.sale`."""

from collections import Counter
from dataclasses import replace
from itertools import cycle

import brownie
import pytest
from brownie import chain
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from api.domain.capital import sale
from api.domain.capital.accumulator import Stream
from api.domain.capital.sale import SaleBook, SaleState
from api.domain.facility import DAY_S
from api.domain.lifecycle import FacilityState
from tests.contracts.conftest import EPOCHS
from tests.contracts.facility_model import FacilityModel
from tests.contracts.twin import assert_closed, assert_late, funded

# About twenty units; a buyer may be the operator itself, whose money does not count.
FLOOR, UP_FRONT_BPS, CAPS, BOND = 1_050_000, 2_500, (16, 24), 1_000_000
OPERATOR = 3
SECONDS = st.sampled_from([20_000, 36_000, 0])
# What was available of earlier epochs beyond what was stated, as far as that fits; revenue of the
# closing statement.
ADJUSTED, DIFFERENCE = st.sampled_from([-30_000, 0, 7_200]), st.sampled_from([-700_000, 900_001, 0])
GROSS, PARTS = st.sampled_from([400_000, 9_000_001, 0]), st.integers(0, 2)
BUYER, TRANCHE = st.integers(0, OPERATOR), st.integers(0, 1)
# How it may end, by the name of each.
ENDINGS = ("matured", "defaulted", "stopped")


class SaleMachine(RuleBasedStateMachine):
    """What anybody may do to a sale, from its first second to the closing of its facility."""

    def __init__(self, world, prices, fate: str, counts: Counter) -> None:
        super().__init__()
        chain.revert()
        self.world, self.prices, self.fate, self.counts = world, prices, fate, counts
        world.previous = b"\0" * 32
        self.people = [world.ann, world.bob, world.cleo, world.operator]
        self.ids = [world.senior, world.junior]
        self.model = SaleBook()
        self.held: Counter = Counter()
        self.facility: FacilityModel | None = None
        self.bonded, self.refunded = False, 0

    def is_in(self, state: SaleState) -> bool:
        """Whether the sale is in a state."""
        return self.model.state is state

    @initialize(
        senior=st.integers(9, 16),
        junior=st.integers(11, 16),
        seconds=SECONDS,
        gross=GROSS,
        parts=PARTS,
        adjusted=ADJUSTED,
        difference=DIFFERENCE,
    )
    def begin(self, senior, junior, seconds, gross, parts, adjusted, difference):
        """All fates but the first begin later: failed, or at the end of what was sold."""
        if self.fate == "open":
            return
        self.buy(0, 0, senior if self.fate != "failed" else 9)
        self.buy(1, 1, junior if self.fate != "failed" else 10)
        if self.fate != "no bond":
            self.deposit_bond()
        self.finalize()
        if self.fate in ENDINGS:
            self.burn(senior, seconds // 10_000 + 1)
            if self.fate == "stopped":
                self.publish(EPOCHS)
            else:
                self.deliver(seconds, 0, 1, gross, parts)
                self.release()
            if self.fate == "matured":
                self.deliver(0, -seconds // 2, 1, gross, parts)
                self.release()
                self.deliver(seconds, 0, EPOCHS, gross, parts)
            self.release()
            self.end(adjusted, difference)
            self.close()
            self.pay_late(gross // 3 + 1)
        else:
            self.refund(0, 2, False, False)

    @precondition(lambda self: self.is_in(SaleState.OPEN))
    @rule(buyer=BUYER, index=TRANCHE, units=st.integers(1, 14))
    def buy(self, buyer, index, units):
        """Anybody buys up to what is left of a tranche."""
        left = CAPS[index] - sum(self.held[p, index] for p in range(4))
        if units > left:
            with brownie.reverts(revert_pattern="UnitsAboveCap.*"):
                self.world.buy(self.people[buyer], self.ids[index], units)
            return
        self.world.buy(self.people[buyer], self.ids[index], units)
        own, price = buyer == OPERATOR, self.prices[index]
        self.model = sale.buy(self.model, units=units, unit_price=price, own=own)
        self.held[buyer, index] += units
        self.counts["buy"] += 1

    @precondition(lambda self: self.is_in(SaleState.OPEN) and not self.bonded)
    @rule()
    def deposit_bond(self):
        """The gpuOperator pays its bond in."""
        self.world.deposit(BOND)
        self.bonded = True

    @precondition(lambda self: self.is_in(SaleState.OPEN))
    @rule()
    def finalize(self):
        """Once its hours are over, or the window has begun without a bond, the sale ends."""
        terms, reached = self.world.terms, sale.reached(self.model, floor_proceeds=FLOOR)
        if not reached or self.model.sold_units < sum(CAPS):
            with brownie.reverts(revert_pattern="SaleStillOpen.*"):
                self.world.sale.finalize(7, {"from": self.world.cleo})
        late = not self.bonded and reached
        self.world.wait_until(terms.window_start_s if late else terms.window_start_s - 1_000)
        self.world.sale.finalize(7, {"from": self.world.cleo})
        self.model = sale.finalize(
            self.model, floor_proceeds=FLOOR, bonded=self.bonded, expired=False
        )
        self.counts["finalize", self.model.state.name] += 1
        if self.is_in(SaleState.SUCCESSFUL):
            held = [(i, self.people[p], units) for (p, i), units in sorted(self.held.items())]
            self.facility = funded(self.world, BOND, held, at_s=chain[-1].timestamp)

    @precondition(lambda self: self.is_in(SaleState.REFUNDING) and +self.held)
    @rule(dice=st.integers(0, 99), to=BUYER, whole=st.booleans(), by_anybody=st.booleans())
    def refund(self, dice, to, whole, by_anybody):
        """A buyer gets exactly the price, wherever it says; anybody sends it to the buyer."""
        holder, index = sorted(+self.held)[dice % len(+self.held)]
        buyer, units = self.people[holder], self.held[holder, index] if whole else 1
        receiver = buyer if whole and by_anybody else self.people[to]
        had = self.world.dollar.balanceOf(receiver)
        if whole and by_anybody:
            self.world.sale.refundTo(buyer, self.ids[index], {"from": self.people[to]})
        else:
            self.world.sale.refund(self.ids[index], units, receiver, {"from": buyer})
        self.model = sale.refund(self.model, units=units, unit_price=self.prices[index])
        assert self.world.dollar.balanceOf(receiver) - had == units * self.prices[index]
        self.held[holder, index] -= units
        self.refunded += units
        self.counts["refund"] += 1

    @precondition(lambda self: self.is_in(SaleState.REFUNDING))
    @rule(buyer=BUYER, index=TRANCHE, more=st.integers(1, 3))
    def refund_too_much(self, buyer, index, more):
        """Nobody gets back more than they hold, nor twice."""
        units = self.held[buyer, index] + more
        with brownie.reverts(revert_pattern="(ERC1155Insuff|ERC7943Insuff|UnitsAboveCap).*"):
            caller = self.people[buyer]
            self.world.sale.refund(self.ids[index], units, caller, {"from": caller})
        self.counts["refund refused"] += 1

    @precondition(lambda self: self.is_in(SaleState.REFUNDING))
    @rule(source=BUYER, to=BUYER, index=TRANCHE)
    def transfer(self, source, to, index):
        """Units of a failed sale do not move: the price goes to who paid it."""
        sender, receiver, units = self.people[source], self.people[to], self.held[source, index]
        arguments = (sender, receiver, self.ids[index], units, b"", {"from": sender})
        with brownie.reverts(revert_pattern="UnitsLocked.*"):
            self.world.token.safeTransferFrom(*arguments)

    def delivering(self) -> bool:
        """Whether epochs go on."""
        return self.facility is not None and not self.facility.state.ended

    @precondition(lambda self: self.delivering() and len(self.facility.gross) < EPOCHS)
    @rule(
        seconds=SECONDS,
        adjusted=ADJUSTED,
        epochs=st.integers(1, EPOCHS),
        gross=GROSS,
        parts=PARTS,
    )
    def deliver(self, seconds, adjusted, epochs, gross, parts):
        """Epochs become final; all, half or none of their rent is paid."""
        facility, world = self.facility, self.world
        posted = len(facility.gross)
        for epoch in range(posted, min(EPOCHS, posted + epochs)):
            adjustment = facility.adjustable(adjusted, stated=seconds)
            stated = {"available_gpu_seconds": seconds, "available_adjustment": adjustment}
            world.post(epoch, gross, **stated)
            facility.post(gross, seconds + adjustment, chain[-1].timestamp)
            if parts and gross:
                world.pay(gross // parts)
                facility.collected += gross // parts
        chain.sleep(601)
        chain.mine()

    @precondition(lambda self: self.delivering() and self.facility.first_open < EPOCHS)
    @rule(epochs=st.integers(1, EPOCHS))
    def publish(self, epochs):
        """The gpuOperator publishes epochs that nobody has signed."""
        first = self.facility.first_open
        for epoch in range(first, min(EPOCHS, first + epochs)):
            self.world.wait_until(self.world.terms.epoch_bounds(epoch)[1])
            self.world.publish(epoch)
            self.facility.published = epoch + 1

    @precondition(lambda self: self.delivering() and +self.held)
    @rule(dice=st.integers(0, 99), units=st.integers(1, 6))
    def burn(self, dice, units):
        """Bought units are burned for compute that never comes, while the window runs."""
        world, facility = self.world, self.facility
        # Some minutes before its end a unit still gives a second.
        if chain[-1].timestamp > world.terms.window_end_s - 600:
            return
        holder, index = sorted(+self.held)[dice % len(+self.held)]
        account, units = self.people[holder], min(units, self.held[holder, index])
        lease = bytes.fromhex(account.address[2:]).rjust(32, b"\0")
        now_s = world.take_delivery(account, self.ids[index], units, lease).timestamp
        gpu_seconds = facility.voucher_seconds(index, units, now_s)
        facility.tranches[index].burn(account.address, units, now_s)
        facility.issue(index, account.address, units, gpu_seconds, now_s)
        self.held[holder, index] -= units
        self.counts["burn"] += 1

    @precondition(lambda self: self.is_in(SaleState.SUCCESSFUL))
    @rule()
    def release(self):
        """The gpuOperator is owed what it has earned by delivery; nothing more after the end."""
        due = self.earned() - self.model.released
        self.counts["earned less than released"] += due < 0
        begun = chain[-1].timestamp >= self.world.terms.window_start_s
        if due <= 0 or not begun or not self.delivering():
            with brownie.reverts(revert_pattern="NothingToRelease.*"):
                self.world.sale.release(7, {"from": self.world.cleo})
            return
        self.world.sale.release(7, {"from": self.world.cleo})
        self.model = sale.release(self.model, earned_now=self.earned())
        self.counts["release"] += 1

    @precondition(lambda self: self.delivering())
    @rule(adjusted=ADJUSTED, difference=DIFFERENCE)
    def end(self, adjusted, difference):
        """Matured with all its epochs, paid or not; in default with an open one; or stopped."""
        world, facility, by_anybody = self.world, self.facility, {"from": self.world.cleo}
        if len(facility.gross) == EPOCHS:
            facility.settle(world.lockbox.settle(7, by_anybody).timestamp)
            adjustment = facility.adjustable(adjusted, stated=0)
            world.seal(difference, available_adjustment=adjustment)
            posted_s = world.statements.statementOf(7, EPOCHS)["postedAt"]
            facility.post_closing(difference, adjustment, posted_s)
            self.counts["closing adjusted"] += adjustment != 0
            if facility.unpaid(chain[-1].timestamp):
                world.facilities.noticeUnpaid(7, by_anybody)
                world.wait_until(chain[-1].timestamp + 90 * DAY_S)
            ending, done = "matured", world.facilities.mature(7, by_anybody)
        elif facility.first_open < EPOCHS:
            ending, done = "defaulted", world.default(facility.first_open)
        else:
            ending, done = "stopped", world.stop()
        facility.end(FacilityState[ending.upper()], done.timestamp)
        assert world.facilities.stateOf(7) == facility.state
        self.counts["end", ending] += 1

    @precondition(lambda self: self.is_in(SaleState.SUCCESSFUL))
    @rule()
    def close(self):
        """Proceeds that were not earned by the end are shared with the bond, once."""
        world, facility = self.world, self.facility
        if self.delivering() or facility.closing:
            with brownie.reverts(revert_pattern="ClosingNotOpen.*"):
                world.lockbox.close(7, {"from": world.cleo})
            return
        done = world.close()
        earned_now = self.earned()
        self.model = sale.surrender(self.model, earned_now=earned_now)
        taken = facility.surrendered(
            self.model, earned_now=earned_now, up_front_bps=UP_FRONT_BPS, unit_prices=self.prices
        )
        closing = facility.close(done.timestamp, taken)
        assert_closed(world, done.events, closing, bond=BOND, escrow=self.model.returned)
        self.counts["close", facility.state.word] += 1

    @precondition(lambda self: self.facility is not None and self.facility.closing is not None)
    @rule(amount=st.integers(1, 20_000_000))
    def pay_late(self, amount):
        """Rent after the closing is shared as the model says."""
        amount = min(amount, self.facility.rent_limit())
        if not amount:
            return
        self.world.pay(amount)
        self.facility.collected += amount
        self.facility.settle(self.world.settle().timestamp)
        self.counts["late rent"] += 1

    def earned(self) -> int:
        """Proceeds that delivery has earned so far."""
        terms, facility = self.world.terms, self.facility
        return sale.earned(
            proceeds=self.model.proceeds,
            up_front_bps=UP_FRONT_BPS,
            available=facility.posted_available,
            promised_so_far=sale.promised_of(terms, len(facility.gross)),
            promised=sale.promised_of(terms, terms.epoch_count),
        )

    @invariant()
    def books(self):
        """Invariant 2: the sale's book is the model's, and it holds what it owes."""
        world, model = self.world, self.model
        state, *numbers = world.sale.bookOf(7)
        assert SaleBook(SaleState(state), *numbers) == model
        owed = world.sale.owedTo(world.dollar, world.operator)
        assert owed == model.released
        assert world.dollar.balanceOf(world.sale) == model.escrow + owed

    @invariant()
    def lockbox(self):
        """Rent, fees, streams and what the operator is owed are the facility's model's."""
        facility, world = self.facility, self.world
        if facility is None:
            return
        book = (facility.collected, facility.settled, facility.settled_epochs)
        assert tuple(world.lockbox.bookOf(7)) == book
        assert world.lockbox.feesOwed(7) == facility.fees
        assert world.lockbox.owedTo(world.dollar, world.operator) == facility.residual
        assert world.vault.bondOf(7) == facility.bond
        assert_late(world, facility)
        streams = [Stream(*world.token.trancheOf(i)) for i in self.ids]
        assert streams == [tranche.stream for tranche in facility.tranches]
        held = facility.collected - facility.settled + facility.advanced - facility.reimbursed
        owed = facility.fees + facility.residual + sum(facility.pools)
        assert world.dollar.balanceOf(world.lockbox) == held + owed

    @invariant()
    def units(self):
        """Invariant 1: everybody holds what the model says; refunded units are gone."""
        token = self.world.token
        for index, token_id in enumerate(self.ids):
            for key, account in enumerate(self.people):
                assert token.balanceOf(account, token_id) == self.held[key, index]
        assert sum(token.burnedOf(i)[2] for i in self.ids) == self.refunded


@pytest.fixture
def selling(world):
    """An open sale without a bond, a day before the window, and a snapshot of it."""
    start_s = world.terms.window_start_s + 86_400
    length_s = world.terms.window_end_s - world.terms.window_start_s
    world.terms = replace(
        world.terms,
        window_start_s=start_s,
        window_end_s=start_s + length_s,
        expires_at_s=start_s + 3_600,
    )
    world.offer()
    world.set_bond(0)
    prices = world.open_sale(FLOOR, UP_FRONT_BPS, closes_before_s=1_000)
    world.dollar.mint(world.renter, 10**15, {"from": world.renter})
    world.dollar.approve(world.lockbox, 10**15, {"from": world.renter})
    chain.snapshot()
    return world, prices


REACHED = (
    "buy", "burn", "refund", "refund refused", "release",
    ("finalize", "SUCCESSFUL"), ("finalize", "REFUNDING"),
    "earned less than released", "closing adjusted",
    ("end", "matured"), ("end", "defaulted"), ("end", "stopped"),
    ("close", "matured"), ("close", "defaulted"), ("close", "stopped"), "late rent",
)  # fmt: skip


def test_sale__random_history__equals_the_model(selling):
    """No shrinking, as in the facility's machine."""
    options = {"max_examples": 24, "stateful_step_count": 10, "deadline": None}
    options |= {"derandomize": True, "database": None, "phases": [Phase.generate]}
    options |= {"suppress_health_check": list(HealthCheck)}
    counts: Counter = Counter()

    # As in the facility's machine: the first ten examples are tiny.
    fates = cycle(("open", "failed", "no bond", *ENDINGS))

    run_state_machine_as_test(
        lambda: SaleMachine(*selling, next(fates), counts), settings=settings(**options)
    )

    print({str(key): counts[key] for key in REACHED})
    assert [key for key in REACHED if not counts[key]] == []
