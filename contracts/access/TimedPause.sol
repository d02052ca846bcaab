// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ITimedPause} from "../interfaces/ITimedPause.sol";

/// @title Pauses that end by themselves
/// @notice Whoever inherits it keeps the end of a pause where it costs least to read.
abstract contract TimedPause is ITimedPause, AccessManaged {
    uint256 private constant LONGEST = 7 days;
    uint256 private constant REST = 30 days;

    /// @inheritdoc ITimedPause
    mapping(address pauser => uint256) public restsUntil;

    /// @inheritdoc ITimedPause
    function pause() external restricted {
        uint256 until = pausedUntil();
        require(block.timestamp >= until, PauseRunning(until));
        uint256 from = restsUntil[msg.sender];
        require(block.timestamp >= from, PauserResting(msg.sender, from));
        until = block.timestamp + LONGEST;
        restsUntil[msg.sender] = until + REST;
        _setPausedUntil(until);
        emit Paused(msg.sender, until);
    }

    /// @inheritdoc ITimedPause
    function unpause() external restricted {
        _setPausedUntil(0);
        emit Unpaused(msg.sender);
    }

    /// @inheritdoc ITimedPause
    function paused() public view returns (bool) {
        return block.timestamp < pausedUntil();
    }

    /// @inheritdoc ITimedPause
    function pausedUntil() public view virtual returns (uint256);

    /// @notice Stores when a pause ends.
    /// @param until UTC second; 0 for now.
    function _setPausedUntil(uint256 until) internal virtual;

    /// @notice Reverts with EnforcedPause while a pause is running.
    function _requireNotPaused() internal view {
        require(!paused(), EnforcedPause());
    }
}
