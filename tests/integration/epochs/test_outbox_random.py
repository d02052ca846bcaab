"""The outbox against everything at once, from a printed seed: reorgs, kills, keys, nodes."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from api.chain.client import ChainClient
from api.db import outbox as outbox_rows
from api.domain.transactions import TxState
from api.epochs.outbox import Policy
from api.epochs.post import Post
from api.epochs.settle import Settle
from scripts.dev.stack import RELAYER
from tests import chain_faults
from tests.chain_proxy import ChainProxy
from tests.factories import DAY_S, HOUR_S
from tests.outboxes import FINAL_BLOCKS, mine, tx_rows
from tests.world import World, signer_of, wallet

pytestmark = [pytest.mark.chain, pytest.mark.slow]

STEPS = 60
RENT = 1_500_000
# The second belongs to nobody else in a world.
KEYS = (RELAYER, 9)
WRITES = ("add_intent", "save_signed", "change_tx", "restated", "note_failure", "change_intent")
FAULTS: dict[str, tuple[str, chain_faults.Fault]] = {
    "receipts stale": ("eth_getTransactionReceipt", chain_faults.stale_receipt),
    "receipts of a fork": (
        "eth_getTransactionReceipt",
        chain_faults.with_fields(blockHash="0x" + "ab" * 32),
    ),
    "node behind": ("*", chain_faults.behind(2)),
    "replies to sends lost": ("eth_sendRawTransaction", chain_faults.lost),
    "sends dropped": ("eth_sendRawTransaction", chain_faults.dropped_send),
    "already known": ("eth_sendRawTransaction", chain_faults.error(-32000, "already known")),
    "nonce too low": ("eth_sendRawTransaction", chain_faults.error(-32000, "nonce too low")),
    "underpriced": (
        "eth_sendRawTransaction",
        chain_faults.error(-32000, "replacement transaction underpriced"),
    ),
    "old nonce": ("eth_getTransactionCount", chain_faults.old_nonce(1)),
    "gateway": ("*", chain_faults.bad_gateway),
}


class _Killed(BaseException):
    """The process ended here."""


class Story:
    """One world under random faults, and what must hold after each of them."""

    def __init__(self, world: World, proxy: ChainProxy, seed: int) -> None:
        self.world, self.proxy, self.dice = world, proxy, random.Random(seed)
        self.first = world.client.head().number + 1
        self.later_s, self.key = 0, RELAYER
        self.finals: dict[bytes, int | None] = {}
        self.told: list[str] = []

    def turn(self, kill: tuple[str, int] | None = None) -> None:
        """Note what is due and advance, as a fresh process; perhaps it is killed at a write."""
        world = self.world
        with ChainClient(self.proxy.url) as client, pytest.MonkeyPatch.context() as patch:
            if kill is not None:
                patch.setattr(outbox_rows, kill[0], _killing(kill[0], kill[1]))
            outbox = world.outbox(
                client, signer=signer_of(self.key), policy=Policy(replace_after=3, adopt_after=8)
            )
            self.later_s += 20
            now_s = world.clock() + self.later_s
            try:
                for due in (
                    world.intents(Post(world.engine, world.contracts, world.evidence)),
                    world.intents(Settle(world.engine, world.contracts)),
                ):
                    outbox.store(due, now_s)
                outbox.advance(now_s)
            except _Killed:
                self.told.append(f"killed at {kill}")
            except Exception as error:
                # What a node does not answer is tried again; anything else is a fault of ours.
                if type(error).__name__ not in ("ChainUnavailable", "RpcError"):
                    raise

    def step(self) -> None:
        """Something happens."""
        dice, rpc = self.dice, self.world.chain.rpc
        name, happens = dice.choice(
            [
                ("turn", self.turn),
                ("turn", self.turn),
                ("mine", lambda: mine(self.world, dice.randint(1, 3))),
                ("kill", lambda: self.turn((dice.choice(WRITES), dice.randint(0, 2)))),
                ("automine", lambda: rpc("evm_setAutomine", dice.random() < 0.5)),
                ("drop all", lambda: rpc("anvil_dropAllTransactions")),
                ("reorg", self._reorg),
                ("key", self._key),
                ("fault", self._fault),
            ]
        )
        self.told.append(name)
        happens()

    def _reorg(self) -> None:
        newest = self.world.client.head().number
        depth = self.dice.randint(1, 3)
        # Above what the world was made of.
        if newest - depth > self.first:
            self.world.chain.rpc("anvil_reorg", depth, [])

    def _key(self) -> None:
        self.key = self.dice.choice(KEYS)

    def _fault(self) -> None:
        name = self.dice.choice(list(FAULTS))
        self.told.append(name)
        method, fault = FAULTS[name]
        with self.proxy.during(method, fault):
            self.turn()

    def check(self) -> None:
        """What must hold at any time."""
        rows = tx_rows(self.world)
        known = {"0x" + tx.tx_hash.hex() for tx in rows}
        for sender in (wallet(key).address.lower() for key in KEYS):
            on_chain = _sent(self.world, sender, self.first)
            assert {t["hash"] for t in on_chain if t["input"] != "0x"} <= known
        for tx in rows:
            if tx.state == TxState.FINAL:
                # Final for ever, and in a block that is on the chain.
                assert self.finals.setdefault(tx.tx_hash, tx.block_number) == tx.block_number
                assert tx.block_number is not None
                assert self.world.client.block(tx.block_number).hash == tx.block_hash
        gone = set(self.finals) - {tx.tx_hash for tx in rows if tx.state == TxState.FINAL}
        assert not gone

    def heal(self) -> None:
        """Everything works again: what is due is done, and all ends final."""
        self.proxy.clear()
        self.world.chain.rpc("evm_setAutomine", True)
        # A reorg may have taken time and rent back.
        self.world.at(2 * DAY_S - HOUR_S)
        book = self.world.contracts.rent_lockbox.book_of(self.world.facility_id)
        if not self.world.now(book).collected_micros:
            self.world.pay(RENT)
        for _ in range(30):
            self.turn()
            mine(self.world)
        self.world.indexer().rebuild()
        for _ in range(3):
            mine(self.world, FINAL_BLOCKS)
            self.turn()


def _killing(name: str, after: int) -> Callable[..., Any]:
    real, calls = getattr(outbox_rows, name), [0]

    def kills(*args: Any, **more: Any) -> Any:
        calls[0] += 1
        if calls[0] > after:
            raise _Killed
        return real(*args, **more)

    return kills


def _sent(world: World, sender: str, first: int) -> list[Any]:
    head = world.client.head().number
    blocks = (world.chain.rpc("eth_getBlockByNumber", hex(n), True) for n in range(first, head + 1))
    return [t for block in blocks for t in block["transactions"] if t["from"] == sender]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_outbox__everything_at_once__each_thing_once_and_nothing_open(
    world: World, seed: int
) -> None:
    """F1, F3, F9, F10 and ATTACKS 36, 37 in any order."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.worker(confirmations=None).run_once()
    world.attest()
    with ChainProxy(world.chain.rpc_url) as proxy:
        story = Story(world, proxy, seed)
        try:
            for number in range(STEPS):
                if number == STEPS // 2:
                    story.world.at_finality(0)
                    story.world.chain.rpc("evm_setAutomine", True)
                    world.pay(RENT)
                story.step()
                story.check()
            story.heal()
            story.check()
        except BaseException:
            print(f"seed {seed}: {story.told}")
            raise

    assert world.posted == 1
    assert world.settled == RENT
    assert len(world.events("StatementPosted")) == 1
    assert {tx.state for tx in tx_rows(world)} <= {TxState.FINAL, TxState.REPLACED, TxState.LOST}
