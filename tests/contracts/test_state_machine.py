"""Random histories of one facility: the deployed contracts beside the models of `api.domain`."""

from collections import Counter
from itertools import combinations, cycle

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
from api.domain.capital.vouchers import open_of
from api.domain.statements.statement import statement_hash
from tests.contracts.conftest import EPOCHS
from tests.contracts.facility_model import RECEIVABLE_LIFE_S
from tests.contracts.twin import STRANGER, Twin

FOREVER, PATIENCE, GRACE_S = 2**64 - 1, 2, 1_800
TRANCHE, HOLDER, UNITS = st.integers(0, 1), st.integers(0, 2), st.integers(0, 16)
# The last one is not on the allow-list: may be paid, but never hold.
ANYBODY = st.integers(0, STRANGER)
SECONDS = st.sampled_from([600, 1, 59, 1_801])
GROSS = st.integers(0, 40_000_000)
AVAILABLE = st.sampled_from([20_000, 36_000, 35_639, 0])
PAIR = st.sampled_from(list(combinations(range(3), 2)))


class Machine(Twin, RuleBasedStateMachine):
    """What anybody may do to a facility that delivers, and what must hold after each step."""

    def __init__(self, world, fate: str, counts: Counter) -> None:
        RuleBasedStateMachine.__init__(self)
        Twin.__init__(self, world)
        self.fate, self.counts, self.refunded = fate, counts, 0

    @rule(seconds=st.integers(1, 9_000))
    def time_passes(self, seconds):
        """Time passes, streams vest."""
        self.begin(seconds)

    @initialize(gross=GROSS, available=AVAILABLE, signers=PAIR, units=UNITS)
    def begin_far(self, gross, available, signers, units):
        """Every history has revenue; all but the first fate begin just after an end."""
        self.post_next(gross + 1, available, signers, 1)
        self.burn(1, 0, units)
        if self.fate == "begun":
            return
        if self.fate == "starved":
            # Two epochs without availability cost more than the bond has above its minimum.
            for _ in range(2):
                self.post_next(gross, 0, signers, 1)
            self.pay_shortfall(600)
            self.begin(GRACE_S + 1)
        elif self.fate != "late":
            self.run_out(gross, available, signers, self.fate == "paid")
        if self.fate == "paid":
            self.pay(units + 1)
        self.wind_up(600, self.fate == "late")
        self.burn(1, 1, units)
        self.refund_excess(1)

    @precondition(lambda self: self.model.state == "running" and len(self.model.gross) < EPOCHS)
    @rule(gross=GROSS, available=AVAILABLE, signers=PAIR, part=st.integers(0, 2))
    def post_next(self, gross, available, signers, part):
        """Two of three attesters post the next statement; all, half or none of it is paid."""
        epoch = len(self.model.gross)
        statement = self.world.statement(epoch, gross, available_gpu_seconds=available)
        self.begin(1, statement.epoch_end_s)
        signed = self.world.sign(statement, [self.world.attesters[s] for s in signers])
        call = (self.world.statements.post, statement.as_abi_tuple(), signed)
        self.send(self.world.cleo, *call)
        self.world.previous = statement_hash(statement)
        self.model.post(gross, available, self.now_s)
        if part and gross // part:
            self.pay(gross // part)

    @precondition(lambda self: self.model.state != "matured")
    @rule(amount=st.integers(1, 40_000_000), seconds=SECONDS)
    def pay_rent(self, amount, seconds):
        """The renter pays any rent, in advance and late too."""
        self.begin(seconds)
        self.pay(amount)

    @rule(seconds=SECONDS)
    def settle(self, seconds):
        """Anybody settles all final epochs."""
        self.begin(seconds)
        if self.model.settle(self.now_s):
            self.send(self.world.cleo, self.world.lockbox.settle, 7)

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
        """Units are burned for compute while the window runs, as expired after the end."""
        self.begin(1)
        burner, token, model, self.rises = self.people[holder], self.world.token, self.model, True
        units = max(1, min(units, self.held(burner, index)))
        running = model.state == "running"
        call = (token.burnExpired, self.ids[index], units)
        gpu_seconds = model.voucher_seconds(index, units, self.now_s)
        if running:
            lease = bytes.fromhex(burner.address[2:]).rjust(32, b"\0")
            order = self.world.order(burner, self.ids[index], units, lease)
            signature = self.world.sign_order(order)
            call = (self.world.desk.takeDelivery, to_abi(order), signature)
        open_ = not self.paused and gpu_seconds > 0
        moves = [(burner.address, units, self.now_s)]
        done = self.move(open_ or not running, index, "burn", moves, burner, *call)
        if done and running:
            model.issue(units, gpu_seconds, self.now_s)
            assert self.world.desk.unservedGpuSeconds(7) == open_of(model.vouchers).gpu_seconds
        self.counts["take delivery" if running else "burn expired"] += done

    @rule(seconds=SECONDS)
    def pay_shortfall(self, seconds):
        """The bond pays for availability that was promised and is missing."""
        self.begin(seconds)
        if self.model.pay_shortfall(self.now_s):
            self.send(self.world.cleo, self.world.vault.payShortfall, 7)
            self.counts["pay shortfall"] += 1

    @rule(seconds=SECONDS)
    def stop_or_go(self, seconds):
        """A pause stops transfers and deliveries, or ends."""
        self.begin(seconds)
        token = self.world.token
        self.send(self.world.accounts[0], token.unpause if self.paused else token.pause)
        self.paused = not self.paused

    @precondition(lambda self: self.model.state == "running")
    @rule(gross=GROSS, available=AVAILABLE, signers=PAIR, paid=st.booleans())
    def run_out(self, gross, available, signers, paid):
        """All that is left of the window; paid to the last cent, or 90 days later still not."""
        model = self.model
        while len(model.gross) < EPOCHS:
            self.post_next(gross, available, signers, 0)
        if paid and sum(model.gross) > model.collected:
            self.pay(sum(model.gross) - model.collected)
        old_s = model.terms.window_end_s + RECEIVABLE_LIFE_S
        self.begin(600, 0 if paid else old_s)
        if model.settle(self.now_s):
            self.send(self.world.cleo, self.world.lockbox.settle, 7)

    @precondition(lambda self: self.model.state == "running")
    @rule(seconds=SECONDS, late=st.booleans())
    def wind_up(self, seconds, late):
        """The facility matures, or defaults and its bond is seized: streams stream on."""
        late = late and len(self.model.gross) < EPOCHS
        self.begin(seconds, self.model.overdue_s(PATIENCE) if late else 0)
        facilities, model, now_s = self.world.facilities, self.model, self.now_s
        if model.is_mature(now_s):
            self.counts["mature", "still streaming"] += any(
                t.stream.pending_x24 for t in model.tranches
            )
            self.counts["mature", "written off" if model.receivable() else "paid"] += 1
            self.send(self.world.cleo, facilities.mature, 7)
            model.end("matured")
        elif model.is_in_default(now_s, grace_s=GRACE_S, patience=PATIENCE):
            self.counts["default", "statements" if late else "bond"] += 1
            self.send(self.world.cleo, facilities.declareDefault, 7)
            model.end("defaulted")
            if model.seize(now_s):
                self.send(self.world.cleo, self.world.vault.seize, 7)
                self.counts["seize"] += 1

    @precondition(lambda self: self.model.state != "running")
    @rule(seconds=SECONDS)
    def refund_excess(self, seconds):
        """After the end the treasury owes the renter what was paid above all that is attested."""
        self.begin(seconds)
        world, had = self.world, self.world.lockbox.owedTo(self.world.dollar, self.world.renter)
        if excess := self.model.refund_excess():
            refund = (world.lockbox.refundExcess, 7, world.renter, excess)
            self.send(world.accounts[0], *refund)
            assert world.lockbox.owedTo(world.dollar, world.renter) - had == excess
            self.refunded += excess
            self.counts["refund excess"] += 1

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
        owed = model.collected - model.settled + model.fees + model.residual + self.refunded
        assert balance(world.lockbox) >= owed
        assert balance(world.vault) >= world.vault.bondOf(7) == model.bond.held
        assert world.vault.shortfallDue(7) == model.shortfall_due(self.now_s)

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
        assert book[1] <= min(book[0], model.attested(self.now_s))
        assert lockbox.settleable(7) == model.settleable(self.now_s)
        arrears = [lockbox.arrearsOf(i) for i in self.ids]
        assert arrears == model.arrears()
        assert arrears[0] == 0 or model.tranches[1].received == self.junior_received


@pytest.fixture
def running(world, deployed):
    """A funded facility with bond and allow-list, delivering, and a snapshot of it."""
    investors, as_owner = deployed[0]["InvestorRegistry"], {"from": world.accounts[0]}
    world.token.setInvestorRegistry(investors, as_owner)
    investors.linkMirror(world.token, as_owner)
    for account in (world.ann, world.bob, world.cleo):
        investors.setInvestor(account, (FOREVER, 752, True, True), as_owner)
    world.offer()
    world.set_bond(1_500_000)
    world.fund(offer=False)
    world.wait_until(world.terms.window_start_s)
    chain.snapshot()
    return world


FATES = ("begun", "late", "starved", "paid", "unpaid")
# What random histories must really do, or the invariants say little of it.
REACHED = (
    "take delivery", "burn expired", "pay shortfall", "seize", "refund excess",
    ("mature", "paid"), ("mature", "written off"), ("mature", "still streaming"),
    ("default", "statements"), ("default", "bond"),
)  # fmt: skip


def test_facility__random_history__equals_the_models(running):
    """No shrinking: a step costs a fifth of a second, and a history is short."""
    options = {"max_examples": 22, "stateful_step_count": 14, "deadline": None}
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
