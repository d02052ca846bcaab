// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

/// @title An ERC-1271 signer that accepts what it is told to, and can change its mind, revert or answer short
/// @notice For tests only: its answer to ERC-1271 is set by hand.
contract MockContractAttester is IERC1271 {
    enum Mood {
        Refusing,
        Accepting,
        Reverting,
        WrongAnswer
    }

    Mood public mood;

    error BadMood();

    function setMood(Mood mood_) external {
        mood = mood_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        require(mood != Mood.Reverting, BadMood());
        if (mood == Mood.Accepting) return IERC1271.isValidSignature.selector;
        return mood == Mood.WrongAnswer ? bytes4(0xffffffff) : bytes4(0);
    }
}
