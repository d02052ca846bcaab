"""Random histories of one facility: the deployed contracts beside the models of `api.domain`."""

from collections import Counter
from itertools import cycle

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

from api.chain.structs import to_abi
from api.domain.capital.accumulator import Position, Stream
from scripts.roles import PAUSER
from tests.contracts.conftest import EPOCHS
from tests.contracts.endings import SECONDS
from tests.contracts.stating import AVAILABLE, DIFFERENCE, GROSS, PAIR, Stating
from tests.contracts.twin import BOND, STRANGER, assert_late

FOREVER = 2**64 - 1
TRANCHE, HOLDER, UNITS = st.integers(0, 1), st.integers(0, 2), st.integers(0, 16)
# The last one is not on the allow-list: may be paid, but never hold.
ANYBODY = st.integers(0, STRANGER)
# The token; the registry of statements.
PAUSABLE = st.integers(0, 1)


def pausable(world):
    """What can be paused, in the order of `Twin.pauses`."""
    return (world.token, world.statements)


class Machine(Stating, RuleBasedStateMachine):
    """What anybody may do to a facility from its window on, and what must hold after each step."""

    def __init__(self, world, fate: str, counts: Counter) -> None:
        RuleBasedStateMachine.__init__(self)
        Stating.__init__(self, world, fate, counts)

    @rule(seconds=st.integers(1, 9_000))
    def time_passes(self, seconds):
        """Time passes, streams vest."""
        self.begin(seconds)

    @initialize(gross=GROSS, available=AVAILABLE, signers=PAIR, units=UNITS, difference=DIFFERENCE)
    def begin_far(self, gross, available, signers, units, difference):
        """Every history has revenue and a voucher; all but the first fate begin after an end."""
        self.post_next(gross + 1, available, 0, signers, 1)
        self.burn(units % 2, 0, units)
        if self.fate == "begun":
            return
        if self.fate in ("matured", "unpaid"):
            self.run_out(gross + 1, available, signers, self.fate == "matured", difference)
            self.notice_unpaid(600)
            self.mature(600, True)
        elif self.fate == "stopped":
            self.pause(600, 1, 0, False)
            self.publish(600, EPOCHS)
            self.resume(600, 1)
            self.stop(600, True)
        else:
            self.notice_default(600, 1, True)
            self.declare_default(600, 1, True)
            self.post_next(gross, available, -units, signers, units % 3)
        if self.fate == "stated":
            while len(self.model.gross) < EPOCHS:
                self.post_next(gross, available, units, signers, 0)
            self.post_closing(difference, -units, signers)
        self.burn(1, 1, units)
        if self.fate == "defaulted":
            return
        if self.fate == "overpaid":
            self.pay_rent(gross + 1, 600)
        self.close(600, True)
        self.refund_excess(600)
        for amount in (gross // 2 + 1, FOREVER):
            self.pay_rent(amount, 600)
            self.settle(600)
            self.pay_voucher(600, 0)

    @rule(amount=st.integers(1, 40_000_000), seconds=SECONDS)
    def pay_rent(self, amount, seconds):
        """The renter pays any rent, in advance and late too; once closed, what is attested."""
        self.begin(seconds)
        limit = self.model.rent_limit()
        if amount > limit:
            call = (self.world.lockbox.payRent, 7, b"\x33" * 32, amount)
            self.attempt(False, "AmountAboveLimit", self.world.renter, *call)
        if amount := min(amount, limit):
            self.pay(amount)
            self.counts["rent after the closing"] += self.closed()

    @rule(seconds=SECONDS)
    def settle(self, seconds):
        """Anybody settles all final epochs, and rent in place of what the bond advanced."""
        self.begin(seconds)
        _, due = self.model.due(self.now_s)
        allowed = self.model.settle(self.now_s)
        self.attempt(allowed, "NothingToSettle", self.world.cleo, self.world.lockbox.settle, 7)
        self.counts["late", "advanced"] += due.late > 0
        self.counts["late", "further"] += due.further > 0

    @rule(index=TRANCHE, source=HOLDER, to=ANYBODY, parts=st.lists(UNITS, min_size=1, max_size=3))
    def transfer(self, index, source, to, parts):
        """Units move, singly or in a batch that repeats its id, to oneself too."""
        self.begin(59)
        sender, receiver, token = self.people[source], self.people[to], self.world.token
        parts = [min(units, self.held(sender, index)) for units in parts]
        moves = [(sender.address, receiver.address, units, self.now_s) for units in parts]
        call = (token.safeTransferFrom, sender, receiver, self.ids[index], parts[0], b"")
        if len(parts) > 1:
            ids = [self.ids[index]] * len(parts)
            call = (token.safeBatchTransferFrom, sender, receiver, ids, parts, b"")
        allowed = not self.paused and to != STRANGER
        self.move(allowed, index, "transfer", moves, sender, *call)

    @rule(index=TRANCHE, holder=HOLDER, units=st.sampled_from([0, 0, 3, 12, 60]))
    def freeze(self, index, holder, units):
        """The enforcer sets what is frozen: more than is held, or nothing again."""
        self.begin(1)
        account = self.people[holder].address
        call = (self.world.token.setFrozenTokens, account, self.ids[index], units)
        self.send(self.world.accounts[0], *call)
        self.model.tranches[index].freeze(account, units)

    @rule(index=TRANCHE, source=HOLDER, step=st.integers(1, 3), units=UNITS)
    def force(self, index, source, step, units):
        """The enforcer moves units past freeze and pause, never to a stranger."""
        self.begin(1)
        to = (source + step) % 4
        sender, receiver = self.people[source].address, self.people[to].address
        call = (self.world.token.forcedTransfer, sender, receiver, self.ids[index], units)
        moves = [(sender, receiver, units, self.now_s)]
        allowed = to != STRANGER
        self.move(allowed, index, "forced_transfer", moves, self.world.accounts[0], *call)

    @rule(holder=HOLDER, to=ANYBODY, which=st.sampled_from([[0], [1], [0, 1], [1, 0, 1]]))
    def claim(self, holder, to, which):
        """A holder has one or both tranches paid to anybody: paused and frozen too."""
        self.begin(600)
        claimer, receiver, balance = (
            self.people[holder],
            self.people[to],
            self.world.dollar.balanceOf,
        )
        had, ids = balance(receiver), [self.ids[i] for i in which]
        self.send(claimer, self.world.token.claim, ids, receiver)
        tranches = [self.model.tranches[i] for i in set(which)]
        paid = sum(t.claim(claimer.address, self.now_s) for t in tranches)
        assert balance(receiver) - had == paid
        self.own = {(holder, i) for i in which}

    @rule(index=TRANCHE, holder=HOLDER, units=UNITS)
    def burn(self, index, holder, units):
        """Units are burned for compute while the window runs, and never once it ended."""
        self.begin(1)
        burner, model, self.rises = self.people[holder], self.model, True
        units = max(1, min(units, self.held(burner, index)))
        gpu_seconds = model.voucher_seconds(index, units, self.now_s)
        lease = bytes.fromhex(burner.address[2:]).rjust(32, b"\0")
        order = self.world.order(burner, self.ids[index], units, lease)
        signature = self.world.sign_order(order)
        call = (self.world.desk.takeDelivery, to_abi(order), signature)
        moves = [(burner.address, units, self.now_s)]
        allowed = not self.paused and gpu_seconds > 0
        if self.move(allowed, index, "burn", moves, burner, *call):
            model.issue(index, burner.address, units, gpu_seconds, self.now_s)
            self.counts["take delivery"] += 1

    @rule(seconds=SECONDS, amount=st.integers(1, 60_000_000))
    def add_bond(self, seconds, amount):
        """Anybody adds to the bond before the end."""
        self.begin(seconds)
        dollar, operator = self.world.dollar, self.world.operator
        self.send(operator, dollar.mint, operator, amount)
        self.send(operator, dollar.approve, self.world.vault, amount)
        call = (self.world.vault.deposit, 7, amount)
        if self.attempt(self.running(), "DepositNotAccepted", operator, *call):
            self.model.bond += amount

    @rule(seconds=SECONDS, which=PAUSABLE, who=st.integers(0, 1), far=st.booleans())
    def pause(self, seconds, which, who, far):
        """A pauser stops transfers and deliveries, or postings of a running facility: a week."""
        pauser, pause = self.world.pausers[who], self.pauses[which]
        far = far and not self.running()
        self.begin(seconds, pause.free_from_s(pauser.address) if far else 0)
        allowed = self.now_s >= pause.free_from_s(pauser.address)
        call = (pausable(self.world)[which].pause,)
        done = self.attempt(allowed, "PauseRunning|PauserResting", pauser, *call)
        self.counts["pause", "begun" if done else "refused"] += 1
        if done:
            self.counts["pause", "after one that ran out"] += pause.until_s > 0
            pause.begin(pauser.address, self.now_s)

    @rule(seconds=SECONDS, which=PAUSABLE)
    def resume(self, seconds, which):
        """The resumer lifts a pause; its pauser rests all the same."""
        self.begin(seconds)
        self.counts["resume"] += self.now_s < self.pauses[which].until_s
        self.send(self.world.accounts[0], pausable(self.world)[which].unpause)
        self.pauses[which].until_s = 0

    @precondition(lambda self: self.running())
    @rule(
        gross=GROSS,
        available=AVAILABLE,
        signers=PAIR,
        paid=st.booleans(),
        difference=DIFFERENCE,
    )
    def run_out(self, gross, available, signers, paid, difference):
        """All that is left of the window and its seal, settled; paid to the last cent, or not."""
        model = self.model
        if self.stopped:
            self.resume(1, 1)
        while len(model.gross) < EPOCHS:
            self.post_next(gross, available, 0, signers, 0)
        for last in (False, True):
            if last:
                self.post_closing(difference, 0, signers)
            if paid and model.posted_gross > model.collected:
                self.pay(model.posted_gross - model.collected)
            self.settle(600)
            self.counts["settled", "above attested"] += model.settled > model.attested(self.now_s)

    @invariant()
    def units(self):
        """Invariant 1, and every position and stream equals its model."""
        token = self.world.token
        for model, token_id in zip(self.model.tranches, self.ids, strict=True):
            assert Stream(*token.trancheOf(token_id)) == model.stream
            stored = [Position(*token.positionOf(p, token_id)[:3]) for p in self.people[:STRANGER]]
            assert stored == [
                model.positions.get(p.address, Position()) for p in self.people[:STRANGER]
            ]
            assert model.minted == sum(p.units for p in stored) + sum(token.burnedOf(token_id))

    @invariant()
    def money(self):
        """Invariant 2: exact in 24 fractional bits; balances are at least what is owed."""
        world, model, balance = self.world, self.model, self.world.dollar.balanceOf
        assert [t.unaccounted_x24(self.now_s) for t in model.tranches] == [0, 0]
        assert balance(world.token) >= sum(t.received - t.paid for t in model.tranches)
        late = model.advanced - model.reimbursed
        owed = model.collected - model.settled + late + model.fees + model.residual
        held = owed + sum(model.pools) + self.refunded
        assert balance(world.lockbox) == held
        assert balance(world.vault) == world.vault.bondOf(7) == model.bond
        assert world.lockbox.feesOwed(7) == model.fees
        assert world.lockbox.owedTo(world.dollar, world.operator) == model.residual
        pools = world.lockbox.voucherPoolsOf(7)
        assert [int(pool) for pool in pools] == [*model.pools, 0, 0]
        assert_late(world, model)
        for pause, contract in zip(self.pauses, pausable(world), strict=True):
            assert contract.pausedUntil() == pause.until_s
            for pauser in world.pausers:
                assert contract.restsUntil(pauser) == pause.rest_until_s[pauser.address]

    @invariant()
    def accrued(self):
        """Invariant 3: at one instant what one can claim changes by one's own claim alone.

        It may rise where streams vest at once: last units burned, facility ended.
        """
        after = self.claimables()
        for (person, index), amount in after.items():
            account = self.people[person].address
            assert amount == self.model.tranches[index].claimable(account, self.now_s)
        for key in self.before.keys() - self.own:
            assert after[key] == self.before[key] or (self.rises and after[key] > self.before[key])

    @invariant()
    def settlement(self):
        """Invariants 4 and 5: within rent and attested; no junior before the senior coupon."""
        lockbox, model = self.world.lockbox, self.model
        book = tuple(lockbox.bookOf(7))
        assert book == (model.collected, model.settled, model.settled_epochs)
        late, attested = model.advanced - model.reimbursed, model.attested(self.now_s)
        # What was settled before a closing statement lowered what is attested stays paid.
        assert book[1] <= min(book[0] + late, max(attested, model.attested_by_epochs(self.now_s)))
        rent, due = model.due(self.now_s)
        assert rent == 0 or book[1] + rent <= attested
        assert lockbox.excessOf(7) == model.excess()
        assert self.world.statements.postedGross(7) == model.posted_gross
        totals = self.world.statements.finalTotals(7, 0)
        assert (totals[0], totals[2]) == (model.epochs_final(self.now_s), attested)
        assert lockbox.settleable(7) == rent + due.late + due.further
        rent_alone = model.closing is None
        junior = model.tranches[1].received
        assert model.arrears()[0] == 0 or junior == self.junior_received or not rent_alone


@pytest.fixture
def running(world, deployed):
    """A funded facility with bond and allow-list, delivering, and a snapshot of it."""
    investors, as_owner = deployed[0]["InvestorRegistry"], {"from": world.accounts[0]}
    world.token.setInvestorRegistry(investors, as_owner)
    investors.linkMirror(world.token, as_owner)
    for account in (world.ann, world.bob, world.cleo):
        investors.setInvestor(account, (FOREVER, 752, True, True), as_owner)
    world.offer()
    world.set_bond(BOND)
    world.fund(offer=False)
    world.pausers = (world.accounts[0], world.accounts[7])
    world.authority.grantRole(PAUSER, world.pausers[1], 0, as_owner)
    world.wait_until(world.terms.window_start_s)
    chain.snapshot()
    return world


FATES = ("begun", "matured", "unpaid", "defaulted", "overpaid", "stopped", "stated")
# What random histories must really do, or the invariants say little of it.
REACHED = (
    "take delivery", "publish", "refund excess", "default", "stop", "pay voucher",
    "rent after the closing", ("late", "advanced"), ("late", "further"), "resume",
    ("pause", "begun"), ("pause", "refused"), ("pause", "after one that ran out"),
    ("post", "ended"), ("post", "adjusted"), ("settled", "above attested"),
    ("closing", "delivering"), ("closing", "defaulted"),
    ("mature", "paid"), ("mature", "written off"), ("mature", "still streaming"),
    ("notice", "unpaid"), ("notice", "default"),
    ("close", "matured"), ("close", "defaulted"), ("close", "stopped"),
)  # fmt: skip


def test_facility__random_history__equals_the_models(running):
    """No shrinking: a step costs a fifth of a second, and a history is short."""
    options = {"max_examples": 28, "stateful_step_count": 14, "deadline": None}
    options |= {"derandomize": True, "database": None, "phases": [Phase.generate]}
    options |= {"suppress_health_check": list(HealthCheck)}
    counts: Counter = Counter()

    # hypothesis makes its first ten examples tiny, whatever the settings: fates take turns instead.
    fates = cycle(FATES)

    run_state_machine_as_test(
        lambda: Machine(running, next(fates), counts), settings=settings(**options)
    )

    print({str(key): counts[key] for key in REACHED})
    assert [key for key in REACHED if not counts[key]] == []
