"""Workers that are killed, cut off or doubled: no statement missing or double, settled once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from api.chain.client import ChainClient
from api.db import chain_store
from api.db import outbox as outbox_rows
from api.db import statements as statement_store
from api.epochs import post
from api.evidence_store import EvidenceFolder
from tests import chain_faults
from tests.chain_proxy import ChainProxy
from tests.factories import DAY_S, HOUR_S
from tests.world import World

pytestmark = pytest.mark.chain

GROSS = 2_000_000
RENT = 1_500_000


def _meter(world: World) -> None:
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)


def _to_finality(world: World) -> None:
    world.at_finality(0)
    world.pay(RENT)


def _assert_whole(world: World) -> None:
    """On-chain once, settled once, and every number explained."""
    world.indexer().rebuild()
    assert [e.epoch for e in world.events("StatementPosted")] == [0]
    assert [e.amount for e in world.events("Settled")] == [RENT]
    found, report = world.reconcile(), world.verify()
    assert found.balanced
    assert (found.attested_micros, found.settled_micros) == (GROSS, RENT)
    assert report.ok, report.findings


def _crash(*_args: Any, **_more: Any) -> None:
    raise KeyboardInterrupt


STEPS: dict[str, tuple[Any, str]] = {
    "closing, evidence written": (statement_store, "insert_statement"),
    "publishing": (post, "publish_signatures"),
    "publishing, in mid-write": (EvidenceFolder, "replace"),
    "due, not stored": (outbox_rows, "add_intent"),
    "signed, not stored": (outbox_rows, "save_signed"),
    "stored, not sent": (ChainClient, "send_raw"),
    "sent, not recorded": (outbox_rows, "change_tx"),
    "mined, outcome not recorded": (outbox_rows, "restated"),
    "indexing": (chain_store, "append_range"),
}


@pytest.mark.parametrize("step", STEPS)
def test_worker__killed_at_a_step__next_worker_finishes(
    world: World, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """ATTACKS 37: killed in every round at this step, then a new worker each time."""
    target, name = STEPS[step]
    killed = 0

    def round_with_crash() -> None:
        nonlocal killed
        with monkeypatch.context() as patch:
            patch.setattr(target, name, _crash)
            try:
                world.worker().run_once()
            except KeyboardInterrupt:
                killed += 1
        world.round()

    _meter(world)
    round_with_crash()
    world.attest()
    round_with_crash()
    _to_finality(world)
    round_with_crash()

    assert killed > 0
    _assert_whole(world)


def test_worker__reply_to_a_send_is_lost__next_round_finds_it_done(world: World) -> None:
    """ATTACKS 36."""
    _meter(world)
    world.round()
    world.attest()
    with ChainProxy(world.chain.rpc_url) as proxy:
        cut_off = world.worker(ChainClient(proxy.url))
        proxy.on("eth_sendRawTransaction", chain_faults.lost)

        assert cut_off.run_once().failed is False
        world.round()
        _to_finality(world)
        assert cut_off.run_once().failed is False
        world.round()

    _assert_whole(world)


def _together(count: int, work: Callable[[], object]) -> None:
    """Run the same work in threads that start at once; the first failure is raised."""
    barrier, failures = threading.Barrier(count), []

    def run() -> None:
        barrier.wait()
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.both_databases
def test_worker__two_at_once_with_one_key__post_and_settle_once(world: World) -> None:
    """ATTACKS 37, on both databases."""

    def rounds() -> None:
        with ChainClient(world.chain.rpc_url) as client:
            worker = world.worker(client)
            for _ in range(2):
                worker.run_once()

    _meter(world)
    _together(2, rounds)
    world.attest()
    _together(2, rounds)
    assert world.posted == 1
    _to_finality(world)
    _together(2, rounds)

    assert world.settled == RENT
    _assert_whole(world)


def test_worker__reorg_takes_back_post_and_settlement__does_both_again(world: World) -> None:
    """ATTACKS 36: receipts that disappear. Their nonces are handed out again."""

    def round_() -> None:
        done = world.worker(confirmations=100).run_once()
        assert [o.error for o in done.outcomes if o.error] == []

    _meter(world)
    round_()
    world.attest()
    round_()
    _to_finality(world)
    round_()
    depth = world.client.head().number - world.events("StatementPosted")[0].block_number + 1

    world.chain.rpc("anvil_reorg", depth, [])
    assert (world.posted, world.settled) == (0, 0)
    world.at_finality(0)
    round_()
    world.at(DAY_S + 4 * HOUR_S)
    world.pay(RENT)
    round_()

    _assert_whole(world)
