"""A pause ends by itself, its pauser rests, and the resumer alone lifts it: no pause is a lever."""

import brownie
import pytest

from scripts.roles import ADMIN, GOVERNANCE, PAUSER, RESUMER
from tests.contracts.test_state_machine import pausable
from tests.contracts.twin import PAUSE_S, PAUSER_RESTS_S


@pytest.fixture
def staffed(world):
    """A funded facility: cleo and accounts[6] pause, accounts[7] resumes, accounts[8] governs."""
    as_owner, accounts = {"from": world.accounts[0]}, world.accounts
    given = ((PAUSER, world.cleo), (PAUSER, accounts[6]), (RESUMER, accounts[7]))
    for role, account in (*given, (GOVERNANCE, accounts[8])):
        world.authority.grantRole(role, account, 0, as_owner)
    world.fund()
    return world


def _refuse(error: str, function, sender) -> None:
    with brownie.reverts(revert_pattern=f"{error}.*"):
        function({"from": sender})


@pytest.mark.parametrize("which", [0, 1], ids=["token", "statements"])
def test_pause__nobody_lifts_it__ends_after_seven_days_and_its_pauser_rests(staffed, which):
    world, contract = staffed, pausable(staffed)[which]
    other = world.accounts[6]
    _refuse("AccessManagedUnauthorized", contract.pause, world.ann)

    done = contract.pause({"from": world.cleo})

    until_s = done.timestamp + PAUSE_S
    assert dict(done.events["Paused"][0]) == {"account": world.cleo, "until": until_s}
    assert (contract.paused(), contract.pausedUntil()) == (True, until_s)
    assert contract.restsUntil(world.cleo) == until_s + PAUSER_RESTS_S
    _refuse("PauseRunning", contract.pause, other)
    world.wait_until(until_s - 60)
    assert contract.paused()
    world.wait_until(until_s)
    assert not contract.paused()
    _refuse("PauserResting", contract.pause, world.cleo)
    contract.pause({"from": other})
    world.wait_until(until_s + PAUSER_RESTS_S)
    contract.pause({"from": world.cleo})
    assert contract.paused()


def test_pause__running_then_over__units_move_again_with_nobody_calling(staffed):
    world = staffed
    moved = (world.ann, world.bob, world.junior, 1, b"", {"from": world.ann})
    world.token.pause({"from": world.cleo})
    with brownie.reverts(revert_pattern="EnforcedPause.*"):
        world.token.safeTransferFrom(*moved)

    world.wait_until(world.token.pausedUntil())

    world.token.safeTransferFrom(*moved)
    assert world.token.balanceOf(world.bob, world.junior) == 12


@pytest.mark.parametrize("which", [0, 1], ids=["token", "statements"])
def test_unpause__resumer_alone__lifts_at_once_and_the_pauser_rests_all_the_same(staffed, which):
    world, contract = staffed, pausable(staffed)[which]
    done = contract.pause({"from": world.cleo})
    for account in (world.cleo, world.accounts[8], world.ann):
        _refuse("AccessManagedUnauthorized", contract.unpause, account)

    lifted = contract.unpause({"from": world.accounts[7]})

    assert lifted.events["Unpaused"][0]["account"] == world.accounts[7]
    assert (contract.paused(), contract.pausedUntil()) == (False, 0)
    _refuse("PauserResting", contract.pause, world.cleo)
    assert contract.restsUntil(world.cleo) == done.timestamp + PAUSE_S + PAUSER_RESTS_S
    # Nobody but the admin guards the role, and what does not wait cannot be cancelled.
    assert world.authority.getRoleGuardian(RESUMER) == ADMIN
    assert tuple(world.authority.hasRole(RESUMER, world.accounts[7])) == (True, 0)
