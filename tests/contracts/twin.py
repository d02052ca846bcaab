"""A facility on the chain and its model, driven side by side at instants of our own.

Every action runs in the second of a block that was mined just before it: so what everybody could
claim is read on both sides of it, and a failure replays exactly.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import brownie
from brownie import chain, web3

from api.domain.capital.closing import Closing, Shares
from api.domain.facility import DAY_S
from api.domain.units import ZERO32
from tests.contracts.facility_model import FacilityModel
from tests.contracts.model import RATE, World

REFUSED = (
    "(EnforcedPause|ERC7943CannotReceive|ERC7943Insuff|ERC1155Insuff|Delivery(Closed|Empty)).*"
)
STRANGER, BOND = 3, 1_500_000
PAUSE_S, PAUSER_RESTS_S = 7 * DAY_S, 30 * DAY_S


def placed(
    world: World, bond: int = BOND, *, rate: int = RATE, at_s: int | None = None
) -> FacilityModel:
    """Model of a facility that `World.fund` funded."""
    held = ((0, world.ann, 16), (1, world.ann, 13), (1, world.bob, 11))
    at_s = world.funded_s if at_s is None else at_s
    return funded(world, bond, held, rate=rate, at_s=at_s)


def funded(
    world: World,
    bond: int,
    held: Iterable[tuple[int, Any, int]],
    *,
    rate: int = RATE,
    at_s: int,
) -> FacilityModel:
    """Model of a funded facility. Args: held: tranche, holder and units of each."""
    model = FacilityModel(world.terms, bond=bond, rate=rate, challenge_window_s=600)
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


def assert_late(world: World, model: FacilityModel) -> None:
    """What late rent replaces, claims and arrears are what the model says."""
    late = (model.advanced, model.reimbursed)
    assert tuple(world.lockbox.advanceOf(7)) == late
    assert_claims(world.lockbox.claimsOf(7), model.claims)
    ids = (world.senior, world.junior)
    assert [world.lockbox.arrearsOf(i) for i in ids] == model.arrears()
    unsold = [book.unsold_arrears for book in model.books]
    assert [world.lockbox.unsoldArrearsOf(i) for i in ids] == unsold


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


class PauseModel:
    """A contract's pause: it ends by itself, and whoever began it rests after that."""

    def __init__(self) -> None:
        self.until_s = 0
        # By pauser.
        self.rest_until_s: Counter = Counter()

    def free_from_s(self, pauser: str) -> int:
        """From when an account can begin a pause."""
        return max(self.until_s, self.rest_until_s[pauser])

    def begin(self, pauser: str, now_s: int) -> None:
        """Begin a pause."""
        self.until_s = now_s + PAUSE_S
        self.rest_until_s[pauser] = self.until_s + PAUSER_RESTS_S


class Twin:
    """A facility that delivers, from the last snapshot. Of `people` the last may not hold units."""

    def __init__(self, world: World) -> None:
        chain.revert()
        self.world, world.previous = world, ZERO32
        self.people = [world.ann, world.bob, world.cleo, world.accounts[6]]
        self.ids, self.now_s = [world.senior, world.junior], chain[-1].timestamp
        self.model = placed(world, at_s=self.now_s)
        # Transfers and deliveries; postings.
        self.pauses = (PauseModel(), PauseModel())
        self.rises = False
        self.first_voucher = world.desk.voucherCount() + 1
        self.before, self.own, self.junior_received = {}, set(), 0

    @property
    def paused(self) -> bool:
        """Whether transfers and deliveries are paused."""
        return self.now_s < self.pauses[0].until_s

    @property
    def stopped(self) -> bool:
        """Whether postings of a facility that has not ended are paused."""
        return self.now_s < self.pauses[1].until_s

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
