// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {ClosingRules} from "../../../contracts/money/ClosingRules.sol";
import {Closings} from "../../../contracts/money/Closings.sol";
import {RentLockbox} from "../../../contracts/money/RentLockbox.sol";
import {Settlements} from "../../../contracts/money/Settlements.sol";
import {Proof} from "./Proof.sol";

/// @title The lockbox, with its inner rules open
contract OpenLockbox is RentLockbox {
    constructor(ITrancheToken token)
        RentLockbox(IFacilityRegistry(address(2)), IStatementRegistry(address(3)), token)
    {}

    function dueClosed(Ledger memory ledger, Late memory late, uint256 attested) external returns (Due memory due) {
        _late[1] = late;
        _dueClosed(1, ledger, attested, due);
    }

    function less(uint256 amount, uint256 part) external pure returns (uint256) {
        return _less(amount, part);
    }
}

/// @title The closing: rules that are linear
contract ClosingProofs is Proof {
    OpenLockbox private _lockbox;
    ClosingRules private _rules;

    function setUp() public {
        _lockbox = new OpenLockbox(ITrancheToken(address(this)));
        _rules = new ClosingRules();
    }

    /// For all amounts: what is left is the difference, and nothing where more is taken off than there is.
    function check_less__any_amounts__never_below_zero(uint256 amount, uint256 part) public view {
        uint256 rest = _lockbox.less(amount, part);
        assert(amount > part ? rest == amount - part : rest == 0);
    }

    /// For every ledger of a closed facility: late rent is no more than the bond advanced and did not get back, and
    /// together with what is rent no more than the money that is there.
    function check_late_rent__any_ledger__no_more_than_is_there(uint64[5] calldata words, uint128 attested) public {
        (Settlements.Due memory due, uint256 there) = _due(words, attested);
        assert(due.late <= (words[2] > words[3] ? words[2] - words[3] : 0));
        assert(due.late + due.further <= there);
    }

    /// For every bond where nothing is missing and nobody holds a voucher: all of it is the gpuOperator's.
    function check_share__nothing_missing__bond_is_the_operators(uint96 bond, uint64 rate, uint64[3] calldata coupons)
        public
        view
    {
        ClosingRules.Facts memory facts;
        facts.ranks.last = 3;
        for (uint256 i = 0; i < 3; ++i) {
            facts.ranks.due[i] = coupons[i];
        }
        facts.ranks.supplies[3] = 1;
        (facts.bond, facts.ratePerGpuHour) = (bond, rate);
        (ClosingRules.Shares memory paid,,) = _rules.share(facts);
        assert(paid.gpuOperator == bond);
        assert(paid.units[0] + paid.units[1] + paid.units[2] + paid.units[3] + paid.treasury == 0);
    }

    /// @dev All that the lockbox asks of its token when it is created.
    function walletDesk() external pure returns (address) {
        return address(4);
    }

    /// @dev `words`: collected, settled, advanced, reimbursed, fees. As histories leave them: no more is settled than
    /// was collected and advanced and not given back.
    function _due(uint64[5] calldata words, uint128 attested)
        private
        returns (Settlements.Due memory due, uint256 there)
    {
        uint256 sum = uint256(words[0]) + words[2];
        vm.assume(sum >= uint256(words[3]) + words[1] && attested >= words[1]);
        there = sum - words[3] - words[1];
        due = _lockbox.dueClosed(
            Settlements.Ledger(words[0], words[1], words[4], 0, true), Closings.Late(words[2], words[3]), attested
        );
    }
}
