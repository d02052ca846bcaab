// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEndings} from "../interfaces/IEndings.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";

/// @title FacilityRegistry whose every answer is set by hand
/// @notice For tests only: stands in for FacilityRegistry where only the token matters.
contract TokenFacilityStub {
    address public trancheToken;
    address public primarySale;
    address public bondVault;
    address public deliveryDesk;
    address public statementRegistry;
    address public rentLockbox;
    address public attesterRegistry;
    address public attesterDesk;
    address public refundDesk;
    mapping(uint64 facilityId => IFacilityRegistry.FacilityState) public stateOf;
    mapping(uint64 facilityId => IFacilityRegistry.FacilityTerms) private _terms;
    mapping(uint64 facilityId => IFacilityRegistry.TrancheTerms[]) private _tranches;
    mapping(uint64 facilityId => IEndings.Ending) private _endings;

    /// @notice Names the contracts around the register; without a sale the register says itself that there is none.
    function link(address token, address sale, address bonds, address desk, address statements) external {
        trancheToken = token;
        primarySale = sale == address(0) ? address(this) : sale;
        bondVault = bonds;
        deliveryDesk = desk;
        statementRegistry = statements;
    }

    /// @notice Sets terms and tranches of a facility, and its state to Offered.
    function setFacility(
        uint64 facilityId,
        IFacilityRegistry.FacilityTerms calldata terms,
        IFacilityRegistry.TrancheTerms[] calldata tranches
    ) external {
        _terms[facilityId] = terms;
        delete _tranches[facilityId];
        for (uint256 i = 0; i < tranches.length; ++i) {
            _tranches[facilityId].push(tranches[i]);
        }
        stateOf[facilityId] = IFacilityRegistry.FacilityState.Offered;
    }

    /// @notice Sets the state of a facility.
    function setState(uint64 facilityId, IFacilityRegistry.FacilityState state) external {
        stateOf[facilityId] = state;
    }

    /// @notice Says that a facility is closed from now on.
    function setClosed(uint64 facilityId) external {
        // Windows end before 2106.
        // forge-lint: disable-next-line(unsafe-typecast)
        _endings[facilityId].closedAt = uint40(block.timestamp);
    }

    /// @notice When a facility was closed.
    function endingOf(uint64 facilityId) external view returns (IEndings.Ending memory) {
        return _endings[facilityId];
    }

    /// @notice Lets the units of a facility move, as funding does.
    function activate(uint64 facilityId) external {
        ITrancheToken(trancheToken).activate(facilityId, _tranches[facilityId].length);
    }

    /// @notice Terms of a facility.
    function termsOf(uint64 facilityId) external view returns (IFacilityRegistry.FacilityTerms memory) {
        return _terms[facilityId];
    }

    /// @notice Tranches of a facility.
    function tranchesOf(uint64 facilityId) external view returns (IFacilityRegistry.TrancheTerms[] memory) {
        return _tranches[facilityId];
    }

    /// @notice No facility has a sale.
    function hasSale(uint64) external pure returns (bool) {
        return false;
    }

    /// @notice No token is one.
    function isSettlementToken(address) external pure returns (bool) {
        return false;
    }

    /// @notice State and window of a facility.
    function epochTermsOf(uint64 facilityId) external view returns (IFacilityRegistry.EpochTerms memory) {
        IFacilityRegistry.FacilityTerms storage terms = _terms[facilityId];
        return IFacilityRegistry.EpochTerms(
            stateOf[facilityId],
            terms.windowStart,
            terms.windowEnd,
            terms.epochLength,
            terms.sealSeconds,
            terms.deviceCount,
            1
        );
    }

    /// @notice Number of epochs of a facility.
    function epochCountOf(uint64 facilityId) external view returns (uint32) {
        IFacilityRegistry.FacilityTerms storage terms = _terms[facilityId];
        // Windows are 32-bit numbers of seconds.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32((terms.windowEnd - terms.windowStart) / terms.epochLength);
    }

    /// @notice GPU-seconds promised of the first epochs.
    function promisedGpuSeconds(uint64 facilityId, uint32 epochs) external view returns (uint256) {
        IFacilityRegistry.FacilityTerms storage terms = _terms[facilityId];
        return uint256(terms.deviceCount) * terms.epochLength * epochs * terms.promisedAvailabilityPpm / 1_000_000;
    }

    /// @notice Cap of a tranche.
    function trancheCapOf(uint64 facilityId, uint8 seniority) external view returns (uint40) {
        return seniority < _tranches[facilityId].length ? _tranches[facilityId][seniority].unitCap : 0;
    }

    /// @notice Operator of a facility.
    function gpuOperatorOf(uint64 facilityId) external view returns (address) {
        return _terms[facilityId].gpuOperator;
    }

    /// @notice Settlement token of a facility.
    function settlementTokenOf(uint64 facilityId) external view returns (address) {
        return _terms[facilityId].settlementToken;
    }
}
