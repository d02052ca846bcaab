// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";

/// @title Bounds of the terms of an offer
/// @notice api/domain/facility.py checks the same.
library OfferTerms {
    uint256 internal constant MAX_TRANCHES = 4;
    uint256 private constant MAX_FEE_BPS = 1_000;
    uint256 private constant BPS = 10_000;
    uint256 private constant MIN_EPOCH_LENGTH = 60;
    uint256 private constant PPM = 1_000_000;
    /// @dev How long after the window's start an offer can still be funded.
    uint256 private constant MAX_LATE_FUNDING = 3 days;
    /// @dev Beside an epoch.
    uint256 private constant MAX_PATIENCE = 90 days;
    /// @dev A month's facts may come for a quarter. Maturity, and with it the bond, waits for the seal.
    uint256 private constant MAX_SEAL = 90 days;
    uint256 private constant MIN_LONG_STOP = 90 days;
    uint256 private constant MAX_LONG_STOP = 365 days;

    /// @notice Reverts with TermsInvalid, naming the member, if a term of the facility is out of bounds.
    /// @param terms Terms of the facility.
    function check(IFacilityRegistry.FacilityTerms calldata terms) internal view {
        require(terms.gpuClass != bytes32(0), IFacilityRegistry.TermsInvalid("gpuClass"));
        require(terms.site != bytes32(0), IFacilityRegistry.TermsInvalid("site"));
        require(terms.windowStart > block.timestamp, IFacilityRegistry.TermsInvalid("windowStart"));
        bool ordered = terms.windowEnd > terms.windowStart && terms.windowEnd <= type(uint32).max;
        require(ordered, IFacilityRegistry.TermsInvalid("windowEnd"));
        bool expires = terms.expiresAt > block.timestamp && terms.expiresAt <= terms.windowStart + MAX_LATE_FUNDING;
        require(expires, IFacilityRegistry.TermsInvalid("expiresAt"));
        bool bounded = terms.epochLength >= MIN_EPOCH_LENGTH && terms.epochLength <= type(uint24).max;
        require(bounded, IFacilityRegistry.TermsInvalid("epochLength"));
        bool whole = (terms.windowEnd - terms.windowStart) % terms.epochLength == 0;
        require(whole, IFacilityRegistry.TermsInvalid("windowEnd"));
        require(terms.deviceCount > 0, IFacilityRegistry.TermsInvalid("deviceCount"));
        require(terms.promisedAvailabilityPpm <= PPM, IFacilityRegistry.TermsInvalid("promisedAvailabilityPpm"));
        require(terms.feeBps <= MAX_FEE_BPS, IFacilityRegistry.TermsInvalid("feeBps"));
        require(terms.attesterFeeBps <= BPS, IFacilityRegistry.TermsInvalid("attesterFeeBps"));
        // Closing an epoch takes at most another one; then attesters have a day.
        bool patient = terms.patienceSeconds >= terms.epochLength + 1 days
            && terms.patienceSeconds <= terms.epochLength + MAX_PATIENCE;
        require(patient, IFacilityRegistry.TermsInvalid("patienceSeconds"));
        bool seals = terms.sealSeconds > 0 && terms.sealSeconds <= MAX_SEAL;
        require(seals, IFacilityRegistry.TermsInvalid("sealSeconds"));
        bool stops = terms.longStopSeconds >= MIN_LONG_STOP && terms.longStopSeconds <= MAX_LONG_STOP;
        require(stops, IFacilityRegistry.TermsInvalid("longStopSeconds"));
        require(terms.pledgeRoot != bytes32(0), IFacilityRegistry.TermsInvalid("pledgeRoot"));
        require(terms.termsHash != bytes32(0), IFacilityRegistry.TermsInvalid("termsHash"));
    }

    /// @notice Reverts with TermsInvalid if a term of the tranches is out of bounds, or with UnitsAboveCapacity if
    /// their units together exceed the window's whole GPU-hours, rounded down (invariant 1). Every tranche but the last
    /// has a coupon, and the coupons of a tranche fit the 64 bits of its arrears.
    /// @param terms Terms of the facility.
    /// @param tranches Terms of its tranches.
    function check(IFacilityRegistry.FacilityTerms calldata terms, IFacilityRegistry.TrancheTerms[] calldata tranches)
        internal
        pure
    {
        bool counted = tranches.length > 0 && tranches.length <= MAX_TRANCHES;
        require(counted, IFacilityRegistry.TermsInvalid("tranches"));
        uint256 units = 0;
        for (uint256 i = 0; i < tranches.length; ++i) {
            require(tranches[i].unitCap > 0, IFacilityRegistry.TermsInvalid("unitCap"));
            units += tranches[i].unitCap;
            uint256 coupons = uint256(tranches[i].unitCap) * tranches[i].couponPerUnit;
            bool fits = i + 1 == tranches.length ? coupons == 0 : coupons > 0 && coupons <= type(uint64).max;
            require(fits, IFacilityRegistry.TermsInvalid("couponPerUnit"));
        }
        uint256 capacityHours = uint256(terms.deviceCount) * (terms.windowEnd - terms.windowStart) / 1 hours;
        require(units <= capacityHours, IFacilityRegistry.UnitsAboveCapacity(units, capacityHours));
    }
}
