// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {WalletBase} from "./WalletBase.sol";

/// @title Random histories of holders, enforcer and recoveries, beside a model that knows who acted when
contract RecoveryHistoriesTest is WalletBase {
    uint256 private constant STEPS = 40;
    uint256 private constant DELAY = 7 days;

    /// @dev What the model knows of a wallet.
    struct Known {
        address proposedTo;
        uint256 confirmedAt;
        uint256 watchedSince;
        uint256 actedAt;
        address successor;
        bool everProposed;
    }

    mapping(address wallet => Known) private _known;
    address[4] private _wallets;
    uint256 private _dice;
    uint256 private _recovered;
    uint256 private _collected;
    uint256 private _voided;

    /// forge-config: default.fuzz.runs = 128
    function testFuzz_history__any__recovers_exactly_who_is_silent_and_loses_nothing(uint256 seed) public {
        _history(seed);
    }

    /// @dev The histories are about something: in these, with numbers of our own, each thing happens.
    function test_histories__random__recover_collect_and_void() public {
        uint256[3] memory counts;
        uint256 fresh = vm.snapshotState();
        for (uint256 seed = 0; seed < 32; ++seed) {
            _history(seed);
            counts = [counts[0] + _recovered, counts[1] + _collected, counts[2] + _voided];
            require(vm.revertToState(fresh), "back to the start");
        }
        for (uint256 i = 0; i < 3; ++i) {
            assertLe(3, counts[i], "recovered, collected, voided");
        }
    }

    function _history(uint256 seed) private {
        _found(_soldOut(100));
        _wallets = [ann, bob, anew, renter];
        vm.warp(START);
        _dice = seed;
        for (uint256 i = 0; i < STEPS; ++i) {
            vm.warp(_now() + 1);
            _step(_draw(10));
            _check();
        }
        _everybodyClaims();
    }

    function _draw(uint256 count) private returns (uint256) {
        _dice = uint256(keccak256(abi.encode(_dice)));
        return _dice % count;
    }

    function _wallet() private returns (address) {
        return _wallets[_draw(4)];
    }

    function _step(uint256 action) private {
        if (action == 0) _transfer();
        else if (action == 1) _claim();
        else if (action == 2) _freeze();
        else if (action == 3) _force();
        else if (action == 4 && statements.epochsPosted(FACILITY) < EPOCHS) _deliver(_draw(11));
        else if (action == 5) _proposeSome();
        else if (action == 6) vm.warp(_now() + _draw(4 days));
        else if (action == 7) _executeSome();
        else if (action == 8) _collectSome();
        else vm.warp(_now() + 4 days);
    }

    /// @dev An act, also of no unit at all.
    function _transfer() private {
        (address from, address to, uint256 id) = (_wallet(), _wallet(), SENIOR + _draw(2));
        uint256 units = token.balanceOf(from, id);
        uint256 frozen = token.getFrozenTokens(from, id);
        units = units > frozen ? _draw(units - frozen + 1) : 0;
        vm.prank(from);
        token.safeTransferFrom(from, to, id, units, "");
        _acted(from);
    }

    function _claim() private {
        address holder = _wallet();
        vm.prank(holder);
        token.claim(_ids(SENIOR, JUNIOR), holder);
        _acted(holder);
    }

    function _freeze() private {
        (address holder, uint256 id, uint256 units) = (_wallet(), SENIOR + _draw(2), _draw(25));
        vm.prank(enforcer);
        token.setFrozenTokens(holder, id, units);
    }

    /// @dev Dust, or more, that the wallet did not ask for: no act.
    function _force() private {
        (address from, address to, uint256 id) = (_wallet(), _wallet(), SENIOR + _draw(2));
        uint256 units = _draw(token.balanceOf(from, id) + 1);
        if (from == to) return;
        vm.prank(enforcer);
        token.forcedTransfer(from, to, id, units);
    }

    function _acted(address wallet) private {
        Known storage known = _known[wallet];
        if (!known.everProposed) return;
        // Of a position that is watched no more since the last act nothing is told; it is not collected either.
        if (known.watchedSince <= known.actedAt && known.proposedTo == address(0)) return;
        known.actedAt = _now();
        if (known.proposedTo != address(0)) ++_voided;
        known.proposedTo = address(0);
    }

    function _proposeSome() private {
        (address wallet, address to) = (_wallet(), _wallet());
        Known storage known = _known[wallet];
        bool lapsed = known.proposedTo == address(0) || _now() >= known.confirmedAt + DELAY + 30 days;
        bool possible = lapsed && wallet != to && known.successor == address(0) && _known[to].successor == address(0);
        vm.prank(compliance);
        try wallets.proposeRecovery(wallet, to, _ids(SENIOR, JUNIOR)) {
            assertTrue(possible, "proposed against the model");
        } catch {
            assertFalse(possible, "not proposed against the model");
            return;
        }
        _confirm(wallet);
        (known.proposedTo, known.confirmedAt, known.everProposed) = (to, _now(), true);
        if (known.watchedSince <= known.actedAt) known.watchedSince = _now();
    }

    function _executeSome() private {
        address wallet = _wallet();
        Known storage known = _known[wallet];
        address to = wallets.proposalOf(wallet).to;
        uint256 opensAt = known.confirmedAt + DELAY;
        bool possible = known.proposedTo != address(0) && _now() >= opensAt && _now() < opensAt + 30 days
            && _known[to].successor == address(0);
        vm.prank(to);
        try wallets.execute(wallet) {
            assertTrue(possible, "recovered against the model");
            (known.successor, known.proposedTo) = (to, address(0));
            ++_recovered;
        } catch {
            assertFalse(possible, "not recovered against the model");
        }
    }

    /// @dev Both positions as a whole, or nothing.
    function _collectSome() private {
        address wallet = _wallet();
        Known storage known = _known[wallet];
        bool quiet = known.watchedSince > known.actedAt && _now() >= known.watchedSince + DELAY;
        uint256[] memory ids = _ids(SENIOR, JUNIOR);
        address heir = _heir(wallet);
        uint256 due = token.claimable(wallet, SENIOR) + token.claimable(wallet, JUNIOR);
        uint256 had = dollar.balanceOf(heir);
        try wallets.collectRevenue(wallet, ids, heir) returns (uint256 paid) {
            assertTrue(known.successor != address(0) && quiet, "paid against the model");
            assertEq(paid, due, "all that was earned");
            assertEq(dollar.balanceOf(heir) - had, due, "to the last wallet");
            _collectUnits(wallet, heir);
            ++_collected;
        } catch {
            assertFalse(known.successor != address(0) && quiet, "not paid against the model");
            if (known.successor == address(0)) return;
            wallets.watch(wallet, ids);
            if (known.watchedSince <= known.actedAt) known.watchedSince = _now();
        }
    }

    function _collectUnits(address wallet, address heir) private {
        uint256[2] memory units;
        uint256[2] memory frozen;
        for (uint256 i = 0; i < 2; ++i) {
            units[i] = token.balanceOf(wallet, SENIOR + i) + token.balanceOf(heir, SENIOR + i);
            frozen[i] = token.getFrozenTokens(wallet, SENIOR + i) + token.getFrozenTokens(heir, SENIOR + i);
        }
        wallets.collectUnits(wallet, _ids(SENIOR, JUNIOR));
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(token.balanceOf(wallet, SENIOR + i), 0, "as a whole");
            assertEq(token.balanceOf(heir, SENIOR + i), units[i], "all units");
            assertEq(token.getFrozenTokens(wallet, SENIOR + i), 0, "frozen at one place");
            assertEq(token.getFrozenTokens(heir, SENIOR + i), frozen[i], "and as many");
        }
    }

    function _heir(address wallet) private view returns (address) {
        while (_known[wallet].successor != address(0)) wallet = _known[wallet].successor;
        return wallet;
    }

    /// @dev Who is recovered, and to whom, and that no unit came or went.
    function _check() private view {
        uint256[2] memory held;
        for (uint256 i = 0; i < 4; ++i) {
            assertEq(wallets.successorOf(_wallets[i]), _known[_wallets[i]].successor, "successor");
            held[0] += token.balanceOf(_wallets[i], SENIOR);
            held[1] += token.balanceOf(_wallets[i], JUNIOR);
        }
        assertEq(held[0], token.totalSupply(SENIOR), "seniors");
        assertEq(held[1], token.totalSupply(JUNIOR), "juniors");
    }

    /// @dev What was received was paid, but for a fraction of a minor unit for each position and stream.
    function _everybodyClaims() private {
        vm.warp(_now() + 2 days);
        for (uint256 i = 0; i < 4; ++i) {
            vm.prank(_wallets[i]);
            token.claim(_ids(SENIOR, JUNIOR), _wallets[i]);
        }
        assertLe(dollar.balanceOf(address(token)), 10, "nothing is lost");
    }
}
