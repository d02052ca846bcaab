"""A process that asked a node, and forks: parent and child go on asking."""

import multiprocessing
from typing import Any

import pytest

from api.chain.client import ChainClient
from tests.world import World


def _ask(client: ChainClient, told: Any) -> None:
    told.send(client.head().number)


@pytest.mark.chain
def test_client__in_a_child_of_a_fork__asks_by_a_thread_of_its_own(world: World) -> None:
    before = world.client.head().number
    here, there = multiprocessing.Pipe()
    child = multiprocessing.get_context("fork").Process(target=_ask, args=(world.client, there))

    child.start()
    answered = here.poll(60)
    child.join(60)

    assert answered
    assert here.recv() == before == world.client.head().number
    assert child.exitcode == 0
