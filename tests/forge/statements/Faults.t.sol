// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {Faults} from "../../../contracts/statements/Faults.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Setup} from "./Setup.sol";

/// @notice Leaves, hashes and rules against the golden file that Python writes, and under fuzzed lines.
contract FaultsTest is Setup {
    struct LineCase {
        IStatementRegistry.Statement statement;
        IStatementRegistry.Line line;
        bytes32 statementHash;
        bytes32 leaf;
        uint8 fault;
    }

    struct PairCase {
        IStatementRegistry.Line first;
        IStatementRegistry.Line second;
        uint8 fault;
    }

    struct PledgeCase {
        uint64 facilityId;
        uint32 index;
        bytes32 device;
        bytes32 card;
        uint32 fromEpoch;
        bytes32 leaf;
    }

    uint64 private constant START = WINDOW_START + EPOCH_LENGTH;

    error Differs(uint256 index, uint256 expected, uint256 actual);

    /// @dev Four epochs, as tests/ledgers.py has them.
    function terms() private pure returns (IFacilityRegistry.FacilityTerms memory facility) {
        facility.windowStart = WINDOW_START;
        facility.windowEnd = WINDOW_START + 4 * EPOCH_LENGTH;
        facility.epochLength = EPOCH_LENGTH;
    }

    function judge(IStatementRegistry.Statement calldata statement, IStatementRegistry.Line calldata line)
        external
        pure
        returns (IStatementChallenges.Fault)
    {
        return Faults.ofLine(terms(), statement, line);
    }

    function judgeAt(
        uint64[4] calldata window,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line
    ) external pure returns (IStatementChallenges.Fault) {
        IFacilityRegistry.FacilityTerms memory facility;
        (facility.windowStart, facility.windowEnd) = (window[0], window[1]);
        (facility.epochLength, facility.sealSeconds) = (uint32(window[2]), uint32(window[3]));
        return Faults.ofLine(facility, statement, line);
    }

    function leafOf(uint64 facilityId, IStatementChallenges.ProvenPledge calldata pledge)
        external
        pure
        returns (bytes32)
    {
        return UsageProof.pledgeLeaf(facilityId, pledge);
    }

    function _read(string memory key) private view returns (bytes memory) {
        return vm.parseJsonBytes(vm.readFile("tests/vectors/faults.json"), key);
    }

    function test_lines__of_the_golden_file__are_judged_as_in_python() public view {
        LineCase[] memory cases = abi.decode(_read(".lines"), (LineCase[]));
        uint64[4] memory window = abi.decode(_read(".window"), (uint64[4]));
        require(cases.length > 80);
        for (uint256 i = 0; i < cases.length; ++i) {
            bytes32 statementHash = registry.hashStatement(cases[i].statement);
            bytes32 leaf = UsageProof.leaf(cases[i].line);
            require(statementHash == cases[i].statementHash, Differs(i, 0, 0));
            require(leaf == cases[i].leaf, Differs(i, 0, 1));
            uint8 fault = uint8(this.judgeAt(window, cases[i].statement, cases[i].line));
            require(fault == cases[i].fault, Differs(i, cases[i].fault, fault));
        }
    }

    function test_pairs__of_the_golden_file__are_judged_as_in_python() public view {
        PairCase[] memory cases = abi.decode(_read(".pairs"), (PairCase[]));
        require(cases.length > 40);
        for (uint256 i = 0; i < cases.length; ++i) {
            uint8 fault = uint8(Faults.ofPair(cases[i].first, cases[i].second));
            require(fault == cases[i].fault, Differs(i, cases[i].fault, fault));
        }
    }

    function test_pledges__of_the_golden_file__have_the_same_leaves() public view {
        PledgeCase[] memory cases = abi.decode(_read(".pledges"), (PledgeCase[]));
        require(cases.length == 5);
        for (uint256 i = 0; i < cases.length; ++i) {
            PledgeCase memory given = cases[i];
            bytes32 leaf = this.leafOf(
                given.facilityId,
                IStatementChallenges.ProvenPledge(
                    given.index, given.device, given.card, given.fromEpoch, new bytes32[](0)
                )
            );
            require(leaf == given.leaf, Differs(i, 0, 0));
        }
    }

    /// @notice ATTACKS 22: whatever the sums, no predicate reverts, and only the true sum passes.
    function testFuzz_ofPair__adjacent__only_the_true_sum_passes(
        IStatementRegistry.Line memory first,
        IStatementRegistry.Line memory second,
        bool honest
    ) public pure {
        first.index = 4;
        second.index = 5;
        (first.kind, second.kind) = (Faults.USAGE, Faults.SHORTFALL_DIFFERENCE);
        if (honest && second.gpuSeconds <= type(uint64).max - first.cumulativeGpuSeconds) {
            second.cumulativeGpuSeconds = first.cumulativeGpuSeconds + second.gpuSeconds;
            first.cumulativeCharge = first.cumulativeCharge / 2;
            second.charge = second.charge / 2;
            second.cumulativeCharge = first.cumulativeCharge + second.charge;
            require(Faults.ofPair(first, second) == IStatementChallenges.Fault.None);
            return;
        }
        bool follows = uint256(second.cumulativeGpuSeconds) == uint256(first.cumulativeGpuSeconds) + second.gpuSeconds
            && int256(second.cumulativeCharge) == int256(first.cumulativeCharge) + second.charge;
        bool passed = Faults.ofPair(first, second) == IStatementChallenges.Fault.None;
        require(passed == follows);
    }

    /// @notice Two counted lines of one device in order are at fault exactly when they share a second.
    function testFuzz_ofPair__one_device__overlap_is_a_shared_second(
        uint32 start,
        uint16 length,
        uint32 laterBy,
        uint16 otherLength
    ) public pure {
        IStatementRegistry.Line memory first;
        IStatementRegistry.Line memory second;
        first.subject = second.subject = bytes32(uint256(1));
        first.start = start;
        first.end = first.start + length + 1;
        second.start = first.start + laterBy;
        second.end = second.start + otherLength + 1;
        second.index = 9;
        second.kind = Faults.DELIVERY;
        bool shared = second.start < first.end;
        IStatementChallenges.Fault expected =
            shared ? IStatementChallenges.Fault.LinesOverlap : IStatementChallenges.Fault.None;
        require(Faults.ofPair(first, second) == expected);
        (first.subject, second.subject) = (bytes32(uint256(1)), bytes32(uint256(2)));
        require(Faults.ofPair(first, second) == IStatementChallenges.Fault.None);
    }

    /// @notice Of two lines with different keys exactly one order passes.
    function testFuzz_ofPair__two_keys__have_one_order(
        IStatementRegistry.Line memory a,
        IStatementRegistry.Line memory b,
        uint8 equalFields
    ) public pure {
        (a.kind, b.kind) = (Faults.VOID, Faults.VOID);
        if (equalFields & 1 == 1) b.subject = a.subject;
        if (equalFields & 2 == 2) b.start = a.start;
        if (equalFields & 4 == 4) b.lease = a.lease;
        if (equalFields & 8 == 8) b.end = a.end;
        (a.index, b.index) = (0, 2);
        bool forward = Faults.ofPair(a, b) == IStatementChallenges.Fault.None;
        (a.index, b.index) = (2, 0);
        bool backward = Faults.ofPair(b, a) == IStatementChallenges.Fault.None;
        bool same = a.subject == b.subject && a.start == b.start && a.lease == b.lease && a.end == b.end;
        require(same ? !forward && !backward : forward != backward);
    }

    /// @notice A line that keeps every rule has no fault; any line is judged without a revert.
    function testFuzz_ofLine__inside_its_epoch__is_honest(uint32 offset, uint32 length, uint64 charge, uint8 kind)
        public
        view
    {
        IStatementRegistry.Statement memory statement = _secondEpoch();
        IStatementRegistry.Line memory line = _middle(statement);
        line.kind = kind % 2;
        line.start = START + offset % (EPOCH_LENGTH - 1);
        line.end = line.start + 1 + length % (START + EPOCH_LENGTH - line.start);
        line.gpuSeconds = line.end - line.start;
        if (line.kind == Faults.USAGE) line.charge = int128(uint128(charge));
        bool inside = line.end <= START + EPOCH_LENGTH;
        IStatementChallenges.Fault expected =
            inside ? IStatementChallenges.Fault.None : IStatementChallenges.Fault.IntervalOutside;
        require(this.judge(statement, line) == expected);
    }

    /// @notice What is late, and voids, keep one epoch before the statement's; they have no money.
    function testFuzz_ofLine__late_or_void__keeps_one_earlier_epoch(
        uint32 offset,
        uint32 length,
        int64 charge,
        uint8 kind
    ) public view {
        IStatementRegistry.Statement memory statement = _secondEpoch();
        (statement.epoch, statement.epochStart) = (2, WINDOW_START + 2 * EPOCH_LENGTH);
        statement.epochEnd = statement.epochStart + EPOCH_LENGTH;
        IStatementRegistry.Line memory line = _middle(statement);
        line.kind = Faults.LATE + kind % 3;
        line.start = WINDOW_START - 9 + offset % (3 * EPOCH_LENGTH);
        line.end = line.start + 1 + length % EPOCH_LENGTH;
        line.charge = charge;
        bool one = line.start >= WINDOW_START && line.end <= statement.epochStart
            && (line.end <= START || line.start >= START);
        IStatementChallenges.Fault expected =
            charge == 0 ? IStatementChallenges.Fault.None : IStatementChallenges.Fault.ChargeWrong;
        if (!one) expected = IStatementChallenges.Fault.IntervalOutside;
        require(this.judge(statement, line) == expected);
    }

    /// @notice Differences have any sign, lie anywhere in the window, and name their component.
    function testFuzz_ofLine__difference__names_its_component(uint32 offset, uint32 length, int64 charge, uint8 kind)
        public
        view
    {
        IStatementRegistry.Statement memory statement = _secondEpoch();
        IStatementRegistry.Line memory line = _middle(statement);
        string[5] memory names = ["usage", "tier", "shortfall", "minimum", "sla"];
        line.kind = Faults.USAGE_DIFFERENCE + kind % 7;
        line.start = WINDOW_START + offset % (5 * EPOCH_LENGTH);
        line.end = line.start + 1 + length % EPOCH_LENGTH;
        line.charge = charge;
        bool inside = line.end <= WINDOW_START + 4 * EPOCH_LENGTH;
        IStatementChallenges.Fault expected =
            kind % 7 < 5 ? IStatementChallenges.Fault.SubjectWrong : IStatementChallenges.Fault.None;
        require(this.judge(statement, line) == (inside ? expected : IStatementChallenges.Fault.IntervalOutside));
        if (!inside || kind % 7 > 4) return;
        line.subject = keccak256(bytes(names[kind % 7]));
        require(this.judge(statement, line) == IStatementChallenges.Fault.None);
        line.gpuSeconds = 1;
        require(this.judge(statement, line) == IStatementChallenges.Fault.GpuSecondsWrong);
    }

    function testFuzz_ofLine__any_line__is_judged(IStatementRegistry.Line memory line) public view {
        IStatementRegistry.Statement memory statement = _secondEpoch();
        require(this.judge(statement, line) != IStatementChallenges.Fault.None || line.epoch == 1);
        line.facilityId = FACILITY;
        line.epoch = 1;
        line.index = line.index % statement.lineCount;
        line.kind = line.kind % 13;
        this.judge(statement, line);
    }

    function _secondEpoch() private pure returns (IStatementRegistry.Statement memory statement) {
        statement.facilityId = FACILITY;
        statement.epoch = 1;
        statement.epochStart = START;
        statement.epochEnd = START + EPOCH_LENGTH;
        statement.lineCount = 9;
    }

    function _middle(IStatementRegistry.Statement memory statement)
        private
        pure
        returns (IStatementRegistry.Line memory line)
    {
        line.facilityId = statement.facilityId;
        line.epoch = statement.epoch;
        line.index = 4;
        line.subject = keccak256("device");
    }
}
