// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IRefundDesk} from "../../../contracts/interfaces/IRefundDesk.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {Steps} from "./Steps.sol";

/// @title The ends of a facility, what falls to whom then, and how everybody leaves
abstract contract Ending is Steps {
    uint256 private constant LAST_STEPS = 10;
    uint256 private constant RECEIVABLE_LIFE = 90 days;
    uint256 private constant LONG_STOP = uint256(START) + uint256(EPOCHS) * EPOCH + SEAL + 180 days;
    address private constant TREASURY = address(0xFEE);

    /// @dev Matured in full, matured with a write-off, defaulted or stopped; then everything that is due at an end, in
    /// any order, and now and then the closing in its first second.
    function windUp(uint256 f, uint256 dice) external watched(address(0)) {
        uint64 id = _ready(f);
        _readyAll();
        _attempt(address(this), abi.encodeCall(this.deliver, (id - 1, dice >> 8, dice >> 32)));
        _end(id, dice % 4);
        if ((dice >> 24) % 4 > 0 && lockbox.closableFrom(id) > _now()) vm.warp(lockbox.closableFrom(id));
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

    /// @dev Nobody stands in the way any more: facilities end and are closed, what is due is paid, everybody claims.
    function everybodyLeaves() external watched(address(0)) {
        _calmDown();
        // Whatever is funded delivers, and can end.
        if (_now() < START) vm.warp(START);
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            _end(f, f % 2 == 0 ? 0 : 2);
        }
        // Offers that nobody funded have expired by now, too.
        vm.warp(_now() + 40 days);
        _refundSale();
        for (uint256 i = 0; i < 2 * LAST_STEPS; ++i) {
            for (uint64 f = 1; f <= FACILITIES; ++f) {
                _lastStep(f, i % LAST_STEPS, i);
            }
        }
        if (attesters.slashedForTreasury() > 0) attesters.takeSlashed(TREASURY);
        // What closings paid out streams for a day.
        vm.warp(_now() + 1 days);
        for (uint256 h = 0; h < holders.length; ++h) {
            for (uint64 f = 1; f <= FACILITIES; ++f) {
                vm.prank(holders[h]);
                token.claim(_idsOf(f), cleo);
            }
            _watch(holders[h]);
        }
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            _withdrawAll(_coin(f));
        }
    }

    /// @dev A sale that nobody finalized has failed, and whoever bought gets the price back.
    function _refundSale() private {
        if (sale.bookOf(1).state == IPrimarySale.SaleState.Open) _finalize();
        if (sale.bookOf(1).state != IPrimarySale.SaleState.Refunding) return;
        refunding = true;
        for (uint256 h = 0; h < holders.length; ++h) {
            for (uint256 s = 0; s < _trancheCount(1); ++s) {
                _attempt(address(sale), abi.encodeCall(sale.refundTo, (holders[h], _id(1, s))));
            }
        }
        _watch(address(0));
        refunding = false;
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
        if (how < 2) {
            for (uint256 i = statements.epochsPosted(f); i < EPOCHS; ++i) {
                _epoch(f, 40_000_000, how == 0 ? 30_000 : 36_000, how == 0 ? 1 : 40_000_000);
            }
            vm.warp(_now() + CHALLENGE_WINDOW);
            if (!statements.isClosingPosted(f)) _seal(f, how == 0 ? -9_000_000 : int128(0));
            if (how == 1) _payRent(f, 49_999_999);
            _settle(f);
            // Unless all is paid, or somebody gave notice before.
            _attempt(address(facilities), abi.encodeCall(facilities.noticeUnpaid, (f)));
            uint256 noticedAt = facilities.endingOf(f).unpaidNoticedAt;
            if (noticedAt != 0 && _now() < noticedAt + RECEIVABLE_LIFE) vm.warp(noticedAt + RECEIVABLE_LIFE);
            _attempt(address(facilities), abi.encodeCall(facilities.mature, (f)));
        }
        if (how == 2) _default(f);
        if (how == 3) _stop(f);
        _watch(address(0));
    }

    function _default(uint64 f) internal {
        uint32 epoch = statements.opennessOf(f).firstOpen;
        // Where every epoch is stated or published, nothing is overdue.
        if (epoch >= EPOCHS) return _stop(f);
        uint256 overdueFrom = START + (uint256(epoch) + 1) * EPOCH;
        uint256 voidedAt = statements.opennessOf(f).voidedAt;
        uint256 fundedAt = facilities.endingOf(f).fundedAt;
        if (overdueFrom < voidedAt) overdueFrom = voidedAt;
        if (overdueFrom < fundedAt) overdueFrom = fundedAt;
        overdueFrom += PATIENCE;
        if (_now() < overdueFrom) vm.warp(overdueFrom);
        if (statements.opennessOf(f).rejectedAt == _now()) vm.warp(_now() + 1);
        _attempt(address(facilities), abi.encodeCall(facilities.noticeDefault, (f, epoch)));
        vm.warp(_now() + CURE);
        facilities.declareDefault(f, epoch);
    }

    function _stop(uint64 f) internal {
        if (_now() < LONG_STOP) vm.warp(LONG_STOP);
        facilities.stop(f);
    }

    function _settle(uint64 f) private {
        uint64[] memory list = new uint64[](1);
        list[0] = f;
        lockbox.settleMany(list);
        _watch(address(0));
    }

    /// @dev One of what may be due at an end. It may well not be: then nothing happens.
    function _lastStep(uint64 f, uint256 step, uint256 dice) private {
        if (step == 0) _attempt(address(sale), abi.encodeCall(IPrimarySale.release, (f)));
        if (step == 1) _attempt(address(lockbox), abi.encodeCall(lockbox.close, (f)));
        if (step == 2) _payVouchers();
        if (step == 3) _late(f, dice);
        if (step == 4) _settle(f);
        if (step == 5) _payVouchers();
        if (step == 6) _attempt(address(vault), abi.encodeCall(IBondVault.release, (f)));
        if (step == 7) _refundExcess(f, dice);
        if (step == 8) _takeFees(f);
        if (step == 9) _withdrawAll(_coin(f));
        _watch(address(0));
    }

    function _payVouchers() private {
        for (uint256 v = 1; v <= desk.voucherCount(); ++v) {
            _attempt(address(lockbox), abi.encodeCall(lockbox.payVoucher, (v)));
        }
    }

    /// @dev Rent that comes after the closing: some or all of what is still taken.
    function _late(uint64 f, uint256 dice) internal returns (bool) {
        uint256 posted = statements.epochsPosted(f);
        if (facilities.endingOf(f).closedAt == 0 || posted == 0) return false;
        if (statements.isClosingPosted(f)) ++posted;
        // At most four epochs.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint256 gross = statements.statementOf(f, uint32(posted - 1)).cumulativeGross;
        uint256 collected = lockbox.bookOf(f).collected;
        if (gross <= collected) return false;
        uint256 amount = dice % 3 == 0 ? gross - collected : 1 + dice % (gross - collected);
        _arm(_coin(f), renter, address(lockbox), amount);
        vm.prank(renter);
        lockbox.payRent(f, keccak256("lease"), amount);
        rentIn[f] += amount;
        _settle(f);
        return true;
    }

    /// @dev The only credit of a facility, which two attesters sign while they may.
    function _credit(uint64 f, uint256 amount) internal {
        // Less than what was collected.
        // forge-lint: disable-next-line(unsafe-typecast)
        IRefundDesk.Credit memory credit = IRefundDesk.Credit(f, 0, keccak256("lease"), renter, uint64(amount));
        bytes32 root = keccak256(bytes.concat(keccak256(abi.encode(credit))));
        refundDesk.approveCredits(f, root, _signed(refundDesk.creditsDigest(f, root)));
        refundDesk.refundCredit(credit, new bytes32[](0));
    }

    /// @dev Called by this contract, so that a refusal undoes all of it.
    function tryCredit(uint64 f, uint256 amount) external {
        _credit(f, amount);
    }

    function _refundExcess(uint64 f, uint256 dice) private {
        uint256 excess = lockbox.excessOf(f);
        if (dice % 2 == 0 && excess > 0) {
            uint256 amount = 1 + dice % excess;
            if (_attempt(address(this), abi.encodeCall(this.tryCredit, (f, amount)))) rentBack[f] += amount;
            excess = lockbox.excessOf(f);
        }
        uint256 from = refundDesk.sharesFrom(f);
        if (excess > 0 && _now() < from) vm.warp(from);
        // The only payer has the only share.
        if (_attempt(address(refundDesk), abi.encodeCall(refundDesk.refundShare, (f, renter)))) rentBack[f] += excess;
    }

    function _takeFees(uint64 f) private {
        uint256 ends = facilities.endingOf(f).closedAt;
        for (uint32 e = 0; e <= EPOCHS; ++e) {
            _attempt(address(attesterDesk), abi.encodeCall(attesterDesk.book, (f, e)));
        }
        if (ends != 0 && _now() < ends + 90 days) vm.warp(ends + 90 days);
        _attempt(address(attesterDesk), abi.encodeCall(attesterDesk.collect, (f)));
        for (uint256 i = 0; i < attesterKeys.length; ++i) {
            _attempt(address(attesterDesk), abi.encodeCall(attesterDesk.pay, (f, vm.addr(attesterKeys[i]))));
        }
        _attempt(address(attesterDesk), abi.encodeCall(attesterDesk.releaseUnearned, (f)));
        _attempt(address(attesterDesk), abi.encodeCall(attesterDesk.takeFees, (_coin(f), TREASURY)));
    }

    function _withdrawAll(address coin) private {
        address[5] memory from =
            [address(lockbox), address(sale), address(vault), address(attesters), address(attesterDesk)];
        for (uint256 p = 0; p < holders.length + 5; ++p) {
            address payee = p < holders.length ? holders[p] : p == holders.length ? renter : address(this);
            if (p > holders.length + 1) payee = vm.addr(attesterKeys[p - holders.length - 2]);
            for (uint256 i = 0; i < 5; ++i) {
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
