"""A facility on the chain and its model, driven side by side at instants of our own.

Every action runs in the second of a block that was mined just before it: so what everybody could
claim is read on both sides of it, and a failure replays exactly.
"""

from collections.abc import Iterable
from typing import Any

import brownie
from brownie import chain, web3

from api.domain.capital.closing import Closing, Shares
from api.domain.units import ZERO32
from tests.contracts.facility_model import FacilityModel
from tests.contracts.model import RATE, World

REFUSED = (
    "(EnforcedPause|ERC7943CannotReceive|ERC7943Insuff|ERC1155Insuff|Delivery(Closed|Empty)).*"
)
STRANGER, BOND = 3, 1_500_000


def placed(world: World, bond: int = BOND, *, at_s: int | None = None) -> FacilityModel:
    """Model of a facility that `World.fund` funded."""
    held = ((0, world.ann, 16), (1, world.ann, 13), (1, world.bob, 11))
    return funded(world, bond, held, at_s=world.funded_s if at_s is None else at_s)


def funded(
    world: World, bond: int, held: Iterable[tuple[int, Any, int]], *, at_s: int
) -> FacilityModel:
    """Model of a funded facility. Args: held: tranche, holder and units of each."""
    model = FacilityModel(world.terms, bond=bond, rate=RATE, challenge_window_s=600)
    for index, holder, units in held:
        model.tranches[index].mint(holder.address, units, at_s)
    for tranche in model.tranches:
        tranche.activate(world.funded_s or at_s)
    return model


def assert_closed(world: World, events: Any, closing: Closing, *, bond: int, escrow: int) -> None:
    """A closing did and left to pay what the model says, by its event and by what is stored."""
    event = events["FacilityClosed"][0]
    found = dict(event["closing"].items())
    assert (found["bond"], found["escrow"]) == (bond, escrow)
    assert found["advanced"] == closing.advance.amount
    assert_shares(found, closing.paid)
    assert_claims(event["claims"], closing.claims)
    assert_claims(world.lockbox.claimsOf(7), closing.claims)
    assert world.lockbox.advanceOf(7)[0] == closing.advance.amount


def assert_shares(found: Any, shares: Shares) -> None:
    """An event pays units and vouchers what the model does."""
    assert _numbers(found["toUnits"]) == _padded(shares.units)
    assert _numbers(found["toVouchers"]) == _padded(shares.vouchers)
    assert (found["toTreasury"], found["toOperator"]) == (shares.treasury, shares.gpu_operator)


def assert_claims(found: Any, claims: Shares) -> None:
    """What stays owed is what the model says."""
    units, vouchers, treasury = found
    assert _numbers(units) == _padded(claims.units)
    assert _numbers(vouchers) == _padded(claims.vouchers)
    assert treasury == claims.treasury


def _numbers(values: Any) -> list[int]:
    return [int(value) for value in values]


def _padded(shares: tuple[int, ...]) -> list[int]:
    return [*shares, *[0] * (4 - len(shares))]


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
        self.model = placed(world, at_s=self.now_s)
        # Transfers and deliveries; postings.
        self.paused = self.stopped = self.rises = False
        self.first_voucher = world.desk.voucherCount() + 1
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

    def send(self, sender, function, *arguments) -> Any:
        """Send in this very second."""
        _rpc("evm_setNextBlockTimestamp", self.now_s)
        done = function(*arguments, {"from": sender})
        assert done.timestamp == self.now_s
        return done

    def attempt(self, allowed: bool, errors: str, sender, *call) -> bool:
        """Send what the model allows; what it does not is refused with one of some errors."""
        if allowed:
            self.send(sender, *call)
        else:
            with brownie.reverts(revert_pattern=f"({errors}).*"):
                self.send(sender, *call)
        return allowed

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
