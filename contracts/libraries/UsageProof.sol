// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";

/// @title Leaves and proofs of the usage tree, as OpenZeppelin's StandardMerkleTree makes them
library UsageProof {
    /// @notice Leaf of a line. Hashing twice keeps leaves apart from inner nodes, whatever their length.
    function leaf(IStatementRegistry.Line calldata line) internal pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(abi.encode(line))));
    }

    /// @notice Whether `line` stands under `root`.
    function verify(bytes32 root, IStatementRegistry.Line calldata line, bytes32[] calldata proof)
        internal
        pure
        returns (bool)
    {
        return MerkleProof.verifyCalldata(proof, root, leaf(line));
    }
}
