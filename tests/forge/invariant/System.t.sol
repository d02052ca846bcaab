// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {AttesterDesk} from "../../../contracts/attesters/AttesterDesk.sol";
import {AttesterRegistry} from "../../../contracts/attesters/AttesterRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {Accumulator} from "../../../contracts/token/Accumulator.sol";
import {Acting} from "./Acting.sol";

/// @title Invariants 1 to 7 of contracts/README.md over random histories of the whole system
contract SystemTest is Acting {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    uint256 private constant HOLDERS = 6;
    uint256 private constant IDS = 7;
    uint64 private constant FACILITIES = 3;
    uint32 private constant EPOCHS = 4;
    uint256 private constant EPOCH = 3_600;

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_world), _actions());
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_world);
    }

    /// @notice A closing that a coin undid by its fee paid nobody: no junior came before a senior.
    function test_order__payment_that_was_undone__is_none() external {
        _world.business(15_140, 4_288_775_753, 29_700_000, 4_198);
        _world.season(2, 4_638_937_218_896_958_432_699_710_564_614_777_492_297_621_196_312_340_183, 54_231);
        _world.turnCoin(1);
        _world.windUp(2, 148_976_687_872_771_713_440_813_532_227_845_759);
        assertFalse(_world.orderBroken(), "a junior was paid while a senior is behind");
    }

    /// @notice After each history everybody leaves: all that is due is paid out, and no money stays behind.
    function afterInvariant() external {
        _world.everybodyLeaves();
        _checkNothingStays(address(_world.dollar()));
        _checkNothingStays(address(_world.bad()));
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            bool cancelled = _world.facilities().stateOf(f) == IFacilityRegistry.FacilityState.Cancelled;
            assertEq(_world.closings(f), cancelled ? 0 : 1, "every funded facility is closed");
        }
        this.invariant_all();
    }

    /// @notice All of them after every step of 64 histories of 64 steps: a campaign for each would play the same histories.
    function invariant_all() external view {
        invariant_1_units__minted_are_held_or_burned_and_never_above_the_cap();
        invariant_1_vouchers__owe_an_hour_a_unit_at_most_and_lines_serve_once();
        invariant_2_money__is_held_and_conserved_to_the_last_bit();
        invariant_3_accrued__falls_only_by_ones_own_claim();
        invariant_4_settlement__never_above_collected_nor_final_attested();
        invariant_5_waterfall__no_junior_before_a_senior_in_arrears();
        invariant_6_statements__once_in_order_with_quorum_void_by_fault_only();
        invariant_7_eligibility__no_path_round_allow_list_freeze_or_pause();
        invariant_closing__shares_all_of_bond_and_proceeds_once();
    }

    function invariant_1_units__minted_are_held_or_burned_and_never_above_the_cap() private view {
        for (uint256 i = 0; i < IDS; ++i) {
            uint256 id = _world.ids(i);
            uint256 held = 0;
            for (uint256 h = 0; h < HOLDERS; ++h) {
                held += _world.token().balanceOf(_world.holders(h), id);
            }
            ITrancheToken.Burned memory burned = _world.token().burnedOf(id);
            assertEq(held, _world.token().totalSupply(id), "held = supply");
            uint256 gone = uint256(burned.delivered) + burned.expired + burned.refunded;
            assertEq(_world.minted(id), held + gone, "minted = held + burned");
            // forge-lint: disable-next-line(unsafe-typecast)
            uint256 cap = _world.facilities().trancheCapOf(uint64(id >> 8), uint8(id));
            assertLe(_world.minted(id) - burned.refunded, cap, "minted above the cap");
        }
    }

    function invariant_1_vouchers__owe_an_hour_a_unit_at_most_and_lines_serve_once() private view {
        IDeliveryDesk desk = _world.desk();
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            uint256[4] memory open;
            uint256[4] memory unitSeconds;
            uint256 served = 0;
            for (uint256 v = 1; v <= desk.voucherCount(); ++v) {
                IDeliveryDesk.Voucher memory voucher = desk.voucherOf(v);
                if (voucher.facilityId != f) continue;
                uint256 left = voucher.owedGpuSeconds - voucher.servedGpuSeconds;
                assertLe(voucher.owedGpuSeconds, uint256(voucher.units) * 3_600, "more than an hour a unit");
                open[voucher.seniority] += left;
                unitSeconds[voucher.seniority] += uint256(voucher.units) * 3_600 * left / voucher.owedGpuSeconds;
                served += voucher.servedGpuSeconds;
            }
            for (uint256 s = 0; s < 4; ++s) {
                assertEq(desk.openGpuSecondsOf(f)[s], open[s], "open seconds are the vouchers'");
                assertEq(desk.openUnitSecondsOf(f)[s], unitSeconds[s], "open units are the vouchers'");
            }
            uint256 used = 0;
            for (uint32 e = 0; e < EPOCHS; ++e) {
                uint256 ofLine = desk.usedGpuSecondsOf(f, e, 0);
                assertLe(ofLine, EPOCH, "a second of a line served twice");
                used += ofLine;
            }
            assertEq(used, served, "what was served is what lines gave");
        }
    }

    function invariant_2_money__is_held_and_conserved_to_the_last_bit() private view {
        _checkBooks(address(_world.dollar()));
        _checkBooks(address(_world.bad()));
        _checkToken(address(_world.dollar()));
        _checkToken(address(_world.bad()));
    }

    function invariant_3_accrued__falls_only_by_ones_own_claim() private view {
        assertFalse(_world.earnedFell(), "revenue fell without a claim");
        assertFalse(_world.claimWrong(), "a claim paid something else than the view said");
    }

    function invariant_4_settlement__never_above_collected_nor_final_attested() private view {
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            IRentLockbox.Book memory book = _world.lockbox().bookOf(f);
            uint32 epochs = _world.statements().epochsFinal(f);
            uint256 attested = epochs == 0 ? 0 : _world.statements().statementOf(f, epochs - 1).cumulativeGross;
            // A closing statement below zero takes nothing back that is settled.
            (,, uint256 closing) = _world.statements().finalTotals(f, 0);
            if (closing > attested) attested = closing;
            (uint256 advanced, uint256 reimbursed) = _world.lockbox().advanceOf(f);
            assertLe(book.settled + reimbursed, book.collected + advanced, "paid out above collected and advanced");
            assertLe(book.settled, attested, "settled above attested");
            assertLe(book.settledEpochs, epochs, "settled an epoch that is not final");
            assertEq(book.collected, _world.rentIn(f) - _world.rentBack(f), "collected is rent");
        }
    }

    function invariant_5_waterfall__no_junior_before_a_senior_in_arrears() private view {
        assertFalse(_world.orderBroken(), "a junior was paid while a senior is behind");
        assertFalse(_world.emptyTranchePaid(), "a tranche without units was paid");
    }

    function invariant_6_statements__once_in_order_with_quorum_void_by_fault_only() private view {
        assertFalse(_world.forgedPosted(), "posted without a quorum");
        assertFalse(_world.outOfOrderPosted(), "posted out of order");
        assertFalse(_world.honestVoided(), "voided without an open fault");
        assertFalse(_world.faultStood(), "a proven fault did not void");
        assertFalse(_world.finalChanged(), "a final statement changed");
        assertFalse(_world.chainBroken(), "the chain of hashes broke");
        assertFalse(_world.postedOutOfTime(), "posted of an epoch after the end, or after the closing");
        assertFalse(_world.rejectedPublished(), "published what was rejected");
    }

    function invariant_7_eligibility__no_path_round_allow_list_freeze_or_pause() private view {
        assertFalse(_world.ineligibleMoved(), "an ineligible account moved units");
        assertFalse(_world.frozenMoved(), "frozen units moved");
        assertFalse(_world.pausedMoved(), "units came while paused");
        for (uint256 i = 0; i < IDS; ++i) {
            assertEq(_world.token().balanceOf(_world.holders(HOLDERS - 1), _world.ids(i)), 0, "eve holds units");
        }
    }

    /// @dev A bond never falls before that, and afterwards sale and vault hold nothing of the facility.
    function invariant_closing__shares_all_of_bond_and_proceeds_once() private view {
        assertFalse(_world.closingUnequal(), "a closing lost or made money");
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            bool closed = _world.facilities().endingOf(f).closedAt != 0;
            assertEq(_world.closings(f), closed ? 1 : 0, "closed once");
            uint256 bond = _world.vault().bondOf(f);
            bool cancelled = _world.facilities().stateOf(f) == IFacilityRegistry.FacilityState.Cancelled;
            assertTrue(closed || (cancelled && bond == 0) || bond == _world.bondIn(f), "a bond fell");
            IPrimarySale.SaleBook memory sold = _world.sale().bookOf(f);
            assertLe(sold.released + sold.returned, sold.proceeds, "more out than in");
            if (!closed) continue;
            assertEq(bond, 0, "a bond stays behind");
            assertEq(sold.released + sold.returned, sold.proceeds, "proceeds stay behind");
        }
    }

    /// @dev Lockbox, sale and vault hold exactly what their books say they owe, and what was given to them.
    function _checkBooks(address coin) private view {
        uint256 lockbox = 0;
        uint256 sale = 0;
        uint256 vault = 0;
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            if (_world.facilities().settlementTokenOf(f) != coin) continue;
            IRentLockbox.Book memory book = _world.lockbox().bookOf(f);
            (uint256 advanced, uint256 reimbursed) = _world.lockbox().advanceOf(f);
            lockbox += book.collected + advanced - reimbursed - book.settled + _world.lockbox().feesOwed(f);
            lockbox += _poolsLeft(f);
            IPrimarySale.SaleBook memory sold = _world.sale().bookOf(f);
            sale += sold.proceeds - sold.released - sold.returned;
            vault += _world.vault().bondOf(f);
        }
        address[8] memory payees = _payees();
        for (uint256 i = 0; i < payees.length; ++i) {
            lockbox += _world.lockbox().owedTo(coin, payees[i]);
            sale += _world.sale().owedTo(coin, payees[i]);
            vault += _world.vault().owedTo(coin, payees[i]);
        }
        assertEq(_heldBy(address(_world.lockbox()), coin), lockbox, "lockbox holds what it owes");
        assertEq(_heldBy(address(_world.sale()), coin), sale, "sale holds what it owes");
        assertEq(_heldBy(address(_world.vault()), coin), vault, "vault holds what it owes");
        assertEq(_heldBy(address(_world.attesters()), coin), _attesterMoney(coin), "attesters' bonds are there");
        assertEq(
            _heldBy(address(_world.attesterDesk()), coin), _deskMoney(coin), "the desk holds fees that nobody took"
        );
    }

    /// @dev The treasury's part, pay that is owed, and attesters' part that is not paid: theirs is never above it.
    function _deskMoney(address coin) private view returns (uint256 owed) {
        AttesterDesk desk = _world.attesterDesk();
        owed = desk.treasuryOwed(coin);
        for (uint8 slot = 0; slot < 3; ++slot) {
            owed += desk.owedTo(coin, _world.attesters().attesterAt(slot));
        }
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            if (_world.facilities().settlementTokenOf(f) == coin) owed += _unpaidPay(f);
        }
    }

    /// @dev Attesters' part of a facility's fees that was not paid.
    function _unpaidPay(uint64 f) private view returns (uint256) {
        AttesterDesk desk = _world.attesterDesk();
        uint256 share = _world.facilities().attesterFeeBpsOf(f);
        uint256 earned = desk.releasedOf(f);
        uint256 paid = earned;
        for (uint8 slot = 0; slot < 3; ++slot) {
            address attester = _world.attesters().attesterAt(slot);
            assertLe(desk.paidTo(f, attester), desk.earnedOf(f, attester), "paid more than earned");
            earned += desk.earnedOf(f, attester);
            paid += desk.paidTo(f, attester);
        }
        uint256 most = (desk.feesOf(f) + _world.lockbox().feesOwed(f)) * share / 10_000;
        assertLe(earned, most, "earned more than attesters' part");
        return desk.feesOf(f) * share / 10_000 - paid;
    }

    /// @dev Bonds, what was slashed and not taken, and what challengers are owed.
    function _attesterMoney(address coin) private view returns (uint256 owed) {
        AttesterRegistry attesters = _world.attesters();
        if (coin != address(attesters.bondToken())) return 0;
        owed = attesters.slashedForTreasury() + _attesterBonds();
        address[8] memory payees = _payees();
        for (uint256 i = 0; i < payees.length; ++i) {
            owed += attesters.owedTo(coin, payees[i]);
        }
    }

    function _attesterBonds() private view returns (uint256 bonds) {
        for (uint256 key = 1; key <= 3; ++key) {
            bonds += _world.attesters().bondOf(vm.addr(key));
        }
    }

    /// @dev Gifts are in no book.
    function _heldBy(address account, address coin) private view returns (uint256) {
        return IERC20(coin).balanceOf(account) - _world.donated(account, coin);
    }

    /// @dev What vouchers of a facility were not credited yet; each pool is at least what they were.
    function _poolsLeft(uint64 f) private view returns (uint256 left) {
        IDeliveryDesk desk = _world.desk();
        uint256[4] memory credited;
        for (uint256 v = 1; v <= desk.voucherCount(); ++v) {
            IDeliveryDesk.Voucher memory voucher = desk.voucherOf(v);
            if (voucher.facilityId == f) credited[voucher.seniority] += _world.lockbox().paidToVoucher(v);
        }
        uint256[4] memory pools = _world.lockbox().voucherPoolsOf(f);
        for (uint256 s = 0; s < 4; ++s) {
            assertLe(credited[s], pools[s], "vouchers got more than their pool");
            left += pools[s] - credited[s];
        }
    }

    /// @dev Of one coin: what the token holds is exactly what positions are owed and what still streams, in 24
    /// fractional bits.
    function _checkToken(address coin) private view {
        uint256 books = 0;
        for (uint256 i = 0; i < IDS; ++i) {
            uint256 id = _world.ids(i);
            // forge-lint: disable-next-line(unsafe-typecast)
            if (_world.facilities().settlementTokenOf(uint64(id >> 8)) != coin) continue;
            ITrancheToken.Tranche memory tranche =
                Accumulator.checkpoint(_world.token().trancheOf(id), vm.getBlockTimestamp());
            books += tranche.pendingX24;
            for (uint256 h = 0; h < HOLDERS; ++h) {
                ITrancheToken.Position memory position = _world.token().positionOf(_world.holders(h), id);
                books += position.owedX24 + uint256(position.units) * (tranche.accX24 - position.accPaidX24);
            }
        }
        uint256 held = _heldBy(address(_world.token()), coin);
        assertEq(books, held << 24, "token's books are not what it holds");
    }

    /// @dev ATTACKS 27: but for what is less than a minor unit of each position and stream, and for gifts.
    function _checkNothingStays(address coin) private view {
        uint256 held = _heldBy(address(_world.token()), coin);
        assertLe(held, IDS * (HOLDERS + 1), "revenue that nobody can claim");
        assertEq(_heldBy(address(_world.sale()), coin), 0, "proceeds that nobody can take");
        assertEq(_heldBy(address(_world.vault()), coin), 0, "bonds that nobody can take");
        uint256 bonds = coin == address(_world.attesters().bondToken()) ? _attesterBonds() : 0;
        assertEq(_heldBy(address(_world.attesters()), coin), bonds, "slashed money that nobody can take");
        // Less than a minor unit of each attester and facility, and of what nobody earned.
        assertLe(_heldBy(address(_world.attesterDesk()), coin), 12, "fees that nobody can take");
        // Less than a minor unit of each voucher.
        assertLe(_heldBy(address(_world.lockbox()), coin), _world.desk().voucherCount(), "rent that nobody can take");
    }

    function _payees() private view returns (address[8] memory payees) {
        for (uint256 h = 0; h < HOLDERS; ++h) {
            payees[h] = _world.holders(h);
        }
        payees[6] = address(0x4E47);
        // Whoever challenges is the handler itself.
        payees[7] = address(_world);
    }

    /// @dev States that random histories must reach, or the invariants above say little.
    function test_histories__reach_maturity_default_and_closing() external {
        _world.sell(1);
        _world.season(0, 40_000_000, 36_000);
        _world.season(1, 40_000_001, 36_000);
        _world.settleMany(3);
        _world.seal(0, 25_000_000);
        _world.seal(1, 25_000_000);
        _world.mature(0);
        _world.mature(1);
        _world.post(2, 1, 1, 1);
        _world.letDefault(2);
        _world.pass(160_000);
        _world.pass(160_000);
        for (uint256 f = 0; f < 3; ++f) {
            _world.close(f);
        }

        assertTrue(_world.facilities().stateOf(1) == IFacilityRegistry.FacilityState.Matured, "sold, matured");
        assertTrue(_world.facilities().stateOf(2) == IFacilityRegistry.FacilityState.Matured, "minted, matured");
        assertTrue(_world.facilities().stateOf(3) == IFacilityRegistry.FacilityState.Defaulted, "defaulted");
        assertEq(_world.closings(1) + _world.closings(2) + _world.closings(3), 3, "closed");
        this.invariant_all();
    }
}
