// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @title Stablecoin with 6 decimals and ERC-2612 permits
/// @notice For tests and demos only: anybody mints, so it is worth nothing.
contract MockStablecoin is ERC20, ERC20Permit {
    constructor() ERC20("Mock Dollar", "mUSD") ERC20Permit("Mock Dollar") {}

    /// @notice Mints `amount` micros to `to`. Caller: anybody.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Six decimals, like the stablecoins that rent is paid in.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
