// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";

/// @title OpenZeppelin's ERC1155 as it comes: no revenue, no compliance
contract PlainERC1155 is ERC1155 {
    constructor() ERC1155("") {}

    /// @notice Mints. Caller: anybody, this is a yardstick.
    function mint(address to, uint256 id, uint256 units) external {
        _mint(to, id, units, "");
    }
}
