// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A copy of who is eligible
/// @notice The token keeps this copy, so that a transfer needs no call to the registry.
interface IEligibilityMirror {
    /// @notice Copies until when an account may send and receive. The registry calls this in the transaction that
    /// changes an entry. Caller: the registry in use; calls of others are ignored.
    /// @param account The account.
    /// @param sendUntil UTC second from which it may no longer send; 0 if it may not at all.
    /// @param receiveUntil UTC second from which it may no longer receive; 0 if it may not at all.
    function mirrorInvestor(address account, uint64 sendUntil, uint64 receiveUntil) external;
}
