"""The client of the chain before nodes with faults: it says so, asks the next, or asks again."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.chain.client import ChainClient, EthCall, RpcError
from api.chain.providers import ChainBusy, Identity, WrongChain
from api.chain.rpc import BlockMissing
from api.errors import AppError, ChainRejected, ChainUnavailable
from scripts.dev.devchain import DevChain, dev_chain
from tests import chain_faults
from tests.chain_proxy import ANY, ChainProxy, Fault

pytestmark = pytest.mark.chain

BLOCK, LOGS = "eth_getBlockByNumber", "eth_getLogs"
NOBODY = "0x" + "11" * 20
HASH = b"\7" * 32


@pytest.fixture(scope="module")
def chain() -> Iterator[DevChain]:
    """A chain of some blocks, with one transaction."""
    with dev_chain() as found:
        accounts: Any = found.rpc("eth_accounts")
        found.rpc("eth_sendTransaction", {"from": accounts[0], "to": NOBODY, "value": "0x1"})
        found.rpc("anvil_mine", hex(20))
        yield found


@pytest.fixture(scope="module")
def sent(chain: DevChain) -> bytes:
    """Hash of the transaction."""
    block: Any = chain.rpc(BLOCK, "0x1", False)
    return bytes.fromhex(block["transactions"][0][2:])


@pytest.fixture
def two(chain: DevChain) -> Iterator[tuple[ChainProxy, ChainProxy]]:
    """Two providers of one chain."""
    with ChainProxy(chain.rpc_url) as first, ChainProxy(chain.rpc_url) as second:
        yield first, second


def _client(*proxies: ChainProxy, **more: Any) -> ChainClient:
    return ChainClient([proxy.url for proxy in proxies], **{"deadline_s": 3.0, **more})


def _reads(sent: bytes) -> dict[str, Callable[[ChainClient], object]]:
    call = EthCall(NOBODY, b"")
    return {
        "eth_chainId": lambda c: c.chain_id(),
        "head": lambda c: c.head().number,
        "block": lambda c: c.block(5),
        "blocks": lambda c: c.blocks([3, 4]),
        "finalized": lambda c: c.finalized(),
        "call": lambda c: c.call([call], block=7),
        "calls": lambda c: c.call([call, call], block=7),
        "code": lambda c: c.code(NOBODY),
        "codes": lambda c: c.codes([NOBODY], block=7),
        "nonce": lambda c: c.nonce(NOBODY),
        "receipt": lambda c: c.receipt(sent),
        "sent": lambda c: c.sent(sent),
        "logged": lambda c: c.logged([sent]),
        "logs": lambda c: c.logs([NOBODY], 1, 9),
        "logs of a block": lambda c: c.logs_of_block([NOBODY], c.block(3).hash),
        "base fee": lambda c: c.base_fee(),
    }


_NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "0x", "0xzz", "0x01"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=4,
)
FAULTS: dict[str, Fault] = {
    "bad gateway": chain_faults.bad_gateway,
    "html": chain_faults.html,
    "429": chain_faults.too_many("0"),
    "cut": chain_faults.cut,
    "truncated": chain_faults.truncated,
    "rate limited": chain_faults.rate_limited,
    "internal": chain_faults.error(-32603, "Internal error"),
    "another block": chain_faults.changed(
        lambda v: v | {"number": "0x63", "hash": "0x" + "9" * 64} if isinstance(v, dict) else v
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("read", _reads(b""))
def test_read__one_provider_with_a_fault__is_answered_by_the_other(
    two: tuple[ChainProxy, ChainProxy], sent: bytes, read: str, fault: str
) -> None:
    """No fault of one provider is seen by who asks, and no answer about something else."""
    first, second = two
    asked = _reads(sent)[read]
    truth = asked(_client(second))
    first.on(ANY, FAULTS[fault])

    said = asked(_client(first, second))

    # What is asked by tag or hash of a transaction cannot be held to a number.
    if fault != "another block" or read not in {"head", "finalized", "base fee"}:
        assert said == truth


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_read__any_answer_at_all__is_a_value_or_a_named_error(
    chain: DevChain, sent: bytes, data: st.DataObject
) -> None:
    """F11: whatever a node answers is no AttributeError and no TypeError."""
    read = data.draw(st.sampled_from(sorted(_reads(sent))))
    answer = data.draw(_NONSENSE)
    with ChainProxy(chain.rpc_url) as proxy:
        proxy.on(ANY, chain_faults.result(answer))
        try:
            _reads(sent)[read](_client(proxy, deadline_s=0.2))
        except AppError as error:
            assert isinstance(error, (ChainUnavailable, ChainRejected))  # noqa: PT017


@pytest.mark.parametrize("read", ["head", "block", "base fee", "logs", "blocks"])
def test_read__null__is_told_as_such(
    two: tuple[ChainProxy, ChainProxy], sent: bytes, read: str
) -> None:
    """F11."""
    for proxy in two:
        proxy.on(ANY, chain_faults.null)

    with pytest.raises(ChainUnavailable, match=r"no block|no list"):
        _reads(sent)[read](_client(*two))


def test_read__stalled_provider__takes_its_share_of_the_time_alone(
    two: tuple[ChainProxy, ChainProxy],
) -> None:
    first, _second = two
    first.on(ANY, chain_faults.stall)

    client = _client(*two, deadline_s=7.0)

    assert client.head().number == 21
    assert [health.failures for health in client.health()] == [1, 0]


def test_read__all_stall__ends_at_the_deadline_and_opens_no_more_requests(
    two: tuple[ChainProxy, ChainProxy],
) -> None:
    """F17: what was slow once is not asked again and again."""
    for proxy in two:
        proxy.on(ANY, chain_faults.stall)
    client = _client(*two, deadline_s=0.4)

    for _ in range(20):
        with pytest.raises(ChainUnavailable):
            client.head()

    assert sum(proxy.requests for proxy in two) < 15
    assert {health.state for health in client.health()} == {"resting"}


@pytest.mark.parametrize("fault", [chain_faults.rate_limited, chain_faults.too_many("30")])
def test_read__rate_limited__leaves_the_provider_alone(
    two: tuple[ChainProxy, ChainProxy], fault: Fault
) -> None:
    """-32005 of a rate is no range that was too long: nothing is halved, nothing hammered."""
    first, second = two
    first.on(ANY, fault)
    client = _client(*two)

    for _ in range(5):
        assert client.logs([NOBODY], 1, 20) == []

    assert first.requests == 1
    assert second.requests == 5
    assert client.health()[0].rate_limited == 1


def test_logs__infura_s_words_for_a_range__are_halved(two: tuple[ChainProxy, ChainProxy]) -> None:
    """-32005 is for both: the words say which."""
    proxy, _ = two
    words = "query returned more than 10000 results. Try with this block range [0x1, 0x5]"
    proxy.on(LOGS, chain_faults.error(-32005, words), times=1)

    assert _client(proxy).logs([NOBODY], 1, 20) == []
    assert proxy.count(LOGS) == 3


def test_read__unbelievable_logs__are_refused_by_name(two: tuple[ChainProxy, ChainProxy]) -> None:
    proxy, _ = two
    log = {
        "address": NOBODY,
        "topics": ["0x" + "5" * 64],
        "data": "0x",
        "blockNumber": "0x5",
        "logIndex": "0x0",
        "transactionHash": "0x" + "6" * 64,
    }
    cases = {
        "twice": [log, log],
        "another contract": [log | {"address": "0x" + "2" * 40}],
        "removed": [log | {"removed": True}],
        "no block of the range": [log | {"blockNumber": "0x63"}],
    }
    for words, answer in cases.items():
        with (
            proxy.during(LOGS, chain_faults.result(answer)),
            pytest.raises(ChainUnavailable, match=words),
        ):
            _client(proxy).logs([NOBODY], 1, 20)


def test_calls__at_a_block_that_was_given_out__stay_with_it_and_its_provider(
    two: tuple[ChainProxy, ChainProxy],
) -> None:
    """EIP-1898: what belongs together is of one chain, by hash."""
    first, second = two
    client = _client(*two)
    first.on(BLOCK, chain_faults.cut, times=1)
    head = client.head()
    first.forget()

    client.call([EthCall(NOBODY, b"")], block=head.number)

    assert first.asked == []
    method, params = second.asked[-1]
    assert (method, params[1]["blockHash"]) == ("eth_call", "0x" + head.hash.hex())


def test_calls__at_a_block_that_a_reorg_took_away__say_so_once() -> None:
    with dev_chain() as chain:
        chain.rpc("anvil_mine", hex(5))
        client = ChainClient(chain.rpc_url)
        number = client.head().number
        chain.rpc("anvil_reorg", 2, [])

        with pytest.raises(BlockMissing):
            client.call([EthCall(NOBODY, b"")], block=number)
        assert client.call([EthCall(NOBODY, b"")], block=number) == [b""]


def test_calls__node_without_blocks_by_hash__are_by_number(
    two: tuple[ChainProxy, ChainProxy],
) -> None:
    proxy, _ = two
    refuses = chain_faults.error(-32602, "invalid argument 1: cannot unmarshal object")
    proxy.on("eth_call", refuses, when=lambda ask: isinstance(ask.params[1], dict))
    client = _client(proxy)
    number = client.head().number

    for _ in range(3):
        assert client.call([EthCall(NOBODY, b"")], block=number) == [b""]

    assert proxy.count("eth_call") == 4


# --- whom to believe -----------------------------------------------------------------------------


def test_provider__of_another_chain__is_refused_at_each_connection(
    two: tuple[ChainProxy, ChainProxy], chain: DevChain
) -> None:
    """F7: behind one of two URLs, and behind the only one."""
    first, second = two
    block: Any = chain.rpc(BLOCK, "0x2", False)
    right = Identity(31_337, (2, bytes.fromhex(block["hash"][2:])))
    client = _client(first, second, expected=lambda: right)
    client.head()
    with dev_chain(timestamp_s=1_000_000_000) as other:
        other.rpc("anvil_mine", hex(30))
        first.on(ANY, chain_faults.cut, times=1)
        client.head()
        first.target = other.rpc_url

        assert client.head().number == 21
        assert "has another chain: its block 2" in str(client.health()[0].last_error)
        with pytest.raises(WrongChain, match="its block 2"):
            _client(first, expected=lambda: right).head()
        with pytest.raises(WrongChain, match="is chain 31337, not 5"):
            _client(second, expected=lambda: Identity(5)).head()
        with pytest.raises(WrongChain):
            _client(first, expected=lambda: right).send_raw(b"\1")
    assert not any(method == "eth_sendRawTransaction" for method, _ in first.asked)


# --- sends ----------------------------------------------------------------


def test_send__to_all_providers__once_each(two: tuple[ChainProxy, ChainProxy]) -> None:
    first, second = two
    first.on("eth_sendRawTransaction", chain_faults.cut)
    second.on("eth_sendRawTransaction", chain_faults.result("0x" + "1" * 64))

    _client(*two).send_raw(b"\1")

    assert [proxy.count("eth_sendRawTransaction") for proxy in two] == [1, 1]


def test_send__stalled_provider__holds_nobody_up(two: tuple[ChainProxy, ChainProxy]) -> None:
    first, second = two
    first.on("eth_sendRawTransaction", chain_faults.stall)
    second.on("eth_sendRawTransaction", chain_faults.error(-32000, "already known"))

    begun = time.monotonic()
    _client(*two).send_raw(b"\1")

    assert time.monotonic() - begun < 9


def test_send__refused_or_lost__is_told_and_never_repeated(
    two: tuple[ChainProxy, ChainProxy],
) -> None:
    first, second = two
    first.on("eth_sendRawTransaction", chain_faults.lost)
    with pytest.raises(ChainUnavailable):
        _client(first).send_raw(b"\1")
    second.on("eth_sendRawTransaction", chain_faults.error(-32000, "nonce too low"))
    with pytest.raises(RpcError, match="nonce too low"):
        _client(*two).send_raw(b"\1")

    assert [proxy.count("eth_sendRawTransaction") for proxy in two] == [2, 1]


# --- many at once ---------------------------------------------------------


def test_reads__more_than_may_wait__fail_at_once_and_named(
    two: tuple[ChainProxy, ChainProxy],
) -> None:
    """F17: threads that wait for a node are few, whatever the public asks for."""
    proxy, _ = two
    proxy.on(ANY, chain_faults.stall)
    client = _client(proxy, deadline_s=20.0, at_once=2)
    failures: list[Exception] = []

    def ask() -> None:
        try:
            client.head()
        except ChainUnavailable as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(5)]
    for thread in threads:
        thread.start()
    while len(failures) < 3:
        time.sleep(0.01)
    busy = list(failures)
    proxy.clear()
    for thread in threads:
        thread.join()

    assert [type(error) for error in busy] == [ChainBusy] * 3
    assert len(failures) == 3


def test_reads__told_to_stop__give_up(two: tuple[ChainProxy, ChainProxy]) -> None:
    stop = threading.Event()
    stop.set()

    with pytest.raises(ChainUnavailable):
        _client(*two, stop=stop).head()

    assert two[0].requests == 0
