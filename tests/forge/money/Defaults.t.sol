// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @title Notice of an epoch that is neither stated nor published, and the default after it
contract DefaultsTest is MoneyBase {
    uint64 private constant F = 7;
    uint256 private constant OVERDUE = uint256(START) + EPOCH + PATIENCE;

    function setUp() public {
        _deploy();
        _funded(F, address(dollar), _oneTranche());
        _depositBond(F, 1_000_000);
    }

    function test_noticeDefault__from_the_exact_second__by_anybody() public {
        vm.warp(OVERDUE - 1);
        _noNotice(0, abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, F, 0, OVERDUE));
        vm.warp(OVERDUE);
        vm.expectEmit(true, true, true, true, address(facilities));
        // A time of this century.
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IEndings.DefaultNoticed(F, 0, cleo, uint64(OVERDUE + CURE));
        vm.prank(cleo);
        facilities.noticeDefault(F, 0);
        assertEq(facilities.defaultNoticedAt(F, 0), OVERDUE, "kept");
        assertEq(facilities.defaultNoticedAt(F, 1), 0, "of this epoch alone");
        // The next epoch ended an epoch later.
        uint256 next = OVERDUE + EPOCH;
        _noNotice(1, abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, F, 1, next));
        vm.warp(next);
        facilities.noticeDefault(F, 1);
    }

    function test_noticeDefault__stated_published_or_beyond_the_window__reverts() public {
        _postFinal(F, 0, 36_000);
        vm.warp(START + 30 days);
        _noNotice(0, _notOpen(0));
        statements.publish(F, 3);
        _noNotice(2, _notOpen(2));
        facilities.noticeDefault(F, 3);
        _noNotice(EPOCHS, _notOpen(EPOCHS));
    }

    function test_noticeDefault__not_delivering__reverts() public {
        vm.warp(START - 1);
        _noNotice(0, _wrongState(IFacilityRegistry.FacilityState.Funded));
        _default(F, 0);
        _noNotice(1, _wrongState(IFacilityRegistry.FacilityState.Defaulted));
        vm.expectRevert(
            abi.encodeWithSelector(
                IFacilityRegistry.FacilityStateWrong.selector, uint64(9), IFacilityRegistry.FacilityState.None
            )
        );
        facilities.noticeDefault(9, 0);
    }

    /// A facility that was funded late has its whole patience from then on.
    function test_noticeDefault__funded_late__patience_from_the_funding() public {
        _offer(8, address(dollar), _oneTranche());
        _noBond(8);
        vm.prank(gpuOperator);
        token.mint(ann, _id(8, 0), 40);
        uint256 fundedAt = START + 2 days;
        vm.warp(fundedAt);
        vm.prank(gpuOperator);
        facilities.fund(8);
        assertEq(facilities.endingOf(8).fundedAt, fundedAt, "funded");
        vm.warp(fundedAt + PATIENCE - 1);
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, 8, 0, fundedAt + PATIENCE));
        facilities.noticeDefault(8, 0);
        vm.warp(fundedAt + PATIENCE);
        facilities.noticeDefault(8, 0);
    }

    /// Whoever gives notice again and again would keep the cure running for ever.
    function test_noticeDefault__again__does_not_start_the_cure_anew() public {
        vm.warp(OVERDUE);
        facilities.noticeDefault(F, 0);
        vm.warp(OVERDUE + CURE - 1);
        // A time of this century.
        // forge-lint: disable-next-line(unsafe-typecast)
        _noNotice(0, abi.encodeWithSelector(IEndings.DefaultNoticedBefore.selector, F, 0, uint64(OVERDUE)));
        vm.warp(OVERDUE + CURE);
        facilities.declareDefault(F, 0);
    }

    function test_noticeDefault__after_a_void__whole_patience_and_a_new_notice() public {
        vm.warp(OVERDUE + EPOCH);
        facilities.noticeDefault(F, 1);
        statements.post(F, 0, 36_000);
        vm.warp(OVERDUE + EPOCH + 100);
        statements.void_(F);
        uint256 again = OVERDUE + EPOCH + 100 + PATIENCE;
        vm.warp(OVERDUE + EPOCH + CURE);
        _noDefault(1, abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, F, 1));
        vm.warp(again - 1);
        _noNotice(1, abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, F, 1, again));
        // What was voided counts as published.
        _noNotice(0, _notOpen(0));
        vm.warp(again);
        facilities.noticeDefault(F, 1);
        vm.warp(again + CURE);
        facilities.declareDefault(F, 1);
    }

    /// Patience does not run anew, the cure does: also where notice was given in the very block of the rejection, so
    /// that several steps of a default never fit one transaction.
    function test_noticeDefault__in_the_block_of_a_rejection__reverts() public {
        vm.warp(OVERDUE);
        facilities.noticeDefault(F, 0);
        statements.publish(F, 1);
        vm.warp(OVERDUE + CURE);
        statements.reject(F, 0);
        _noDefault(0, abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, F, 0));
        uint256 next = OVERDUE + CURE + 1;
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, F, 0, next));
        facilities.noticeDefault(F, 0);
        vm.warp(next);
        facilities.noticeDefault(F, 0);
        vm.warp(next + CURE - 1);
        _noDefault(0, abi.encodeWithSelector(IEndings.CureRunning.selector, F, 0, next + CURE));
        vm.warp(next + CURE);
        facilities.declareDefault(F, 0);
    }

    function test_declareDefault__from_the_exact_second__by_anybody_once() public {
        _pay(F, 9_000_000);
        _noDefault(0, abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, F, 0));
        vm.warp(OVERDUE);
        facilities.noticeDefault(F, 0);
        vm.warp(OVERDUE + CURE - 1);
        _noDefault(0, abi.encodeWithSelector(IEndings.CureRunning.selector, F, 0, OVERDUE + CURE));
        vm.warp(OVERDUE + CURE);
        // Notice of one epoch says nothing of another.
        _noDefault(1, abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, F, 1));
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IEndings.DefaultDeclared(F, 0, cleo);
        vm.expectEmit(true, true, true, true, address(facilities));
        emit IFacilityRegistry.FacilityStateChanged(F, IFacilityRegistry.FacilityState.Defaulted);
        vm.prank(cleo);
        facilities.declareDefault(F, 0);

        require(facilities.stateOf(F) == IFacilityRegistry.FacilityState.Defaulted, "defaulted");
        assertEq(facilities.endingOf(F).endedAt, OVERDUE + CURE, "ended");
        assertEq(facilities.endingOf(F).closedAt, 0, "not closed");
        _noDefault(0, _wrongState(IFacilityRegistry.FacilityState.Defaulted));
    }

    function test_declareDefault__published_in_the_cure__reverts() public {
        vm.warp(OVERDUE);
        facilities.noticeDefault(F, 0);
        vm.warp(OVERDUE + CURE - 1);
        statements.publish(F, 1);
        vm.warp(OVERDUE + CURE);
        _noDefault(0, _notOpen(0));
    }

    function test_declareDefault__stated_in_the_cure__reverts() public {
        vm.warp(OVERDUE);
        facilities.noticeDefault(F, 0);
        statements.post(F, 0, 0);
        vm.warp(OVERDUE + CURE);
        _noDefault(0, _notOpen(0));
    }

    /// A bond that is gone is no default: nothing is paid from it before the closing anyway.
    function test_declareDefault__everything_stated__never() public {
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(F, 1_000_000, 0);
        }
        vm.warp(START + 100 days);
        for (uint32 e = 0; e <= EPOCHS; ++e) {
            _noNotice(e, _notOpen(e));
            _noDefault(e, _notOpen(e));
        }
    }

    function _noNotice(uint32 epoch, bytes memory reason) private {
        vm.expectRevert(reason);
        facilities.noticeDefault(F, epoch);
    }

    function _noDefault(uint32 epoch, bytes memory reason) private {
        vm.expectRevert(reason);
        facilities.declareDefault(F, epoch);
    }

    function _notOpen(uint32 epoch) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEndings.EpochNotOpen.selector, F, epoch);
    }

    function _wrongState(IFacilityRegistry.FacilityState actual) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IFacilityRegistry.FacilityStateWrong.selector, F, actual);
    }
}
