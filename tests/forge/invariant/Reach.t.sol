// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IPublications} from "../../../contracts/interfaces/IPublications.sol";
import {IRefundDesk} from "../../../contracts/interfaces/IRefundDesk.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {Acting} from "./Acting.sol";

/// @title Random histories really do what the invariants are about: every money action has effect in them
/// @dev The same actions as forge's runner takes, drawn as evenly, with numbers of our own: so this never flickers.
contract ReachTest is Acting {
    uint256 private constant HISTORIES = 64;
    uint256 private constant STEPS = 64;
    /// @dev Times that each must have come about in all histories together. The rarest do two or three times as often.
    uint256 private constant LEAST = 3;

    bytes32[] private _kinds;
    string[] private _names;

    function test_histories__random__every_money_action_has_effect() external {
        vm.pauseGasMetering();
        _list();
        uint256[] memory counts = new uint256[](_kinds.length);
        bytes4[] memory actions = _actions();
        uint256 effects = 0;
        uint256 fresh = vm.snapshotState();
        for (uint256 h = 0; h < HISTORIES; ++h) {
            for (uint256 s = 0; s < STEPS; ++s) {
                uint256 dice = uint256(keccak256(abi.encode(h, s)));
                bytes4 action = actions[dice % actions.length];
                uint256[5] memory words;
                for (uint256 i = 0; i < 5; ++i) {
                    words[i] = uint256(keccak256(abi.encode(dice, i)));
                }
                // Whether the contracts refuse is theirs to say.
                // solhint-disable-next-line avoid-low-level-calls
                (bool done,) = address(_world).call(abi.encodePacked(action, abi.encode(words)));
                if (done) ++effects;
            }
            for (uint256 k = 0; k < counts.length; ++k) {
                counts[k] += _world.seen(_kinds[k]);
            }
            require(vm.revertToState(fresh), "back to the start");
        }
        emit log_named_uint("actions that were not refused", effects);
        for (uint256 k = 0; k < counts.length; ++k) {
            emit log_named_uint(_names[k], counts[k]);
        }
        for (uint256 k = 0; k < counts.length; ++k) {
            require(counts[k] >= LEAST, NeverHappened(_names[k], counts[k]));
        }
    }

    /// @dev The name under which forge prints it with -vv.
    // forge-lint: disable-next-line(mixed-case-function)
    event log_named_uint(string name, uint256 times);

    error NeverHappened(string name, uint256 times);

    function _list() private {
        _add("rent paid", IRentLockbox.RentPaid.selector);
        _add("settled", IRentLockbox.Settled.selector);
        _add("closed", IRentLockbox.FacilityClosed.selector);
        _add("late rent shared", IRentLockbox.LateRentShared.selector);
        _add("excess refunded", IRentLockbox.RentRefunded.selector);
        _add("credits refunded", IRefundDesk.CreditRefunded.selector);
        _add("excess shared", IRefundDesk.ShareRefunded.selector);
        _add("fees split", IAttesterDesk.FeesSplit.selector);
        _add("fees taken", IAttesterDesk.FeesTaken.selector);
        _add("duty booked", IAttesterDesk.DutyBooked.selector);
        _add("attester paid", IAttesterDesk.AttesterPaid.selector);
        _add("unearned released", IAttesterDesk.UnearnedReleased.selector);
        _add("statement refused", IAttesterDesk.StatementRefused.selector);
        _add("withdrawn", IPayouts.Withdrawn.selector);
        _add("accrued", ITrancheToken.RevenueAccrued.selector);
        _add("claimed", ITrancheToken.RevenueClaimedBatch.selector);
        _add("claimed by signature", "claimBySig");
        _add("burned as expired", "burnExpired");
        _add("delivery taken", IDeliveryDesk.VoucherIssued.selector);
        _add("served", IDeliveryDesk.VoucherServed.selector);
        _add("voucher paid", IRentLockbox.VoucherPaid.selector);
        _add("sold", IPrimarySale.UnitsSold.selector);
        _add("sale failed", IPrimarySale.SaleFailed.selector);
        _add("sale refunded", IPrimarySale.UnitsRefunded.selector);
        _add("proceeds released", IPrimarySale.ProceedsReleased.selector);
        _add("proceeds surrendered", IPrimarySale.ProceedsSurrendered.selector);
        _add("bond released", IBondVault.BondReleased.selector);
        _add("bond surrendered", IBondVault.BondSurrendered.selector);
        _add("slashed", IAttesterRegistry.AttesterSlashed.selector);
        _add("slashed taken", IAttesterRegistry.SlashedTaken.selector);
        _add("statement voided", IStatementChallenges.StatementVoided.selector);
        _add("evidence published", IPublications.EvidencePublished.selector);
        _add("evidence rejected", IPublications.EvidenceRejected.selector);
        _add("default noticed", IEndings.DefaultNoticed.selector);
        _add("unpaid noticed", IEndings.UnpaidNoticed.selector);
        _add("stopped", "stopped");
        _add("matured", "matured");
        _add("default declared", IEndings.DefaultDeclared.selector);
        _add("written off", IEndings.ReceivableWrittenOff.selector);
        _add("hostile coin moved", "hostile coin moved");
        _add("hostile receiver called", "hostile receiver called");
    }

    function _add(string memory name, bytes32 kind) private {
        _names.push(name);
        _kinds.push(kind);
    }
}
