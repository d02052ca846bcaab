// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "./Vm.sol";

/// @title What every forge test needs: cheat codes, assertions, bounds
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    error AssertFailed(string what, uint256 left, uint256 right);

    function assertEq(uint256 left, uint256 right, string memory what) internal pure {
        require(left == right, AssertFailed(what, left, right));
    }

    function assertEq(address left, address right, string memory what) internal pure {
        require(left == right, AssertFailed(what, uint160(left), uint160(right)));
    }

    function assertEq(bytes32 left, bytes32 right, string memory what) internal pure {
        require(left == right, AssertFailed(what, uint256(left), uint256(right)));
    }

    function assertLe(uint256 left, uint256 right, string memory what) internal pure {
        require(left <= right, AssertFailed(what, left, right));
    }

    function assertTrue(bool condition, string memory what) internal pure {
        require(condition, AssertFailed(what, 0, 1));
    }

    function assertFalse(bool condition, string memory what) internal pure {
        require(!condition, AssertFailed(what, 1, 0));
    }

    /// @dev `value` folded into `[low, high]`.
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }

    /// @dev Selector of the error that a call reverted with.
    function selectorOf(bytes memory reason) internal pure returns (bytes4) {
        // Truncation picks the selector.
        // forge-lint: disable-next-line(unsafe-typecast)
        return bytes4(reason);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }
}
