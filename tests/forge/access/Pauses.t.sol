// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ITimedPause} from "../../../contracts/interfaces/ITimedPause.sol";
import {TokenBase} from "../token/TokenBase.sol";

/// @title A pause is no lever: it ends by itself, and its pauser rests
contract PausesTest is TokenBase {
    address private _other = address(0x9A5E);

    function setUp() public override {
        super.setUp();
        mint(ann, JUNIOR, 10);
    }

    /// Finding F2b: one key without delay stopped everything for ever.
    function test_pause__nobody_lifts_it__ends_after_seven_days() public {
        uint256 until = vm.getBlockTimestamp() + 7 days;
        vm.expectEmit(true, true, true, true, address(token));
        emit ITimedPause.Paused(address(this), until);
        token.pause();
        assertEq(token.pausedUntil(), until, "until");
        vm.warp(until - 1);
        vm.expectRevert(abi.encodeWithSelector(ITimedPause.EnforcedPause.selector));
        send(ann, bob, JUNIOR, 1);
        vm.warp(until);
        assertFalse(token.paused(), "over");
        send(ann, bob, JUNIOR, 1);
    }

    function test_pause__by_the_same_pauser__only_thirty_days_after_its_end() public {
        uint256 rests = vm.getBlockTimestamp() + 37 days;
        token.pause();
        assertEq(token.restsUntil(address(this)), rests, "rests");
        // Also if it was lifted: a pauser that lifts its own pause gains no new one.
        token.unpause();
        bytes memory resting = abi.encodeWithSelector(ITimedPause.PauserResting.selector, address(this), rests);
        vm.expectRevert(resting);
        token.pause();
        vm.warp(rests - 1);
        vm.expectRevert(resting);
        token.pause();
        vm.warp(rests);
        token.pause();
    }

    function test_pause__while_one_runs__another_pauser_cannot_prolong_it() public {
        authority.grantRole(PAUSER, _other, 0);
        token.pause();
        vm.warp(vm.getBlockTimestamp() + 6 days);
        uint256 until = token.pausedUntil();
        vm.expectRevert(abi.encodeWithSelector(ITimedPause.PauseRunning.selector, until));
        vm.prank(_other);
        token.pause();
        // When it is over, another one can begin one.
        vm.warp(until);
        vm.prank(_other);
        token.pause();
        assertTrue(token.paused(), "paused");
    }

    function test_unpause__lifts_at_once() public {
        token.pause();
        vm.expectEmit(true, true, true, true, address(token));
        emit ITimedPause.Unpaused(address(this));
        token.unpause();
        assertFalse(token.paused(), "lifted");
        assertEq(token.pausedUntil(), 0, "none");
        send(ann, bob, JUNIOR, 1);
    }
}
