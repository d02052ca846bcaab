// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DealBase} from "./DealBase.sol";

/// @title Pairs of histories: nobody gains by failing (docs/DEAL.md, rule 1)
/// @dev A history says for each epoch how many hours were available, and whether that was stated, only published, or
/// neither. Two histories of a pair differ in one epoch; both are played on the same real contracts.
contract GamesTest is DealBase {
    enum Word {
        Stated,
        Published,
        Silent
    }

    struct History {
        uint256[4] hours_;
        Word[4] words;
        uint256 seniorsBurned;
        bool late;
    }

    /// @dev What each party has at the end, minor units.
    struct Outcome {
        uint256 gpuOperator;
        uint256 seniors;
        uint256 juniors;
        uint256 vouchers;
        uint256 fees;
    }

    /// Hours that the operator delivers never cost it anything, whatever the bond and whoever bought.
    function test_game__one_more_hour_delivered__operator_never_loses(uint256 seed) public {
        (Deal memory deal, History memory history) = _draw(seed);
        uint256 epoch = seed % 4;
        history.words[epoch] = Word.Stated;
        history.hours_[epoch] = bound(seed >> 8, 0, 9);
        (Outcome memory less, Outcome memory more) = _pair(deal, history, epoch, history.hours_[epoch] + 1);
        assertLe(less.gpuOperator, more.gpuOperator + 4, "an hour more");
    }

    /// Where the bond covers everything, the operator and its puppets gain nothing by selling an hour elsewhere. Without
    /// published epochs: docs/TRUST.md has the case with silent attesters.
    function test_game__hours_diverted__no_coalition_gains(uint256 seed, uint8 puppets) public {
        (Deal memory deal, History memory history) = _draw(seed);
        deal.bond = 200 * USDC;
        deal.feeBps = 0;
        history.late = false;
        uint256 epoch = seed % 4;
        history.words[epoch] = Word.Stated;
        _withinPromise(deal, history);
        for (uint256 e = 0; e < 4; ++e) {
            if (history.words[e] == Word.Published) history.words[e] = Word.Silent;
        }
        if (history.hours_[epoch] > 0) --history.hours_[epoch];
        vm.assume(epoch < _stated(history));
        (Outcome memory diverted, Outcome memory delivered) = _pair(deal, history, epoch, history.hours_[epoch] + 1);
        vm.assume(_owed(deal, history) >= 1 hours);
        assertLe(_coalition(diverted, puppets) + RATE, _coalition(delivered, puppets) + 8, "coalition");
    }

    /// An operator that hides an epoch which could have been stated gains nothing.
    function test_game__silence__operator_never_gains(uint256 seed) public {
        (Deal memory deal, History memory history) = _draw(seed);
        // The last epoch that was stated: later ones can only be published or silent.
        uint256 stated = _stated(history);
        vm.assume(stated > 0);
        _withinPromise(deal, history);
        // Rent that comes late meets more coupons than rent in time: docs/TRUST.md says so.
        history.late = false;
        for (uint256 e = stated; e < 4; ++e) {
            history.words[e] = Word.Silent;
        }
        uint256 before = vm.snapshotState();
        Outcome memory said = _play(deal, history);
        vm.revertToState(before);
        history.words[stated - 1] = Word.Silent;
        Outcome memory silent = _play(deal, history);
        assertLe(silent.gpuOperator, said.gpuOperator + 4, "silence");
    }

    /// Every ending leaves nothing behind, in any history.
    function test_game__any_history__nothing_stays_locked(uint256 seed) public {
        (Deal memory deal, History memory history) = _draw(seed);
        _play(deal, history);
        _sweep(history.seniorsBurned == 0 ? 0 : 1);
    }

    function _pair(Deal memory deal, History memory history, uint256 epoch, uint256 hours_)
        private
        returns (Outcome memory less, Outcome memory more)
    {
        uint256 before = vm.snapshotState();
        less = _play(deal, history);
        vm.revertToState(before);
        uint256 kept = history.hours_[epoch];
        history.hours_[epoch] = hours_;
        more = _play(deal, history);
        history.hours_[epoch] = kept;
    }

    /// @dev Bits of `members`: who plays together with the operator. Vouchers are the seniors'.
    function _coalition(Outcome memory outcome, uint8 members) private pure returns (uint256 sum) {
        sum = outcome.gpuOperator;
        if (members & 1 != 0) sum += outcome.seniors + outcome.vouchers;
        if (members & 2 != 0) sum += outcome.juniors;
    }

    function _draw(uint256 seed) private pure returns (Deal memory deal, History memory history) {
        uint256 dice = uint256(keccak256(abi.encode(seed)));
        // forge-lint: disable-start(unsafe-typecast)
        deal.seniors = uint40(bound(dice, 0, 20));
        deal.juniors = uint40(bound(dice >> 16, deal.seniors == 0 ? 1 : 0, 20));
        deal.promisedPpm = uint32([uint256(1_000_000), 500_000, 990_000][(dice >> 32) % 3]);
        deal.feeBps = uint16([uint256(0), 100, 1_000][(dice >> 40) % 3]);
        // forge-lint: disable-end(unsafe-typecast)
        deal.bond = bound(dice >> 48, 0, 120) * USDC + bound(dice >> 56, 0, 999);
        for (uint256 e = 0; e < 4; ++e) {
            history.hours_[e] = bound(dice >> (64 + 8 * e), 0, 10);
            history.words[e] = Word((dice >> (96 + 8 * e)) % 4 % 3);
        }
        history.seniorsBurned = bound(dice >> 128, 0, deal.seniors > 1 ? deal.seniors / 2 : 0);
        history.late = (dice >> 136) % 2 == 0;
    }

    /// @dev Whole hours, at most what each epoch promises to holders: hours beyond are owed to nobody, and those that
    /// vouchers wait for are not rent.
    function _withinPromise(Deal memory deal, History memory history) private pure {
        for (uint256 e = 0; e < 4; ++e) {
            uint256 most = (36_000 * uint256(deal.promisedPpm) / 1e6 - history.seniorsBurned * 3_168 / 4) / 1 hours;
            history.hours_[e] = bound(history.hours_[e], 0, most);
        }
    }

    /// @dev GPU-seconds of stated epochs that rent is owed for: an hour beyond the promise, or one that a voucher waits
    /// for, is no failure towards holders.
    function _owed(Deal memory deal, History memory history) private pure returns (uint256) {
        uint256 stated = _stated(history);
        uint256 available = 0;
        for (uint256 e = 0; e < stated; ++e) {
            available += history.hours_[e] * 1 hours;
        }
        uint256 promised = stated * 36_000 * deal.promisedPpm / 1e6;
        uint256 others = available + history.seniorsBurned * 3_168;
        return promised > others ? promised - others : 0;
    }

    /// @dev Epochs are stated in order, so only those before the first that is not.
    function _stated(History memory history) private pure returns (uint256 count) {
        while (count < 4 && history.words[count] == Word.Stated) ++count;
    }

    /// @dev From the offer to the end of all streams.
    function _play(Deal memory deal, History memory history) private returns (Outcome memory outcome) {
        previous = bytes32(0);
        _found(deal);
        uint256 voucher = 0;
        if (history.seniorsBurned > 0) voucher = _takeDelivery(desk, ann, SENIOR, history.seniorsBurned, "voucher");
        uint256 stated = _stated(history);
        uint256 rent = 0;
        for (uint256 e = 0; e < stated; ++e) {
            uint256 due = history.hours_[e] * RATE;
            if (!history.late && due > 0) _pay(due);
            _post(history.hours_[e] * 1 hours, due);
            rent += due;
            vm.warp(_now() + CHALLENGE_WINDOW);
            if (!history.late || e == 0) lockbox.settle(FACILITY);
        }
        uint32 published = 0;
        // forge-lint: disable-next-line(unsafe-typecast)
        for (uint32 e = uint32(stated); e < 4 && history.words[e] == Word.Published; ++e) {
            uint256 end = START + uint256(e + 1) * EPOCH;
            if (_now() < end) vm.warp(end);
            vm.prank(gpuOperator);
            statements.publish(FACILITY, e, keccak256("evidence"));
            ++published;
        }
        _finish(stated, published, history.late && rent > 0);
        _close();
        if (history.late && rent > 0) {
            _pay(rent);
            lockbox.settle(FACILITY);
            vm.warp(_now() + 1 days);
        }
        outcome.gpuOperator = _operatorInAll();
        outcome.seniors = token.claimable(ann, SENIOR);
        outcome.juniors = token.claimable(bob, JUNIOR);
        if (voucher > 0) outcome.vouchers = lockbox.payableToVoucher(voucher);
        outcome.fees = lockbox.feesOwed(FACILITY);
    }

    /// @dev Matures, defaults or is stopped, as its epochs ask for.
    function _finish(uint256 stated, uint256 published, bool unpaid) private {
        if (stated + published < 4) {
            _default();
        } else if (published > 0) {
            vm.warp(START + EPOCHS * EPOCH + SEAL + LONG_STOP);
            facilities.stop(FACILITY);
        } else {
            _seal(0);
            if (unpaid) {
                facilities.noticeUnpaid(FACILITY);
                vm.warp(_now() + 90 days);
            }
            facilities.mature(FACILITY);
        }
    }
}
