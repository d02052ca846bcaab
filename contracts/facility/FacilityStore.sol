// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";

/// @title How a facility is stored: posting a statement reads one word, settlement one or two
/// @notice `FacilityTerms` keeps the order of the ABI; storage is arranged by who reads what.
library FacilityStore {
    uint256 private constant PPM = 1_000_000;

    /// @notice When and how much a facility delivers, and its state: one word, read by every posting and every change
    /// of state. Times are bounded by `OfferTerms`.
    /// @param windowStart First second of the delivery window, UTC.
    /// @param windowEnd Second after the delivery window, UTC.
    /// @param epochLength Length of an epoch, seconds.
    /// @param deviceCount Number of pledged devices.
    /// @param promisedAvailabilityPpm Promised share of devices x window, parts per million.
    /// @param state Stored state; Delivering is never stored.
    /// @param panel Number of the panel whose signatures count.
    /// @param expiresAt UTC second from which an offer that was not funded is cancelled.
    /// @param sealSeconds Time after `windowEnd` in which facts of the window can still be stated.
    struct Schedule {
        uint32 windowStart;
        uint32 windowEnd;
        uint24 epochLength;
        uint32 deviceCount;
        uint24 promisedAvailabilityPpm;
        IFacilityRegistry.FacilityState state;
        uint8 panel;
        uint40 expiresAt;
        uint24 sealSeconds;
    }

    /// @notice What every payment reads: one word. `epochLength` is here too, which saves settlement a word.
    /// @param settlementToken Stablecoin of rent and revenue.
    /// @param feeBps Protocol fee, basis points.
    /// @param epochLength Length of an epoch, seconds.
    /// @param epochCount Number of epochs in the window.
    /// @param trancheCount Number of tranches, 1 to 4.
    /// @param hasUnsold Whether any unit under a cap was never minted: `unsold` is read only then.
    struct Money {
        address settlementToken;
        uint16 feeBps;
        uint24 epochLength;
        uint32 epochCount;
        uint8 trancheCount;
        bool hasUnsold;
    }

    /// @notice What ends a facility, and when it did: one word, read by notices, endings and what comes after them.
    /// @param patienceSeconds Time after its end in which an epoch may be neither stated nor published.
    /// @param longStopSeconds Time after `windowEnd` and the seal from which anybody may stop the facility.
    /// @param fundedAt When it was funded, UTC seconds; 0 before.
    /// @param endedAt When it ended; 0 before.
    /// @param closedAt When it was closed; 0 before.
    /// @param unpaidNoticedAt When notice of unpaid revenue was given; 0 before.
    /// @param attesterFeeBps Share of the fee that attesters earn: here because the word has room.
    struct Progress {
        uint32 patienceSeconds;
        uint32 longStopSeconds;
        uint40 fundedAt;
        uint40 endedAt;
        uint40 closedAt;
        uint40 unpaidNoticedAt;
        uint16 attesterFeeBps;
    }

    /// @notice Everything stored of a facility. Coupons, caps and unsold units take one word each.
    /// @param schedule When and how much it delivers.
    /// @param money What payments read.
    /// @param progress What ends it, and when it did.
    /// @param coupons Coupon of one unit by seniority, minor units for the whole window.
    /// @param caps Most units by seniority, GPU-hours.
    /// @param unsold Units that were never minted, by seniority, GPU-hours; 0 until the facility is funded.
    /// @param gpuOperator Account that runs the GPUs.
    /// @param gpuClass SKU as left-aligned ASCII.
    /// @param site Data centre as left-aligned ASCII.
    /// @param pledgeRoot Merkle root over the pledged devices.
    /// @param termsHash SHA-256 of the published terms document.
    struct Facility {
        Schedule schedule;
        Money money;
        Progress progress;
        uint64[4] coupons;
        uint40[4] caps;
        uint40[4] unsold;
        address gpuOperator;
        bytes32 gpuClass;
        bytes32 site;
        bytes32 pledgeRoot;
        bytes32 termsHash;
    }

    /// @notice Stores terms that `OfferTerms` has checked, in state Offered.
    /// @param facility Where to store them.
    /// @param given Terms of the facility.
    /// @param tranches_ Terms of its tranches, most senior first.
    /// @param panel Number of the panel whose signatures count.
    // OfferTerms bounds every number that is cut here: times below 2^32 (an expiry by three days more), epoch length
    // and seal below 2^24, ppm to 10^6.
    // forge-lint: disable-start(unsafe-typecast)
    function write(
        Facility storage facility,
        IFacilityRegistry.FacilityTerms calldata given,
        IFacilityRegistry.TrancheTerms[] calldata tranches_,
        uint8 panel
    ) internal {
        facility.schedule = Schedule({
            windowStart: uint32(given.windowStart),
            windowEnd: uint32(given.windowEnd),
            epochLength: uint24(given.epochLength),
            deviceCount: given.deviceCount,
            promisedAvailabilityPpm: uint24(given.promisedAvailabilityPpm),
            state: IFacilityRegistry.FacilityState.Offered,
            panel: panel,
            expiresAt: uint40(given.expiresAt),
            sealSeconds: uint24(given.sealSeconds)
        });
        facility.money = Money({
            settlementToken: given.settlementToken,
            feeBps: given.feeBps,
            epochLength: uint24(given.epochLength),
            epochCount: uint32((given.windowEnd - given.windowStart) / given.epochLength),
            trancheCount: uint8(tranches_.length),
            hasUnsold: false
        });
        facility.progress.patienceSeconds = given.patienceSeconds;
        facility.progress.longStopSeconds = given.longStopSeconds;
        facility.progress.attesterFeeBps = given.attesterFeeBps;
        for (uint256 i = 0; i < tranches_.length; ++i) {
            facility.coupons[i] = tranches_[i].couponPerUnit;
            facility.caps[i] = tranches_[i].unitCap;
        }
        facility.gpuOperator = given.gpuOperator;
        facility.gpuClass = given.gpuClass;
        facility.site = given.site;
        facility.pledgeRoot = given.pledgeRoot;
        facility.termsHash = given.termsHash;
    }

    // forge-lint: disable-end(unsafe-typecast)

    /// @notice The terms as they were offered.
    /// @param facility The facility.
    /// @return The terms.
    function terms(Facility storage facility) internal view returns (IFacilityRegistry.FacilityTerms memory) {
        Schedule memory schedule = facility.schedule;
        Money memory money = facility.money;
        return IFacilityRegistry.FacilityTerms({
            gpuOperator: facility.gpuOperator,
            settlementToken: money.settlementToken,
            gpuClass: facility.gpuClass,
            site: facility.site,
            windowStart: schedule.windowStart,
            windowEnd: schedule.windowEnd,
            expiresAt: schedule.expiresAt,
            epochLength: schedule.epochLength,
            deviceCount: schedule.deviceCount,
            promisedAvailabilityPpm: schedule.promisedAvailabilityPpm,
            feeBps: money.feeBps,
            attesterFeeBps: facility.progress.attesterFeeBps,
            patienceSeconds: facility.progress.patienceSeconds,
            sealSeconds: schedule.sealSeconds,
            longStopSeconds: facility.progress.longStopSeconds,
            pledgeRoot: facility.pledgeRoot,
            termsHash: facility.termsHash
        });
    }

    /// @notice The tranches as they were offered.
    /// @param facility The facility.
    /// @return list Terms of each tranche, most senior first.
    function tranches(Facility storage facility) internal view returns (IFacilityRegistry.TrancheTerms[] memory list) {
        list = new IFacilityRegistry.TrancheTerms[](facility.money.trancheCount);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = IFacilityRegistry.TrancheTerms(facility.caps[i], facility.coupons[i]);
        }
    }

    /// @notice What settlement reads. The last tranche's coupon is 0 by rule, so it is not read.
    /// @param facility The facility.
    /// @return The terms.
    function settlementTerms(Facility storage facility)
        internal
        view
        returns (IFacilityRegistry.SettlementTerms memory)
    {
        Money memory money = facility.money;
        uint64[4] memory coupons;
        for (uint256 i = 0; i + 1 < money.trancheCount; ++i) {
            coupons[i] = facility.coupons[i];
        }
        uint40[4] memory unsold;
        if (money.hasUnsold) unsold = facility.unsold;
        return IFacilityRegistry.SettlementTerms({
            settlementToken: money.settlementToken,
            feeBps: money.feeBps,
            epochLength: money.epochLength,
            epochCount: money.epochCount,
            trancheCount: money.trancheCount,
            coupons: coupons,
            unsold: unsold
        });
    }

    /// @notice Fixes what was never minted: the cap less the supply of each tranche.
    /// @param facility The facility.
    /// @param supplies Units in circulation by seniority.
    function fixUnsold(Facility storage facility, uint256[4] memory supplies) internal {
        uint256 count = facility.money.trancheCount;
        bool any = false;
        for (uint256 i = 0; i < count; ++i) {
            // The token mints no more than a cap, which has 40 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint40 left = uint40(facility.caps[i] - supplies[i]);
            facility.unsold[i] = left;
            any = any || left > 0;
        }
        facility.money.hasUnsold = any;
    }

    /// @notice Promised available GPU-seconds of the first `epochs` epochs, rounded down.
    /// @param facility The facility.
    /// @param epochs Number of leading epochs.
    /// @return GPU-seconds.
    function promisedDown(Facility storage facility, uint256 epochs) internal view returns (uint256) {
        Schedule memory schedule = facility.schedule;
        return uint256(schedule.deviceCount) * schedule.epochLength * epochs * schedule.promisedAvailabilityPpm / PPM;
    }

    /// @notice State in this block: a Funded facility delivers from `windowStart` on, an offer ends at `expiresAt`.
    /// @param facility The facility.
    /// @return The state.
    function stateNow(Facility storage facility) internal view returns (IFacilityRegistry.FacilityState) {
        Schedule memory schedule = facility.schedule;
        return stateNow(schedule);
    }

    /// @notice State in this block, of a schedule that was read already.
    /// @param schedule The facility's schedule.
    /// @return The state.
    function stateNow(Schedule memory schedule) internal view returns (IFacilityRegistry.FacilityState) {
        IFacilityRegistry.FacilityState stored = schedule.state;
        if (stored == IFacilityRegistry.FacilityState.Funded && block.timestamp >= schedule.windowStart) {
            return IFacilityRegistry.FacilityState.Delivering;
        }
        if (stored == IFacilityRegistry.FacilityState.Offered && block.timestamp >= schedule.expiresAt) {
            return IFacilityRegistry.FacilityState.Cancelled;
        }
        return stored;
    }
}
