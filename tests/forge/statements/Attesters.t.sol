// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../../contracts/access/Authority.sol";
import {StatementRegistry} from "../../../contracts/statements/StatementRegistry.sol";
import {IAttesterSet} from "../../../contracts/interfaces/IAttesterSet.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {Setup} from "./Setup.sol";

/// @notice Random grants, removals and thresholds, when newcomers count before removals take effect.
contract AttestersTest is Setup {
    uint256 private constant ACCOUNTS = 6;

    function _newRegistry(IFacilityRegistry register) internal override returns (StatementRegistry) {
        (uint32 activation, uint32 removal) = _delays();
        address authority = address(new Authority(address(this)));
        return new StatementRegistry(authority, register, CHALLENGE_WINDOW, activation, removal);
    }

    function _delays() internal pure virtual returns (uint32 activation, uint32 removal) {
        return (300, 700);
    }

    /// @notice ATTACKS 19: now and at every later time, whatever is scheduled, at least `threshold` members are active;
    /// each account that counts has a slot of its own, and stays liable a window longer than it counts.
    function testFuzz_membership__random_history__never_falls_below_the_threshold(uint256 seed) public {
        for (uint256 step = 0; step < 24; ++step) {
            uint256 dice = uint256(keccak256(abi.encode(seed, step)));
            address account = vm.addr(0xA11CE + dice % ACCOUNTS);
            if (dice >> 8 & 3 == 3) account = vm.addr(keys[dice % 3]);
            uint256 action = (dice >> 16) % 8;
            if (action < 2) vm.warp(block.timestamp + (dice >> 32) % 900);
            else if (action < 5) _try(abi.encodeCall(registry.setAttester, (account, true)));
            else if (action < 7) _try(abi.encodeCall(registry.setAttester, (account, false)));
            else _try(abi.encodeCall(registry.setThreshold, (uint8((dice >> 32) % 6))));
            _checkFuture();
        }
    }

    /// @notice Finding F29: a threshold of one and a posting with one signature in one block.
    function test_setThreshold__lower__waits_as_long_as_a_new_member() public {
        uint256 from = block.timestamp + registry.activationDelay();
        vm.expectEmit(true, true, true, true, address(registry));
        // A time of this century.
        // forge-lint: disable-next-line(unsafe-typecast)
        emit IAttesterSet.ThresholdSet(1, uint40(from));
        registry.setThreshold(1);
        require(registry.threshold() == 3, "not yet");
        vm.warp(from - 1);
        require(registry.threshold() == 3, "nor in the last second");
        vm.warp(from);
        require(registry.threshold() == 1, "now");
    }

    /// @notice A later change takes the place of one that waits; until then the old threshold holds.
    function test_setThreshold__while_one_waits__replaces_it() public {
        uint256 delay = registry.activationDelay();
        registry.setThreshold(1);
        vm.warp(block.timestamp + delay - 1);
        registry.setThreshold(2);
        vm.warp(block.timestamp + delay - 1);
        require(registry.threshold() == 3, "one never came");
        vm.warp(block.timestamp + 1);
        require(registry.threshold() == 2, "two");
    }

    /// @notice A threshold that waits counts when a member wants to leave.
    function test_setAttester__below_a_threshold_that_waits__reverts() public {
        registry.setThreshold(2);
        vm.warp(block.timestamp + registry.activationDelay());
        registry.setThreshold(3);
        vm.expectRevert(abi.encodeWithSelector(IAttesterSet.ThresholdOutOfRange.selector, 3, 2));
        registry.setAttester(vm.addr(keys[0]), false);
    }

    function _try(bytes memory data) private {
        (bool done,) = address(registry).call(data);
        done;
    }

    function _checkAt(uint256 instant) private {
        vm.warp(instant);
        require(registry.threshold() > 0, "a threshold");
        require(registry.attesterCount() >= registry.threshold(), "enough members");
    }

    function _checkFuture() private {
        uint256 present = block.timestamp;
        // The longest delay is 700 seconds.
        for (uint256 ahead = 0; ahead <= 750; ahead += 250) {
            _checkAt(present + ahead);
        }
        vm.warp(present);
        for (uint8 slot = 0; registry.attesterAt(slot) != address(0); ++slot) {
            address account = registry.attesterAt(slot);
            (uint40 activeFrom, uint40 activeUntil) = registry.attesterPeriodOf(account);
            bool leaving = activeUntil != type(uint40).max;
            uint64 liable = leaving ? uint64(activeUntil) + CHALLENGE_WINDOW : type(uint64).max;
            require(registry.liableUntil(account) == liable);
            // Every change that is scheduled, in its very second.
            if (activeFrom > present) _checkAt(activeFrom);
            if (leaving && activeUntil > present) _checkAt(activeUntil);
            vm.warp(present);
            for (uint8 other = 0; other < slot; ++other) {
                require(registry.attesterAt(other) != account);
            }
        }
    }
}

/// @notice The same when removals take effect before the newcomers count.
contract AttestersQuickRemovalTest is AttestersTest {
    function _delays() internal pure override returns (uint32 activation, uint32 removal) {
        return (700, 150);
    }
}
