// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../contracts/interfaces/IPrimarySale.sol";
import {TrancheId} from "../../contracts/token/TrancheId.sol";
import {Attested} from "./Attested.sol";

/// @title Terms that tests share: ten GPUs of one class at one site
abstract contract Terms is Attested {
    uint32 internal constant DEVICES = 10;
    /// @dev Facts of the window can be stated for so long after it.
    uint32 internal constant SEAL = 1 hours;

    function _facilityTerms(
        address operator,
        address settlementToken,
        uint64 windowStart,
        uint64 windowEnd,
        uint32 epochLength
    ) internal pure returns (IFacilityRegistry.FacilityTerms memory) {
        return IFacilityRegistry.FacilityTerms({
            gpuOperator: operator,
            settlementToken: settlementToken,
            gpuClass: "H100-SXM5-80GB",
            site: "SE-LULEA-1",
            windowStart: windowStart,
            windowEnd: windowEnd,
            expiresAt: windowStart + 3 days,
            epochLength: epochLength,
            deviceCount: DEVICES,
            promisedAvailabilityPpm: 990_000,
            feeBps: 100,
            attesterFeeBps: 4_000,
            patienceSeconds: epochLength + 1 days,
            sealSeconds: SEAL,
            longStopSeconds: 180 days,
            pledgeRoot: bytes32(uint256(1)),
            termsHash: bytes32(uint256(2))
        });
    }

    function _id(uint64 facilityId, uint256 seniority) internal pure returns (uint256) {
        // At most four tranches, so the rank fits 8 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return TrancheId.pack(facilityId, uint8(seniority));
    }
}

/// @title The same in a window of four epochs of an hour, with a bond and a sale
abstract contract HourlyTerms is Terms {
    uint64 internal constant START = 1_800_100_000;
    uint32 internal constant EPOCH = 3_600;
    uint32 internal constant EPOCHS = 4;
    /// @dev Does not divide by the number of epochs or units, so that rounding shows.
    uint64 internal constant COUPON = 1_000_003;
    uint64 internal constant SENIOR_PRICE = 60_000;
    uint64 internal constant JUNIOR_PRICE = 50_001;
    /// @dev What a missing hour costs.
    uint64 internal constant RATE = 70_001;
    /// @dev An epoch may be neither stated nor published for so long; then notice may be given.
    uint32 internal constant PATIENCE = EPOCH + 1 days;
    /// @dev From the notice to the default; also the time in which an ended facility takes statements.
    uint32 internal constant CURE = EPOCH + 1 days;

    function _hourlyTerms(address operator, address settlementToken)
        internal
        pure
        returns (IFacilityRegistry.FacilityTerms memory)
    {
        return _facilityTerms(operator, settlementToken, START, START + EPOCHS * EPOCH, EPOCH);
    }

    function _bondTerms() internal pure returns (IBondVault.BondTerms memory) {
        return IBondVault.BondTerms({requiredBond: 1_000_000, ratePerGpuHour: RATE});
    }

    /// @dev Of two tranches; a quarter of the proceeds is paid when the window begins.
    function _saleTerms(uint64 floorProceeds) internal pure returns (IPrimarySale.SaleTerms memory) {
        uint64[] memory prices = new uint64[](2);
        (prices[0], prices[1]) = (SENIOR_PRICE, JUNIOR_PRICE);
        return IPrimarySale.SaleTerms(START - 90_000, START - 1_000, floorProceeds, 2_500, prices);
    }
}
