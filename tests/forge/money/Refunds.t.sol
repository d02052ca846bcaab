// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IRefundDesk} from "../../../contracts/interfaces/IRefundDesk.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @title Rent above what is attested goes back by signed credits, then pro rata, and nobody's key chooses (docs/DEAL.md)
contract RefundsTest is MoneyBase {
    uint64 private constant F = 7;

    function setUp() public {
        _deploy();
        _funded(F, address(dollar), _oneTranche());
    }

    function test_approveCredits__two_signatures__each_credit_once() public {
        _overpaid();
        IRefundDesk.Credit memory first = IRefundDesk.Credit(F, 0, LEASE, ann, 300_000);
        IRefundDesk.Credit memory second = IRefundDesk.Credit(F, 1, LEASE, bob, 700_000);
        (bytes32 one, bytes32 two) = (_leaf(first), _leaf(second));
        bytes32 root = one < two ? keccak256(abi.encode(one, two)) : keccak256(abi.encode(two, one));
        _approveRoot(root);
        assertEq(refundDesk.creditsRootOf(F), root, "stored");
        vm.expectEmit(true, true, true, true, address(refundDesk));
        emit IRefundDesk.CreditRefunded(F, 0, LEASE, ann, 300_000);
        vm.prank(cleo);
        refundDesk.refundCredit(first, _path(two));
        assertEq(lockbox.owedTo(address(dollar), ann), 300_000, "ann");
        assertTrue(refundDesk.isRefunded(F, 0) && !refundDesk.isRefunded(F, 1), "one of them");
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.CreditRefundedBefore.selector, F, 0));
        refundDesk.refundCredit(first, _path(two));
        refundDesk.refundCredit(second, _path(one));
        assertEq(lockbox.owedTo(address(dollar), bob), 700_000, "bob");
        assertEq(lockbox.excessOf(F), 0, "all is back");
        vm.warp(refundDesk.sharesFrom(F));
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.NoShare.selector, F, ann));
        refundDesk.refundShare(F, ann);
    }

    function test_refundCredit__changed_in_any_word__reverts() public {
        _overpaid();
        IRefundDesk.Credit memory good = IRefundDesk.Credit(F, 3, LEASE, ann, 300_000);
        bytes memory unknown = abi.encodeWithSelector(IRefundDesk.CreditUnknown.selector, F, 3);
        vm.expectRevert(unknown);
        refundDesk.refundCredit(good, new bytes32[](0));
        _approveRoot(_leaf(good));
        IRefundDesk.Credit memory bad = IRefundDesk.Credit(F, 3, LEASE, bob, 300_000);
        vm.expectRevert(unknown);
        refundDesk.refundCredit(bad, new bytes32[](0));
        bad = IRefundDesk.Credit(F, 3, LEASE, ann, 300_001);
        vm.expectRevert(unknown);
        refundDesk.refundCredit(bad, new bytes32[](0));
        bad = IRefundDesk.Credit(F, 3, keccak256("another"), ann, 300_000);
        vm.expectRevert(unknown);
        refundDesk.refundCredit(bad, new bytes32[](0));
        bad = IRefundDesk.Credit(F, 4, LEASE, ann, 300_000);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.CreditUnknown.selector, F, 4));
        refundDesk.refundCredit(bad, new bytes32[](0));
        refundDesk.refundCredit(good, new bytes32[](0));
    }

    /// Signed credits never take more than is too much, nor give a payer more than it paid.
    function test_refundCredit__above_excess_or_paid__reverts() public {
        _overpaid();
        IRefundDesk.Credit memory tooMuch = IRefundDesk.Credit(F, 0, LEASE, ann, 1_000_001);
        IRefundDesk.Credit memory neverPaid = IRefundDesk.Credit(F, 1, LEASE, cleo, 1);
        (bytes32 one, bytes32 two) = (_leaf(tooMuch), _leaf(neverPaid));
        _approveRoot(one < two ? keccak256(abi.encode(one, two)) : keccak256(abi.encode(two, one)));
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RefundAboveExcess.selector, F, 1_000_001, 1_000_000));
        refundDesk.refundCredit(tooMuch, _path(two));
        vm.expectRevert(abi.encodeWithSelector(IRentLockbox.RefundAbovePaid.selector, F, cleo, 1, 0));
        refundDesk.refundCredit(neverPaid, _path(one));
        assertFalse(refundDesk.isRefunded(F, 0), "nothing happened");
    }

    function test_approveCredits__too_few_or_twice_or_too_late__reverts() public {
        bytes32 root = keccak256("root");
        IAttesterRegistry.Attestation[] memory signed = _signed(refundDesk.creditsDigest(F, root));
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.FacilityNotClosed.selector, F));
        refundDesk.approveCredits(F, root, signed);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.FacilityNotClosed.selector, F));
        refundDesk.refundShare(F, ann);
        assertEq(refundDesk.sharesFrom(F), 0, "not closed");
        _overpaid();
        uint64 closedAt = facilities.endingOf(F).closedAt;
        IAttesterRegistry.Attestation[] memory one = new IAttesterRegistry.Attestation[](1);
        one[0] = signed[0];
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.QuorumMissing.selector, 1, 2));
        refundDesk.approveCredits(F, root, one);
        vm.expectPartialRevert(IAttesterRegistry.SignatureInvalid.selector);
        refundDesk.approveCredits(F, keccak256("another"), signed);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.CreditsRootZero.selector));
        refundDesk.approveCredits(F, 0, signed);
        vm.warp(closedAt + 90 days);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.CreditsTooLate.selector, F, closedAt + 90 days));
        refundDesk.approveCredits(F, root, signed);
        vm.warp(closedAt + 90 days - 1);
        vm.expectEmit(true, true, true, true, address(refundDesk));
        emit IRefundDesk.CreditsApproved(F, root, _signers(), closedAt + 120 days - 1);
        refundDesk.approveCredits(F, root, signed);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.CreditsApprovedBefore.selector, F));
        refundDesk.approveCredits(F, root, signed);
    }

    /// Whoever signs on the last day still has thirty days to bring what was signed.
    function test_refundCredit__from_when_shares_open__too_late() public {
        _overpaid();
        uint64 closedAt = facilities.endingOf(F).closedAt;
        vm.warp(closedAt + 90 days - 1);
        IRefundDesk.Credit memory credit = IRefundDesk.Credit(F, 0, LEASE, bob, 600_000);
        _approveRoot(_leaf(credit));
        uint64 from = closedAt + 120 days - 1;
        assertEq(refundDesk.sharesFrom(F), from, "thirty days");
        vm.warp(from - 1);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.SharesNotOpen.selector, F, from));
        refundDesk.refundShare(F, ann);
        vm.warp(from);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.CreditsTooLate.selector, F, from));
        refundDesk.refundCredit(credit, new bytes32[](0));
        assertEq(refundDesk.refundShare(F, ann), 200_000, "a fifth of what is left");
    }

    /// What no credit took goes back in proportion to what was paid and not given back: 2.2 of ann, 7.4 of bob.
    function test_refundShare__after_credits__by_what_is_left_of_payments() public {
        _overpaid();
        IRefundDesk.Credit memory credit = IRefundDesk.Credit(F, 0, LEASE, bob, 600_000);
        _approveRoot(_leaf(credit));
        refundDesk.refundCredit(credit, new bytes32[](0));
        vm.warp(refundDesk.sharesFrom(F));
        vm.expectEmit(true, true, true, true, address(refundDesk));
        emit IRefundDesk.ShareRefunded(F, ann, 2_200_000, 84_615);
        // 400,000 x 2.2 / 10.4
        assertEq(refundDesk.refundShare(F, ann), 84_615, "ann");
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.NoShare.selector, F, ann));
        refundDesk.refundShare(F, ann);
        vm.expectRevert(abi.encodeWithSelector(IRefundDesk.NoShare.selector, F, cleo));
        refundDesk.refundShare(F, cleo);
        assertEq(refundDesk.refundShare(F, bob), 315_385, "bob takes what rounding left");
        assertEq(lockbox.excessOf(F), 0, "nothing stays");
        assertTrue(refundDesk.hadShare(F, ann) && refundDesk.hadShare(F, bob), "both had it");
    }

    /// In any order, shares are all of the excess, and nobody gets more than it paid, or a unit less than its part.
    function testFuzz_refundShare__any_payments__all_goes_back(uint40[4] memory paid, uint48 attested, uint8 first)
        public
    {
        address[4] memory payers = [ann, bob, cleo, renter];
        uint256 sum = 0;
        for (uint256 i = 0; i < 4; ++i) {
            if (paid[i] > 0) _payBy(payers[i], paid[i]);
            sum += paid[i];
        }
        uint256 gross = bound(attested, 0, sum);
        // forge-lint: disable-next-line(unsafe-typecast)
        _end(uint128(gross));
        uint256 excess = lockbox.excessOf(F);
        assertEq(excess, sum - gross, "excess");
        if (excess == 0) return;
        vm.warp(refundDesk.sharesFrom(F));
        uint256 back = 0;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 j = (i + first) % 4;
            if (paid[j] == 0) continue;
            if (lockbox.excessOf(F) == 0) continue;
            uint256 share = refundDesk.refundShare(F, payers[j]);
            assertLe(share, paid[j], "more than it paid");
            assertLe(excess * paid[j] / sum, share + 3, "less than its part");
            assertLe(share, excess * paid[j] / sum + 3, "more than its part");
            back += share;
        }
        assertEq(back, excess, "all of it");
    }

    /// @dev Ann paid 2.2 and bob 8.8 where 10 is attested... less one that nobody owes; the facility is closed.
    function _overpaid() private {
        _payBy(ann, 2_200_000);
        _payBy(bob, 8_800_000);
        _end(10_000_000);
    }

    function _end(uint128 gross) private {
        _postFinal(F, gross, 36_000);
        for (uint32 e = 1; e < EPOCHS; ++e) {
            _postFinal(F, 0, 36_000);
        }
        if (gross > 0) lockbox.settle(F);
        _seal(F, 0);
        facilities.mature(F);
        _close(F);
    }

    function _payBy(address payer, uint256 amount) private {
        dollar.mint(payer, amount);
        vm.startPrank(payer);
        dollar.approve(address(lockbox), amount);
        lockbox.payRent(F, LEASE, amount);
        vm.stopPrank();
    }

    function _approveRoot(bytes32 root) private {
        refundDesk.approveCredits(F, root, _signed(refundDesk.creditsDigest(F, root)));
    }

    function _signers() private view returns (address[] memory signers) {
        signers = new address[](2);
        (signers[0], signers[1]) = (vm.addr(attesterKeys[0]), vm.addr(attesterKeys[1]));
    }

    function _leaf(IRefundDesk.Credit memory credit) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(credit))));
    }

    function _path(bytes32 sibling) private pure returns (bytes32[] memory path) {
        path = new bytes32[](1);
        path[0] = sibling;
    }
}
