"""Nodes that leave out, repeat or invent: the index ends as the chain is, or says what is wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from api.chain.client import ChainClient
from api.db import chain_store, index_store
from api.db.session import reading, transaction
from api.db.tables.chain import chain_events
from api.epochs.index import Indexer
from api.epochs.index_checks import Checks
from api.epochs.index_reading import BlockLogs
from api.errors import AppError, IndexHalted
from scripts.dev.devchain import dev_chain
from tests import chain_faults
from tests.chain_proxy import ANY, ChainProxy, Fault
from tests.world import World

pytestmark = pytest.mark.chain

LOGS, RECEIPTS = "eth_getLogs", "eth_getBlockReceipts"
UNKNOWN_METHOD = chain_faults.error(-32601, "the method does not exist")


@pytest.fixture
def proxy(world: World) -> Iterator[ChainProxy]:
    """The world's node, behind a proxy."""
    with ChainProxy(world.chain.rpc_url) as found:
        yield found


def _through(world: World, *proxies: ChainProxy, **more: Any) -> Indexer:
    client = ChainClient([proxy.url for proxy in proxies], deadline_s=5.0)
    return world.indexer(client, **more)


def _rows(world: World) -> list[Any]:
    with reading(world.engine) as connection:
        order = (chain_events.c.block_number, chain_events.c.log_index)
        return list(connection.execute(select(chain_events).order_by(*order)))


def _state(world: World) -> index_store.IndexState:
    with reading(world.engine) as connection:
        state = index_store.index_state_row(connection)
    assert state is not None
    return state


def _truth(world: World) -> list[Any]:
    world.indexer().rebuild()
    return _rows(world)


def _to_the_head(indexer: Indexer) -> None:
    """Rounds of a healthy node: at most a few, for answers before may have made it cautious."""
    indexer._rest.answered()
    assert indexer.advance().behind == 0


# --- logs that are left out -----------------------------------------------------------------------


@pytest.mark.parametrize("fault", [chain_faults.empty, chain_faults.short_logs])
@pytest.mark.parametrize("receipts", [True, False])
def test_near__logs_left_out__are_taken_from_receipts(
    world: World, proxy: ChainProxy, fault: Fault, receipts: bool
) -> None:
    """F6: the header says that there is a log; by whichever method the node gives receipts."""
    indexer = _through(world, proxy, confirmations=5)
    indexer.advance()
    world.pay(700_000)
    if not receipts:
        proxy.on(RECEIPTS, UNKNOWN_METHOD)
    proxy.on(LOGS, fault)

    indexer.advance()

    assert [e.amount for e in world.events("RentPaid")] == [700_000]
    assert _rows(world) == _truth(world)


@pytest.mark.parametrize("providers", [1, 2])
def test_range__log_left_out__is_found_by_the_second_look(
    world: World, proxy: ChainProxy, providers: int, caplog: pytest.LogCaptureFixture
) -> None:
    """F6: by headers where there is one provider, by the other's logs where there are two."""
    world.pay(700_000)
    for amount in (1, 2, 3):
        world.pay(amount)
    paid = world.client.head().number - 3
    fault = chain_faults.changed(
        lambda logs: [log for log in logs if int(log["blockNumber"], 16) != paid]
    )
    proxy.on(LOGS, fault)
    with ChainProxy(world.chain.rpc_url) as second:
        indexer = _through(world, *(proxy, second)[:providers])
        indexer.advance()
        indexer.look_again()

    assert len(world.events("RentPaid")) == 4
    assert _state(world).looked_number == _state(world).final_number
    assert f"had left out 1 logs of blocks [{paid}]" in caplog.text
    assert _rows(world) == _truth(world)


def test_range__log_left_out_and_headers_without_filter__is_missed_by_the_count(
    world: World, proxy: ChainProxy
) -> None:
    """F6: what no node shows, the contracts' own sums do; it is said everywhere."""
    world.pay(700_000)
    world.pay(1)
    world.pay(2)
    paid = world.client.head().number - 2
    fault = chain_faults.changed(
        lambda logs: [log for log in logs if int(log["blockNumber"], 16) != paid]
    )
    proxy.on(LOGS, fault)
    full = chain_faults.with_fields(logsBloom="0x" + "ff" * 256)
    proxy.on("eth_getBlockByNumber", full)
    indexer = _through(world, proxy)

    indexer.advance()
    indexer.look_again()
    indexer.advance()

    words = "rent collected, micros is 700003 at block"
    said = world.http.get("/v1/status").json()["index"]
    assert (said["state"], words in said["reason"]) == ("incomplete", True)
    proxy.clear()
    _through(world, proxy).rebuild()
    assert world.http.get("/v1/status").json()["index"]["state"] == "following"


def test_count__row_that_differs__is_told_with_facility_and_figures(world: World) -> None:
    world.indexer().advance()
    world.pay(5)
    world.indexer().advance()
    indexer = world.indexer()
    indexer.look_again()
    assert _state(world).miscounted is None
    with transaction(world.engine) as connection:
        paid = update(chain_events).where(chain_events.c.event == "RentPaid")
        connection.execute(paid.values(amount=4))

    indexer.look_again()
    indexer.advance()

    assert "facility 1: rent collected, micros is 5" in str(_state(world).reason)


# --- answers that cannot be true ------------------------------------------------------------------

UNBELIEVABLE: dict[str, tuple[str, Fault]] = {
    "comes twice": (LOGS, chain_faults.duplicate_logs),
    "of another contract": (LOGS, chain_faults.foreign_logs),
    "removed log": (LOGS, chain_faults.removed_logs),
    "of another block": (LOGS, chain_faults.logs_of_another_block),
    "no list": (LOGS, chain_faults.null),
    "no block": ("eth_getBlockByNumber", chain_faults.null),
    "about another number": ("eth_getBlockByNumber", chain_faults.with_fields(number="0x1")),
}


@pytest.mark.parametrize("words", UNBELIEVABLE)
@pytest.mark.parametrize("confirmations", [0, 5])
def test_answers__that_cannot_be_true__are_named_and_asked_for_less_and_less(
    world: World, proxy: ChainProxy, words: str, confirmations: int
) -> None:
    """F11, F16: nothing is stored, the state says what, the node is not hammered."""
    indexer = _through(world, proxy, confirmations=confirmations)
    indexer.advance()
    before = _rows(world)
    world.pay(9)
    method, fault = UNBELIEVABLE[words]
    proxy.on(method, fault, when=lambda ask: ask.params[0] != "latest")
    proxy.forget()

    for _ in range(40):
        try:
            indexer.advance()
        except AppError as error:
            assert not isinstance(error, IndexHalted)  # noqa: PT017

    state = _state(world)
    assert state.state == "waiting"
    assert words in str(state.reason)
    assert proxy.count(method) < 60
    assert _rows(world) == before
    proxy.clear()
    _to_the_head(_through(world, proxy, confirmations=confirmations))
    assert _rows(world) == _truth(world)


# --- another chain --------------------------------------------------------------------------------


def test_index__another_chain_behind_the_url__halts_until_the_right_one_is_back(
    world: World, proxy: ChainProxy
) -> None:
    """F7: the same chain id, other blocks; while it runs, and for a process that starts there."""
    indexer = _through(world, proxy)
    world.pay(1)
    indexer.advance()
    before, head = _rows(world), world.client.head().number
    with dev_chain(timestamp_s=1_000_000_000) as other:
        other.rpc("anvil_mine", hex(head + 20))
        proxy.target = other.rpc_url
        for each in (indexer, _through(world, proxy)):
            with pytest.raises(IndexHalted, match=r"another chain.*RENTROLL_RPC_URL"):
                each.advance()
        assert _state(world).state == "halted"
        proxy.target = world.chain.rpc_url
    world.pay(2)
    indexer.advance()

    assert _state(world).state == "following"
    assert _rows(world)[: len(before)] == before
    assert [e.amount for e in world.events("RentPaid")] == [1, 2]


def test_index__chain_that_begins_anew__is_told_and_nothing_is_undone(
    world: World, proxy: ChainProxy
) -> None:
    """A node without blocks: it may be syncing, and may be of another chain."""
    indexer = _through(world, proxy)
    indexer.advance()
    before = _rows(world)
    with dev_chain() as other:
        proxy.target = other.rpc_url

        assert indexer.advance().added == 0

        assert _state(world).state == "waiting"
        assert "it lags" in str(_state(world).reason)
    assert _rows(world) == before


# --- any faults at all ----------------------------------------------------------------------------

PASSING: dict[str, Callable[[ChainProxy], None]] = {
    "bad gateway": lambda p: p.on(ANY, chain_faults.bad_gateway, times=2),
    "limited": lambda p: p.on(ANY, chain_faults.rate_limited, times=1),
    "cut": lambda p: p.on(ANY, chain_faults.cut, times=3),
    "half": lambda p: p.on(ANY, chain_faults.truncated, times=2),
    "null": lambda p: p.on(ANY, chain_faults.null, times=2),
    "empty": lambda p: p.on(LOGS, chain_faults.empty, times=1),
    "short": lambda p: p.on(LOGS, chain_faults.short_logs, times=2),
    "twice": lambda p: p.on(LOGS, chain_faults.duplicate_logs, times=2),
    "behind": lambda p: p.on(ANY, chain_faults.behind(2), times=4),
    "logs behind": lambda p: p.on(LOGS, chain_faults.behind(1), times=2),
    "cap": lambda p: p.on(LOGS, chain_faults.range_cap(3), times=5),
}


def _play(world: World, proxy: ChainProxy, steps: list[str]) -> None:
    """Payments, reorgs and faults in some order; then a healthy node."""
    with transaction(world.engine) as connection:
        index_store.forget(connection)
    # So that no reorg reaches what the facility is made of.
    world.chain.rpc("anvil_mine", hex(4))
    indexer = _through(world, proxy, confirmations=4)
    for step in steps:
        if step == "pay":
            world.pay(3)
        elif step == "reorg":
            world.chain.rpc("anvil_reorg", 2, [])
        else:
            PASSING[step](proxy)
        try:
            indexer.advance()
        except IndexHalted:
            raise
        except AppError:
            pass
    proxy.clear()
    world.chain.rpc("anvil_mine", hex(5))
    fresh = _through(world, proxy, confirmations=4)
    _to_the_head(fresh)
    fresh.look_again()


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(st.sampled_from(["pay", "pay", "reorg", *PASSING]), min_size=2, max_size=9))
def test_index__any_faults_payments_and_reorgs__ends_as_the_chain_is(
    world: World, steps: list[str]
) -> None:
    with ChainProxy(world.chain.rpc_url) as proxy:
        _play(world, proxy, steps)
        followed, state = _rows(world), _state(world)

    assert state.miscounted is None
    assert followed == _truth(world)


def test_index__without_the_header_s_word__loses_a_log(
    world: World, proxy: ChainProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: an index that believes a node's logs as they come is wrong for ever."""
    monkeypatch.setattr(BlockLogs, "claims_more", lambda *_: False)
    monkeypatch.setattr(Checks, "_look", lambda *_: None)
    with pytest.raises(AssertionError):
        _compare(world, proxy, ["pay", "empty", "pay"])


def test_index__without_comparing_hashes__keeps_what_a_reorg_took(
    world: World, proxy: ChainProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: an index that compares no hashes is wrong after a reorg."""
    monkeypatch.setattr(Indexer, "_stands", lambda *_: True)
    monkeypatch.setattr(chain_store, "block_at", lambda *_: None)
    monkeypatch.setattr(Checks, "_look", lambda *_: None)
    with pytest.raises(AssertionError):
        _compare(world, proxy, ["pay", "reorg", "pay"])


def _compare(world: World, proxy: ChainProxy, steps: list[str]) -> None:
    _play(world, proxy, steps)
    assert _rows(world) == _truth(world)
