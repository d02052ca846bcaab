// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-7572: metadata of a whole contract
/// @notice Names are those of the ERC.
interface IERC7572 {
    /// @notice The answer of `contractURI()` changed.
    event ContractURIUpdated();

    /// @notice JSON that describes the contract, as a URI.
    /// @return The URI; empty if there is none.
    function contractURI() external view returns (string memory);
}
