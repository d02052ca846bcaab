// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IPublications} from "../../../contracts/interfaces/IPublications.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title The operator's own word on an epoch, and how attesters take it back
contract PublishingTest is Attesting {
    uint64 private constant F = 2;
    bytes32 private constant EVIDENCE = keccak256("evidence");
    bytes32 private constant OTHER = keccak256("other evidence");

    function setUp() public {
        _build();
        _fundToTheCap(F);
    }

    function test_publish__next_epoch_that_is_over__counts() external {
        vm.expectEmit(true, true, true, true, address(statements));
        emit IPublications.EvidencePublished(F, 0, EVIDENCE);
        _say(0, EVIDENCE);
        assertEq(statements.publishedHashOf(F, 0), EVIDENCE, "kept");
        assertEq(statements.publishedHashOf(F, 1), bytes32(0), "not this one");
        assertEq(statements.opennessOf(F).firstOpen, 1, "the next is open");
        assertEq(statements.epochsPosted(F), 0, "nothing is stated");
    }

    function test_publish__by_another_or_without_a_hash__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IPublications.NotGpuOperator.selector, F, ann));
        vm.prank(ann);
        statements.publish(F, 0, EVIDENCE);
        _refused(0, bytes32(0), abi.encodeWithSelector(IPublications.EvidenceHashZero.selector));
        vm.expectRevert(abi.encodeWithSelector(IPublications.NotGpuOperator.selector, uint64(99), gpuOperator));
        vm.prank(gpuOperator);
        statements.publish(99, 0, EVIDENCE);
    }

    function test_publish__out_of_order__reverts() external {
        vm.warp(START + 3 * EPOCH);
        bytes4 order = IPublications.PublicationOutOfOrder.selector;
        _refused(1, EVIDENCE, abi.encodeWithSelector(order, F, 0, 1));
        _say(0, EVIDENCE);
        // What is published once stays as it is.
        _refused(0, OTHER, abi.encodeWithSelector(order, F, 1, 0));
        // What is stated needs no word of the operator's.
        _post(_next(F, 1, 1, bytes32(0), false), 0);
        _post(_next(F, 1, 1, bytes32(0), false), 1);
        _refused(1, EVIDENCE, abi.encodeWithSelector(order, F, 2, 1));
        _say(2, EVIDENCE);
    }

    function test_publish__not_over_or_beyond_the_window__reverts() external {
        vm.warp(START + EPOCH - 1);
        bytes4 notOver = IStatementRegistry.EpochNotOver.selector;
        _refused(0, EVIDENCE, abi.encodeWithSelector(notOver, START + EPOCH, START + EPOCH - 1));
        vm.warp(START + EPOCHS * EPOCH);
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _say(e, EVIDENCE);
        }
        _refused(
            EPOCHS, EVIDENCE, abi.encodeWithSelector(IStatementRegistry.EpochBeyondWindow.selector, F, EPOCHS, EPOCHS)
        );
    }

    function test_publish__before_the_window_or_after_the_end__reverts() external {
        bytes memory notDelivering = abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, F);
        vm.warp(START - 1);
        _refused(0, EVIDENCE, notDelivering);
        _letDefault();
        _refused(0, EVIDENCE, notDelivering);
    }

    /// @notice No pause keeps an operator from its word, nor attesters from theirs.
    function test_publish_and_reject__paused__go_on() external {
        statements.pause();
        _say(0, EVIDENCE);
        _takeBack(0, EVIDENCE);
        assertEq(statements.opennessOf(F).firstOpen, 0, "open again");
    }

    function test_reject__quorum__takes_this_epoch_and_all_later_ones_back() external {
        vm.warp(START + 3 * EPOCH);
        for (uint32 e = 0; e < 3; ++e) {
            _say(e, e == 1 ? OTHER : EVIDENCE);
        }
        address[] memory signers = new address[](2);
        (signers[0], signers[1]) = (vm.addr(attesterKeys[0]), vm.addr(attesterKeys[1]));
        IAttesterDesk.Refusal[] memory signed = _refusals(F, 1, OTHER);
        vm.expectEmit(true, true, true, true, address(statements));
        emit IPublications.EvidenceRejected(F, 1, OTHER, signers, 3);
        vm.prank(ann);
        attesterDesk.reject(F, 1, OTHER, signed);

        IPublications.Openness memory open = statements.opennessOf(F);
        assertEq(open.firstOpen, 1, "the first that is open");
        assertEq(open.rejectedAt, _now(), "noted");
        assertEq(open.voidedAt, 0, "no void");
        assertEq(statements.publishedHashOf(F, 0), EVIDENCE, "earlier ones stay");
        assertEq(statements.publishedHashOf(F, 1), bytes32(0), "this one falls");
        assertEq(statements.publishedHashOf(F, 2), bytes32(0), "and all later ones");
    }

    function test_publish__rejected_epoch__can_only_be_stated() external {
        vm.warp(START + 3 * EPOCH);
        _say(0, EVIDENCE);
        _say(1, EVIDENCE);
        _takeBack(0, EVIDENCE);
        bytes memory rejected = abi.encodeWithSelector(IPublications.EpochRejected.selector, F, 0);
        _refused(0, EVIDENCE, rejected);
        _refused(0, OTHER, rejected);
        _post(_next(F, 1, 1, bytes32(0), false), 0);
        // The later one fell with it, but was not rejected itself.
        _say(1, OTHER);
        assertEq(statements.opennessOf(F).firstOpen, 2, "on");
    }

    function test_reject__nothing_stands__reverts() external {
        vm.warp(START + 2 * EPOCH);
        _nothing(0, EVIDENCE, bytes32(0));
        _say(0, EVIDENCE);
        _nothing(0, OTHER, EVIDENCE);
        _nothing(0, bytes32(0), EVIDENCE);
        _nothing(1, EVIDENCE, bytes32(0));
        _post(_next(F, 1, 1, bytes32(0), false), 0);
        _nothing(0, EVIDENCE, EVIDENCE);
    }

    function test_reject__signatures_that_are_no_quorum__revert() external {
        _say(0, EVIDENCE);
        address first = vm.addr(attesterKeys[0]);
        IAttesterDesk.Refusal[] memory signed = new IAttesterDesk.Refusal[](1);
        signed[0] = _refusals(F, 0, EVIDENCE)[0];
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.QuorumMissing.selector, 1, 2));
        attesterDesk.reject(F, 0, EVIDENCE, signed);
        signed = _refusals(F, 0, OTHER);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.RefusalStale.selector, first));
        attesterDesk.reject(F, 0, EVIDENCE, signed);
        signed = _refusals(F, 1, EVIDENCE);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.SignatureInvalid.selector, first));
        attesterDesk.reject(F, 0, EVIDENCE, signed);
        signed = _refusals(F, 0, EVIDENCE);
        signed[1] = signed[0];
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.AttestersNotAscending.selector, first, first));
        attesterDesk.reject(F, 0, EVIDENCE, signed);
        vm.expectRevert(abi.encodeWithSelector(IPublications.NotAttesterDesk.selector, address(this)));
        statements.takeBack(F, 0, EVIDENCE, new address[](0));
    }

    /// @notice Who refused a wrong statement over this evidence did not refuse the evidence; and no refusal counts for
    /// ever.
    function test_reject__refusals_of_a_statement_or_out_of_date__revert() external {
        _say(0, EVIDENCE);
        IAttesterDesk.Refusal[] memory refusals = _refusals(F, 0, EVIDENCE);
        bytes memory stale = abi.encodeWithSelector(IAttesterDesk.RefusalStale.selector, refusals[0].attester);
        for (uint256 i = 0; i < 2; ++i) {
            refusals[i].statementHash = keccak256("wrong totals");
            refusals[i].signature = sign(attesterKeys[i], attesterDesk.refusalDigest(F, 0, refusals[i]));
        }
        vm.expectRevert(stale);
        attesterDesk.reject(F, 0, EVIDENCE, refusals);
        for (uint256 i = 0; i < 2; ++i) {
            refusals[i].statementHash = 0;
            refusals[i].until = uint64(_now());
            refusals[i].signature = sign(attesterKeys[i], attesterDesk.refusalDigest(F, 0, refusals[i]));
        }
        uint256 until = _now();
        vm.warp(until + 1);
        vm.expectRevert(stale);
        attesterDesk.reject(F, 0, EVIDENCE, refusals);
        vm.warp(until);
        attesterDesk.reject(F, 0, EVIDENCE, refusals);
        assertEq(statements.opennessOf(F).firstOpen, 0, "in its last second");
    }

    /// @notice Signatures count once: rejected, stated and voided, the epoch stands published again with the same hash.
    function test_reject__replayed__reverts() external {
        _say(0, EVIDENCE);
        IAttesterDesk.Refusal[] memory signed = _refusals(F, 0, EVIDENCE);
        attesterDesk.reject(F, 0, EVIDENCE, signed);
        bytes memory stale = abi.encodeWithSelector(IAttesterDesk.RefusalStale.selector, vm.addr(attesterKeys[0]));
        vm.expectRevert(stale);
        attesterDesk.reject(F, 0, EVIDENCE, signed);
        _post(_next(F, 1, 1, bytes32(0), true), 0);
        _challenge(F, 0);
        assertEq(statements.opennessOf(F).firstOpen, 0, "a void does not publish what was rejected");
        _nothing(0, EVIDENCE, bytes32(0));
        // Stated again, and epoch 1 published: its rejection needs new signatures.
        _post(_next(F, 1, 1, bytes32(0), false), 0);
        vm.warp(START + 2 * EPOCH);
        _say(1, EVIDENCE);
        vm.expectRevert(stale);
        attesterDesk.reject(F, 1, EVIDENCE, signed);
        _takeBack(1, EVIDENCE);
        assertEq(statements.opennessOf(F).firstOpen, 1, "by new signatures");
    }

    /// @notice An epoch that was never published and whose statement is void stands without a hash.
    function test_reject__voided_epoch_without_evidence__by_the_zero_hash() external {
        _post(_next(F, 1, 1, bytes32(0), true), 0);
        _challenge(F, 0);
        IPublications.Openness memory open = statements.opennessOf(F);
        assertEq(open.firstOpen, 1, "published");
        assertEq(open.voidedAt, _now(), "noted");
        assertEq(statements.publishedHashOf(F, 0), bytes32(0), "no hash");
        _takeBack(0, bytes32(0));
        open = statements.opennessOf(F);
        assertEq(open.firstOpen, 0, "open");
        assertEq(open.voidedAt, _now(), "the void stays noted");
    }

    /// @notice A void takes no publication back, of its epoch or of later ones.
    function test_challenge__published_further__leaves_publications() external {
        vm.warp(START + 3 * EPOCH);
        for (uint32 e = 0; e < 3; ++e) {
            _say(e, EVIDENCE);
        }
        _post(_next(F, 1, 1, bytes32(0), true), 0);
        _challenge(F, 0);
        assertEq(statements.epochsPosted(F), 0, "void");
        assertEq(statements.opennessOf(F).firstOpen, 3, "all three");
    }

    function test_reject__after_the_end__until_the_closing() external {
        vm.warp(START + 2 * EPOCH);
        _say(0, EVIDENCE);
        _say(1, EVIDENCE);
        _letDefault();
        _takeBack(1, EVIDENCE);
        vm.warp(lockbox.closableFrom(F));
        lockbox.close(F);
        IAttesterDesk.Refusal[] memory signed = _refusals(F, 0, EVIDENCE);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.DutiesEnded.selector, F, _now()));
        attesterDesk.reject(F, 0, EVIDENCE, signed);
    }

    /// @dev Of the first epoch that is neither stated nor published.
    function _letDefault() private {
        uint32 epoch = statements.opennessOf(F).firstOpen;
        vm.warp(START + (epoch + 1) * EPOCH + PATIENCE);
        facilities.noticeDefault(F, epoch);
        vm.warp(_now() + CURE);
        facilities.declareDefault(F, epoch);
    }

    function _say(uint32 epoch, bytes32 evidenceHash) private {
        vm.prank(gpuOperator);
        statements.publish(F, epoch, evidenceHash);
    }

    function _takeBack(uint32 epoch, bytes32 evidenceHash) private {
        attesterDesk.reject(F, epoch, evidenceHash, _refusals(F, epoch, evidenceHash));
    }

    function _refused(uint32 epoch, bytes32 evidenceHash, bytes memory reason) private {
        vm.expectRevert(reason);
        vm.prank(gpuOperator);
        statements.publish(F, epoch, evidenceHash);
    }

    function _nothing(uint32 epoch, bytes32 evidenceHash, bytes32 standing) private {
        IAttesterDesk.Refusal[] memory signed = _refusals(F, epoch, evidenceHash);
        vm.expectRevert(abi.encodeWithSelector(IPublications.NothingToReject.selector, F, epoch, standing));
        attesterDesk.reject(F, epoch, evidenceHash, signed);
    }
}
