// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";

/// @title Who may do what: OpenZeppelin's AccessManager under the project's own name
/// @notice Role ids: 0 admin, 1 governance, 2 gpuOperator, 3 treasury, 4 pauser, 5 compliance, 6 enforcer. The table in
/// contracts/README.md says what each may call.
contract Authority is AccessManager {
    /// @notice Deploys the authority with one admin.
    /// @param initialAdmin Holder of the admin role until deployment hands it over.
    constructor(address initialAdmin) AccessManager(initialAdmin) {}
}
