// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Sums that do not fit, after the closing
contract BoundsTest is ThiefBase {
    uint256 private constant WORD = type(uint64).max;

    /// Attested rent has 96 bits, what is collected and advanced 64: more is refused, and nothing is cut.
    function test_thief__rent_beyond_64_bits_after_the_closing__refused() public {
        _closedWithHugeRent();
        (uint256 advanced,) = lockbox.advanceOf(FACILITY);
        uint256 limit = WORD - advanced;
        dollar.mint(renter, WORD + 1);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), WORD + 1);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, WORD + 1, limit));
        lockbox.payRent(FACILITY, "lease", WORD + 1);
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.AmountAboveLimit.selector, limit + 1, limit));
        lockbox.payRent(FACILITY, "lease", limit + 1);
        lockbox.payRent(FACILITY, "lease", limit);
        vm.stopPrank();
        lockbox.settle(FACILITY);
        assertEq(lockbox.bookOf(FACILITY).collected, limit, "counted");
        assertEq(lockbox.settleable(FACILITY), 0, "and settled, once");
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingToSettle.selector, FACILITY));
        lockbox.settle(FACILITY);
    }

    /// @dev Two epochs with all rent that a statement can have, nobody paid; matured, closed: the bond paid 100.
    function _closedWithHugeRent() private {
        // Only a junior unit, which is the operator's puppet's.
        _found(Deal(0, 1, 100 * USDC, 1_000_000, 0));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(10 hours, e < 2 ? WORD : 0);
        }
        _matureUnpaid();
        _close();
        (uint256 advanced,) = lockbox.advanceOf(FACILITY);
        assertEq(advanced, 100 * USDC, "the bond paid");
        if (lockbox.owedTo(address(dollar), gpuOperator) > 0) {
            vm.prank(gpuOperator);
            lockbox.withdraw(address(dollar), stranger);
        }
        uint256[] memory ids = new uint256[](1);
        ids[0] = JUNIOR;
        vm.prank(bob);
        token.claim(ids, stranger);
    }
}
