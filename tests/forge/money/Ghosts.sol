// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {MoneyBase} from "./MoneyBase.sol";
import {Vm} from "../Vm.sol";

/// @title What random histories of money count beside the contracts, what is wrong as soon as it is emitted, and steps
/// that several actions have in common
abstract contract Ghosts is MoneyBase {
    uint64 public constant FACILITIES = 3;

    /// @dev By settlement token.
    mapping(address coin => uint256) public claimed;
    mapping(address coin => uint256) public feesTaken;
    mapping(address coin => uint256) public residualOwed;
    mapping(address target => mapping(address coin => uint256)) public donated;
    mapping(uint64 facilityId => uint256) public rentIn;
    mapping(uint64 facilityId => uint256) public rentBack;
    /// @dev Bond that was deposited and not released by a cancelled offer.
    mapping(uint64 facilityId => uint256) public bondIn;
    /// @dev Bond and proceeds that its closing shared, without what was advanced as rent.
    mapping(uint64 facilityId => uint256) public shared;
    mapping(uint64 facilityId => uint256) public closings;
    bool public orderBroken;
    bool public emptyTranchePaid;
    bool public closingUnequal;

    /// @dev Invariant 5, ATTACKS 10 and what is said of closings, from what was emitted.
    function _check() internal {
        _check(0);
    }

    /// @dev Recorded logs hold also what calls emitted that were undone: the first `undone` of them, and those of
    /// facilities whose settlement was skipped.
    function _check(uint256 undone) internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = undone; i < logs.length; ++i) {
            if (!_isSkipped(logs, undone, _facilityOf(logs[i]))) _checkLog(logs[i]);
        }
    }

    function _checkLog(Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (log.emitter == address(token) && topic == ITrancheToken.RevenueAccrued.selector) {
            _checkPayment(uint256(log.topics[1]));
        }
        if (log.emitter != address(lockbox)) return;
        if (topic == IRentLockbox.ResidualOwed.selector) {
            residualOwed[_tokenOf(uint64(uint256(log.topics[1])))] += abi.decode(log.data, (uint256));
        }
        if (topic == IRentLockbox.FacilityClosed.selector) _checkClosing(log);
        if (topic == IRentLockbox.LateRentShared.selector) _checkLate(log);
    }

    /// @dev The facility that a log of lockbox or token speaks of; 0 for other logs.
    function _facilityOf(Vm.Log memory log) private view returns (uint256) {
        if (log.topics.length < 2) return 0;
        if (log.emitter == address(lockbox)) return uint256(log.topics[1]);
        return log.emitter == address(token) ? uint256(log.topics[1]) >> 8 : 0;
    }

    function _isSkipped(Vm.Log[] memory logs, uint256 from, uint256 facilityId) private view returns (bool) {
        for (uint256 i = from; i < logs.length; ++i) {
            bool skips = logs[i].topics[0] == IRentLockbox.SettlementSkipped.selector;
            if (skips && _facilityOf(logs[i]) == facilityId) return true;
        }
        return false;
    }

    /// @dev Who was paid, and who stayed behind. A closing has an order of its own.
    function _checkPayment(uint256 id) private {
        if (token.totalSupply(id) == 0) emptyTranchePaid = true;
        // The facility is the middle part of an id.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (facilities.endingOf(uint64(id >> 8)).closedAt != 0) return;
        for (uint256 s = 0; s < (id & 255); ++s) {
            if (lockbox.arrearsOf((id >> 8 << 8) | s) > 0) orderBroken = true;
        }
    }

    /// @dev Bond and escrow are exactly what was advanced and all shares. Where no proceeds go back by price, nobody is
    /// paid before a claim of a higher rank.
    function _checkClosing(Vm.Log memory log) private {
        uint64 f = uint64(uint256(log.topics[1]));
        (IRentLockbox.Closing memory closing, IRentLockbox.Claims memory claims) =
            abi.decode(log.data, (IRentLockbox.Closing, IRentLockbox.Claims));
        uint256 all = closing.toTreasury + closing.toOperator;
        for (uint256 i = 0; i < 4; ++i) {
            all += closing.toUnits[i] + closing.toVouchers[i];
        }
        if (closing.bond + closing.escrow != closing.advanced + all) closingUnequal = true;
        if (closing.bond != bondIn[f]) closingUnequal = true;
        shared[f] += all;
        ++closings[f];
        if (closing.escrow > 0) return;
        _checkOrder(closing.toUnits, closing.toVouchers, closing.toTreasury, closing.toOperator, claims);
    }

    function _checkLate(Vm.Log memory log) private {
        (
            uint256 amount,
            uint256[4] memory toUnits,
            uint256[4] memory toVouchers,
            uint256 toTreasury,
            uint256 toOperator
        ) = abi.decode(log.data, (uint256, uint256[4], uint256[4], uint256, uint256));
        uint256 all = toTreasury + toOperator;
        for (uint256 i = 0; i < 4; ++i) {
            all += toUnits[i] + toVouchers[i];
        }
        if (all != amount) closingUnequal = true;
        IRentLockbox.Claims memory claims = lockbox.claimsOf(uint64(uint256(log.topics[1])));
        _checkOrder(toUnits, toVouchers, toTreasury, toOperator, claims);
    }

    /// @dev Whoever is still owed something ranks behind everybody who was paid.
    function _checkOrder(
        uint256[4] memory toUnits,
        uint256[4] memory toVouchers,
        uint256 toTreasury,
        uint256 toOperator,
        IRentLockbox.Claims memory claims
    ) private {
        bool behind = false;
        for (uint256 i = 0; i < 4; ++i) {
            if (behind && toUnits[i] + toVouchers[i] > 0) orderBroken = true;
            behind = behind || claims.units[i] + claims.vouchers[i] > 0;
        }
        if (behind && toTreasury + toOperator > 0) orderBroken = true;
        if (claims.treasury > 0 && toOperator > 0) orderBroken = true;
    }

    /// @dev Sales end before time leaps; that of facility 3 with its floor reached, or missed.
    function _ready(uint256 dice) internal {
        if (dice % 2 == 0 && vm.getBlockTimestamp() < _saleTerms().closesAt) {
            vm.prank(cleo);
            sale.buy(_id(3, 0), 8, type(uint256).max);
        }
        if (vm.getBlockTimestamp() < START) vm.warp(START);
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            if (sale.bookOf(f).state == IPrimarySale.SaleState.Open) _finalize(f);
        }
    }

    /// @dev Whether it may be done now is the contracts' to say.
    function _tryIt(address target, bytes memory call) internal returns (bool done) {
        // solhint-disable-next-line avoid-low-level-calls
        (done,) = target.call(call);
    }

    /// @dev An ended facility takes statements of epochs that were over, for an epoch and a day.
    function _requireLastWord(uint64 id, uint256 epochEnd) internal view {
        IEndings.Ending memory ending = facilities.endingOf(id);
        bool matured = facilities.stateOf(id) == IFacilityRegistry.FacilityState.Matured;
        require(ending.endedAt != 0 && !matured && epochEnd <= ending.endedAt, "state");
        require(vm.getBlockTimestamp() < uint256(ending.endedAt) + EPOCH + 1 days, "too late");
    }

    function _tokenOf(uint64 f) internal view returns (address) {
        return facilities.settlementTokenOf(f);
    }
}
