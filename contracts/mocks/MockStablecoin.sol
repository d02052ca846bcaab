// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title Stablecoin of tests and demos: 6 decimals, anybody mints. Worth nothing.
contract MockStablecoin is ERC20 {
    constructor() ERC20("Mock Dollar", "mUSD") {}

    /// @notice Mints `amount` micros to `to`. Caller: anybody.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @notice Six decimals, like the stablecoins that rent is paid in.
    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
