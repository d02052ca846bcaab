// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title Statements that come after the end of their facility, and until when they can
/// @dev A facility of its own: six epochs of a day, so that some are over at its end, and one is not.
contract LastWordTest is Attesting {
    uint64 private constant F = 9;
    uint32 private constant DAY = 1 days;
    /// @dev Of epoch 0: its end, a patience of two days, a cure of two days. In this second epoch 4 ends.
    uint64 private constant ENDED = START + 5 * DAY;
    /// @dev An epoch and a day.
    uint64 private constant UNTIL = ENDED + 2 * DAY;
    uint128 private _salt;

    function setUp() public {
        _build();
        IFacilityRegistry.FacilityTerms memory terms = _terms(F);
        (terms.windowEnd, terms.epochLength, terms.patienceSeconds) = (START + 6 * DAY, DAY, 2 * DAY);
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(40, 0);
        vm.startPrank(gpuOperator);
        facilities.offer(F, terms, tranches);
        _approve(F);
        vault.setTerms(F, _bondTerms());
        token.mint(ann, _id(F, 0), 40);
        vm.stopPrank();
        _arm(_coin(F), gpuOperator, address(vault), 2_000_000);
        vm.startPrank(gpuOperator);
        vault.deposit(F, 2_000_000);
        facilities.fund(F);
        vm.stopPrank();
    }

    function test_post__after_a_default__epochs_that_were_over_alone() external {
        _default();
        for (uint32 e = 0; e < 5; ++e) {
            _say(false);
        }
        assertEq(statements.epochsPosted(F), 5, "all five that were over");
        vm.warp(START + 6 * DAY);
        // The epoch that the end cut short is stated nowhere: what comes now closes, and has no capacity.
        Posted memory made = _made(false);
        bytes4 above = IStatementRegistry.GpuSecondsAboveCapacity.selector;
        _refused(made, abi.encodeWithSelector(above, made.statement.billedGpuSeconds, 0));
    }

    function test_post__after_the_end__until_the_exact_second() external {
        assertEq(statements.statementsEndAt(F), 0, "not ended");
        _default();
        assertEq(statements.statementsEndAt(F), UNTIL, "an epoch and a day");
        vm.warp(UNTIL - 1);
        _say(false);
        assertEq(statements.statementsEndAt(F), UNTIL - 1 + CHALLENGE_WINDOW, "what is posted must become final");
        vm.warp(UNTIL);
        _late(_made(false));
    }

    function test_post__after_a_long_stop__the_same() external {
        uint64 stopped = START + 6 * DAY + SEAL + 180 * DAY;
        vm.warp(stopped);
        facilities.stop(F);
        assertEq(statements.statementsEndAt(F), stopped + 2 * DAY, "view");
        for (uint32 e = 0; e < 5; ++e) {
            _say(false);
        }
        vm.warp(stopped + 2 * DAY);
        _late(_made(false));
        vm.warp(stopped + 2 * DAY - 1);
        _say(false);
    }

    /// @notice A pauser stops postings of living facilities, and nothing of one that has ended.
    function test_post__paused__only_while_it_delivers() external {
        statements.pause();
        vm.warp(START + DAY);
        Posted memory made = _made(false);
        vm.warp(made.statement.epochEnd);
        IAttesterRegistry.Attestation[] memory signed = _quorum(made.statement);
        vm.expectRevert(abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        statements.post(made.statement, signed);
        _default();
        statements.post(made.statement, signed);
        assertEq(statements.epochsPosted(F), 1, "posted");
    }

    function test_post__after_maturity__reverts() external {
        for (uint32 e = 0; e < 6; ++e) {
            _post(_free(), 0);
        }
        vm.warp(_now() + CHALLENGE_WINDOW);
        lockbox.settle(F);
        _post(_lastOf(START + 6 * DAY + SEAL), 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
        facilities.mature(F);
        assertEq(statements.statementsEndAt(F), _now(), "no statement more");
        Posted memory made = _made(false);
        _refused(made, abi.encodeWithSelector(IStatementRegistry.ClosingPosted.selector, F));
    }

    function test_challenge__after_the_end__puts_it_off() external {
        _default();
        vm.warp(UNTIL - 1);
        _say(true);
        vm.warp(UNTIL + CHALLENGE_WINDOW - 2);
        _challenge(F, 0);
        uint64 later = UNTIL + CHALLENGE_WINDOW - 2 + 2 * DAY;
        assertEq(statements.statementsEndAt(F), later, "an epoch and a day since the void");
        vm.warp(later);
        _late(_made(false));
        vm.warp(later - 1);
        _say(false);
    }

    /// @notice Who voids its own statements again and again does not keep a facility from its closing.
    function test_challenge__again_and_again__thirty_days_at_most() external {
        _default();
        uint64 last = UNTIL + 30 * DAY;
        uint256 voids = 0;
        while (statements.statementsEndAt(F) < last) {
            vm.warp(statements.statementsEndAt(F) - 1);
            _say(true);
            _challenge(F, 0);
            ++voids;
        }
        // Each puts it off by two days at most.
        assertLe(15, voids, "many");
        assertEq(statements.statementsEndAt(F), last, "thirty days");
        vm.warp(last - 1);
        _say(true);
        _challenge(F, 0);
        assertEq(statements.statementsEndAt(F), last, "and no second more");
        vm.warp(last);
        _late(_made(false));
        assertEq(lockbox.closableFrom(F), last + DAY, "and the closing with it");
        vm.warp(last + DAY);
        lockbox.close(F);
    }

    /// @notice A facility that ended early has a closing statement too, once all epochs that were over are stated. It
    /// ends after the facility, by at most an epoch, and comes inside the time for last statements.
    function test_post__closing_after_a_default__ends_within_an_epoch() external {
        _default();
        for (uint32 e = 0; e < 5; ++e) {
            _say(false);
        }
        Posted memory made = _lastOf(ENDED);
        _refused(made, abi.encodeWithSelector(IStatementRegistry.EpochBoundsWrong.selector, ENDED, ENDED + 1));
        made = _lastOf(ENDED + DAY + 1);
        vm.warp(ENDED + DAY + 1);
        _refused(made, abi.encodeWithSelector(IStatementRegistry.EpochBoundsWrong.selector, ENDED, ENDED + DAY));
        made = _lastOf(ENDED + 600);
        vm.warp(ENDED + 599);
        _refused(made, abi.encodeWithSelector(IStatementRegistry.EpochNotOver.selector, ENDED + 600, ENDED + 599));
        vm.warp(UNTIL);
        _late(made);
        vm.warp(UNTIL - 1);
        _post(made, 0);
        assertTrue(statements.isClosingPosted(F), "closed");
        assertEq(statements.epochsPosted(F), 5, "no epoch more");
        assertEq(statements.opennessOf(F).firstOpen, 5, "the sixth is missing");
        vm.warp(statements.statementsEndAt(F));
        assertTrue(statements.isClosingFinal(F), "the closing waits for it");
    }

    function _lastOf(uint64 end) private view returns (Posted memory made) {
        made = _closing(F, 0);
        made.statement.epochStart = START + statements.epochsPosted(F) * DAY;
        made.statement.epochEnd = end;
        made.line.end = START + DAY;
        made.statement.usageRoot = UsageProof.leaf(made.line);
    }

    function _refused(Posted memory made, bytes memory reason) private {
        IAttesterRegistry.Attestation[] memory signed = _quorum(made.statement);
        vm.expectRevert(reason);
        statements.post(made.statement, signed);
    }

    function _default() private {
        vm.warp(START + 3 * DAY);
        facilities.noticeDefault(F, 0);
        vm.warp(ENDED);
        facilities.declareDefault(F, 0);
    }

    /// @dev Now, with a quorum.
    function _say(bool faulty) private {
        _post(_made(faulty), 0);
    }

    /// @dev Refused, though a quorum signed it.
    function _late(Posted memory made) private {
        IAttesterRegistry.Attestation[] memory signed = _quorum(made.statement);
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, F));
        statements.post(made.statement, signed);
    }

    /// @dev The next statement, with other revenue each time: what is void is barred.
    function _made(bool faulty) private returns (Posted memory made) {
        made = _next(F, 1_000 + ++_salt, 36_000, bytes32(0), faulty);
        uint64 start = START + made.statement.epoch * DAY;
        (made.statement.epochStart, made.statement.epochEnd) = (start, start + DAY);
    }

    /// @dev Without revenue, so that nobody owes anything.
    function _free() private view returns (Posted memory made) {
        made = _next(F, 0, 36_000, bytes32(0), false);
        uint64 start = START + made.statement.epoch * DAY;
        (made.statement.epochStart, made.statement.epochEnd) = (start, start + DAY);
    }

    function _quorum(IStatementRegistry.Statement memory statement)
        private
        view
        returns (IAttesterRegistry.Attestation[] memory signed)
    {
        bytes32 digest = statements.statementDigest(statement);
        signed = new IAttesterRegistry.Attestation[](2);
        for (uint256 i = 0; i < 2; ++i) {
            signed[i] = IAttesterRegistry.Attestation(vm.addr(attesterKeys[i]), sign(attesterKeys[i], digest));
        }
    }
}
