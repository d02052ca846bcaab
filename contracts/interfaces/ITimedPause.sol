// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Pauses that end by themselves
/// @notice A pause protects while something is wrong; it is no lever. It ends after 7 days, and whoever began it cannot
/// begin another one for 30 days after that.
interface ITimedPause {
    /// @notice A pause began.
    /// @param account The pauser.
    /// @param until UTC second in which it ends by itself.
    event Paused(address account, uint256 until);

    /// @notice A pause was lifted before its end.
    /// @param account The account that lifted it.
    event Unpaused(address account);

    /// @notice What is called is paused. Claims, refunds, rent, settlement, challenges, publications, closings and
    /// forced transfers never are.
    error EnforcedPause();

    /// @notice A pause is running already.
    /// @param until UTC second in which it ends by itself.
    error PauseRunning(uint256 until);

    /// @notice This pauser began a pause not long ago. Another one can.
    /// @param pauser The account that called.
    /// @param restsUntil UTC second from which it can pause again.
    error PauserResting(address pauser, uint256 restsUntil);

    /// @notice Begins a pause of 7 days. Caller: the pauser role; each account again 30 days after its last pause would
    /// have ended.
    /// @dev Emits Paused. Reverts with PauseRunning or PauserResting.
    function pause() external;

    /// @notice Lifts a pause. Caller: the resumer role, whose calls nobody can cancel.
    /// @dev Emits Unpaused.
    function unpause() external;

    /// @notice Whether a pause is running.
    /// @return True if it is.
    function paused() external view returns (bool);

    /// @notice When the last pause ends, or ended.
    /// @return UTC second; 0 if there was none, or it was lifted.
    function pausedUntil() external view returns (uint256);

    /// @notice From when an account can pause again.
    /// @param pauser The account.
    /// @return UTC second; 0 if it never paused.
    function restsUntil(address pauser) external view returns (uint256);
}
