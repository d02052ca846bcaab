// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {RevenueBase} from "./RevenueBase.sol";

/// @title Accruing: revenue that arrives, in its bounds
contract AccruingTest is RevenueBase {
    function test_accrue__wrong_caller_or_token__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotRevenueSource.selector, ann));
        vm.prank(ann);
        token.accrue(accruals(JUNIOR, 1, 0));
        // ATTACKS 11: a fee on transfer.
        _hostile.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.SettlementShort.selector, 100, 99));
        accrue(OTHER, 100, 0);
        token.setRevenueSource(source, false);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.NotRevenueSource.selector, source));
        accrue(JUNIOR, 1, 0);
    }

    /// @dev One transfer for what stands together, one event an amount; the other token's facility is taken apart.
    function test_accrue__several_facilities__pulls_once_a_token() public {
        ITrancheToken.Accrual[] memory list = new ITrancheToken.Accrual[](3);
        list[0] = ITrancheToken.Accrual(F, 0, [uint256(1_000), 4_000, 0, 0]);
        list[1] = ITrancheToken.Accrual(99, 0, [uint256(0), 0, 0, 0]);
        list[2] = ITrancheToken.Accrual(G, 0, [uint256(500), 0, 0, 0]);
        vm.prank(source);
        token.accrue(list);
        assertEq(dollar.balanceOf(address(token)), 5_000, "dollars");
        assertEq(_hostile.balanceOf(address(token)), 500, "others");
        assertEq(token.claimable(bob, JUNIOR), 1_000, "junior");
        assertEq(token.claimable(ann, SENIOR), 1_000, "senior");
        assertEq(token.claimable(ann, OTHER), 500, "other");
        assertEq(token.suppliesOf(F, 2)[1], 400, "supply");
        assertEq(token.suppliesOf(F, 1)[1], 0, "not asked");
        // A token that keeps a fee takes the whole call with it.
        _hostile.setFee(1);
        vm.expectRevert(abi.encodeWithSelector(ITrancheToken.SettlementShort.selector, 500, 499));
        vm.prank(source);
        token.accrue(list);
        assertEq(dollar.balanceOf(address(token)), 5_000, "nothing moved");
    }

    /// @dev A facility named twice accrues twice, and is taken once.
    function test_accrue__facility_repeated__adds_up() public {
        ITrancheToken.Accrual[] memory list = new ITrancheToken.Accrual[](2);
        list[0] = ITrancheToken.Accrual(F, 0, [uint256(0), 4_000, 0, 0]);
        list[1] = list[0];
        vm.prank(source);
        token.accrue(list);
        assertEq(token.claimable(bob, JUNIOR), 2_000, "twice");
        assertEq(dollar.balanceOf(address(token)), 8_000, "exactly");
    }

    /// @dev ATTACKS 7: what is sent without `accrue` is nobody's revenue.
    function test_donation__changes__nothing() public {
        accrue(JUNIOR, 4_000, 100);
        dollar.mint(address(token), 10_000);
        assertEq(token.unvested(JUNIOR), 4_000, "books");
        vm.warp(START + 100);
        assertEq(token.claimable(bob, JUNIOR), 1_000, "books");
    }

    /// @dev ATTACKS 10: revenue while nobody holds units, or before funding, is not taken.
    function test_accrue__no_units_or_not_funded__flows_on() public {
        vm.expectEmit(true, true, false, true, address(token));
        emit ITrancheToken.RevenueFlowedOn(OTHER | 1, source, 7);
        assertEq(accrue(OTHER | 1, 7, 0), 7, "nobody there");
        offerLocked(9, dollar);
        mint(ann, uint256(9) << 8, 5);
        assertEq(accrue(uint256(9) << 8, 7, 0), 7, "not funded");
        assertEq(dollar.balanceOf(address(token)), 0, "not taken");
        facilities.activate(9);
        assertEq(accrue(uint256(9) << 8, 7, 0), 0, "taken");
    }

    /// @dev ATTACKS 45: at the bound of 2^48 minor units a unit nothing is locked and nothing reverts.
    function test_accrue__more_than_a_unit_can_earn__flows_on() public {
        uint64 facility = 10;
        uint256 id = uint256(facility) << 8;
        offer(facility, dollar);
        mint(bob, id, 1);
        uint256 most = (1 << 48) - 1;
        assertEq(accrue(id, 2_000_000e6, 100), 0, "what was locked with 32 bits");
        vm.warp(START + 50);
        assertEq(accrue(id, 1 << 48, 100), (1 << 48) - most + 2_000_000e6, "the rest flows on");
        assertEq(dollar.balanceOf(address(token)), most, "is not taken");
        vm.warp(START + 60);
        assertEq(accrue(id, 1, 100), 1, "no room");
        vm.warp(START + 200);
        assertEq(token.unvested(id), 0, "nothing streams for ever");
        assertEq(token.claimable(bob, id), most, "the most");
        assertEq(accrue(id, type(uint64).max, 100), type(uint64).max, "nor now");
        assertEq(token.claimable(bob, id), most, "view");
        vm.prank(bob);
        assertEq(token.claim(one(id), bob), most, "to the last minor unit");
        send(bob, ann, id, 1);
        mint(bob, id, 1);
        assertEq(accrue(id, 10, 0), 9, "for the life of the tranche: two fractions below the bound make one");
        assertEq(dollar.balanceOf(address(token)), 1, "nothing else stays behind");
    }

    /// @dev ATTACKS 45: burns leave less than streams; who burns takes the excess, and the others what they can earn.
    function test_burn__at_the_bound__locks_nothing() public {
        uint64 facility = 10;
        uint256 id = uint256(facility) << 8;
        offer(facility, dollar);
        mint(ann, id, 1);
        mint(bob, id, 3);
        assertEq(accrue(id, type(uint64).max, 1_000), type(uint64).max - (((1 << 50) * 2 ** 24 - 4) >> 24), "4 units");
        vm.warp(START + 250);
        facilities.setState(facility, IFacilityRegistry.FacilityState.Cancelled);
        vm.prank(bob);
        token.burnExpired(id, 3);
        uint256 taken = token.claimable(bob, id);
        assertEq(taken, 3 * ((1 << 48) - 1) + 2, "a quarter has vested, the rest of three units is the burner's");
        assertEq(accrue(id, 1, 1_000), 1, "no room");
        vm.warp(START + 1_000);
        assertEq(token.claimable(ann, id), (1 << 48) - 1, "ann's unit earns all it can");
        vm.prank(ann);
        token.claim(one(id), ann);
        vm.prank(bob);
        token.claim(one(id), bob);
        vm.prank(ann);
        token.burnExpired(id, 1);
        assertLe(dollar.balanceOf(address(token)), 2, "but fractions below one minor unit a position");
    }

    /// @dev Streams end at the latest in the last second of 32 bits; what comes later vests at once.
    function test_accrue__year_2106__streams_end_and_nothing_reverts() public {
        vm.warp(type(uint32).max - 10);
        accrue(JUNIOR, 4_000, 100);
        assertEq(token.trancheOf(JUNIOR).streamEnd, type(uint32).max, "cut off");
        vm.warp(uint256(type(uint32).max) + 5);
        assertEq(token.claimable(bob, JUNIOR), 1_000, "vested");
        accrue(JUNIOR, 4_000, 100);
        assertEq(token.claimable(bob, JUNIOR), 2_000, "at once");
        send(bob, ann, JUNIOR, 100);
        vm.prank(bob);
        token.claim(one(JUNIOR), bob);
    }
}
