// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BondVault} from "../../../contracts/money/BondVault.sol";
import {FacilityRegistry} from "../../../contracts/facility/FacilityRegistry.sol";
import {PrimarySale} from "../../../contracts/sale/PrimarySale.sol";
import {RentLockbox} from "../../../contracts/money/RentLockbox.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {Handler} from "./Handler.sol";

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
        excluded[0].selectors[0] = Handler.start.selector;
    }

    /// One campaign for all: each check below is one invariant.
    function invariant_money() external view {
        _solvent();
        _conserved();
        _attestedAndCollected();
        _ordered();
        _books();
    }

    /// Invariant 2: what was settled and distributed is at TrancheToken, claimed, fees, or owed: to the last micro.
    function _conserved() private view {
        uint256 settled = 0;
        uint256 fees = _handler.feesTaken(_dollar);
        for (uint64 f = 1; f <= 2; ++f) {
            settled += _lockbox.bookOf(f).settled;
            fees += _lockbox.feesOwed(f);
        }
        uint256 arrived = settled + _handler.distributed(_dollar) - fees - _handler.residualOwed(_dollar);
        uint256 held = IERC20(_dollar).balanceOf(_token) - _handler.donatedToToken(_dollar);
        require(held + _handler.claimed(_dollar) == arrived, "money was lost or made");
    }

    /// Invariant 2: every contract holds what its books say it owes, of every token.
    function _solvent() private view {
        address[2] memory tokens = [_dollar, _bad];
        for (uint256 i = 0; i < 2; ++i) {
            address coin = tokens[i];
            uint256 lockbox = 0;
            uint256 sale = 0;
            uint256 vault = coin == _dollar ? _vault.attesterBondOf(_accounts[3]) + _vault.slashedUnassigned() : 0;
            for (uint64 f = 1; f <= 3; ++f) {
                if (_facilities.settlementTokenOf(f) != coin) continue;
                IRentLockbox.Book memory book = _lockbox.bookOf(f);
                lockbox += book.collected - book.settled + _lockbox.feesOwed(f);
                IPrimarySale.SaleBook memory sold = _sale.bookOf(f);
                sale += sold.proceeds - sold.released - sold.seized;
                vault += _vault.bondOf(f) + _vault.slashedFor(f);
            }
            for (uint256 a = 0; a < _accounts.length; ++a) {
                lockbox += _lockbox.owedTo(coin, _accounts[a]);
                sale += _sale.owedTo(coin, _accounts[a]);
                vault += _vault.owedTo(coin, _accounts[a]);
            }
            require(IERC20(coin).balanceOf(address(_lockbox)) >= lockbox, "lockbox owes more than it holds");
            require(IERC20(coin).balanceOf(address(_sale)) >= sale, "sale owes more than it holds");
            require(IERC20(coin).balanceOf(address(_vault)) >= vault, "vault owes more than it holds");
        }
    }

    /// Invariant 4: settled never exceeds what is attested and final, nor what was collected.
    function _attestedAndCollected() private view {
        for (uint64 f = 1; f <= 3; ++f) {
            IRentLockbox.Book memory book = _lockbox.bookOf(f);
            require(book.settled <= book.collected, "above collected");
            require(book.settled <= _handler.statementsOf(f), "above attested");
            require(book.collected == _handler.rentIn(f) - _handler.rentBack(f), "rent in is rent counted");
        }
    }

    /// Invariant 5 and ATTACKS 10.
    function _ordered() private view {
        require(!_handler.orderBroken(), "a junior was paid while a senior is behind");
        require(!_handler.emptyTranchePaid(), "a tranche without units was paid");
    }

    /// Sale books: never more out than in; a bond's shortfalls are counted once.
    function _books() private view {
        for (uint64 f = 1; f <= 3; ++f) {
            IPrimarySale.SaleBook memory sold = _sale.bookOf(f);
            require(sold.released + sold.seized <= sold.proceeds, "more out than in");
            IBondVault.BondTerms memory terms = _vault.bondTermsOf(f);
            bool below = _vault.bondOf(f) < terms.requiredBond;
            require(!below || _vault.belowSince(f) != 0 || _vault.bondOf(f) == 0, "below without an instant");
        }
    }
}
