// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hashes} from "@openzeppelin/contracts/utils/cryptography/Hashes.sol";

/// @title Merkle root over the statements of a batch
/// @notice As OpenZeppelin's StandardMerkleTree makes it of one `bytes32` a leaf, so that anybody's tools can prove
/// that a statement was in a batch.
library BatchRoot {
    /// @notice Leaf of a statement.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @return The leaf.
    function leaf(bytes32 statementHash) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(statementHash))));
    }

    /// @notice Root over statements.
    /// @dev A complete binary tree in an array: the parent of i is (i - 1) / 2, and leaves fill the end of the array
    /// from its last place on. `nodes` is that array read backwards, so leaf i is its place i.
    /// @param statementHashes Struct hashes, at least one, in ascending order of their leaves.
    /// @return The root.
    function over(bytes32[] memory statementHashes) internal pure returns (bytes32) {
        uint256 count = statementHashes.length;
        uint256 last = 2 * count - 2;
        bytes32[] memory nodes = new bytes32[](last + 1);
        for (uint256 i = 0; i < count; ++i) {
            nodes[i] = leaf(statementHashes[i]);
        }
        // Children of the node at place i from the end are at 2i + 1 and 2i + 2 from the end.
        for (uint256 i = count; i <= last; ++i) {
            uint256 fromEnd = last - i;
            nodes[i] = Hashes.commutativeKeccak256(nodes[last - 2 * fromEnd - 1], nodes[last - 2 * fromEnd - 2]);
        }
        return nodes[last];
    }
}
