// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Who fails is paid last, looked for by chance
/// @dev As in `Guarantee.t.sol`, with any bond: while ann is short of her coupon, nothing of bond and unearned price is
/// the operator's.
contract RankTest is ThiefBase {
    function test_thief__seniors_short__operator_keeps_only_what_it_earned(uint256 seed) public {
        uint256 promised = bound(seed, 500_000, 1_000_000);
        bool paid = seed >> 80 & 1 == 0;
        // Of rent that the bond pays, the part of unsold juniors is the operator's: docs/TRUST.md says so.
        uint256 juniors = paid ? (seed >> 200) % 21 : 20;
        // forge-lint: disable-next-line(unsafe-typecast)
        Deal memory deal = Deal(20, uint40(juniors), bound(seed >> 40, 0, 100) * USDC, uint32(promised), 0);
        Offer memory offer = _offerOf(deal);
        uint64 coupon = uint64(bound(seed >> 32, 2_000_000, 2_500_000));
        offer.tranches[0] = IFacilityRegistry.TrancheTerms(20, coupon);
        offer.upFrontBps = uint16(bound(seed >> 104, 2_000, 10_000));
        _found(offer);
        uint256 stated = (seed >> 72) % 5;
        uint256 burned = stated > 0 ? 0 : bound(seed >> 64, 0, offer.sold[1]);
        if (burned > 0) _takeDelivery(desk, bob, JUNIOR, burned, "puppet");
        _stateEpochs(seed, stated, promised, paid);
        _end();
        vm.warp(lockbox.closableFrom(FACILITY));
        if (lockbox.settleable(FACILITY) > 0) lockbox.settle(FACILITY);
        uint256 rentOfOperator = lockbox.owedTo(address(dollar), gpuOperator);
        _close();
        uint256 worth = facilities.promisedGpuSeconds(FACILITY, EPOCHS) * RATE / 3_600;
        uint256 due = 20 * uint256(coupon);
        if (worth < due) due = worth;
        if (_all(SENIOR) + 40 >= due) return;
        assertLe(_operatorInAll(), sale.bookOf(FACILITY).released + rentOfOperator + 40, "operator");
    }
}
