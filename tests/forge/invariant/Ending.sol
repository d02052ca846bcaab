// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {Steps} from "./Steps.sol";

/// @title The ends of a facility, what falls to whom then, and how everybody leaves
abstract contract Ending is Steps {
    uint256 private constant LAST_STEPS = 10;
    /// @dev From when on what renters still owe is written off.
    uint256 private constant OLD = uint256(START) + uint256(EPOCHS) * EPOCH + 90 days;
    address private constant TREASURY = address(0xFEE);

    /// @dev Matured in full, matured with a write-off, or defaulted for one of the two reasons; then everything that is
    /// due at an end, in any order.
    function windUp(uint256 f, uint256 dice) external watched(address(0)) {
        uint64 id = _ready(f);
        _attempt(address(this), abi.encodeCall(this.deliver, (id - 1, dice >> 8, dice >> 32)));
        _end(id, dice % 4);
        for (uint256 i = 0; i < LAST_STEPS; ++i) {
            _lastStep(id, (dice / 4 + i) % LAST_STEPS, dice >> 16);
        }
    }

    /// @dev Units burned for compute, an epoch that delivers it, and the proof.
    function deliver(uint256 f, uint256 who, uint256 units) external watched(address(0)) {
        uint64 id = _ready(f);
        uint256 tranche = _idOf(id, who >> 8);
        address holder = _owner(tranche, who);
        units = 1 + units % token.balanceOf(holder, tranche);
        uint256 voucher = _takeDelivery(desk, holder, tranche, units, _leaseOf(holder));
        uint32 number = statements.epochsPosted(id);
        _post(_next(id, 0, 36_000, _leaseOf(holder), false), who);
        vm.warp(_now() + CHALLENGE_WINDOW);
        Posted memory made = posted[id][number];
        if (who % 4 > 0) _serve(voucher, made);
    }

    /// @dev Nobody stands in the way any more: facilities end, what is due is paid, everybody claims.
    function everybodyLeaves() external watched(address(0)) {
        _calmDown();
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            _end(f, f % 2 == 0 ? 0 : 2);
        }
        vm.warp(_now() + 3 days);
        for (uint256 i = 0; i < 2 * LAST_STEPS; ++i) {
            for (uint64 f = 1; f <= FACILITIES; ++f) {
                _lastStep(f, i % LAST_STEPS, i);
            }
        }
        // What the last steps paid out streams for one more epoch.
        vm.warp(_now() + EPOCH);
        for (uint256 h = 0; h < holders.length; ++h) {
            for (uint64 f = 1; f <= FACILITIES; ++f) {
                vm.prank(holders[h]);
                token.claim(_idsOf(f), cleo);
            }
            _watch(holders[h]);
        }
    }

    function _calmDown() private {
        bad.setMode(HostileStablecoin.Mode.Honest);
        receiver.set(HostileReceiver.Mode.Accept);
        if (statements.paused()) statements.unpause();
        if (token.paused()) token.unpause();
        for (uint256 h = 0; h + 1 < holders.length; ++h) {
            _allow(holders[h], true, true);
            for (uint256 i = 0; i < ids.length; ++i) {
                if (token.getFrozenTokens(holders[h], ids[i]) > 0) token.setFrozenTokens(holders[h], ids[i], 0);
            }
        }
    }

    function _end(uint64 f, uint256 how) private {
        if (facilities.stateOf(f) != IFacilityRegistry.FacilityState.Delivering) return;
        if (statements.paused()) statements.unpause();
        if (how == 3 && f != 1) {
            vm.warp(_now() + 3 * (EPOCHS + 1) * EPOCH);
        } else {
            for (uint256 i = statements.epochsPosted(f); i < EPOCHS; ++i) {
                _epoch(f, 40_000_000, how == 2 ? 0 : 36_000, how == 0 ? 1 : 40_000_000);
            }
            vm.warp(_now() + CHALLENGE_WINDOW);
        }
        if (how == 0 && _now() < OLD) vm.warp(OLD);
        if (how == 1) _payRent(f, 49_999_999);
        _settle(f);
        if (how > 1) {
            _attempt(address(vault), abi.encodeCall(vault.payShortfall, (f)));
            _watch(address(0));
            vm.warp(_now() + 2 hours);
            _attempt(address(facilities), abi.encodeCall(facilities.declareDefault, (f)));
        }
        _attempt(address(facilities), abi.encodeCall(facilities.mature, (f)));
    }

    function _settle(uint64 f) private {
        uint64[] memory list = new uint64[](1);
        list[0] = f;
        lockbox.settleMany(list);
        _watch(address(0));
    }

    /// @dev One of what may be due at an end. It may well not be: then nothing happens.
    function _lastStep(uint64 f, uint256 step, uint256 dice) private {
        if (step == 0) _attempt(address(vault), abi.encodeCall(vault.payShortfall, (f)));
        if (step == 1) _attempt(address(sale), abi.encodeCall(IPrimarySale.release, (f)));
        if (step == 2) _attempt(address(sale), abi.encodeCall(IPrimarySale.seize, (f)));
        if (step == 3) _attempt(address(vault), abi.encodeCall(IBondVault.seize, (f)));
        if (step == 4) _payVouchers();
        if (step == 5) _attempt(address(vault), abi.encodeCall(IBondVault.release, (f)));
        if (step == 6) _refundExcess(f);
        if (step == 7) _takeFees(f);
        if (step == 8) _burnSome(f, dice);
        if (step == 9) _withdrawAll(_coin(f));
        _watch(address(0));
    }

    function _payVouchers() private {
        for (uint256 v = 1; v <= desk.voucherCount(); ++v) {
            _attempt(address(desk), abi.encodeCall(desk.payUnserved, (v)));
        }
    }

    function _refundExcess(uint64 f) private {
        uint256 excess = lockbox.excessOf(f);
        if (_attempt(address(lockbox), abi.encodeCall(lockbox.refundExcess, (f, renter, excess)))) {
            rentBack[f] += excess;
        }
    }

    function _takeFees(uint64 f) private {
        uint64[] memory list = new uint64[](1);
        list[0] = f;
        _attempt(address(lockbox), abi.encodeCall(lockbox.takeFees, (list, TREASURY)));
    }

    function _burnSome(uint64 f, uint256 dice) private {
        uint256 id = _idOf(f, dice);
        address holder = _owner(id, dice >> 8);
        uint256 units = token.balanceOf(holder, id) / 2;
        vm.prank(holder);
        _attempt(address(token), abi.encodeCall(token.burnExpired, (id, units)));
    }

    function _withdrawAll(address coin) private {
        address[3] memory from = [address(lockbox), address(sale), address(vault)];
        for (uint256 p = 0; p < holders.length + 2; ++p) {
            address payee = p < holders.length ? holders[p] : p == holders.length ? renter : address(this);
            for (uint256 i = 0; i < 3; ++i) {
                if (IBondVault(from[i]).owedTo(coin, payee) == 0) continue;
                vm.prank(payee);
                _attempt(from[i], abi.encodeCall(vault.withdraw, (coin, payee)));
            }
        }
    }

    /// @dev The first facility from `f` on of which it may be done.
    function _doOne(uint256 f, address target, bytes4 action) internal {
        bool done = false;
        for (uint256 i = 0; i < FACILITIES && !done; ++i) {
            done = _attempt(target, abi.encodeWithSelector(action, _f(f % FACILITIES + i)));
        }
        require(done, "of none");
    }

    function _attempt(address target, bytes memory call) internal returns (bool done) {
        // Whether it may be done now is the contracts' to say.
        // solhint-disable-next-line avoid-low-level-calls
        (done,) = target.call(call);
    }
}
