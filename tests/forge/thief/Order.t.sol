// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IPublications} from "../../../contracts/interfaces/IPublications.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Who chooses the moment, or calls what is not theirs, gains nothing
contract OrderTest is ThiefBase {
    struct Plan {
        uint256 bond;
        uint256 burned;
        uint256[3] hours_;
        uint256[3] rents;
        uint256 paid;
    }

    /// Rent in front of the closing, behind it, or in pieces on both sides: everybody gets the same.
    function test_thief__rent_before_or_after_the_closing__same_for_all(uint256 seed) public {
        Plan memory plan = _plan(seed);
        uint256 start = vm.snapshotState();
        uint256[5] memory first;
        for (uint256 way = 0; way < 3; ++way) {
            uint256[5] memory got = _play(plan, way);
            vm.revertToState(start);
            start = vm.snapshotState();
            if (way == 0) first = got;
            for (uint256 i = 0; i < 5; ++i) {
                assertLe(got[i], first[i] + 20, "no more");
                assertLe(first[i], got[i] + 20, "no less");
            }
        }
    }

    function test_thief__strangers__move_nothing_of_a_closing() public {
        _found(_soldOut(10));
        vm.startPrank(stranger);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NotRentLockbox.selector, stranger));
        vault.surrender(FACILITY);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NotRentLockbox.selector, stranger));
        sale.surrender(FACILITY);
        vm.expectRevert(abi.encodeWithSelector(IEndings.NotRentLockbox.selector, stranger));
        facilities.markClosed(FACILITY);
        vm.expectRevert(abi.encodeWithSelector(IPublications.NotGpuOperator.selector, FACILITY, stranger));
        statements.publish(FACILITY, 0, "hash");
        vm.stopPrank();
    }

    /// Signatures of a rejection count once, also where the same hash stands published once more.
    function test_thief__rejection_replayed__refused() public {
        _found(_soldOut(10));
        vm.warp(START + 2 * EPOCH);
        _publish(0);
        _publish(1);
        bytes32 hash = statements.publishedHashOf(FACILITY, 1);
        IAttesterDesk.Refusal[] memory later = _refusals(FACILITY, 1, hash);
        _reject(0);
        _post(0, 0);
        _publish(1);
        assertEq(statements.publishedHashOf(FACILITY, 1), hash, "the same hash again");
        vm.expectPartialRevert(IAttesterDesk.RefusalStale.selector);
        attesterDesk.reject(FACILITY, 1, hash, later);
    }

    /// After the closing nothing is posted, published, rejected, deposited or ended any more.
    function test_thief__closed__no_fact_changes() public {
        _found(_soldOut(10));
        vm.warp(START + EPOCH);
        _publish(0);
        _default();
        _close();
        bytes32 hash = statements.publishedHashOf(FACILITY, 0);
        IAttesterDesk.Refusal[] memory refusals = _refusals(FACILITY, 0, hash);
        uint64 closedAt = facilities.endingOf(FACILITY).closedAt;
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.DutiesEnded.selector, FACILITY, closedAt));
        attesterDesk.reject(FACILITY, 0, hash, refusals);
        IStatementRegistry.Statement memory statement = _statement(36_000, 0);
        IAttesterRegistry.Attestation[] memory signatures = _signed(statements.statementDigest(statement));
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, FACILITY));
        statements.post(statement, signatures);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.DepositNotAccepted.selector, FACILITY));
        vault.deposit(FACILITY, 1);
        vm.expectPartialRevert(IFacilityRegistry.FacilityStateWrong.selector);
        facilities.stop(FACILITY);
        assertEq(sale.releasable(FACILITY), 0, "nothing to release");
    }

    function _plan(uint256 seed) private pure returns (Plan memory plan) {
        // Where the bond covers all: elsewhere late rent meets claims first (docs/DEAL.md).
        plan.bond = bound(seed, 130, 250) * USDC;
        plan.burned = bound(seed >> 16, 0, 10);
        uint256 all = 0;
        for (uint256 e = 0; e < 3; ++e) {
            plan.hours_[e] = bound(seed >> (32 + 32 * e), 0, 10 hours);
            // Rent above the worth of its hours goes to claims first, if it comes after the closing.
            plan.rents[e] = bound(seed >> (48 + 32 * e), 0, plan.hours_[e] * RATE / 1 hours);
            all += plan.rents[e];
        }
        plan.paid = bound(seed >> 160, 0, all);
    }

    /// @dev Three epochs are stated, then a default. Rent comes before the closing (0), after it (1), or half and half,
    /// the second half in three pieces (2).
    function _play(Plan memory plan, uint256 way) private returns (uint256[5] memory got) {
        previous = bytes32(0);
        _found(Deal(20, 20, plan.bond, 1_000_000, 500));
        uint256 voucher = plan.burned == 0 ? 0 : _takeDelivery(desk, ann, SENIOR, plan.burned, "voucher");
        for (uint256 e = 0; e < 3; ++e) {
            _post(plan.hours_[e], plan.rents[e]);
        }
        _default();
        uint256 before = way == 0 ? plan.paid : way == 1 ? 0 : plan.paid / 2;
        if (before > 0) _pay(before);
        _close();
        uint256 left = plan.paid - before;
        for (uint256 i = 0; i < 3 && left > 0; ++i) {
            uint256 piece = way == 1 || i == 2 ? left : left / 3 + 1;
            if (piece > left) piece = left;
            _pay(piece);
            lockbox.settle(FACILITY);
            left -= piece;
        }
        vm.warp(_now() + 2 days);
        got[0] = _all(SENIOR);
        got[1] = _all(JUNIOR);
        got[2] = _operatorInAll();
        got[3] = voucher == 0 ? 0 : lockbox.payableToVoucher(voucher);
        got[4] = lockbox.feesOwed(FACILITY);
    }
}
