// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {ITimedPause} from "../../../contracts/interfaces/ITimedPause.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {MockContractAttester} from "../../../contracts/mocks/MockContractAttester.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title Every reason to refuse a statement or a signature; what is stored of a posted one
contract PostingTest is Attesting {
    uint64 private constant F = 2;

    function setUp() public {
        _build();
        _fundToTheCap(F);
    }

    function _good() private view returns (IStatementRegistry.Statement memory) {
        return _next(F, 40_000_000, 36_000, bytes32(0), false).statement;
    }

    function _sign(uint256 key, IStatementRegistry.Statement memory statement)
        private
        view
        returns (IAttesterRegistry.Attestation memory)
    {
        return IAttesterRegistry.Attestation(vm.addr(key), sign(key, statements.statementDigest(statement)));
    }

    function _quorum(IStatementRegistry.Statement memory statement)
        private
        view
        returns (IAttesterRegistry.Attestation[] memory signed)
    {
        signed = new IAttesterRegistry.Attestation[](2);
        (signed[0], signed[1]) = (_sign(attesterKeys[0], statement), _sign(attesterKeys[1], statement));
    }

    function _refused(IStatementRegistry.Statement memory statement, bytes memory reason) private {
        IAttesterRegistry.Attestation[] memory signed = _quorum(statement);
        vm.expectRevert(reason);
        statements.post(statement, signed);
    }

    function _invalid(IStatementRegistry.Statement memory statement, string memory field) private {
        _refused(statement, abi.encodeWithSelector(IStatementRegistry.StatementInvalid.selector, field));
    }

    function test_post__contents_contradict__reverts() external {
        IStatementRegistry.Statement memory statement = _good();
        statement.lineCount = 0;
        _invalid(statement, "usageRoot");
        statement.usageRoot = bytes32(0);
        _invalid(statement, "billedGpuSeconds");
        statement.billedGpuSeconds = 0;
        _invalid(statement, "grossRevenue");
        statement = _good();
        statement.usageRoot = bytes32(0);
        _invalid(statement, "usageRoot");
        statement = _good();
        statement.grossRevenue = int128(uint128(type(uint64).max)) + 1;
        _invalid(statement, "grossRevenue");
        statement.grossRevenue = -1;
        _invalid(statement, "grossRevenue");
        statement = _good();
        statement.evidenceHash = bytes32(0);
        _invalid(statement, "evidenceHash");
        statement = _good();
        statement.topRenterBps = 10_001;
        _invalid(statement, "topRenterBps");
        statement = _good();
        statement.committedBps = 10_001;
        _invalid(statement, "committedBps");
    }

    function test_post__bounds_or_capacity_wrong__reverts() external {
        IStatementRegistry.Statement memory statement = _good();
        bytes memory bounds = abi.encodeWithSelector(IStatementRegistry.EpochBoundsWrong.selector, START, START + EPOCH);
        statement.epochStart += 1;
        _refused(statement, bounds);
        statement = _good();
        statement.epochEnd -= 1;
        _refused(statement, bounds);
        statement = _good();
        uint64 capacity = DEVICES * EPOCH;
        statement.billedGpuSeconds = capacity + 1;
        bytes4 above = IStatementRegistry.GpuSecondsAboveCapacity.selector;
        _refused(statement, abi.encodeWithSelector(above, capacity + 1, capacity));
        statement = _good();
        statement.availableGpuSeconds = capacity + 1;
        _refused(statement, abi.encodeWithSelector(above, capacity + 1, capacity));
    }

    function test_post__too_early_or_not_delivering__reverts() external {
        vm.warp(START + EPOCH - 1);
        IStatementRegistry.Statement memory statement = _good();
        _refused(
            statement,
            abi.encodeWithSelector(IStatementRegistry.EpochNotOver.selector, START + EPOCH, START + EPOCH - 1)
        );
        statement.facilityId = 99;
        _refused(statement, abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, uint64(99)));
    }

    function test_post__paused__reverts_until_resumed() external {
        statements.pause();
        _refused(_good(), abi.encodeWithSelector(ITimedPause.EnforcedPause.selector));
        statements.unpause();
        IStatementRegistry.Statement memory statement = _good();
        statements.post(statement, _quorum(statement));
        assertEq(statements.epochsPosted(F), 1, "posted");
    }

    function test_post__out_of_order_wrong_past_or_beyond_the_window__reverts() external {
        IStatementRegistry.Statement memory statement = _good();
        statement.epoch = 1;
        _refused(
            statement, abi.encodeWithSelector(IStatementRegistry.EpochOutOfOrder.selector, F, uint32(0), uint32(1))
        );
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(_next(F, 1, 1, bytes32(0), false), e);
        }
        // After the last epoch there is the closing statement alone, over the seal.
        statement = _good();
        statement.epochEnd += 1;
        vm.warp(statement.epochEnd);
        uint64 end = START + EPOCHS * EPOCH;
        _refused(statement, abi.encodeWithSelector(IStatementRegistry.EpochBoundsWrong.selector, end, end + SEAL));
    }

    function test_post__wrong_past__reverts() external {
        IStatementRegistry.Statement memory statement = _good();
        statement.previousStatementHash = bytes32(uint256(1));
        bytes4 wrong = IStatementRegistry.PreviousStatementWrong.selector;
        _refused(statement, abi.encodeWithSelector(wrong, bytes32(0), bytes32(uint256(1))));
        _post(_next(F, 1, 1, bytes32(0), false), 0);
        vm.warp(START + 2 * EPOCH);
        statement = _good();
        bytes32 past = statement.previousStatementHash;
        statement.previousStatementHash = bytes32(uint256(2));
        _refused(statement, abi.encodeWithSelector(wrong, past, bytes32(uint256(2))));
    }

    function test_post__signatures_that_are_no_quorum__revert() external {
        IStatementRegistry.Statement memory statement = _good();
        IAttesterRegistry.Attestation[] memory signed = new IAttesterRegistry.Attestation[](1);
        signed[0] = _sign(attesterKeys[0], statement);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.QuorumMissing.selector, 1, 2));
        statements.post(statement, signed);
        signed = new IAttesterRegistry.Attestation[](2);
        (signed[0], signed[1]) = (_sign(attesterKeys[0], statement), _sign(attesterKeys[0], statement));
        address first = vm.addr(attesterKeys[0]);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.AttestersNotAscending.selector, first, first));
        statements.post(statement, signed);
        signed[1] = signed[0];
        signed[0] = IAttesterRegistry.Attestation(address(1), "");
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotAttester.selector, address(1)));
        statements.post(statement, signed);
        signed = _quorum(statement);
        statement.topRenterBps = 1;
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, first));
        statements.post(statement, signed);
    }

    /// @notice A contract attester decides by its own answer, and only by the right one (ATTACKS 20).
    function test_post__contract_attester__its_answer_counts() external {
        MockContractAttester wallet = new MockContractAttester();
        _sitWith(address(wallet));
        IStatementRegistry.Statement memory statement = _good();
        IAttesterRegistry.Attestation[] memory signed = new IAttesterRegistry.Attestation[](2);
        bool below = address(wallet) < vm.addr(attesterKeys[0]);
        signed[below ? 0 : 1] = IAttesterRegistry.Attestation(address(wallet), "any");
        signed[below ? 1 : 0] = _sign(attesterKeys[0], statement);
        for (uint8 mood = 0; mood < 4; ++mood) {
            if (mood == uint8(MockContractAttester.Mood.Accepting)) continue;
            wallet.setMood(MockContractAttester.Mood(mood));
            vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, address(wallet)));
            statements.post(statement, signed);
        }
        wallet.setMood(MockContractAttester.Mood.Accepting);
        statements.post(statement, signed);
        assertEq(statements.signersOf(F, 0).length, 2, "signers");
    }

    function test_views__of_posted_and_unposted_epochs__say_what_stands() external {
        Posted memory made = _next(F, 40_000_000, 36_000, bytes32(0), false);
        assertEq(statements.signersOf(F, 0).length, 0, "no signers");
        assertEq(statements.statementOf(F, 0).postedAt, 0, "not posted");
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.StatementUnknown.selector, F, uint32(0)));
        statements.verifyLine(made.statement, made.line, new bytes32[](0));
        (uint32 none,,) = statements.finalTotals(F, 0);
        assertEq(none, 0, "nothing is final");
        _post(made, 2);
        assertTrue(statements.verifyLine(made.statement, made.line, new bytes32[](0)), "stands");
        made.line.index = 1;
        assertFalse(statements.verifyLine(made.statement, made.line, new bytes32[](0)), "another line");
        made.line.epoch = 1;
        assertFalse(statements.verifyLine(made.statement, made.line, new bytes32[](0)), "another epoch");
        assertEq(statements.signersOf(F, 0)[0], vm.addr(attesterKeys[0]), "signer");
        (none,,) = statements.finalTotals(F, 0);
        assertEq(none, 0, "nothing is final");
        bytes32 stored = statements.hashStatement(made.statement);
        made.statement.topRenterBps = 1;
        bytes32 given = statements.hashStatement(made.statement);
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.StatementHashWrong.selector, stored, given));
        statements.verifyLine(made.statement, made.line, new bytes32[](0));
        vm.warp(_now() + CHALLENGE_WINDOW);
        (uint32 one, uint64 available, uint128 gross) = statements.finalTotals(F, 0);
        assertEq(one, 1, "final");
        assertEq(available, 36_000, "available");
        assertEq(gross, 40_000_000, "gross");
    }

    /// @dev The third seat goes to another attester, which joins with a bond.
    function _sitWith(address attester) private {
        _join(attester);
        address[] memory seats = new address[](3);
        (address first, address second) = (vm.addr(attesterKeys[0]), vm.addr(attesterKeys[1]));
        if (attester < first) (seats[0], seats[1], seats[2]) = (attester, first, second);
        else if (attester < second) (seats[0], seats[1], seats[2]) = (first, attester, second);
        else (seats[0], seats[1], seats[2]) = (first, second, attester);
        attesters.setPanel(1, seats);
    }
}
