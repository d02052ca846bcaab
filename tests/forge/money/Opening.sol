// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {Ghosts} from "./Ghosts.sol";

/// @title Where random histories of money begin: three facilities on offer, and everybody with money to spend
/// @dev Facilities 1 and 2 settle in an honest token, 3 in one that turns hostile. 1 and 3 are sold, 2 is minted.
abstract contract Opening is Ghosts {
    HostileStablecoin public bad;
    address[3] internal _investors;

    function start() external {
        require(address(bad) == address(0), "once");
        _deploy();
        bad = new HostileStablecoin();
        facilities.setSettlementToken(address(bad), true);
        _investors = [ann, bob, cleo];
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            _offerOne(f);
        }
        address[5] memory payers = [ann, bob, cleo, renter, gpuOperator];
        for (uint256 i = 0; i < payers.length; ++i) {
            dollar.mint(payers[i], 1e15);
            bad.mint(payers[i], 1e15);
            vm.startPrank(payers[i]);
            address[3] memory spenders = [address(sale), address(lockbox), address(vault)];
            for (uint256 j = 0; j < spenders.length; ++j) {
                dollar.approve(spenders[j], type(uint256).max);
                bad.approve(spenders[j], type(uint256).max);
            }
            vm.stopPrank();
        }
        vm.startPrank(gpuOperator);
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            vault.deposit(f, 1_000_000);
            bondIn[f] = 1_000_000;
        }
        dollar.approve(address(attesters), 10_000);
        attesters.depositBond(bob, 10_000);
        vm.stopPrank();
        vm.prank(gpuOperator);
        facilities.fund(2);
        vm.warp(START - 3_000);
        vm.prank(ann);
        sale.buy(_id(1, 0), 7, type(uint256).max);
        vm.prank(bob);
        sale.buy(_id(3, 1), 3, type(uint256).max);
    }

    function parts()
        external
        view
        returns (address facilities_, address lockbox_, address sale_, address vault_, address token_, address dollar_)
    {
        return (address(facilities), address(lockbox), address(sale), address(vault), address(token), address(dollar));
    }

    function _offerOne(uint64 f) private {
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](f == 2 ? 3 : 2);
        for (uint256 i = 0; i < tranches.length; ++i) {
            bool last = i + 1 == tranches.length;
            tranches[i] = IFacilityRegistry.TrancheTerms(12, last ? 0 : 1_000_003);
        }
        _offer(f, f == 3 ? address(bad) : address(dollar), tranches);
        vm.prank(gpuOperator);
        vault.setTerms(f, _bondTerms());
        if (f == 2) {
            vm.startPrank(gpuOperator);
            for (uint256 i = 0; i < 3; ++i) {
                token.mint(_investors[i], _id(f, i), 12);
            }
            vm.stopPrank();
        } else {
            IPrimarySale.SaleTerms memory offer = _saleTerms();
            offer.floorProceeds = (f == 3 ? 10 : 4) * JUNIOR_PRICE;
            vm.prank(gpuOperator);
            sale.open(f, offer);
        }
    }
}
