"""What is final: by the node's own word, by depth where it has none, and never above the head."""

from collections.abc import Iterator

import pytest

from api.chain.client import ChainClient
from api.chain.finality import DEPTH, ends_of
from scripts.dev.devchain import DevChain, dev_chain
from tests import chain_faults
from tests.chain_proxy import Ask, ChainProxy, Fault

pytestmark = pytest.mark.chain

BLOCK = "eth_getBlockByNumber"


@pytest.fixture(scope="module")
def chain() -> Iterator[DevChain]:
    """A chain of a hundred blocks."""
    with dev_chain() as found:
        found.rpc("anvil_mine", hex(100))
        yield found


@pytest.fixture
def proxy(chain: DevChain) -> Iterator[ChainProxy]:
    """Its node, behind a proxy."""
    with ChainProxy(chain.rpc_url) as found:
        yield found


def _finalized(ask: Ask) -> bool:
    return bool(ask.params[0] == "finalized")


def _ends(proxy: ChainProxy, confirmations: int | None) -> tuple[int, int]:
    with ChainClient(proxy.url) as client:
        ends = ends_of(client, confirmations)
    assert ends.is_final(ends.final.number)
    assert not ends.is_final(ends.final.number + 1)
    return ends.head.number, ends.final.number


def test_ends__node_with_the_tag__are_what_it_says(proxy: ChainProxy) -> None:
    said = int(proxy.node(BLOCK, "finalized", False)["number"], 16)

    assert said not in {100, 100 - DEPTH}
    assert _ends(proxy, None) == (100, said)


@pytest.mark.parametrize(
    "fault", [chain_faults.null, chain_faults.error(-32602, "invalid block tag")]
)
def test_ends__node_without_the_tag__are_by_depth(proxy: ChainProxy, fault: Fault) -> None:
    proxy.on(BLOCK, fault, when=_finalized)

    assert _ends(proxy, None) == (100, 100 - DEPTH)


@pytest.mark.parametrize(("asked", "final"), [(0, 100), (3, 97), (100, 0), (101, 0)])
def test_ends__depth_by_setting__is_taken_whatever_the_node_says(
    proxy: ChainProxy, asked: int, final: int
) -> None:
    assert _ends(proxy, asked) == (100, final)


def test_ends__head_lower_than_what_is_finalized__is_the_most(proxy: ChainProxy) -> None:
    ahead = chain_faults.with_fields(number=hex(101))
    proxy.on(BLOCK, ahead, when=_finalized)

    assert _ends(proxy, None) == (100, 100)
