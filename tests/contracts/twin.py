"""A facility on the chain and its model, driven side by side at instants of our own.

Every action runs in the second of a block that was mined just before it: so what everybody could
claim is read on both sides of it, and a failure replays exactly.
"""

import brownie
from brownie import chain, web3

from api.domain.capital.bond import Bond
from api.domain.units import ZERO32
from tests.contracts.facility_model import FacilityModel
from tests.contracts.model import World

REFUSED = "(EnforcedPause|ERC7943CannotReceive|ERC7943Insuff|ERC1155Insuff|DeliveryClosed).*"
STRANGER = 3


def _rpc(method: str, *arguments: int) -> None:
    answer = web3.provider.make_request(method, list(arguments))
    assert "error" not in answer, answer


class Twin:
    """A facility that delivers, from the last snapshot. Of `people` the last may not hold units."""

    def __init__(self, world: World) -> None:
        chain.revert()
        self.world, world.previous = world, ZERO32
        self.people = [world.ann, world.bob, world.cleo, world.accounts[6]]
        self.ids, self.now_s = [world.senior, world.junior], chain[-1].timestamp
        bond = Bond(1_000_000, 70_001, held=1_500_000)
        self.model = FacilityModel(world.terms, bond, challenge_window_s=600)
        for index, holder, units in ((0, world.ann, 16), (1, world.ann, 13), (1, world.bob, 11)):
            self.model.tranches[index].mint(holder.address, units, self.now_s)
        for tranche in self.model.tranches:
            tranche.activate(world.funded_s)
        self.paused = self.rises = False
        self.before, self.own, self.junior_received = {}, set(), 0

    def claimables(self) -> dict[tuple[int, int], int]:
        """What each holder could claim of each tranche now."""
        claimable = self.world.token.claimable
        pairs = [(person, index) for person in range(STRANGER) for index in (0, 1)]
        return {(p, i): claimable(self.people[p], self.ids[i]) for p, i in pairs}

    def begin(self, seconds: int, not_before_s: int = 0) -> None:
        """Let time pass, then note what everybody could claim."""
        self.now_s = max(self.now_s + seconds, not_before_s)
        _rpc("evm_setNextBlockTimestamp", self.now_s)
        _rpc("evm_mine")
        self.before, self.own, self.rises = self.claimables(), set(), False
        self.junior_received = self.model.tranches[1].received

    def send(self, sender, function, *arguments) -> None:
        """Send in this very second."""
        _rpc("evm_setNextBlockTimestamp", self.now_s)
        assert function(*arguments, {"from": sender}).timestamp == self.now_s

    def move(self, allowed: bool, index: int, action: str, moves, sender, *call) -> bool:
        """Move units on the model and on the chain, or on neither: they agree on it."""
        done = allowed and self.model.attempt(index, action, *moves)
        if done:
            self.send(sender, *call)
        else:
            with brownie.reverts(revert_pattern=REFUSED):
                self.send(sender, *call)
        return done

    def held(self, holder, index: int) -> int:
        """Units of a holder."""
        return self.model.tranches[index].position(holder.address, self.now_s).units

    def pay(self, amount: int) -> None:
        """The renter pays."""
        self.send(self.world.renter, self.world.lockbox.payRent, 7, b"\x33" * 32, amount)
        self.model.collected += amount
