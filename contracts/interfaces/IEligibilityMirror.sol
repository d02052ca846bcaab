// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Keeps a copy of eligibility, so that a transfer needs no call to the registry
interface IEligibilityMirror {
    /// @notice Notes until when an account may send and receive (seconds; 0 is not at all). The registry calls this at
    /// every change of an entry, in the same transaction. Caller: the registry in use; others are ignored.
    function mirrorInvestor(address account, uint64 sendUntil, uint64 receiveUntil) external;
}
