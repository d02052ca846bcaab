// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPublications} from "../../../contracts/interfaces/IPublications.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {DealBase} from "./DealBase.sol";

/// @title What a voided statement leaves behind
contract VoidedTest is DealBase {
    /// A void leaves an epoch published, but not one whose evidence was rejected, nor those after it.
    function test_void__evidence_rejected_before__epoch_is_open_again() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCHS * EPOCH);
        _publish(0);
        _reject(0);
        _postFaulty();
        IStatementRegistry.Statement memory faulty = _last;
        _post(0, 0);
        assertEq(statements.opennessOf(FACILITY).firstOpen, 2, "stated");
        _void(faulty);
        assertEq(statements.opennessOf(FACILITY).firstOpen, 0, "open again");
        assertEq(statements.publishedHashOf(FACILITY, 0), bytes32(0), "nothing stands published");
        vm.expectRevert(abi.encodeWithSelector(IPublications.EpochRejected.selector, FACILITY, uint32(0)));
        _publish(0);
    }

    /// An earlier fault takes a later epoch with it that can only be stated.
    function test_void__of_an_earlier_epoch__rejected_one_is_open_again() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCHS * EPOCH);
        _publish(0);
        _publish(1);
        _reject(1);
        _postFaulty();
        IStatementRegistry.Statement memory faulty = _last;
        _post(0, 0);
        _post(0, 0);
        _void(faulty);
        assertEq(statements.opennessOf(FACILITY).firstOpen, 1, "epoch 0 stays published, 1 does not");
    }

    /// The lowest epoch that was ever rejected counts, though a later one was rejected after it.
    function test_void__later_epoch_rejected_too__lowest_one_is_open_again() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCHS * EPOCH);
        _publish(0);
        _publish(1);
        _reject(1);
        _postFaulty();
        IStatementRegistry.Statement memory faulty = _last;
        _post(0, 0);
        _publish(2);
        _reject(2);
        _void(faulty);
        assertEq(statements.opennessOf(FACILITY).firstOpen, 1, "epoch 1 was rejected, and can only be stated");
    }

    /// Without a rejection every epoch that was stated stays published.
    function test_void__nothing_rejected__takes_no_publication_back() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCHS * EPOCH);
        _postFaulty();
        IStatementRegistry.Statement memory faulty = _last;
        _post(0, 0);
        _void(faulty);
        assertEq(statements.epochsPosted(FACILITY), 0, "void");
        assertEq(statements.opennessOf(FACILITY).firstOpen, 2, "published");
        assertEq(statements.opennessOf(FACILITY).voidedAt, _now(), "patience begins anew");
    }

    IStatementRegistry.Statement private _last;
    IStatementRegistry.Line private _line;

    /// @dev A statement whose only line says another charge than its totals.
    function _postFaulty() private {
        IStatementRegistry.Statement memory statement = _statement(0, 5);
        IStatementRegistry.Line memory line;
        (line.facilityId, line.epoch, line.subject, line.lease) = (FACILITY, statement.epoch, "device", "lease");
        (line.start, line.end, line.gpuSeconds) = (statement.epochStart, statement.epochEnd, EPOCH);
        (line.charge, line.cumulativeCharge, line.cumulativeGpuSeconds) = (7, 7, EPOCH);
        (statement.lineCount, statement.billedGpuSeconds) = (1, EPOCH);
        statement.usageRoot = UsageProof.leaf(line);
        statements.post(statement, _signed(statements.statementDigest(statement)));
        previous = statements.hashStatement(statement);
        (_last, _line) = (statement, line);
    }

    function _void(IStatementRegistry.Statement memory faulty) private {
        statements.challengeLine(faulty, IStatementChallenges.ProvenLine(_line, new bytes32[](0)));
        previous = bytes32(0);
    }
}
