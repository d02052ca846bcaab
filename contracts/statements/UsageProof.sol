// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title Leaves and proofs of usage and pledge trees
/// @notice Made as OpenZeppelin's StandardMerkleTree makes them, so that anybody's tools can check them.
/// @dev Hashing twice keeps leaves apart from inner nodes whatever their length (ATTACKS 22).
library UsageProof {
    /// @notice Leaf of a line.
    /// @param line The line.
    /// @return The leaf.
    function leaf(IStatementRegistry.Line memory line) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(line))));
    }

    /// @notice Leaf of a pledged device.
    /// @param facilityId The facility.
    /// @param pledge The device; its proof is not read.
    /// @return The leaf.
    function pledgeLeaf(uint64 facilityId, IStatementChallenges.ProvenPledge calldata pledge)
        internal
        pure
        returns (bytes32)
    {
        bytes memory words = abi.encode(facilityId, pledge.index, pledge.device, pledge.card, pledge.fromEpoch);
        return keccak256(bytes.concat(keccak256(words)));
    }

    /// @notice Whether a line belongs to a root.
    /// @param root Root of the usage tree.
    /// @param line The line.
    /// @param proof Its proof.
    /// @return True if it does.
    function verify(bytes32 root, IStatementRegistry.Line memory line, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        return verifyLeaf(root, leaf(line), proof);
    }

    /// @notice Whether a leaf belongs to a root.
    /// @param root Root of the tree.
    /// @param leaf_ The leaf.
    /// @param proof Its proof.
    /// @return True if it does.
    function verifyLeaf(bytes32 root, bytes32 leaf_, bytes32[] calldata proof) internal pure returns (bool) {
        return MerkleProof.verifyCalldata(proof, root, leaf_);
    }

    /// @notice Whether a facility's pledge holds a device.
    /// @param root Root of the pledge.
    /// @param facilityId The facility.
    /// @param pledge The device with its proof.
    /// @return True if it does.
    function verifyPledge(bytes32 root, uint64 facilityId, IStatementChallenges.ProvenPledge calldata pledge)
        internal
        pure
        returns (bool)
    {
        return verifyLeaf(root, pledgeLeaf(facilityId, pledge), pledge.proof);
    }
}
