"""Many view functions in one `eth_call`, on a real chain."""

import pytest

from api.chain.answers import to_bytes
from api.chain.client import ChainClient, EthCall, RpcError
from api.chain.contracts import Contracts
from api.chain.packed import packed
from api.domain.units import FacilityId
from tests.chain_faults import error
from tests.chain_proxy import ChainProxy
from tests.world import World

pytestmark = pytest.mark.chain


def _many(contracts: Contracts, count: int):
    registry, facilities = contracts.statement_registry, contracts.facility_registry
    return contracts.all_of(
        [
            contracts.together(
                registry.epochs_posted(FacilityId(number)),
                facilities.epoch_terms_of(FacilityId(number)),
                registry.is_closing_posted(FacilityId(number)),
            )
            for number in range(1, count + 1)
        ]
    )


def test_packed__two_hundred_functions__answers_as_one_by_one_in_three_requests(
    world: World,
) -> None:
    block = world.client.head().number
    with ChainProxy(world.chain.rpc_url) as proxy, ChainClient(proxy.url) as client:
        call = _many(Contracts(client, world.deployment), 70)
        answers = packed(call, block=block)
        requests = proxy.count("eth_call")

    assert answers == _many(world.contracts, 70).at(block=block)
    assert answers[world.facility_id - 1 if world.facility_id <= 70 else 0] is not None
    assert requests == 3


def test_packed__one_of_them_reverts__is_named_by_its_own_error(world: World) -> None:
    unknown = world.contracts.facility_registry.terms_of(FacilityId(99))
    known = world.contracts.facility_registry.terms_of(world.facility_id)
    both = world.contracts.all_of([known, unknown])

    with pytest.raises(RpcError) as raised:
        packed(both, block=world.client.head().number)

    assert raised.value.context["data"]


def test_packed__node_that_takes_no_such_call__is_asked_one_by_one(world: World) -> None:
    block = world.client.head().number
    with ChainProxy(world.chain.rpc_url) as proxy, ChainClient(proxy.url) as client:
        refuses = error(-32602, "missing field `to`")
        proxy.on("eth_call", refuses, when=lambda ask: "to" not in ask.params[0])
        call = _many(Contracts(client, world.deployment), 5)

        assert packed(call, block=block) == _many(world.contracts, 5).at(block=block)


@pytest.mark.parametrize("length", [0, 1, 31, 32, 33, 4_000])
def test_packed__answers_of_any_length__come_whole(world: World, length: int) -> None:
    """Code that gives back what it is asked: an answer's bytes are its own, whatever they say."""
    echo = "0x000000000000000000000000000000000000ec40"
    # calldatacopy(0, 0, calldatasize); return(0, calldatasize)
    world.chain.rpc("anvil_setCode", echo, "0x363d3d37363df3")
    calls = [EthCall(echo, bytes([number]) * length) for number in range(5)]
    block = world.client.head().number

    call = world.contracts.facility_registry.state_of(world.facility_id)
    echoed = type(call)(world.client, tuple(calls), list)

    assert packed(echoed, block=block) == [each.data for each in calls]
    assert to_bytes("eth_call", "0x") == b""
