// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";

/// @title How a facility is stored: posting reads one word, settlement one or two
/// @notice The ABI's `FacilityTerms` keeps its order; storage is arranged by who reads what.
library FacilityStore {
    uint256 private constant PPM = 1_000_000;

    /// @notice One word, read by every posting and every change of state. Times are bounded by `OfferTerms`.
    struct Schedule {
        uint32 windowStart;
        uint32 windowEnd;
        uint24 epochLength;
        uint32 deviceCount;
        uint24 promisedAvailabilityPpm;
        IFacilityRegistry.FacilityState state;
        uint64 offeredAtBlock;
    }

    /// @notice One word, read by every payment. `epochLength` stands here too, which saves settlement a word.
    struct Money {
        address settlementToken;
        uint16 feeBps;
        uint24 epochLength;
        uint32 epochCount;
        uint8 trancheCount;
    }

    /// @notice Coupons and caps by seniority are one word each.
    struct Facility {
        Schedule schedule;
        Money money;
        uint64[4] coupons;
        uint40[4] caps;
        address gpuOperator;
        bytes32 gpuClass;
        bytes32 site;
        bytes32 pledgeRoot;
        bytes32 termsHash;
    }

    /// @notice Stores checked terms, in state Offered.
    // OfferTerms bounds every number that is cut here: times below 2^32, epoch length below 2^24, ppm to 10^6.
    // forge-lint: disable-start(unsafe-typecast)
    function write(
        Facility storage facility,
        IFacilityRegistry.FacilityTerms calldata given,
        IFacilityRegistry.TrancheTerms[] calldata tranches_
    ) internal {
        facility.schedule = Schedule({
            windowStart: uint32(given.windowStart),
            windowEnd: uint32(given.windowEnd),
            epochLength: uint24(given.epochLength),
            deviceCount: given.deviceCount,
            promisedAvailabilityPpm: uint24(given.promisedAvailabilityPpm),
            state: IFacilityRegistry.FacilityState.Offered,
            offeredAtBlock: uint64(block.number)
        });
        facility.money = Money({
            settlementToken: given.settlementToken,
            feeBps: given.feeBps,
            epochLength: uint24(given.epochLength),
            epochCount: uint32((given.windowEnd - given.windowStart) / given.epochLength),
            trancheCount: uint8(tranches_.length)
        });
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
            epochLength: schedule.epochLength,
            deviceCount: schedule.deviceCount,
            promisedAvailabilityPpm: schedule.promisedAvailabilityPpm,
            feeBps: money.feeBps,
            pledgeRoot: facility.pledgeRoot,
            termsHash: facility.termsHash
        });
    }

    /// @notice The tranches as they were offered.
    function tranches(Facility storage facility) internal view returns (IFacilityRegistry.TrancheTerms[] memory list) {
        list = new IFacilityRegistry.TrancheTerms[](facility.money.trancheCount);
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = IFacilityRegistry.TrancheTerms(facility.caps[i], facility.coupons[i]);
        }
    }

    /// @notice What settlement reads. The last coupon is 0 by rule and costs no read.
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
        return IFacilityRegistry.SettlementTerms(
            money.settlementToken, money.feeBps, money.epochLength, money.epochCount, money.trancheCount, coupons
        );
    }

    /// @notice Promised available GPU-seconds of the first `epochs` epochs, rounded down.
    function promisedDown(Facility storage facility, uint256 epochs) internal view returns (uint256) {
        Schedule memory schedule = facility.schedule;
        return uint256(schedule.deviceCount) * schedule.epochLength * epochs * schedule.promisedAvailabilityPpm / PPM;
    }

    /// @notice State now: a funded facility delivers by time alone.
    function stateNow(Facility storage facility) internal view returns (IFacilityRegistry.FacilityState) {
        Schedule memory schedule = facility.schedule;
        return stateNow(schedule);
    }

    /// @notice The same of a word already read.
    function stateNow(Schedule memory schedule) internal view returns (IFacilityRegistry.FacilityState) {
        bool delivering =
            schedule.state == IFacilityRegistry.FacilityState.Funded && block.timestamp >= schedule.windowStart;
        return delivering ? IFacilityRegistry.FacilityState.Delivering : schedule.state;
    }
}
