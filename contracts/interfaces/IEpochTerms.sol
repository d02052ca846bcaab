// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IFacilityRegistry} from "./IFacilityRegistry.sol";

/// @title What posting a statement must know of a facility, in one call
interface IEpochTerms {
    /// @param state State now.
    /// @param windowStart First second of the delivery window.
    /// @param windowEnd Second after the delivery window.
    /// @param epochLength Seconds of one epoch.
    /// @param deviceCount Number of pledged devices.
    struct EpochTerms {
        IFacilityRegistry.FacilityState state;
        uint64 windowStart;
        uint64 windowEnd;
        uint32 epochLength;
        uint32 deviceCount;
    }

    /// @notice State and epochs of a facility: all zero if it is unknown.
    function epochTermsOf(uint64 facilityId) external view returns (EpochTerms memory);
}
