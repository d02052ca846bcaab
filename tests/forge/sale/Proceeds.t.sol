// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {MoneyBase} from "../money/MoneyBase.sol";

/// @title Proceeds: released by delivery while the facility delivers, handed over by its closing
contract ProceedsTest is MoneyBase {
    /// @dev Everything at its price: 16 seniors and 24 juniors.
    uint256 private constant TOTAL = 16 * uint256(SENIOR_PRICE) + 24 * uint256(JUNIOR_PRICE);

    function setUp() public {
        _deploy();
        _offer(7, address(dollar), _twoTranches());
        _bond(7, 1_000_000);
    }

    function test_release__by_delivery__never_before_the_window() public {
        _sellOut();
        vm.warp(START - 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        vm.warp(START);
        uint256 upFront = TOTAL / 4;
        assertEq(sale.release(7), upFront, "up front");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NotRefunding.selector, uint64(7)));
        vm.prank(ann);
        sale.refund(_id(7, 0), 1, ann);

        // 35,640 GPU-seconds are promised of an epoch: what was available beyond earns nothing in advance.
        _postFinal(7, 0, 36_000);
        assertEq(sale.release(7), (TOTAL - upFront) / 4, "one epoch");
        for (uint32 e = 1; e < EPOCHS; ++e) {
            _postFinal(7, 0, 20_000);
        }
        lockbox.settle(7);
        _seal(7, 0);
        facilities.mature(7);
        // From the end on the closing alone releases: whoever calls first changes nothing.
        assertEq(sale.releasable(7), 0, "ended");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        uint256 earned = upFront + (TOTAL - upFront) * 96_000 / (4 * 35_640);
        vm.warp(lockbox.closableFrom(7));
        vm.expectEmit(true, true, true, true, address(sale));
        emit IPrimarySale.ProceedsReleased(7, gpuOperator, earned - sale.bookOf(7).released, earned);
        vm.expectEmit(true, true, true, true, address(sale));
        emit IPrimarySale.ProceedsSurrendered(7, TOTAL - earned, TOTAL - earned);
        _close(7);
        assertEq(sale.bookOf(7).released, earned, "what was earned");
        assertEq(sale.bookOf(7).returned, TOTAL - earned, "the rest is returned");
        vm.prank(gpuOperator);
        sale.withdraw(address(dollar), gpuOperator);
        assertEq(dollar.balanceOf(address(sale)), 0, "nothing is left");
    }

    /// A closing statement may lower what was available: what is released stays released, and nothing reverts.
    function test_releasable__availability_falls__stays_and_asks_nothing_back() public {
        _sellOut();
        _postFinal(7, 0, 35_640);
        uint256 upFront = TOTAL / 4;
        assertEq(sale.release(7), upFront + (TOTAL - upFront) / 4, "a quarter delivered");
        statements.lower(7, 20_000);
        assertEq(sale.releasable(7), 0, "nothing more");
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        _postFinal(7, 0, 30_000);
        assertEq(sale.releasable(7), (TOTAL - upFront) * 45_640 / (4 * 35_640) - (TOTAL - upFront) / 4, "the rest");
        statements.lower(7, 40_000);
        _postFinal(7, 0, 0);
        _postFinal(7, 0, 0);
        lockbox.settle(7);
        _seal(7, 0);
        facilities.mature(7);
        uint256 released = sale.bookOf(7).released;
        uint256 unearned = TOTAL - upFront - (TOTAL - upFront) * 5_640 / (4 * 35_640);
        require(released > TOTAL - unearned, "more was released than is earned now");
        vm.warp(lockbox.closableFrom(7));
        vm.expectEmit(true, true, true, true, address(sale));
        emit IPrimarySale.ProceedsSurrendered(7, TOTAL - released, unearned);
        _close(7);
        assertEq(sale.bookOf(7).returned, TOTAL - released, "what was not released");
        assertEq(dollar.balanceOf(address(sale)), sale.owedTo(address(dollar), gpuOperator), "all is owed");
    }

    function test_surrender__default__everything_unearned() public {
        _sellOut();
        uint256 released = sale.release(7);
        _default(7, 0);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NothingToRelease.selector, uint64(7)));
        sale.release(7);
        _close(7);
        assertEq(sale.bookOf(7).returned, TOTAL - released, "everything unreleased");
        assertEq(sale.bookOf(7).released, released, "nothing more was earned");
    }

    function test_surrender__anybody_but_the_lockbox__reverts() public {
        _sellOut();
        address[4] memory callers = [address(this), gpuOperator, address(vault), address(facilities)];
        for (uint256 i = 0; i < callers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IPrimarySale.NotRentLockbox.selector, callers[i]));
            vm.prank(callers[i]);
            sale.surrender(7);
        }
    }

    /// Two published epochs earn nothing, and are no missing hours: their part goes back by price.
    function test_surrender__published_epochs__says_what_is_unsigned() public {
        _sellOut();
        _postFinal(7, 0, 35_640);
        statements.publish(7, 3);
        vm.warp(vm.getBlockTimestamp() + 1 days);
        uint256 toEarn = TOTAL - TOTAL / 4;
        assertEq(sale.release(7), TOTAL / 4 + toEarn / 4, "one stated epoch");
        uint256 snapshot = vm.snapshotState();
        vm.prank(address(lockbox));
        IPrimarySale.Surrendered memory given = sale.surrender(7);
        assertEq(given.proceeds, TOTAL, "proceeds");
        assertEq(given.unearned, toEarn - toEarn / 4, "unearned");
        assertEq(given.unsigned, toEarn / 2, "two epochs");
        assertEq(given.escrow, toEarn - toEarn / 4, "sent");
        assertEq(given.unitPrices[0], SENIOR_PRICE, "price");
        assertEq(given.unitPrices[1], JUNIOR_PRICE, "price");
        vm.revertToState(snapshot);
        statements.reject(7, 2);
        vm.prank(address(lockbox));
        given = sale.surrender(7);
        assertEq(given.unsigned, toEarn / 4, "one was rejected");
        assertEq(given.unearned, toEarn - toEarn / 4, "unearned as before");
    }

    function test_surrender__no_sale_or_one_that_failed__gives_nothing() public {
        vm.prank(address(lockbox));
        assertEq(sale.surrender(9).proceeds, 0, "none");
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 1);
        vm.prank(address(lockbox));
        assertEq(sale.surrender(7).escrow, 0, "still open");
        vm.warp(_saleTerms().closesAt);
        sale.finalize(7);
        vm.prank(address(lockbox));
        assertEq(sale.surrender(7).escrow, 0, "refunding");
        assertEq(dollar.balanceOf(address(sale)), SENIOR_PRICE, "the buyer's");
    }

    /// @dev Every unit is bought; time is windowStart.
    function _sellOut() private {
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 16);
        _buy(bob, _id(7, 1), 24);
        _finalize(7);
        vm.warp(START);
    }
}
