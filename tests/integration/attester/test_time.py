"""An epoch is signed when it is over by final blocks and by this machine, and never before."""

import pytest

from api.attester.attest import Attester
from api.attester.chain_facts import ChainFacts
from tests.factories import DAY_S, HOUR_S
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def closed(world: World) -> World:
    """One closed epoch; the newest block is at its cut-off."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.at_cut_off(0)
    world.round()
    return world


def _attester(world: World, *, wall_s: int | None, confirmations: int = 0) -> Attester:
    attester = world.attester(0, clock=None if wall_s is None else lambda: wall_s)
    attester._facts = ChainFacts(world.contracts, attester._evidence, confirmations=confirmations)
    return attester


def test_attest__only_the_newest_block_is_past_the_cut_off__waits_for_a_final_one(
    closed: World,
) -> None:
    """ATTACKS 51: one block from the future can be taken back, a signature cannot."""
    wall_s = closed.client.head().time_s
    attester = _attester(closed, wall_s=wall_s, confirmations=3)

    (early,) = attester.run_once()
    closed.chain.rpc("anvil_mine", "0x3")
    (then,) = attester.run_once()

    assert (early.signed, early.found, then.signed) == (False, None, True)
    assert "takes records until" in str(early.reason)


@pytest.mark.parametrize("ahead_s", [-40 * DAY_S, -601, 601, 40 * DAY_S])
def test_attest__clocks_contradict_each_other__signs_nothing_and_refuses_nothing(
    closed: World, ahead_s: int
) -> None:
    """ATTACKS 51: wrong by a jump, to either side; `not yet` is no refusal."""
    head_s = closed.client.head().time_s
    (wrong,) = _attester(closed, wall_s=head_s + ahead_s).run_once()
    (right,) = _attester(closed, wall_s=head_s + 60).run_once()

    assert (wrong.signed, wrong.found, wrong.refusal) == (False, None, None)
    assert "check this machine's time" in str(wrong.reason)
    assert right.signed
