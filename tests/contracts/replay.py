"""A game of tests/games on the contracts: every call at its second, made or refused as there."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from brownie import chain, web3
from brownie.exceptions import VirtualMachineError

from api.domain.facility import TrancheTerms
from api.domain.statements.statement import Statement, statement_hash
from api.domain.units import Bytes32, GpuSeconds, Micros
from tests.contracts.conftest import facility_terms
from tests.contracts.model import World
from tests.games import moves
from tests.games.moves import CAPS, COUPON, EPOCHS, PRICES, RATE, UP_FRONT_BPS, Deal, Do, Move

FACILITY = 7
LEASE, EVIDENCE = Bytes32(b"\x5a" * 32), Bytes32(b"\x44" * 32)
Calls = Sequence[Callable[[], Any]]


def _rpc(method: str, *arguments: int) -> None:
    answer = web3.provider.make_request(method, list(arguments))
    assert "error" not in answer, answer


class Replay:
    """The facility of a deal, sold, bonded and funded, a thousand seconds before its window."""

    def __init__(self, contracts: Any, attesters: Any, accounts: Any, deal: Deal) -> None:
        self.deal, self.accounts, self.counts = deal, accounts, Counter()
        self.world = self._funded(contracts, attesters, accounts)
        world = self.world
        # By tranche, as at the table; and who borrows units.
        self.homes = ((world.ann, accounts[6]), (world.bob, accounts[7]))
        self.holders = [world.ann, world.bob]
        self.stranger, self.ids = accounts[8], (world.senior, world.junior)
        self.start_s = world.terms.window_start_s
        self.now_s = self.start_s - 1_000
        self.had = {who: world.dollar.balanceOf(who) for who in self._everybody()}
        self._mine()

    def _everybody(self) -> list[Any]:
        return [self.world.operator, *self.homes[0], *self.homes[1], self.stranger]

    def _funded(self, contracts: Any, attesters: Any, accounts: Any) -> World:
        start_s = chain[-1].timestamp + 3 * moves.EPOCH_S
        terms = facility_terms(
            contracts,
            accounts,
            window_start_s=start_s,
            window_end_s=start_s + moves.WINDOW_S,
            expires_at_s=start_s,
            promised_availability_ppm=self.deal.promised_ppm,
            fee_bps=self.deal.fee_bps,
            patience_s=moves.PATIENCE_S,
            seal_s=moves.SEAL_S,
            long_stop_s=moves.LONG_STOP_S,
            tranches=(TrancheTerms(CAPS[0], Micros(COUPON)), TrancheTerms(CAPS[1])),
        )
        world = World(contracts, terms, accounts, attesters)
        world.offer()
        world.approve()
        world.set_bond(self.deal.bond, required=self.deal.bond, rate=RATE)
        closes_s = start_s - moves.EPOCH_S
        sale_terms = (0, closes_s, 1, UP_FRONT_BPS, PRICES)
        world.sale.open(FACILITY, sale_terms, {"from": world.operator})
        buyers = ((world.ann, world.senior), (world.bob, world.junior))
        for (buyer, token_id), units in zip(buyers, self.deal.bought, strict=True):
            if units:
                world.buy(buyer, token_id, units)
        world.wait_until(closes_s)
        world.sale.finalize(FACILITY, {"from": world.cleo})
        world.dollar.mint(world.renter, 10**12, {"from": world.renter})
        world.dollar.approve(world.lockbox, 10**12, {"from": world.renter})
        return world

    # --- one move ---

    def play(self, move: Move, *, done: bool) -> None:
        """Make a move, or have it refused, as the table said."""
        if move.do is Do.WAIT:
            self.now_s += move.first
            self._mine()
            return
        calls = getattr(self, f"_{move.do.name.lower()}")(move.first, move.second, done)
        made = [self._succeeds(call) for call in calls]
        assert made == [done] * len(made), (move, done, made, self.now_s - self.start_s)
        self.counts[move.do.name, done] += len(made)

    def _mine(self) -> None:
        _rpc("evm_setNextBlockTimestamp", self.now_s)
        _rpc("evm_mine")

    def _succeeds(self, call: Callable[[], Any]) -> bool:
        _rpc("evm_setNextBlockTimestamp", self.now_s)
        try:
            call()
        except VirtualMachineError:
            return False
        return True

    def _by(self, sender: Any, function: Any, *arguments: Any) -> Calls:
        return [lambda: function(*arguments, {"from": sender})]

    def _anybody(self, contract: Any, name: str, *arguments: Any) -> Calls:
        return self._by(self.world.cleo, getattr(contract, name), FACILITY, *arguments)

    def _ended_at_s(self) -> int | None:
        return self.world.facilities.endingOf(FACILITY)[1] or None

    def _next(self, there_s: int, rent: int) -> Statement | None:
        epoch = self.world.statements.epochsPosted(FACILITY)
        if epoch >= EPOCHS:
            return None
        return self.world.statement(
            epoch,
            rent,
            available_gpu_seconds=GpuSeconds(there_s),
            billed_gpu_seconds=GpuSeconds(0),
        )

    def _posting(self, statement: Statement | None, count: int = 2) -> Calls:
        if statement is None:
            return []
        attested = self.world.sign(statement, self.world.attesters[:count])

        def post() -> None:
            arguments = (statement.as_abi_tuple(), attested, {"from": self.world.cleo})
            self.world.statements.post(*arguments)
            self.world.previous = statement_hash(statement)

        return [post]

    def _state(self, there_s: int, rent: int, _: bool) -> Calls:
        return self._posting(self._next(there_s, rent))

    def _lone(self, there_s: int, *_: int) -> Calls:
        return self._posting(self._next(there_s, 0), count=1)

    def _seal(self, adjusted_s: int, rent: int, _: bool) -> Calls:
        period = self.world.terms.closing_period(
            ended_at_s=self._ended_at_s(), grace_s=moves.GRACE_S
        )
        if period is None:
            return []
        closing = self.world.closing_statement(rent, ended_at_s=self._ended_at_s())
        return self._posting(replace(closing, available_adjustment=GpuSeconds(adjusted_s)))

    def _pay(self, amount: int, *_: int) -> Calls:
        world = self.world
        return self._by(world.renter, world.lockbox.payRent, FACILITY, LEASE, amount)

    def _settle(self, *_: int) -> Calls:
        return self._anybody(self.world.lockbox, "settle")

    def _publish(self, epoch: int, *_: int) -> Calls:
        world = self.world
        return self._by(world.operator, world.statements.publish, FACILITY, epoch, EVIDENCE)

    def _reject(self, epoch: int, *_: int) -> Calls:
        return [lambda: self.world.reject(epoch, EVIDENCE)]

    def _burn(self, tranche: int, units: int, _: bool) -> Calls:
        world, holder = self.world, self.holders[tranche]
        # A lease serves one holder.
        lease = bytes.fromhex(holder.address[2:]).rjust(32, b"\x5a")
        return [lambda: world.take_delivery(holder, self.ids[tranche], units, lease)]

    def _release(self, *_: int) -> Calls:
        return self._anybody(self.world.sale, "release")

    def _notice(self, epoch: int, *_: int) -> Calls:
        return self._anybody(self.world.facilities, "noticeDefault", epoch)

    def _declare(self, epoch: int, *_: int) -> Calls:
        return self._anybody(self.world.facilities, "declareDefault", epoch)

    def _stop(self, *_: int) -> Calls:
        return self._anybody(self.world.facilities, "stop")

    def _notice_unpaid(self, *_: int) -> Calls:
        return self._anybody(self.world.facilities, "noticeUnpaid")

    def _mature(self, *_: int) -> Calls:
        return self._anybody(self.world.facilities, "mature")

    def _close(self, *_: int) -> Calls:
        return self._anybody(self.world.lockbox, "close")

    def _flash(self, tranche: int, _: int, done: bool) -> Calls:
        holder, token_id = self.holders[tranche], self.ids[tranche]
        units = self.world.token.balanceOf(holder, token_id)
        # Moving nothing is no move at the table, and succeeds on the contract.
        if not units:
            assert not done
            return []
        lend = self._by(
            holder, self.world.token.safeTransferFrom, holder, self.stranger, token_id, units, b""
        )
        if not done:
            return lend

        def settle() -> None:
            self._succeeds(self._settle()[0])
            assert self.world.token.claimable(self.stranger, token_id) == 0
            _rpc("evm_setNextBlockTimestamp", self.now_s)

        back = self._by(
            self.stranger,
            *(self.world.token.safeTransferFrom, self.stranger, holder, token_id, units, b""),
        )
        return [*lend, settle, *back]

    def _seize(self, tranche: int, _: int, done: bool) -> Calls:
        holder, token_id = self.holders[tranche], self.ids[tranche]
        units = self.world.token.balanceOf(holder, token_id)
        if not units:
            assert not done
            return []
        home, other = self.homes[tranche]
        self.holders[tranche] = other if holder == home else home
        arguments = (holder, self.holders[tranche], token_id, units)
        return self._by(self.accounts[0], self.world.token.forcedTransfer, *arguments)

    def _pause(self, *_: int) -> Calls:
        world, pauser = self.world, {"from": self.accounts[0]}
        return [lambda: world.statements.pause(pauser), lambda: world.token.pause(pauser)]

    def _grab(self, *_: int) -> Calls:
        lockbox, stranger = self.world.lockbox, self.stranger
        return [
            *self._by(stranger, lockbox.refundExcess, FACILITY, stranger, 1),
            *self._by(stranger, lockbox.passFees, FACILITY),
            *self._by(stranger, self.world.attester_desk.takeFees, self.world.dollar, stranger),
        ]

    # --- the end ---

    def totals(self) -> moves.Totals:
        """Everybody takes what is theirs; what they have of it."""
        world = self.world
        for voucher in range(1, world.desk.voucherCount() + 1):
            self._succeeds(self._by(world.cleo, world.lockbox.payVoucher, voucher)[0])
        seniors, juniors = (self._claimed(tranche) for tranche in (0, 1))
        vouchers = sum(self._withdrawn(holder) for home in self.homes for holder in home)
        operator = self._withdrawn(world.operator)
        self._succeeds(self._by(world.cleo, world.attester_desk.collect, FACILITY)[0])
        fees = world.attester_desk.feesOf(FACILITY)
        return moves.Totals(operator, seniors, juniors, vouchers, fees)

    def _claimed(self, tranche: int) -> int:
        token, dollar, paid = self.world.token, self.world.dollar, 0
        for holder in (*self.homes[tranche], self.stranger):
            had = dollar.balanceOf(holder)
            self._succeeds(self._by(holder, token.claim, [self.ids[tranche]], holder)[0])
            paid += dollar.balanceOf(holder) - had
            self.had[holder] += dollar.balanceOf(holder) - had
        return paid

    def _withdrawn(self, account: Any) -> int:
        dollar = self.world.dollar
        for contract in (self.world.lockbox, self.world.sale):
            self._succeeds(self._by(account, contract.withdraw, dollar, account)[0])
        return dollar.balanceOf(account) - self.had[account]

    def left(self) -> list[int]:
        """What stays in the contracts of money."""
        world = self.world
        money = (world.lockbox, world.sale, world.vault, world.token)
        return [world.dollar.balanceOf(contract) for contract in money]
