// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TrancheId} from "../token/TrancheId.sol";

/// @title Bounds of the terms of a sale
/// @notice api/domain/capital/sale.py checks the same.
library SaleBounds {
    uint256 internal constant BPS = 10_000;
    /// @dev Half of the largest single accrual of TrancheToken: proceeds that go to holders always fit.
    uint256 private constant MAX_PROCEEDS = 1 << 54;

    /// @notice Reverts with SaleTermsInvalid, naming the member, if a term of the sale is out of bounds, or with
    /// UnitsAlreadyMinted if units exist.
    /// @param facilities The register.
    /// @param facilityId The facility; it is Offered.
    /// @param terms Terms of the sale.
    function check(IFacilityRegistry facilities, uint64 facilityId, IPrimarySale.SaleTerms calldata terms)
        internal
        view
    {
        IFacilityRegistry.FacilityTerms memory facility = facilities.termsOf(facilityId);
        bool ordered = terms.opensAt < terms.closesAt && terms.closesAt > block.timestamp;
        ordered = ordered && terms.closesAt <= facility.windowStart && terms.closesAt < facility.expiresAt;
        require(ordered, IPrimarySale.SaleTermsInvalid("closesAt"));
        require(terms.upFrontBps <= BPS, IPrimarySale.SaleTermsInvalid("upFrontBps"));
        uint256 total = _checkPrices(facilities, facilityId, terms.unitPrices);
        require(terms.floorProceeds <= total, IPrimarySale.SaleTermsInvalid("floorProceeds"));
        _checkPromise(facilities, facilityId, total - total * terms.upFrontBps / BPS);
    }

    /// @notice Checks the prices against the tranches: one for each, none of 0, and none above what a unit with a
    /// coupon can ever be paid.
    /// @param facilities The register.
    /// @param facilityId The facility.
    /// @param unitPrices Price of one unit by seniority, minor units.
    /// @return total Price of all units under the caps, minor units.
    function _checkPrices(IFacilityRegistry facilities, uint64 facilityId, uint64[] calldata unitPrices)
        private
        view
        returns (uint256 total)
    {
        IFacilityRegistry.TrancheTerms[] memory tranches = facilities.tranchesOf(facilityId);
        require(unitPrices.length == tranches.length, IPrimarySale.SaleTermsInvalid("unitPrices"));
        ITrancheToken token = facilities.trancheToken();
        for (uint256 i = 0; i < tranches.length; ++i) {
            // At most four tranches, so the index fits 8 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            uint256 id = TrancheId.pack(facilityId, uint8(i));
            require(token.totalSupply(id) == 0, IPrimarySale.UnitsAlreadyMinted(id));
            require(unitPrices[i] > 0, IPrimarySale.SaleTermsInvalid("unitPrices"));
            bool covered = i + 1 == tranches.length || unitPrices[i] <= tranches[i].couponPerUnit;
            require(covered, IPrimarySale.SaleTermsInvalid("couponPerUnit"));
            total += uint256(tranches[i].unitCap) * unitPrices[i];
        }
        require(total < MAX_PROCEEDS, IPrimarySale.SaleTermsInvalid("unitPrices"));
    }

    /// @notice Checks that proceeds can be earned, and that the promise is worth what they pay for: all promised hours
    /// at the bond's rate come to at least the proceeds at cap that delivery has to earn.
    /// @param facilities The register.
    /// @param facilityId The facility.
    /// @param toEarn Proceeds at cap less those up front, minor units.
    function _checkPromise(IFacilityRegistry facilities, uint64 facilityId, uint256 toEarn) private view {
        uint256 promised = facilities.promisedGpuSeconds(facilityId, facilities.epochCountOf(facilityId));
        require(promised > 0, IPrimarySale.SaleTermsInvalid("promisedAvailabilityPpm"));
        IBondVault bonds = facilities.bondVault();
        require(bonds.hasTerms(facilityId), IPrimarySale.SaleTermsInvalid("bondTerms"));
        uint256 rate = bonds.bondTermsOf(facilityId).ratePerGpuHour;
        require(rate * promised >= toEarn * 1 hours, IPrimarySale.SaleTermsInvalid("ratePerGpuHour"));
    }
}
