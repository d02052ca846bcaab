// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManaged} from "@openzeppelin/contracts/access/manager/IAccessManaged.sol";
import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title Attesters' share of the fee, by seat and statement, on the real contracts (docs/DEAL.md)
/// @dev Five statements are due and three sit on the panel: a duty is a fifteenth of attesters' 40 % of the 1 % fee.
contract PayTest is Attesting {
    uint64 private constant F = 2;
    uint256 private constant RENT = 30_000_000;
    /// @dev One per cent of it.
    uint256 private constant FEE = 300_000;
    uint256 private constant DUTY = FEE * 4 / 10 / 15;

    function setUp() public {
        _build();
        _fundToTheCap(F);
    }

    function test_pay__by_duties_whatever_others_did__rest_to_the_treasury() external {
        _stated();
        address[3] memory seats = _seats();
        // The first two signed epoch 0, the last two epoch 1; nobody booked the others.
        attesterDesk.book(F, 0);
        attesterDesk.book(F, 1);
        assertEq(attesterDesk.earnedOf(F, seats[1]), 2 * DUTY, "also while fees are in the lockbox");
        vm.expectEmit(true, true, true, true, address(attesterDesk));
        emit IAttesterDesk.FeesSplit(F, address(dollar), FEE * 4 / 10, FEE * 6 / 10);
        attesterDesk.collect(F);
        vm.expectEmit(true, true, true, true, address(attesterDesk));
        emit IAttesterDesk.AttesterPaid(F, seats[1], 2 * DUTY, 2 * DUTY);
        vm.prank(cleo);
        assertEq(attesterDesk.pay(F, seats[1]), 2 * DUTY, "two duties");
        assertEq(attesterDesk.pay(F, seats[0]), DUTY, "one");
        assertEq(attesterDesk.treasuryOwed(address(dollar)), FEE * 6 / 10, "sixty per cent");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), seats[1]));
        attesterDesk.pay(F, seats[1]);
        vm.prank(seats[1]);
        attesterDesk.withdraw(address(dollar), seats[1]);
        assertEq(dollar.balanceOf(seats[1]), 2 * DUTY, "taken");
        // What others do later changes nothing of it.
        attesterDesk.book(F, 2);
        assertEq(attesterDesk.earnedOf(F, seats[1]), 2 * DUTY, "the same");
        assertEq(attesterDesk.paidTo(F, seats[1]), 2 * DUTY, "all paid");

        _closed();
        _duty(F, seats[0], 2 * DUTY);
        _duty(F, seats[2], 2 * DUTY);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.DutiesOpen.selector, F));
        attesterDesk.releaseUnearned(F);
        vm.warp(facilities.endingOf(F).closedAt + 90 days);
        assertEq(attesterDesk.releaseUnearned(F), 9 * DUTY, "nine of fifteen duties");
        assertEq(attesterDesk.releasedOf(F), 9 * DUTY, "told");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), address(attesterDesk)));
        attesterDesk.releaseUnearned(F);
        assertEq(attesterDesk.takeFees(address(dollar), cleo), FEE * 6 / 10 + 9 * DUTY, "the treasury's");
        assertEq(dollar.balanceOf(cleo), FEE * 6 / 10 + 9 * DUTY, "sent");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), address(this)));
        attesterDesk.takeFees(address(dollar), cleo);
        assertEq(dollar.balanceOf(address(attesterDesk)), 4 * DUTY, "what attesters did not withdraw");
    }

    /// Fees that come after all duties are booked are paid by the same duties; the treasury's rest too.
    function test_pay__rent_after_the_closing__by_the_same_duties() external {
        _epochsFinal();
        attesterDesk.book(F, 0);
        _closed();
        vm.warp(facilities.endingOf(F).closedAt + 90 days);
        address[3] memory seats = _seats();
        uint256 before = attesterDesk.earnedOf(F, seats[0]);
        _payRent(RENT);
        lockbox.settle(F);
        attesterDesk.collect(F);
        uint256 fees = attesterDesk.feesOf(F);
        assertEq(attesterDesk.earnedOf(F, seats[0]), fees * 4 / 10 / 15, "a fifteenth of all");
        assertTrue(attesterDesk.earnedOf(F, seats[0]) > before, "more than before");
        attesterDesk.pay(F, seats[0]);
        uint256 released = attesterDesk.releaseUnearned(F);
        assertLe(fees * 4 / 10 * 13 / 15, released + 1, "thirteen of fifteen");
        assertLe(released, fees * 4 / 10 * 13 / 15 + 1, "no more");
    }

    function test_takeFees__by_anybody_or_to_nobody__reverts() external {
        _stated();
        attesterDesk.collect(F);
        vm.expectRevert(abi.encodeWithSelector(IAccessManaged.AccessManagedUnauthorized.selector, ann));
        vm.prank(ann);
        attesterDesk.takeFees(address(dollar), ann);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        attesterDesk.takeFees(address(dollar), address(0));
        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(refundDesk)));
        attesterDesk.takeFees(address(dollar), address(refundDesk));
        assertEq(attesterDesk.collect(F), 0, "nothing twice");
    }

    /// A token that keeps some of a transfer pays nobody: the fees stay where they are.
    function test_collect__token_keeps_a_fee__reverts() external {
        uint64 hall = 3;
        vm.startPrank(gpuOperator);
        for (uint256 s = 0; s < 2; ++s) {
            token.mint(ann, _id(hall, s), CAP);
        }
        facilities.fund(hall);
        vm.stopPrank();
        _post(_next(hall, RENT, 36_000, bytes32(0), false), 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
        _arm(address(bad), renter, address(lockbox), RENT);
        vm.prank(renter);
        lockbox.payRent(hall, "", RENT);
        lockbox.settle(hall);
        uint256 fees = lockbox.feesOwed(hall);
        bad.setMode(HostileStablecoin.Mode.TakesFee);
        vm.expectPartialRevert(IPayouts.SettlementShort.selector);
        attesterDesk.collect(hall);
        assertEq(lockbox.feesOwed(hall), fees, "still there");
        bad.setMode(HostileStablecoin.Mode.Honest);
        assertEq(attesterDesk.collect(hall), fees, "once it is honest");
    }

    /// @dev Four epochs stated, final and paid; of the first two another seat is left out each time.
    function _stated() private {
        _epochsFinal();
        _payRent(RENT);
        lockbox.settle(F);
        assertEq(lockbox.feesOwed(F), FEE, "one per cent");
    }

    function _epochsFinal() private {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _post(_next(F, e == 0 ? RENT : 0, 36_000, bytes32(0), false), e == 0 ? 2 : e == 1 ? 0 : 1);
        }
        vm.warp(_now() + CHALLENGE_WINDOW);
    }

    function _payRent(uint256 amount) private {
        _arm(address(dollar), renter, address(lockbox), amount);
        vm.prank(renter);
        lockbox.payRent(F, "", amount);
    }

    function _closed() private {
        _seal(F, 0);
        if (lockbox.bookOf(F).collected == 0) {
            facilities.noticeUnpaid(F);
            vm.warp(_now() + 90 days);
        }
        facilities.mature(F);
        vm.warp(lockbox.closableFrom(F));
        lockbox.close(F);
    }

    function _duty(uint64 f, address attester, uint256 earned) private {
        assertEq(attesterDesk.earnedOf(f, attester), earned, "by its duties");
        attesterDesk.pay(f, attester);
        assertEq(attesterDesk.owedTo(address(dollar), attester), earned, "owed");
    }

    function _seats() private view returns (address[3] memory seats) {
        for (uint256 i = 0; i < 3; ++i) {
            seats[i] = vm.addr(attesterKeys[i]);
        }
    }
}
