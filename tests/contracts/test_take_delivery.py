"""Units for compute, end to end: order, voucher, lines of real statements, the rest in money."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.chain.structs import to_abi
from api.domain.capital.closing import voucher_share
from api.domain.capital.orders import order_digest
from api.domain.capital.vouchers import Voucher, gpu_seconds_of_units, open_of, serve
from api.domain.hashing import keccak
from api.domain.lifecycle import FacilityState
from api.domain.metering.usage import LineKind
from api.domain.statements.closing import close_epoch
from api.domain.statements.evidence import EMPTY_CARRY
from api.domain.statements.lines import Entry
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.statements.statement import statement_hash
from api.domain.units import Epoch, GpuSeconds, Micros
from tests.contracts.twin import assert_closed, assert_late, placed

REF, RENTED = keccak(b"ann's delivery"), keccak(b"a renter's lease")
OTHER = keccak(b"bob's delivery")
# So high that all promised hours leave a junior its whole hour.
HOUR_S, RATE, BOND = 3_600, 2_000_001, 10_000_000
FULL_HOUR, SHORT = HOUR_S, 1_200


class Delivery:
    """A bonded facility whose renter and voucher holder both use devices."""

    def __init__(self, world) -> None:
        self.world, self.carry = world, EMPTY_CARRY
        self.vouchers: dict[int, Voucher] = {}
        self.used = 0
        world.offer()
        world.set_bond(BOND, rate=RATE)
        world.fund(offer=False)

    def take(self, holder, units: int, *, lease: bytes = REF, seniority: int = 1) -> int:
        """Burn units on an order, as the model expects; returns the voucher."""
        world, rate = self.world, Micros(RATE)
        token_id = (world.senior, world.junior)[seniority]

        done = world.take_delivery(holder, token_id, units, lease)

        burned = {"seniority": seniority, "units": units}
        given = {"rate_micros_per_gpu_hour": rate, "now_s": done.timestamp}
        owed = gpu_seconds_of_units(world.terms, **burned, **given)
        number = world.desk.voucherCount()
        self.vouchers[number] = Voucher(units, owed, done.timestamp)
        self.compare()
        return number

    def compare(self) -> None:
        """The desk keeps of each tranche and voucher what the model does."""
        desk = self.world.desk
        for number, voucher in self.vouchers.items():
            stored = desk.voucherOf(number)
            seconds = (voucher.owed, voucher.served)
            assert tuple(stored[3:7]) == (*seconds, voucher.units, voucher.issued_at_s)
        assert desk.servedGpuSecondsOf(7) == sum(v.served for v in self.vouchers.values())
        for seniority in range(2):
            chosen = [n for n in self.vouchers if desk.voucherOf(n)[2] == seniority]
            opened = open_of(self.vouchers[n] for n in chosen)
            assert desk.openGpuSecondsOf(7)[seniority] == opened.gpu_seconds
            assert desk.openUnitSecondsOf(7)[seniority] == opened.unit_seconds

    def close(self, epoch: int, served_s: int):
        """Post an epoch with one rented device and, for `served_s`, one that delivers."""
        world, terms = self.world, self.world.terms
        start_s, end_s = terms.epoch_bounds(epoch)
        price = PriceVersion(1, terms.window_start_s, 24_900_010, 0)
        leases = {
            lease: LeaseTerms(
                lease, keccak(b"r"), PricePlan.ON_DEMAND, 0, terms.window_start_s, None, (price,)
            )
            for lease in (REF, RENTED)
        }
        entries = [Entry(LineKind.USAGE, terms.devices[0], RENTED, start_s, end_s, HOUR_S)]
        if served_s:
            until_s = start_s + served_s
            served = (terms.devices[1], REF, start_s, until_s, served_s)
            entries.append(Entry(LineKind.DELIVERY, *served))
        closed = close_epoch(
            terms,
            Epoch(epoch),
            entries=entries,
            outages=[],
            leases=leases,
            carry=self.carry,
            previous_statement_hash=world.previous,
        )
        self.carry = closed.carry
        world.wait_until(end_s)
        signed = world.sign(closed.statement)
        world.statements.post(closed.statement.as_abi_tuple(), signed, {"from": world.cleo})
        world.previous = statement_hash(closed.statement)
        return closed

    def count(self, vouchers: list[int], closed) -> None:
        """Anybody shows the one delivery line for vouchers, and the model counts it too."""
        line = next(x for x in closed.lines if x.kind == LineKind.DELIVERY)
        unused = GpuSeconds(line.gpu_seconds - self.used)
        counted = serve([self.vouchers[n] for n in vouchers], unused=unused)

        given = self.serve(vouchers, closed).return_value

        assert given == counted.gpu_seconds
        self.vouchers |= dict(zip(vouchers, counted.vouchers, strict=True))
        self.used += counted.gpu_seconds
        epoch = closed.statement.epoch
        assert self.world.desk.usedGpuSecondsOf(7, epoch, line.index) == self.used
        self.compare()

    def serve(self, vouchers: list[int], closed, kind=LineKind.DELIVERY, /, **claimed: object):
        """Anybody shows the one line of a kind."""
        line = next(x for x in closed.lines if x.kind == kind)
        statement = closed.statement
        values = {
            "facility": statement.facility_id, "epoch": statement.epoch, "index": line.index,
            "kind": int(line.kind), "device": line.device, "lease": line.lease,
            "start": line.start_s, "end": line.end_s, "gpu_seconds": line.gpu_seconds,
            "charge": line.charge_micros, "total_seconds": line.cumulative_gpu_seconds,
            "total": line.cumulative_charge_micros,
        }  # fmt: skip
        given = tuple((values | claimed).values())
        proof = closed.tree.proof(line.index)
        as_anybody = {"from": self.world.cleo}
        abi = statement.as_abi_tuple()
        return self.world.desk.serve(vouchers, abi, given, proof, as_anybody)

    def finish(self, closed) -> None:
        """Post idle hours, pay and settle everything, mature."""
        world = self.world
        gross = sum(c.statement.gross_revenue_micros for c in closed)
        for epoch in range(len(closed), world.terms.epoch_count):
            gross += self.close(epoch, 0).statement.gross_revenue_micros
        world.pay(gross)
        world.settle()
        world.facilities.mature(7, {"from": world.cleo})


@pytest.fixture
def delivery(world):
    """A bonded facility of two tranches, funded, 100 s before its window."""
    return Delivery(world)


def test_take_delivery__served_in_part__rest_is_paid_by_the_closing(delivery):
    """The whole way of a voucher: what is open is paid at the rate from its tranche's pool."""
    world = delivery.world
    voucher, other = delivery.take(world.ann, 2), delivery.take(world.bob, 1, lease=OTHER)
    assert world.token.balanceOf(world.ann, world.junior) == 11
    first = delivery.close(0, FULL_HOUR)
    with brownie.reverts(revert_pattern="StatementNotFinal.*"):
        delivery.serve([voucher], first)
    chain.sleep(601)
    chain.mine()

    delivery.count([voucher], first)

    assert delivery.vouchers[voucher].served == FULL_HOUR
    delivery.finish([first])
    with brownie.reverts(revert_pattern="NothingForVoucher.*"):
        world.lockbox.payVoucher(voucher, {"from": world.cleo})
    closed = world.close().events["FacilityClosed"][0]["closing"]
    opened = open_of(delivery.vouchers.values())
    pool = opened.gpu_seconds * RATE // HOUR_S
    # All hours were there: the vouchers alone have a claim, and the bond covers it.
    assert pool == 2 * RATE
    assert world.lockbox.voucherPoolsOf(7)[1] == pool
    assert closed["toOperator"] == BOND - pool
    for number, holder in ((voucher, world.ann), (other, world.bob)):
        due = voucher_share(
            pool,
            open_gpu_seconds=delivery.vouchers[number].open,
            all_open_gpu_seconds=opened.gpu_seconds,
        )
        assert world.lockbox.payableToVoucher(number) == due == RATE
        done = world.lockbox.payVoucher(number, {"from": world.cleo})
        assert done.events["VoucherPaid"][0]["holder"] == holder
        assert world.lockbox.owedTo(world.dollar, holder) == due
        with brownie.reverts(revert_pattern="NothingForVoucher.*"):
            world.lockbox.payVoucher(number, {"from": world.cleo})
    before = world.dollar.balanceOf(world.bob)
    world.lockbox.withdraw(world.dollar, world.bob, {"from": world.ann})
    assert world.dollar.balanceOf(world.bob) - before == RATE


def test_take_delivery__burned_units__earn_no_more_and_keep_what_they_earned(delivery):
    """Invariant 3, and 1: minted = held + delivered."""
    world = delivery.world
    delivery.close(0, 0)
    world.pay(24_900_010)
    world.settle()
    world.wait_until(chain[-1].timestamp + HOUR_S)
    earned = world.token.claimable(world.bob, world.junior)

    delivery.take(world.bob, 11)

    assert earned > 0
    assert world.token.claimable(world.bob, world.junior) >= earned
    assert world.token.burnedOf(world.junior)[0] == 11
    assert world.token.totalSupply(world.junior) == 13
    world.token.claim([world.junior], world.bob, {"from": world.bob})
    assert world.token.claimable(world.bob, world.junior) == 0
    delivery.close(1, 0)
    world.pay(24_900_010)
    world.settle()
    world.wait_until(chain[-1].timestamp + HOUR_S)
    assert world.token.claimable(world.bob, world.junior) == 0


def test_take_delivery__late_and_senior__gives_what_is_left_at_its_coupon(delivery):
    """Rule 7 of the deal: by the time left, and a senior by coupon over rate; split or whole."""
    world = delivery.world
    world.wait_until(world.terms.window_start_s + 2 * HOUR_S + 1_234)

    senior = delivery.take(world.ann, 3, seniority=0)
    junior = delivery.take(world.ann, 7)

    # A senior is worth its coupon, which is half of the rate; both give less than half of that.
    owed = delivery.vouchers
    assert owed[senior].owed * 2 * 7 // 3 == pytest.approx(owed[junior].owed, abs=20)
    assert owed[junior].owed < 7 * HOUR_S // 2
    delivery.close(0, 0)
    late = delivery.close(1, 0)
    assert late.statement.billed_gpu_seconds == HOUR_S


def test_take_delivery__nobody_signed__reverts_and_burns_nothing(delivery):
    """Findings C2 and L1: no reference of one's own, no order of another's, none twice."""
    world = delivery.world
    order = world.order(world.ann, world.junior, 2, REF)
    signature = world.sign_order(order)
    assert world.desk.orderDigest(to_abi(order)) == brownie.convert.datatypes.HexString(
        order_digest(order, chain_id=chain.id, desk=world.desk.address), "bytes32"
    )
    forged = world.sign_order(order, world.ann)
    changed = replace(order, units=3)
    for given, signed, holder, error in (
        (order, forged, world.ann, "OrderSignatureInvalid"),
        (changed, signature, world.ann, "OrderSignatureInvalid"),
        (order, signature, world.bob, "OrderOfAnother"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            world.desk.takeDelivery(to_abi(given), signed, {"from": holder})
    world.desk.takeDelivery(to_abi(order), signature, {"from": world.ann})
    with brownie.reverts(revert_pattern="OrderUsed.*"):
        world.desk.takeDelivery(to_abi(order), signature, {"from": world.ann})

    taken_back = world.order(world.ann, world.junior, 1, REF)
    world.desk.cancelOrder(taken_back.nonce, {"from": world.operator})
    with brownie.reverts(revert_pattern="OrderUsed.*"):
        signed = world.sign_order(taken_back)
        world.desk.takeDelivery(to_abi(taken_back), signed, {"from": world.ann})
    late = world.order(world.ann, world.junior, 1, REF, deadline_s=chain[-1].timestamp - 1)
    with brownie.reverts(revert_pattern="OrderExpired.*"):
        world.desk.takeDelivery(to_abi(late), world.sign_order(late), {"from": world.ann})
    assert world.token.balanceOf(world.ann, world.junior) == 11


def test_serve__one_line_for_many_vouchers__counts_second_by_second(delivery):
    """Finding C3: an honest line serves as many vouchers as its seconds reach, in any calls."""
    world = delivery.world
    vouchers = [delivery.take(world.ann, 1) for _ in range(3)]
    first, second, third = vouchers
    closed = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()

    delivery.count([second], closed)

    assert delivery.vouchers[second].served == SHORT
    with brownie.reverts(revert_pattern="LineAlreadyUsed.*"):
        delivery.serve(vouchers, closed)
    delivery.used = 0
    whole = delivery.close(1, FULL_HOUR)
    chain.sleep(601)
    chain.mine()
    delivery.count([second, third], whole)
    assert delivery.vouchers[second].open == 0
    assert delivery.vouchers[third].served == SHORT
    with brownie.reverts(revert_pattern="LineAlreadyUsed.*"):
        delivery.serve([first], whole)
    assert sum(world.desk.openGpuSecondsOf(7)) == 3 * HOUR_S - SHORT - FULL_HOUR


def test_serve__line_again_or_another__serves_nothing(delivery):
    """ATTACKS 29: delivered once; a renter's line, a foreign or an invented one is none."""
    world = delivery.world
    voucher, second = delivery.take(world.ann, 2), delivery.take(world.ann, 1)
    closed = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()
    for kind, claimed, error in (
        (LineKind.USAGE, {}, "LineNotDelivery"),
        (LineKind.USAGE, {"kind": 1, "lease": REF}, "LineNotProven"),
        (LineKind.DELIVERY, {"facility": 8}, "LineNotDelivery"),
        (LineKind.DELIVERY, {"start": 0}, "LineNotDelivery"),
        (LineKind.DELIVERY, {"gpu_seconds": HOUR_S}, "LineNotProven"),
        (LineKind.DELIVERY, {"index": 0}, "LineNotProven"),
        (LineKind.DELIVERY, {"epoch": 1}, "StatementNotFinal"),
    ):
        with brownie.reverts(revert_pattern=f"{error}.*"):
            delivery.serve([voucher], closed, kind, **claimed)

    delivery.count([voucher], closed)

    for number in (voucher, second):
        with brownie.reverts(revert_pattern="LineAlreadyUsed.*"):
            delivery.serve([number], closed)
    assert sum(world.desk.openGpuSecondsOf(7)) == 3 * HOUR_S - SHORT


def test_serve__compute_of_before_the_burn__serves_nothing(delivery):
    """ATTACKS 29: what was delivered while the units still earned does not count."""
    world = delivery.world
    early = delivery.take(world.ann, 1)
    world.wait_until(world.terms.window_start_s + 1)
    late = delivery.take(world.ann, 1)
    closed = delivery.close(0, FULL_HOUR)
    chain.sleep(601)
    chain.mine()

    with brownie.reverts(revert_pattern="LineNotForVoucher.*"):
        delivery.serve([late], closed)
    delivery.count([early], closed)


def test_take_delivery__reference_of_another_or_after_the_window__reverts(delivery):
    """ATTACKS 29: nobody uses up another's lease, or delivers after the window."""
    world = delivery.world
    delivery.take(world.ann, 1)
    with brownie.reverts(revert_pattern="LeaseTaken.*"):
        delivery.take(world.bob, 1)
    world.wait_until(world.terms.window_end_s)

    with brownie.reverts(revert_pattern="DeliveryClosed.*"):
        delivery.take(world.ann, 1)
    assert world.desk.voucherCount() == 1


def test_take_delivery__no_rate__burns_nothing(world):
    """Finding F44: without a rate nothing would be paid for compute that never comes."""
    world.offer()
    world.set_bond(1_000_000, rate=0)
    world.fund(offer=False)

    with brownie.reverts(revert_pattern="DeliveryWithoutRate.*"):
        world.take_delivery(world.ann, world.junior, 1, REF)
    assert world.token.balanceOf(world.ann, world.junior) == 13


@pytest.mark.parametrize(
    ("rate", "expected_s"),
    [
        # Promised are 39.6 hours: 83,160,039 less 16,000,048 is 2,798,332 a junior.
        (2_100_001, HOUR_S),
        # 27,720,039 less 16,000,048 is 488,332 a junior, of 700,001 for an hour.
        (700_001, 2_511),
        # 15,840,039: nothing is left.
        (400_001, 0),
    ],
)
def test_take_delivery__junior__gives_what_the_promise_leaves_to_it(world, rate, expected_s):
    """Findings V1 and V2 of docs/reviews/closing-thief.md."""
    world.offer()
    world.set_bond(BOND, rate=rate)
    world.fund(offer=False)
    if not expected_s:
        with brownie.reverts(revert_pattern="DeliveryEmpty.*"):
            world.take_delivery(world.ann, world.junior, 13, REF)
        return

    world.take_delivery(world.ann, world.junior, 1, REF)

    assert world.desk.voucherOf(world.desk.voucherCount())[3] == expected_s
    assert world.desk.gpuSecondsDown(world.senior, 1) == gpu_seconds_of_units(
        world.terms,
        seniority=0,
        units=1,
        rate_micros_per_gpu_hour=Micros(rate),
        now_s=chain[-1].timestamp,
    )


def test_close__voucher_served__its_hours_stand_for_no_rent(delivery):
    """The bond pays rent up to the hours that were there for renters, at its rate."""
    world, bond = delivery.world, 3 * BOND
    world.deposit(2 * BOND)
    voucher = delivery.take(world.ann, 2)
    closed = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()
    delivery.count([voucher], closed)
    statement, served = closed.statement, delivery.vouchers[voucher]
    model = placed(world, bond, rate=RATE)
    model.tranches[1].burn(world.ann.address, 2, served.issued_at_s)
    model.issue(1, world.ann.address, 2, served.owed, served.issued_at_s)
    model.vouchers = [replace(issued, voucher=served) for issued in model.vouchers]
    times = (statement.gross_revenue_micros, statement.available_gpu_seconds)
    model.post(*times, world.statements.statementOf(7, 0)["postedAt"])
    model.end(FacilityState.DEFAULTED, world.default(1).timestamp)

    done = world.close()

    closing = model.close(done.timestamp)
    assert_closed(world, done.events, closing, bond=bond, escrow=0)
    assert_late(world, model)
    for_renters_s = statement.available_gpu_seconds - SHORT
    worth = for_renters_s * RATE // HOUR_S
    assert world.lockbox.advanceOf(7)[0] == worth < min(bond, statement.gross_revenue_micros)


def test_close__vouchers_open__share_their_rank_with_its_units(delivery):
    """A bond that is too small: who burned seniors and who kept them lose alike."""
    world = delivery.world
    model = placed(world, BOND, rate=RATE)
    for units in (3, 1):
        number = delivery.take(world.ann, units, seniority=0)
        issued = delivery.vouchers[number]
        model.tranches[0].burn(world.ann.address, units, issued.issued_at_s)
        model.issue(0, world.ann.address, units, issued.owed, issued.issued_at_s)
    model.end(FacilityState.DEFAULTED, world.default(0).timestamp)

    done = world.close()

    closing = model.close(done.timestamp)
    assert_closed(world, done.events, closing, bond=BOND, escrow=0)
    assert closing.paid.units[0] + closing.paid.vouchers[0] == BOND
    assert closing.paid.units[0] > closing.paid.vouchers[0] > 0
    for place in (0, 1):
        due = model.payable(place)
        assert world.lockbox.payableToVoucher(place + 1) == due > 0


def test_serve__after_the_end__counts_until_the_closing(delivery):
    """Deliveries of the last statements still serve; what is closed is closed."""
    world = delivery.world
    voucher = delivery.take(world.ann, 2)
    served = delivery.close(0, SHORT)
    chain.sleep(601)
    chain.mine()
    world.default(1)
    world.wait_until(world.lockbox.closableFrom(7) - 60)
    delivery.count([voucher], served)
    world.close()

    with brownie.reverts(revert_pattern="FacilityClosed.*"):
        delivery.serve([voucher], served)
