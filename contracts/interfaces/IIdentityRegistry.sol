// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The part of an ERC-3643 identity registry that eligibility needs
/// @notice Governance may name such a registry as a second source of eligibility.
interface IIdentityRegistry {
    /// @notice Whether the wallet belongs to an identity with every claim that the registry asks for.
    /// @param account The wallet.
    /// @return True if it does.
    function isVerified(address account) external view returns (bool);
}
