// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {TokenBase} from "./TokenBase.sol";

/// @dev Stablecoin that can refuse to pay, keep a fee, or call back.
contract HostileDollar is MockStablecoin {
    bool public blocked;
    uint256 public fee;
    address public callee;
    bytes public callData;
    bool public callSucceeded;

    error Blocked();

    function setBlocked(bool isIt) external {
        blocked = isIt;
    }

    function setFee(uint256 amount) external {
        fee = amount;
    }

    function setCall(address target, bytes calldata data) external {
        callee = target;
        callData = data;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (blocked) revert Blocked();
        super._update(from, to, value);
        if (fee > 0 && from != address(0)) super._update(to, address(0xFEE), fee);
        if (callee != address(0) && from != address(0)) (callSucceeded,) = callee.call(callData);
    }
}

/// @title RevenueBase: holders of a facility, and of one whose coin is hostile
abstract contract RevenueBase is TokenBase {
    uint64 internal constant G = 8;
    uint256 internal constant OTHER = uint256(G) << 8;

    HostileDollar internal _hostile;

    function setUp() public override {
        super.setUp();
        _hostile = new HostileDollar();
        offer(G, _hostile);
        mint(ann, SENIOR, 100);
        mint(ann, JUNIOR, 300);
        mint(bob, JUNIOR, 100);
        mint(ann, OTHER, 10);
        _hostile.mint(source, 1e18);
        vm.prank(source);
        _hostile.approve(address(token), type(uint256).max);
    }
}
