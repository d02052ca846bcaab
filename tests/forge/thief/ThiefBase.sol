// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {DealBase} from "../closing/DealBase.sol";

/// @title The facility of docs/DEAL.md, with more of its terms to choose
abstract contract ThiefBase is DealBase {
    struct Offer {
        IFacilityRegistry.FacilityTerms terms;
        IFacilityRegistry.TrancheTerms[] tranches;
        uint64[] prices;
        uint256[] sold;
        uint256 bond;
        uint64 rate;
        uint16 upFrontBps;
        uint64 floor;
    }

    /// @dev The offer of the page: two tranches of 20 units.
    function _offerOf(Deal memory deal) internal view returns (Offer memory offer) {
        offer.terms = _terms(deal);
        offer.tranches = new IFacilityRegistry.TrancheTerms[](2);
        offer.tranches[0] = IFacilityRegistry.TrancheTerms(20, COUPON);
        offer.tranches[1] = IFacilityRegistry.TrancheTerms(20, 0);
        offer.prices = new uint64[](2);
        (offer.prices[0], offer.prices[1]) = (uint64(2 * USDC), uint64(USDC));
        offer.sold = new uint256[](2);
        (offer.sold[0], offer.sold[1]) = (deal.seniors, deal.juniors);
        (offer.bond, offer.rate, offer.upFrontBps, offer.floor) = (deal.bond, RATE, 2_000, 1);
    }

    /// @dev One tranche of 40 units at 1.
    function _oneTranche(uint256 sold, uint256 bond) internal view returns (Offer memory offer) {
        offer.terms = _terms(_soldOut(0));
        offer.tranches = new IFacilityRegistry.TrancheTerms[](1);
        offer.tranches[0] = IFacilityRegistry.TrancheTerms(40, 0);
        offer.prices = new uint64[](1);
        offer.prices[0] = uint64(USDC);
        offer.sold = new uint256[](1);
        offer.sold[0] = sold;
        (offer.bond, offer.rate, offer.upFrontBps, offer.floor) = (bond, RATE, 0, 1);
    }

    /// @dev Offered, bonded and on sale.
    function _open(Offer memory offer) internal {
        dollar.mint(gpuOperator, offer.bond);
        vm.startPrank(gpuOperator);
        facilities.offer(FACILITY, offer.terms, offer.tranches);
        _approve(FACILITY);
        // forge-lint: disable-next-line(unsafe-typecast)
        vault.setTerms(FACILITY, IBondVault.BondTerms(uint96(offer.bond), offer.rate));
        dollar.approve(address(vault), offer.bond);
        if (offer.bond > 0) vault.deposit(FACILITY, offer.bond);
        sale.open(
            FACILITY, IPrimarySale.SaleTerms(START - 90_000, START - 1_000, offer.floor, offer.upFrontBps, offer.prices)
        );
        vm.stopPrank();
        vm.warp(START - 90_000);
        for (uint256 i = 0; i < offer.sold.length; ++i) {
            _buy(i == 0 ? ann : bob, SENIOR + i, offer.sold[i]);
        }
        vm.roll(block.number + 1);
    }

    /// @dev The same, and funded.
    function _found(Offer memory offer) internal {
        _open(offer);
        vm.warp(START - 1_000);
        sale.finalize(FACILITY);
    }

    function _matureUnpaid() internal {
        _seal(0);
        facilities.noticeUnpaid(FACILITY);
        vm.warp(_now() + 90 days);
        facilities.mature(FACILITY);
    }

    /// @dev States epochs by chance: hours of at most their promise, leased at one to four times the rate.
    function _stateEpochs(uint256 seed, uint256 count, uint256 promised, bool paid) internal {
        for (uint256 e = 0; e < count; ++e) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 available = bound(seed, 0, 36_000 * promised / 1_000_000);
            uint256 rent = (available * RATE + 3_599) / 3_600 * (1 + (seed >> 40) % 4);
            if (paid && rent > 0) _pay(rent);
            _post(available, rent);
        }
    }

    function _all(uint256 id) internal view returns (uint256) {
        return token.claimable(id == SENIOR ? ann : bob, id);
    }
}
