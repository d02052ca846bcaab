// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-7572: metadata of a whole contract
interface IERC7572 {
    /// @notice `contractURI()` answers something new.
    event ContractURIUpdated();

    /// @notice JSON of the contract, as a URI.
    function contractURI() external view returns (string memory);
}
