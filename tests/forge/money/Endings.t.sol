// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {EscrowMock} from "../../../contracts/mocks/Receivers.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @dev Borrows units from a pool for one transaction, ends a facility in it, claims, and gives the units back.
contract FlashBorrower is ERC1155Holder {
    function take(EscrowMock pool, TrancheToken token, uint256 id, uint256 units, address target, bytes calldata ending)
        external
        returns (uint256 paid)
    {
        pool.giveBack(address(this), id, units);
        // solhint-disable-next-line avoid-low-level-calls
        (bool done,) = target.call(ending);
        require(done, "not ended");
        uint256[] memory ids = new uint256[](1);
        ids[0] = id;
        paid = token.claim(ids, tx.origin);
        token.safeTransferFrom(address(this), address(pool), id, units, "");
    }
}

/// @title Maturity, long stop and closing: by whom, and from which second; defaults are in Defaults.t.sol
contract EndingsTest is MoneyBase {
    uint64 private constant F = 7;
    uint256 private constant WINDOW_END = uint256(START) + uint256(EPOCHS) * EPOCH;
    uint256 private constant OVERDUE = uint256(START) + EPOCH + PATIENCE;

    function setUp() public {
        _deploy();
        _funded(F, address(dollar), _oneTranche());
        _depositBond(F, 1_000_000);
    }

    function test_mature__not_final__reverts() public {
        for (uint32 e = 0; e + 1 < EPOCHS; ++e) {
            _postFinal(F, 0, 36_000);
        }
        vm.warp(WINDOW_END);
        lockbox.settle(F);
        bytes memory notMature = abi.encodeWithSelector(IEndings.NotMature.selector, F);
        vm.expectRevert(notMature);
        facilities.mature(F);
        statements.post(F, 0, 36_000);
        vm.expectRevert(notMature);
        facilities.mature(F);
        vm.warp(WINDOW_END + 600);
        vm.expectRevert(notMature);
        facilities.mature(F);
        // All epochs are final, and the closing statement is not.
        vm.warp(WINDOW_END + SEAL);
        statements.postClosing(F, 0);
        vm.warp(WINDOW_END + SEAL + 599);
        vm.expectRevert(notMature);
        facilities.mature(F);
        // That it is not settled does not matter: the closing settles first.
        vm.warp(WINDOW_END + SEAL + 600);
        vm.prank(cleo);
        facilities.mature(F);
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Matured, "matured");
        assertEq(facilities.endingOf(F).endedAt, WINDOW_END + SEAL + 600, "ended");
        vm.expectRevert(_wrongState(IFacilityRegistry.FacilityState.Matured));
        facilities.mature(F);
    }

    /// ATTACKS 25: a renter that never pays.
    function test_mature__unpaid__ninety_days_after_the_notice() public {
        _allStated();
        _pay(F, 3_000_000);
        lockbox.settle(F);
        uint256 time = vm.getBlockTimestamp() + 7 days;
        vm.warp(time);
        bytes memory notMature = abi.encodeWithSelector(IEndings.NotMature.selector, F);
        vm.expectRevert(notMature);
        facilities.mature(F);
        vm.expectEmit(true, true, true, true, address(facilities));
        // A time of this century.
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IEndings.UnpaidNoticed(F, 1_000_000, uint64(time + 90 days));
        vm.prank(cleo);
        facilities.noticeUnpaid(F);
        assertEq(facilities.endingOf(F).unpaidNoticedAt, time, "noticed");
        vm.expectRevert(abi.encodeWithSelector(IEndings.NothingUnpaid.selector, F));
        facilities.noticeUnpaid(F);
        vm.warp(time + 90 days - 1);
        vm.expectRevert(notMature);
        facilities.mature(F);
        // Rent that came meanwhile puts nothing off, settled or not.
        _pay(F, 400_000);
        vm.warp(time + 90 days);
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IEndings.ReceivableWrittenOff(F, 600_000);
        facilities.mature(F);
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Matured, "matured");
    }

    function test_mature__paid_after_the_notice__at_once() public {
        _allStated();
        lockbox.settle(F);
        facilities.noticeUnpaid(F);
        _pay(F, 4_000_000);
        lockbox.settle(F);
        facilities.mature(F);
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Matured, "matured");
    }

    function test_noticeUnpaid__nothing_unpaid__reverts() public {
        bytes memory nothing = abi.encodeWithSelector(IEndings.NothingUnpaid.selector, F);
        vm.expectRevert(nothing);
        facilities.noticeUnpaid(F);
        _allStated();
        _pay(F, 4_000_000);
        // Everything is paid.
        vm.expectRevert(nothing);
        facilities.noticeUnpaid(F);
        facilities.mature(F);
        vm.expectRevert(_wrongState(IFacilityRegistry.FacilityState.Matured));
        facilities.noticeUnpaid(F);
    }

    function test_stop__from_the_exact_second__whatever_is_missing() public {
        uint256 stopsFrom = WINDOW_END + SEAL + 180 days;
        bytes memory ahead = abi.encodeWithSelector(IEndings.LongStopAhead.selector, F, stopsFrom);
        vm.expectRevert(ahead);
        facilities.stop(F);
        vm.warp(stopsFrom - 1);
        vm.expectRevert(ahead);
        facilities.stop(F);
        vm.warp(stopsFrom);
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IFacilityRegistry.FacilityStateChanged(F, IFacilityRegistry.FacilityState.Stopped);
        vm.prank(cleo);
        facilities.stop(F);
        assertEq(facilities.endingOf(F).endedAt, stopsFrom, "ended");
        vm.expectRevert(_wrongState(IFacilityRegistry.FacilityState.Stopped));
        facilities.stop(F);
        vm.expectRevert(_wrongState(IFacilityRegistry.FacilityState.Stopped));
        facilities.noticeDefault(F, 0);
        vm.expectRevert(_wrongState(IFacilityRegistry.FacilityState.Stopped));
        facilities.mature(F);
    }

    function test_stop__ended_already_or_never_funded__reverts() public {
        _offer(8, address(dollar), _oneTranche());
        _default(F, 0);
        vm.warp(WINDOW_END + 400 days);
        vm.expectRevert(_wrongState(IFacilityRegistry.FacilityState.Defaulted));
        facilities.stop(F);
        vm.expectRevert(
            abi.encodeWithSelector(
                IFacilityRegistry.FacilityStateWrong.selector, 8, IFacilityRegistry.FacilityState.Cancelled
            )
        );
        facilities.stop(8);
    }

    function test_markClosed__anybody_but_the_lockbox__reverts() public {
        _default(F, 0);
        vm.expectRevert(abi.encodeWithSelector(IEndings.NotRentLockbox.selector, address(this)));
        facilities.markClosed(F);
        _close(F);
        assertEq(facilities.endingOf(F).closedAt, vm.getBlockTimestamp() - 1 days, "closed");
    }

    function test_close__from_the_exact_second__once() public {
        _notClosable(0);
        _default(F, 0);
        // A day for statements beside an epoch, and a day to serve what they prove.
        uint256 opens = facilities.endingOf(F).endedAt + EPOCH + 2 days;
        assertEq(lockbox.closableFrom(F), opens, "view");
        _notClosable(opens);
        vm.warp(opens - 1);
        _notClosable(opens);
        vm.warp(opens);
        vm.prank(cleo);
        lockbox.close(F);
        assertEq(lockbox.closableFrom(F), 0, "closed");
        vm.warp(opens + 300 days);
        _notClosable(0);
    }

    function test_close__matured_or_stated_late__a_day_after_the_last_word() public {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, 0, 36_000);
        }
        lockbox.settle(F);
        _seal(F, 0);
        facilities.mature(F);
        assertEq(lockbox.closableFrom(F), vm.getBlockTimestamp() + 1 days, "a day after the end");

        vm.warp(START - 100_000);
        _funded(8, address(dollar), _oneTranche());
        _default(8, 0);
        vm.warp(facilities.endingOf(8).endedAt + EPOCH + 1 days - 1);
        statements.post(8, 0, 36_000);
        assertEq(lockbox.closableFrom(8), vm.getBlockTimestamp() + 600 + 1 days, "a day after it is final");
    }

    /// @dev ATTACKS 13, 43: all units of a pool are borrowed for the transaction that ends the facility.
    function test_mature__units_borrowed_for_one_transaction__gain_nothing() public {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, e + 1 == EPOCHS ? 36_000_000 : 0, 36_000);
        }
        _seal(F, 0);
        _pay(F, 36_000_000);
        lockbox.settle(F);
        _borrowToEnd(address(facilities), abi.encodeCall(facilities.mature, (F)));
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Matured, "matured");
        _streamsOn(35_640_000, EPOCH);
    }

    function test_declareDefault__units_borrowed_for_one_transaction__gain_nothing() public {
        vm.warp(OVERDUE + EPOCH);
        facilities.noticeDefault(F, 1);
        _settleAt(OVERDUE + EPOCH + CURE);
        _borrowToEnd(address(facilities), abi.encodeCall(facilities.declareDefault, (F, 1)));
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Defaulted, "defaulted");
        _streamsOn(8_910_000, EPOCH);
    }

    function test_stop__units_borrowed_for_one_transaction__gain_nothing() public {
        vm.warp(WINDOW_END);
        _settleAt(WINDOW_END + SEAL + 180 days);
        _borrowToEnd(address(facilities), abi.encodeCall(facilities.stop, (F)));
        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Stopped, "stopped");
        _streamsOn(8_910_000, EPOCH);
    }

    /// What a closing gives to holders streams for a day: nobody borrows units for its block.
    function test_close__units_borrowed_for_one_transaction__gain_nothing() public {
        _default(F, 0);
        vm.warp(lockbox.closableFrom(F));
        _borrowToEnd(address(lockbox), abi.encodeCall(IRentLockbox.close, (F)));
        // 39.6 missing hours are worth more than the bond.
        _streamsOn(1_000_000, 1 days);
    }

    function _allStated() private {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, 1_000_000, 36_000);
        }
        _seal(F, 0);
    }

    /// A closing statement below zero lowers what is attested; what of it is settled stays paid.
    function test_settle__closing_below_zero__lowers_what_is_not_settled() public {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, 1_000_000, 36_000);
        }
        _pay(F, 3_000_000);
        lockbox.settle(F);
        _seal(F, -500_000);
        assertEq(lockbox.settleable(F), 0, "nothing is paid that is not");
        _pay(F, 900_000);
        assertEq(lockbox.settle(F), 500_000, "of 3.5 attested 3 were settled");
        assertEq(lockbox.excessOf(F), 400_000, "the rest is no rent");
        facilities.mature(F);
        _close(F);
        vm.prank(address(refundDesk));
        lockbox.refundExcess(F, renter, 400_000);
        assertEq(lockbox.excessOf(F), 0, "back");
    }

    /// The same below what is settled: nothing reverts, nobody gets back what holders were paid.
    function test_settle__closing_far_below_zero__takes_nothing_back() public {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, 1_000_000, 36_000);
        }
        _pay(F, 3_000_000);
        lockbox.settle(F);
        _seal(F, -9_000_000);
        assertEq(lockbox.settleable(F), 0, "nothing");
        assertEq(lockbox.excessOf(F), 0, "what is settled is here no more");
        _pay(F, 100_000);
        assertEq(lockbox.settleable(F), 0, "no rent is attested");
        facilities.mature(F);
        _close(F);
        assertEq(lockbox.excessOf(F), 100_000, "what came after it");
        assertEq(lockbox.bookOf(F).settled, 3_000_000, "stays settled");
        bytes memory above = abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, 1, 0);
        vm.prank(renter);
        vm.expectRevert(above);
        lockbox.payRent(F, LEASE, 1);
    }

    /// @dev Epoch 0 is stated and paid now, and settled in the second in which the facility can end.
    function _settleAt(uint256 time) private {
        _pay(F, 9_000_000);
        statements.post(F, 9_000_000, 36_000);
        vm.warp(time);
        lockbox.settle(F);
    }

    function _borrowToEnd(address target, bytes memory ending) private {
        EscrowMock pool = new EscrowMock(token);
        vm.prank(ann);
        token.safeTransferFrom(ann, address(pool), _id(F, 0), 20, "");
        FlashBorrower borrower = new FlashBorrower();
        assertEq(borrower.take(pool, token, _id(F, 0), 20, target, ending), 0, "gains nothing");
        assertEq(token.balanceOf(address(pool), _id(F, 0)), 20, "units are back");
        assertEq(token.claimable(address(borrower), _id(F, 0)), 0, "and earned nothing");
    }

    /// @dev `amount` streams for `span` seconds, to whoever holds units meanwhile: half of it to bob.
    function _streamsOn(uint256 amount, uint256 span) private {
        assertEq(token.unvested(_id(F, 0)), amount, "streams on");
        vm.warp(vm.getBlockTimestamp() + span - 1);
        require(token.unvested(_id(F, 0)) > 0, "to its last second");
        vm.warp(vm.getBlockTimestamp() + 1);
        assertEq(token.claimable(bob, _id(F, 0)), amount / 2, "to whoever holds units while it streams");
    }

    function _notClosable(uint256 opensAt) private {
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.ClosingNotOpen.selector, F, opensAt));
        lockbox.close(F);
    }

    function _wrongState(IFacilityRegistry.FacilityState actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFacilityRegistry.FacilityStateWrong.selector, F, actual);
    }
}
