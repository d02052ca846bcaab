// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {MoneyBase} from "./MoneyBase.sol";

/// @title Gas of whole transactions in the steady state (isolate = true); bounds a little above what was measured
contract MoneyGasTest is MoneyBase {
    function setUp() public {
        _deploy();
    }

    function _steady(uint64 facilityId, IFacilityRegistry.TrancheTerms[] memory tranches) private {
        _funded(facilityId, address(dollar), tranches);
        _pay(facilityId, 100_000_000);
        _pay(facilityId, 100_000_000);
        _postFinal(facilityId, 40_000_000, 36_000);
        lockbox.settle(facilityId);
    }

    function test_gas__settle__one_tranche() public {
        _steady(7, _oneTranche());
        _postFinal(7, 40_000_000, 36_000);
        lockbox.settle(7);
        _under(100_500, "settle 1 tranche");
    }

    function test_gas__settle__two_tranches() public {
        _steady(7, _twoTranches());
        _postFinal(7, 40_000_000, 36_000);
        lockbox.settle(7);
        _under(130_000, "settle 2 tranches");
    }

    function test_gas__settle__two_tranches_nothing_to_pay() public {
        _steady(7, _twoTranches());
        _postFinal(7, 0, 36_000);
        lockbox.settle(7);
        _under(93_000, "settle 2 tranches, no money");
    }

    function test_gas__settleMany__fifty_tranches() public {
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](4);
        for (uint256 i = 0; i < 4; ++i) {
            tranches[i] = IFacilityRegistry.TrancheTerms(10, i == 3 ? 0 : 1_000_000);
        }
        uint64[] memory ids = new uint64[](13);
        for (uint64 i = 0; i < 13; ++i) {
            if (i == 12) tranches = _twoTranches();
            _funded(i + 1, address(dollar), tranches);
            _pay(i + 1, 200_000_000);
            ids[i] = i + 1;
        }
        for (uint32 e = 1; e <= 2; ++e) {
            vm.warp(START + e * uint256(EPOCH));
            for (uint64 i = 0; i < 13; ++i) {
                statements.post(i + 1, 40_000_000, 36_000);
            }
            vm.warp(vm.getBlockTimestamp() + 600);
            lockbox.settleMany(ids);
        }
        _under(50 * 35_000, "settleMany 13 facilities, 50 tranches");
    }

    function test_gas__payRent__again() public {
        _steady(7, _oneTranche());
        _pay(7, 5);
        dollar.mint(renter, 5);
        vm.startPrank(renter);
        dollar.approve(address(lockbox), type(uint256).max);
        lockbox.payRent(7, "lease", 5);
        vm.stopPrank();
        _under(90_000, "payRent");
    }

    function test_gas__buy() public {
        _offer(7, address(dollar), _twoTranches());
        _openSale(7);
        vm.warp(_saleTerms().opensAt);
        _buy(ann, _id(7, 0), 1);
        _buy(ann, _id(7, 0), 1);
        vm.prank(ann);
        sale.buy(_id(7, 0), 1, type(uint256).max);
        _under(150_000, "buy");
    }

    function _under(uint256 limit, string memory what) private {
        uint64 used = vm.lastCallGas().gasTotalUsed;
        emit Gas(what, used);
        require(used < limit, what);
    }

    event Gas(string what, uint256 used);
}
