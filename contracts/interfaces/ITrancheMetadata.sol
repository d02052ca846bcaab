// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What wallets and marketplaces show of a tranche: JSON made from the terms on-chain
/// @notice Every answer is a `data:application/json;base64,` URI. Text from facilities (GPU class, site) is cut at its
/// first zero byte and escaped, so that no text can leave its JSON string (ATTACKS 39).
interface ITrancheMetadata {
    /// @notice No facility has this tranche.
    /// @param id The id asked for.
    error TrancheUnknown(uint256 id);

    /// @notice Name, description, decimals (0) and attributes of one tranche. Reverts with TrancheUnknown.
    /// @param id The tranche.
    /// @return The JSON as a data URI.
    function uri(uint256 id) external view returns (string memory);

    /// @notice Name and description of the token contract (ERC-7572).
    /// @return The JSON as a data URI.
    function contractURI() external view returns (string memory);
}
