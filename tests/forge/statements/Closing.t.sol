// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title The closing statement, and availability that changes after its epoch
contract ClosingTest is Attesting {
    uint64 private constant F = 2;
    uint64 private constant END = START + EPOCHS * EPOCH;
    uint64 private constant CAPACITY = DEVICES * EPOCH;

    function setUp() public {
        _build();
        _fundToTheCap(F);
    }

    function test_post__closing__after_the_seal_once_and_as_no_epoch() external {
        _allEpochs(CAPACITY);
        Posted memory made = _closing(F, -1_000);
        vm.warp(END + SEAL - 1);
        _refused(made, abi.encodeWithSelector(IStatementRegistry.EpochNotOver.selector, END + SEAL, END + SEAL - 1));
        vm.warp(END + SEAL);
        assertFalse(statements.isClosingPosted(F), "not yet");

        _post(made, 0);

        assertTrue(statements.isClosingPosted(F), "posted");
        assertFalse(statements.isClosingFinal(F), "not final");
        assertEq(statements.epochsPosted(F), EPOCHS, "no epoch");
        assertEq(statements.opennessOf(F).firstOpen, EPOCHS, "nor published as one");
        (uint32 epochs,, uint256 gross) = statements.finalTotals(F, 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
        (uint32 after_, uint64 available, uint256 lowered) = statements.finalTotals(F, 0);
        assertEq(after_, epochs, "the same epochs");
        assertEq(lowered, gross - 1_000, "lower by what is below zero");
        assertEq(available, 4 * uint256(CAPACITY), "and as available");
        assertEq(statements.signersOf(F, EPOCHS).length, 2, "signers of the closing statement");
        assertTrue(statements.verifyLine(made.statement, made.line, new bytes32[](0)), "lines");
        Posted memory again = _closing(F, 0);
        _refused(again, abi.encodeWithSelector(IStatementRegistry.ClosingPosted.selector, F));
    }

    function test_post__closing_far_below_zero__is_never_refused() external {
        _allEpochs(CAPACITY);
        _seal(F, -int128(uint128(type(uint64).max)));
        (,, uint256 gross) = statements.finalTotals(F, 0);
        assertEq(gross, 0, "attested is zero, not less");
    }

    function test_post__closing_with_capacity__reverts() external {
        _allEpochs(CAPACITY);
        vm.warp(END + SEAL);
        Posted memory made = _closing(F, 0);
        bytes4 above = IStatementRegistry.GpuSecondsAboveCapacity.selector;
        made.statement.availableGpuSeconds = 1;
        _refused(made, abi.encodeWithSelector(above, 1, 0));
        made = _closing(F, 0);
        made.statement.billedGpuSeconds = 1;
        _refused(made, abi.encodeWithSelector(above, 1, 0));
    }

    /// @notice A fault of the closing statement leaves all epochs, and their totals; one of an epoch takes it along.
    function test_challenge__closing__falls_alone_and_with_an_epoch() external {
        _allEpochs(CAPACITY);
        vm.warp(END + SEAL);
        (,, uint256 before) = statements.finalTotals(F, 0);
        Posted memory made = _closing(F, -1_000);
        made.line.subject = bytes32(0);
        made.line.kind = 9;
        made.statement.usageRoot = UsageProof.leaf(made.line);
        _post(made, 0);
        statements.challengeLine(made.statement, IStatementChallenges.ProvenLine(made.line, new bytes32[](0)));
        assertFalse(statements.isClosingPosted(F), "void");
        assertEq(statements.epochsPosted(F), EPOCHS, "epochs stay");
        vm.warp(_now() + CHALLENGE_WINDOW);
        (,, uint256 gross) = statements.finalTotals(F, 0);
        assertEq(gross, before, "and their totals");
        _seal(F, -1_000);
        (,, gross) = statements.finalTotals(F, 0);
        assertEq(gross, before - 1_000, "another one takes its place");
    }

    function test_challenge__last_epoch_under_a_closing__takes_it_along() external {
        for (uint256 e = 0; e + 1 < EPOCHS; ++e) {
            _post(_next(F, 1_000, CAPACITY, bytes32(0), false), e);
        }
        vm.warp(END + SEAL);
        Posted memory faulty = _next(F, 1_000, CAPACITY, bytes32(0), true);
        _post(faulty, 0);
        _post(_closing(F, 500), 0);
        statements.challengeLine(faulty.statement, IStatementChallenges.ProvenLine(faulty.line, new bytes32[](0)));
        assertFalse(statements.isClosingPosted(F), "void too");
        assertEq(statements.epochsPosted(F), EPOCHS - 1, "back to before");
        _post(_next(F, 1_000, CAPACITY, bytes32(0), false), 0);
        _seal(F, 500);
        (uint32 epochs, uint64 available, uint256 gross) = statements.finalTotals(F, 0);
        assertEq(epochs, EPOCHS, "all");
        assertEq(available, 4 * uint256(CAPACITY), "available");
        assertEq(gross, 4_500, "gross");
    }

    /// @notice What turns out later, up or down, stays between nothing and the capacity of all epochs so far.
    function test_post__availability_adjusted__stays_inside_capacity() external {
        _post(_next(F, 1, CAPACITY, bytes32(0), false), 0);
        Posted memory made = _next(F, 1, 100, bytes32(0), false);
        made.statement.availableAdjustment = -int64(CAPACITY) - 101;
        vm.warp(made.statement.epochEnd);
        bytes memory wrong = abi.encodeWithSelector(IStatementRegistry.StatementInvalid.selector, "availableAdjustment");
        _refused(made, wrong);
        made.statement.availableAdjustment = int64(CAPACITY) - 99;
        _refused(made, wrong);
        made.statement.availableAdjustment = -int64(CAPACITY) - 100;
        _post(made, 0);
        assertEq(statements.statementOf(F, 1).cumulativeAvailable, 0, "nothing was available after all");
        made = _next(F, 1, 0, bytes32(0), false);
        made.statement.availableAdjustment = 3 * int64(CAPACITY) + 1;
        vm.warp(made.statement.epochEnd);
        _refused(made, wrong);
        made.statement.availableAdjustment = 3 * int64(CAPACITY);
        _post(made, 0);
        assertEq(statements.statementOf(F, 2).cumulativeAvailable, 3 * uint256(CAPACITY), "all of it was");
    }

    function _allEpochs(uint256 available) private {
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(_next(F, 1_000, available, bytes32(0), false), e);
        }
        vm.warp(_now() + CHALLENGE_WINDOW);
    }

    function _refused(Posted memory made, bytes memory reason) private {
        IAttesterRegistry.Attestation[] memory signed = _signed(statements.statementDigest(made.statement));
        vm.expectRevert(reason);
        statements.post(made.statement, signed);
    }
}
