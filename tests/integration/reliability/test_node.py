"""The node stops answering, refuses the question, or contradicts itself; and how it is asked."""

import statistics
import time
from pathlib import Path
from typing import Any

import pytest

from tests import chain_faults
from tests.chain_proxy import ANY, Ask, ChainProxy, Fault, Forward, Reply
from tests.integration.reliability.following import (
    PATIENCE_S,
    Following,
    assert_true,
    events_of,
    following,
    is_at_head,
    logs_of,
    mine,
    newest,
    pay_many,
)
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]

QUICK = {"RENTROLL_POLL_S": "0.1"}
LOGS = "eth_getLogs"
# Each fault lasts so long, and a healthy node is watched for so long before.
WINDOW_S = 8.0
FAULTS: dict[str, Fault] = {
    "errors of JSON-RPC": chain_faults.error(-32603, "internal error"),
    "too many requests": chain_faults.too_many(),
    "bad gateway": chain_faults.bad_gateway,
    "no answer at all": chain_faults.stall,
}


def _at_head(world: World, index: Following) -> None:
    index.until(lambda: is_at_head(world, world.engine))


def _asked_in(proxy: ChainProxy, seconds: float) -> int:
    """Requests in some time."""
    proxy.forget()
    time.sleep(seconds)
    return proxy.requests


def test_node__fails_in_four_ways_in_turn__is_asked_less_and_nothing_is_lost(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """With the pause between rounds that it has by default: so its healthy rate is its own."""
    with following(world, proxy.url, tmp_path) as index:
        _at_head(world, index)
        healthy = _asked_in(proxy, WINDOW_S)
        assert healthy > 0
        for fault in FAULTS.values():
            proxy.on(ANY, fault)
            world.pay(100)
            failing = _asked_in(proxy, WINDOW_S)
            assert index.alive
            assert failing < 20 * healthy
            assert not is_at_head(world, world.engine)
            proxy.clear()
            # It rests half a minute at most, and a request takes 12 s to be given up.
            took_s = index.until(lambda: is_at_head(world, world.engine))
            assert took_s < 60

        assert_true(world, world.engine)
        assert index.starts == 1


def test_node__fails_right_after_the_events_are_stored__ends_nothing(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Where the contracts are is published then, which asks the node: that ended the process."""

    def first_blocks(ask: Ask) -> bool:
        query = ask.params[0]
        return "toBlock" in query and int(query["toBlock"], 16) - int(query["fromBlock"], 16) == 15

    world.pay(5)
    proxy.on(LOGS, chain_faults.bad_gateway, times=12, when=first_blocks)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        index.until(lambda: sum(proxy.faults.values()) == 12)
        index.until((world.evidence.root / "deployment.json").exists)

        assert index.starts == 1
        _at_head(world, index)
        assert_true(world, world.engine)


def _results_cap(logs: int) -> Fault:
    """eth_getLogs: refuses answers of more logs, in the words of common providers."""

    def capped(ask: Ask, forward: Forward) -> Reply:
        reply = forward(ask)
        if len(reply.get("result") or []) > logs:
            message = f"query returned more than {logs} results"
            return {"error": {"code": -32005, "message": message}}
        return reply

    return capped


def _widths(proxy: ChainProxy) -> list[int]:
    """Blocks of each query of logs by range, in turn."""
    queries = [q[0] for method, q in list(proxy.asked) if method == LOGS and "fromBlock" in q[0]]
    return [int(q["toBlock"], 16) - int(q["fromBlock"], 16) + 1 for q in queries]


def test_range__that_a_node_refuses__is_narrowed_without_being_told(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """A ceiling of a thousand blocks."""
    world.pay(5)
    mine(world, 3_500)
    world.pay(6)
    proxy.on(LOGS, chain_faults.range_cap(1_000))
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)
        widths = _widths(proxy)

    assert max(widths) > 1_000
    assert max(width for width in widths if width <= 1_000) > 500
    assert_true(world, world.engine)


def test_answer__of_too_many_logs__is_narrowed_then_widened_again(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """A ceiling of thirty logs: dense blocks first, then a long stretch with next to nothing."""
    pay_many(world, 160, together=8)
    mine(world, 2_000)
    proxy.on(LOGS, _results_cap(30))
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)
        widths = _widths(proxy)

    narrowest = widths.index(min(widths))
    assert min(widths) <= 4
    assert max(widths[narrowest:]) > 10 * min(widths)
    assert_true(world, world.engine)


def test_head__that_goes_back_for_a_while__undoes_nothing(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        pay_many(world, 8)
        _at_head(world, index)
        before, place = events_of(world.engine), newest(world.engine)

        with proxy.during(ANY, chain_faults.behind(5)):
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                assert (events_of(world.engine), newest(world.engine)) == (before, place)
                time.sleep(0.1)
        world.pay(9)
        _at_head(world, index)

        assert index.alive
        assert "a reorg took" not in index.log.read_text()
        assert_true(world, world.engine)


TWICE: dict[str, Fault] = {"in one answer": chain_faults.changed(lambda logs: logs + logs)}


@pytest.mark.parametrize("how", [*TWICE, "in the next answer"])
def test_logs__that_come_a_second_time__are_stored_once(
    world: World, proxy: ChainProxy, tmp_path: Path, how: str
) -> None:
    pay_many(world, 6)
    fault = TWICE.get(how) or _with_those_before()
    proxy.on(LOGS, fault, times=12)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        world.pay(70)
        index.until(lambda: sum(proxy.faults.values()) >= 12)
        _at_head(world, index)

    assert len(logs_of(world.engine)) == len({row[:2] for row in logs_of(world.engine)})
    assert_true(world, world.engine)


def _with_those_before() -> Fault:
    """eth_getLogs: the logs of the answer before, once more."""
    before = list[Any]()

    def again(ask: Ask, forward: Forward) -> Reply:
        logs: list[Any] = forward(ask)["result"]
        answer = before + logs
        before[:] = logs
        return {"result": answer}

    return again


def test_hash__that_is_gone_when_its_logs_are_asked_for__is_a_reorg(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """The chain is rewritten under the request: the node has the block no more."""
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        _at_head(world, index)

        def rewritten(ask: Ask, forward: Forward) -> Reply:
            world.chain.rpc("anvil_reorg", 2, [])
            return forward(ask)

        proxy.on(LOGS, rewritten, times=2, when=lambda ask: "blockHash" in ask.params[0])
        pay_many(world, 8)
        index.until(lambda: proxy.faults["rewritten"] == 2)
        world.chain.rpc("anvil_mine", hex(2))
        _at_head(world, index)

        assert_true(world, world.engine)


# --- from block to row ---------------------------------------------------------------------------

BLOCK_S = 2.0
BLOCKS, BLOCKS_AFTER = 20, 6


def test_head__a_block_every_two_seconds__has_its_row_within_one_block_time(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """As it is by default, `RENTROLL_POLL_S` and all; then across a reorg."""
    with following(world, proxy.url, tmp_path) as index:
        _at_head(world, index)
        waits = _published(world, BLOCKS)
        world.chain.rpc("anvil_reorg", 3, [])
        reconciled_s = index.until(lambda: is_at_head(world, world.engine))
        after = _published(world, BLOCKS_AFTER)
        _at_head(world, index)

        median_s = statistics.median(waits)
        print(f"median {median_s:.2f} s, most {max(waits):.2f} s, after {max(after):.2f} s")
        assert median_s < BLOCK_S
        # Also that it is never five blocks behind.
        assert max(waits) < 5 * BLOCK_S
        assert reconciled_s < 30
        assert statistics.median(after) < max(BLOCK_S, 2 * median_s)
        assert_true(world, world.engine)


def _published(world: World, count: int) -> list[float]:
    """Seconds from each block to its row; the next one comes at its time, whatever is read."""
    published, waits = dict[int, float](), dict[int, float]()
    due = time.monotonic()
    while len(waits) < count:
        now = time.monotonic()
        if len(published) < count and now >= due:
            world.pay(len(published) + 1)
            due, published[world.client.head().number] = due + BLOCK_S, time.monotonic()
        place = newest(world.engine)
        for number, at in published.items():
            if number <= place:
                waits.setdefault(number, time.monotonic() - at)
        assert now < due + PATIENCE_S
        time.sleep(0.05)
    return list(waits.values())
