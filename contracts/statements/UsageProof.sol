// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title Leaves and proofs of usage and pledge trees, as OpenZeppelin's StandardMerkleTree makes them
/// @dev Hashing twice keeps leaves apart from inner nodes whatever their length (ATTACKS 22).
library UsageProof {
    /// @notice Leaf of a line.
    function leaf(IStatementRegistry.Line memory line) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(line))));
    }

    /// @notice Leaf of a pledged device.
    function pledgeLeaf(uint64 facilityId, uint32 index, bytes32 device) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(facilityId, index, device))));
    }

    /// @notice Whether `line` stands under `root`.
    function verify(bytes32 root, IStatementRegistry.Line memory line, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        return verifyLeaf(root, leaf(line), proof);
    }

    /// @notice Whether a leaf stands under `root`.
    function verifyLeaf(bytes32 root, bytes32 leaf_, bytes32[] calldata proof) internal pure returns (bool) {
        return MerkleProof.verifyCalldata(proof, root, leaf_);
    }

    /// @notice Whether a facility's pledge with root `root` holds the device at the index.
    function verifyPledge(bytes32 root, uint64 facilityId, IStatementChallenges.ProvenPledge calldata pledge)
        internal
        pure
        returns (bool)
    {
        return verifyLeaf(root, pledgeLeaf(facilityId, pledge.index, pledge.device), pledge.proof);
    }
}
