// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Who may do what: OpenZeppelin's AccessManager under the project's own name
/// @notice Role ids: 1 governance, 2 gpuOperator, 3 treasury, 4 pauser. contracts/README.md has the table.
contract Authority is AccessManager {
    /// @param initialAdmin Holder of the admin role until deployment hands it over.
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
