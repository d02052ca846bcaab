// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The part of an ERC-3643 identity registry that eligibility needs
interface IIdentityRegistry {
    /// @notice Whether the wallet belongs to an identity with every claim that the registry asks for.
    function isVerified(address account) external view returns (bool);
}
