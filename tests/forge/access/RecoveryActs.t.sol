// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IWalletProposals} from "../../../contracts/interfaces/IWalletProposals.sol";
import {WalletBase} from "./WalletBase.sol";

/// @title What the holder of a wallet does ends its recovery; what others do to it does not
contract RecoveryActsTest is WalletBase {
    bytes32 private constant CANCEL_TYPEHASH = keccak256("Cancel(address wallet,uint256 number)");

    /// @dev Each thing that ann does ends the recovery; what others do to her does not.
    function test_act__of_the_wallet__voids_each_time() public {
        _found(_soldOut(100));
        vm.warp(START);
        _deliver(10);
        vm.warp(_now() + 1 hours);
        for (uint256 way = 0; way < 8; ++way) {
            uint256 number = _proposed(ann, anew);
            vm.warp(_now() + 7 days - 1);
            vm.expectEmit(true, true, true, true, address(wallets));
            emit IWalletProposals.ProposalVoided(ann, number);
            _act(way);
            vm.warp(_now() + 1);
            vm.expectRevert(abi.encodeWithSelector(IWalletProposals.ProposalUnknown.selector, ann, number));
            vm.prank(anew);
            wallets.execute(ann);
        }
        assertEq(wallets.successorOf(ann), address(0), "never recovered");
    }

    function _act(uint256 way) private {
        if (way == 7) return _claimBySig();
        if (way == 6) return _cancelBySig();
        vm.startPrank(ann);
        if (way == 0) token.safeTransferFrom(ann, bob, SENIOR, 1, "");
        if (way == 1) token.safeTransferFrom(ann, ann, SENIOR, 0, "");
        if (way == 2) token.safeBatchTransferFrom(ann, bob, _ids(JUNIOR, SENIOR), _ids(0, 1), "");
        if (way == 3) token.claim(_ids(SENIOR), ann);
        if (way == 4) token.setApprovalForAll(bob, true);
        if (way == 5) wallets.cancel();
        vm.stopPrank();
    }

    function _cancelBySig() private {
        uint256 number = wallets.proposalOf(ann).number;
        bytes memory signature = sign(ANN_KEY, _digest(abi.encode(CANCEL_TYPEHASH, ann, number)));
        vm.prank(stranger);
        wallets.cancelBySig(ann, number, signature);
    }

    function _claimBySig() private {
        uint256[] memory list = _ids(SENIOR);
        bytes32 typeHash = keccak256("Claim(address holder,uint256[] ids,address to,uint256 nonce,uint256 deadline)");
        bytes32 hash = keccak256(abi.encodePacked(list));
        uint256 deadline = _now();
        bytes memory signature = sign(ANN_KEY, _digest(abi.encode(typeHash, ann, hash, ann, 0, deadline)));
        vm.prank(stranger);
        wallets.claimBySig(ann, list, ann, deadline, signature);
    }

    function test_act__delivery_or_withdrawal__voids() public {
        _voucherMoney();
        _proposed(ann, anew);
        vm.prank(ann);
        lockbox.withdraw(address(dollar), ann);
        assertFalse(_isPending(ann), "withdrew");
    }

    function test_act__purchase__voids() public {
        _offerAndBuy();
        _proposed(ann, anew);
        _buy(ann, JUNIOR, 1);
        assertFalse(_isPending(ann), "bought");
    }

    /// @dev Dust from a stranger, an order that an approved spender fills, a forced transfer: none is ann's act.
    function test_act__of_others__voids_nothing() public {
        _found(_soldOut(100));
        vm.prank(ann);
        token.setApprovalForAll(stranger, true);
        vm.prank(bob);
        token.safeTransferFrom(bob, stranger, JUNIOR, 5, "");
        _proposed(ann, anew);
        vm.startPrank(stranger);
        token.safeTransferFrom(stranger, ann, JUNIOR, 1, "");
        token.safeTransferFrom(ann, stranger, SENIOR, 3, "");
        vm.stopPrank();
        vm.prank(enforcer);
        token.forcedTransfer(ann, bob, SENIOR, 2);
        assertTrue(_isPending(ann), "still");
        vm.warp(_now() + 7 days);
        _execute(ann);
        wallets.collectUnits(ann, _ids(SENIOR));
        assertEq(token.balanceOf(anew, SENIOR), 15, "what is left");
        // The dust was not watched; it follows a week after it is.
        vm.expectRevert(abi.encodeWithSelector(IWalletProposals.PositionNotQuiet.selector, ann, JUNIOR, uint64(0)));
        wallets.collectUnits(ann, _ids(JUNIOR));
        wallets.watch(ann, _ids(JUNIOR));
        vm.warp(_now() + 7 days);
        wallets.collectUnits(ann, _ids(JUNIOR));
        assertEq(token.balanceOf(anew, JUNIOR), 1, "dust");
    }

    /// @dev An attester that takes its bond back is there.
    function test_act__of_an_attester_that_left__voids() public {
        _bondAttester(ann, 77);
        _proposed(ann, anew);
        vm.prank(ann);
        attesters.withdrawBond(ann);
        assertFalse(_isPending(ann), "took its bond");
    }
}
