// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BondVault} from "../../../contracts/money/BondVault.sol";
import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {PrimarySale} from "../../../contracts/sale/PrimarySale.sol";
import {RentLockbox} from "../../../contracts/money/RentLockbox.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {Handler} from "./Handler.sol";
import {Opening} from "./Opening.sol";

/// @title Invariants 2, 4 and 5 over random sequences, with a token that turns hostile and time that leaps
contract MoneyInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;
    FacilityRegistry private _facilities;
    RentLockbox private _lockbox;
    PrimarySale private _sale;
    BondVault private _vault;
    address private _token;
    address private _dollar;
    address private _bad;
    address[6] private _accounts;

    function setUp() public {
        _handler = new Handler();
        _handler.start();
        (address f, address l, address s, address v, address t, address d) = _handler.parts();
        _facilities = FacilityRegistry(f);
        _lockbox = RentLockbox(l);
        _sale = PrimarySale(s);
        _vault = BondVault(v);
        (_token, _dollar, _bad) = (t, d, address(_handler.bad()));
        _accounts = [address(0xA1), address(0xA2), address(0xA3), address(0xA4), address(0xA5), address(0xFEE)];
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function excludeSelectors() external view returns (FuzzSelector[] memory excluded) {
        excluded = new FuzzSelector[](1);
        excluded[0].addr = address(_handler);
        excluded[0].selectors = new bytes4[](1);
        excluded[0].selectors[0] = Opening.start.selector;
    }

    /// One campaign for all: each check below is one invariant.
    function invariant_money() external view {
        _solvent(_dollar);
        _solvent(_bad);
        _conserved(_dollar);
        _attestedAndCollected();
        _ordered();
        _closed();
    }

    /// Invariant 2: what was settled and shared is at TrancheToken, claimed, fees, vouchers', or owed: to the last micro.
    function _conserved(address coin) private view {
        uint256 given = 0;
        uint256 elsewhere = _handler.feesTaken(coin) + _handler.residualOwed(coin);
        for (uint64 f = 1; f <= 3; ++f) {
            if (_facilities.settlementTokenOf(f) != coin) continue;
            (, uint256 reimbursed) = _lockbox.advanceOf(f);
            given += _lockbox.bookOf(f).settled + _handler.shared(f) + reimbursed;
            elsewhere += _lockbox.feesOwed(f);
            for (uint256 s = 0; s < 4; ++s) {
                elsewhere += _lockbox.voucherPoolsOf(f)[s];
            }
        }
        uint256 held = IERC20(coin).balanceOf(_token) - _handler.donated(_token, coin);
        require(held + _handler.claimed(coin) == given - elsewhere, "money was lost or made");
    }

    /// Invariant 2: every contract holds exactly what its books say it owes, and what was given to it.
    function _solvent(address coin) private view {
        uint256 lockbox = 0;
        uint256 sale = 0;
        uint256 vault = 0;
        for (uint64 f = 1; f <= 3; ++f) {
            if (_facilities.settlementTokenOf(f) != coin) continue;
            lockbox += _heldForRent(f) + _heldForVouchers(f);
            IPrimarySale.SaleBook memory sold = _sale.bookOf(f);
            sale += sold.proceeds - sold.released - sold.returned;
            vault += _vault.bondOf(f);
        }
        for (uint256 a = 0; a < _accounts.length; ++a) {
            lockbox += _lockbox.owedTo(coin, _accounts[a]);
            sale += _sale.owedTo(coin, _accounts[a]);
            vault += _vault.owedTo(coin, _accounts[a]);
        }
        _holds(coin, address(_lockbox), lockbox, "lockbox");
        _holds(coin, address(_sale), sale, "sale");
        _holds(coin, address(_vault), vault, "vault");
    }

    function _holds(address coin, address account, uint256 owed, string memory what) private view {
        require(IERC20(coin).balanceOf(account) == owed + _handler.donated(account, coin), what);
    }

    function _heldForRent(uint64 f) private view returns (uint256) {
        IRentLockbox.Book memory book = _lockbox.bookOf(f);
        (uint256 advanced, uint256 reimbursed) = _lockbox.advanceOf(f);
        return book.collected + advanced - reimbursed - book.settled + _lockbox.feesOwed(f);
    }

    /// Each pool is at least what its vouchers were credited.
    function _heldForVouchers(uint64 f) private view returns (uint256 sum) {
        uint256[4] memory pools = _lockbox.voucherPoolsOf(f);
        for (uint8 s = 0; s < 4; ++s) {
            uint256 credited = _handler.credited(f, s);
            require(credited <= pools[s], "vouchers got more than their pool");
            sum += pools[s] - credited;
        }
    }

    /// Invariant 4: settled never exceeds what is attested and final, nor what was collected or advanced.
    function _attestedAndCollected() private view {
        for (uint64 f = 1; f <= 3; ++f) {
            IRentLockbox.Book memory book = _lockbox.bookOf(f);
            (uint256 advanced, uint256 reimbursed) = _lockbox.advanceOf(f);
            require(book.settled + reimbursed <= book.collected + advanced, "above collected and advanced");
            require(book.settled <= _handler.statementsOf(f), "above attested");
            require(book.collected == _handler.rentIn(f) - _handler.rentBack(f), "rent in is rent counted");
        }
    }

    /// Invariant 5 and ATTACKS 10.
    function _ordered() private view {
        require(!_handler.orderBroken(), "a junior was paid while a senior is behind");
        require(!_handler.emptyTranchePaid(), "a tranche without units was paid");
    }

    /// A bond never falls before the closing; that shares exactly bond and escrow, once, and leaves nothing behind.
    function _closed() private view {
        require(!_handler.closingUnequal(), "a closing lost or made money");
        for (uint64 f = 1; f <= 3; ++f) {
            IPrimarySale.SaleBook memory sold = _sale.bookOf(f);
            require(sold.released + sold.returned <= sold.proceeds, "more out than in");
            bool closed = _facilities.endingOf(f).closedAt != 0;
            require(_handler.closings(f) == (closed ? 1 : 0), "closed once");
            require(_vault.bondOf(f) == (closed ? 0 : _handler.bondIn(f)), "a bond fell");
            require(!closed || sold.released + sold.returned == sold.proceeds, "proceeds stay behind");
        }
    }
}
