// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";

/// @title Stand-in for PrimarySale: says which facilities it sells, and burns for refunds
contract SaleStub {
    mapping(uint64 facilityId => bool) public hasSale;

    /// @notice Says whether a facility is sold here.
    function setSale(uint64 facilityId, bool sold) external {
        hasSale[facilityId] = sold;
    }
}

/// @title Stand-in for StatementRegistry: finality and proofs are set by hand
contract StatementStub {
    mapping(uint64 facilityId => mapping(uint32 epoch => bool)) public isFinal;
    bool public proven = true;

    /// @notice Says whether an epoch is final.
    function setFinal(uint64 facilityId, uint32 epoch, bool isIt) external {
        isFinal[facilityId][epoch] = isIt;
    }

    /// @notice Says whether lines stand under their roots.
    function setProven(bool isIt) external {
        proven = isIt;
    }

    /// @notice The answer set before.
    function verifyLine(IStatementRegistry.Statement calldata, IStatementRegistry.Line calldata, bytes32[] calldata)
        external
        view
        returns (bool)
    {
        return proven;
    }
}

/// @title Stand-in for BondVault: its rate
contract BondStub {
    uint64 public rate;

    /// @notice Sets the rate.
    function set(uint64 ratePerGpuHour) external {
        rate = ratePerGpuHour;
    }

    /// @notice Terms of any facility.
    function bondTermsOf(uint64) external view returns (IBondVault.BondTerms memory terms) {
        terms.ratePerGpuHour = rate;
    }
}
