// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Sums that do not fit, after the closing
contract BoundsTest is ThiefBase {
    uint64 private constant OTHER = 8;
    uint256 private constant WORD = type(uint64).max;

    /// Attested rent has 96 bits, collected rent 64: after the closing the limit is the 96-bit one, and is cut.
    function test_thief__rent_of_2_64_after_the_closing__is_taken_and_not_counted() public {
        _closedWithHugeRent();
        dollar.mint(renter, WORD + 1);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), WORD + 1);
        lockbox.payRent(FACILITY, "lease", WORD + 1);
        vm.stopPrank();
        assertEq(dollar.balanceOf(renter), 0, "2^64 were taken");
        assertEq(lockbox.bookOf(FACILITY).collected, 0, "nothing was counted");
        assertEq(lockbox.paidBy(FACILITY, renter), WORD + 1, "it was paid, says the book of payers");
        vm.expectPartialRevert(IRentLockbox.RefundAboveExcess.selector);
        lockbox.refundExcess(FACILITY, renter, 1);
        assertEq(lockbox.settleable(FACILITY), 0, "and can never be settled");
    }

    /// What the bond advanced, and 2^64 - 1 collected, are more than the 64 bits of `settled`: it wraps round, and
    /// settlement pays 2^64 that never came. With borrowed money an operator takes what other facilities hold.
    function test_thief__settled_wraps_round__operator_takes_another_facilitys_rent() public {
        _otherFacilityHolds(777 * USDC);
        _closedWithHugeRent();
        uint256 borrowed = WORD + WORD;
        dollar.mint(stranger, borrowed);
        vm.prank(stranger);
        dollar.transfer(gpuOperator, borrowed);
        uint256 before = dollar.balanceOf(gpuOperator);

        vm.startPrank(gpuOperator);
        dollar.approve(address(lockbox), WORD);
        lockbox.payRent(FACILITY, "lease", WORD);
        lockbox.settle(FACILITY);
        assertLe(lockbox.bookOf(FACILITY).settled, 100 * USDC, "settled went round");
        lockbox.settle(FACILITY);
        uint256 owed = lockbox.owedTo(address(dollar), gpuOperator);
        // Fills up what is missing of its own claim, and takes all of it.
        dollar.transfer(address(lockbox), owed - dollar.balanceOf(address(lockbox)));
        lockbox.withdraw(address(dollar), gpuOperator);
        vm.stopPrank();

        assertEq(dollar.balanceOf(address(lockbox)), 0, "the other facility's rent is gone");
        uint256[] memory ids = new uint256[](1);
        ids[0] = JUNIOR;
        vm.warp(_now() + 2 days);
        vm.prank(bob);
        token.claim(ids, gpuOperator);
        assertEq(dollar.balanceOf(gpuOperator), before + 777 * USDC, "with it the operator is richer");
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

    /// @dev A facility of somebody else in the same settlement token, with rent that is not attested yet.
    function _otherFacilityHolds(uint256 rent) private {
        address honest = address(0xB1);
        IFacilityRegistry.FacilityTerms memory terms = _terms(_soldOut(0));
        terms.gpuOperator = honest;
        terms.windowEnd = START + 10_000 * EPOCH;
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(40, 0);
        vm.startPrank(honest);
        facilities.offer(OTHER, terms, tranches);
        vault.setTerms(OTHER, IBondVault.BondTerms(0, RATE));
        token.mint(ann, uint256(OTHER) << 8, 40);
        facilities.fund(OTHER);
        vm.stopPrank();
        dollar.mint(renter, rent);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), rent);
        lockbox.payRent(OTHER, "lease", rent);
        vm.stopPrank();
    }
}
