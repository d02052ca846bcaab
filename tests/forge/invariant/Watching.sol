// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {Vm} from "../Vm.sol";
import {Attesting} from "./Attesting.sol";

/// @title What is looked at around every action: revenue earned, units moved, order of payments, finality
abstract contract Watching is Attesting {
    /// @notice Units minted by id, counted by the actions that mint.
    mapping(uint256 id => uint256) public minted;
    mapping(uint64 f => uint256) public rentIn;
    mapping(uint64 f => uint256) public rentBack;
    mapping(address target => mapping(address coin => uint256)) public donated;
    mapping(address holder => mapping(uint256 id => uint256)) private _earned;
    mapping(address holder => mapping(uint256 id => uint256)) private _units;
    bool public earnedFell;
    bool public claimWrong;
    bool public orderBroken;
    bool public emptyTranchePaid;
    bool public closingUnequal;
    mapping(uint64 f => uint256) public closings;
    bool public ineligibleMoved;
    bool public frozenMoved;
    bool public pausedMoved;
    /// @dev Set while the enforcer moves units: past pause, sender and freeze, never past the receiver.
    bool internal forcing;
    /// @dev Set while a buyer gets its price back: units are burned past pause, sender and freeze.
    bool internal refunding;

    /// @notice How often each kind of thing came about: by topic of an event, or by `keccak256` of a name of ours.
    mapping(bytes32 kind => uint256) public seen;

    /// @dev `claimer` is who claims in this action: only theirs may fall.
    modifier watched(address claimer) {
        vm.recordLogs();
        _;
        _watch(claimer);
    }

    /// @dev Also between the steps of a long action: order of payments is judged settlement by settlement.
    function _watch(address claimer) internal {
        _watchHolders(claimer);
        _watchLogs();
        _watchStatements();
    }

    /// @dev Compared with what the action before left: time alone lets revenue only grow, and moves no units.
    function _watchHolders(address claimer) private {
        bool receiverClaims = receiver.mode() == HostileReceiver.Mode.ClaimInside;
        for (uint256 i = 0; i < holders.length; ++i) {
            address holder = holders[i];
            bool claims = holder == claimer || (receiverClaims && holder == address(receiver));
            for (uint256 j = 0; j < ids.length; ++j) {
                uint256 id = ids[j];
                uint256 earned = token.claimable(holder, id);
                uint256 before = _earned[holder][id];
                if (!claims && earned < before) earnedFell = true;
                if (earned != before) _earned[holder][id] = earned;
                uint256 units = token.balanceOf(holder, id);
                before = _units[holder][id];
                if (units == before) continue;
                _watchMove(holder, id, before, units);
                _units[holder][id] = units;
            }
        }
    }

    /// @dev Invariant 7, through any path: what a balance did, whatever the action was.
    function _watchMove(address holder, uint256 id, uint256 before, uint256 now_) private {
        if (now_ > before && (!token.canReceive(holder) || !investors.canReceive(holder))) ineligibleMoved = true;
        if (now_ > before && !forcing && token.paused()) pausedMoved = true;
        if (now_ > before || forcing || refunding) return;
        if (!token.canSend(holder) || !investors.canSend(holder)) ineligibleMoved = true;
        if (now_ < token.getFrozenTokens(holder, id)) frozenMoved = true;
    }

    function _watchLogs() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            _count(logs[i]);
            if (logs[i].topics[0] == IRentLockbox.FacilityClosed.selector) _watchClosing(logs[i]);
            if (logs[i].emitter != address(token)) continue;
            if (logs[i].topics[0] == ITrancheToken.RevenueAccrued.selector) _watchPayment(uint256(logs[i].topics[1]));
        }
    }

    /// @dev Invariant 5 and ATTACKS 10 from what was emitted: who was paid, and who stayed behind.
    function _watchPayment(uint256 id) private {
        if (token.totalSupply(id) == 0) emptyTranchePaid = true;
        // A closing has an order of its own; and so has rent that replaces what the bond advanced.
        // forge-lint: disable-next-line(unsafe-typecast)
        uint64 f = uint64(id >> 8);
        if (facilities.endingOf(f).closedAt != 0) return;
        // What a call emitted that reverts is recorded all the same; a coin that does not move whole reverts them all.
        if (_coin(f) == address(bad) && bad.mode() != HostileStablecoin.Mode.Honest) {
            if (bad.mode() != HostileStablecoin.Mode.Reenters) return;
        }
        for (uint256 s = 0; s < (id & 255); ++s) {
            if (IRentLockbox(address(lockbox)).arrearsOf((id >> 8 << 8) | s) > 0) orderBroken = true;
        }
    }

    /// @dev Bond and escrow are exactly what was advanced and all shares; the bond is all that was ever deposited.
    /// Where no proceeds go back by price, nobody is paid before a claim of a higher rank.
    function _watchClosing(Vm.Log memory log) private {
        uint64 f = uint64(uint256(log.topics[1]));
        (IRentLockbox.Closing memory closing, IRentLockbox.Claims memory claims) =
            abi.decode(log.data, (IRentLockbox.Closing, IRentLockbox.Claims));
        ++closings[f];
        uint256 all = closing.advanced + closing.toTreasury + closing.toOperator;
        bool behind = false;
        for (uint256 i = 0; i < 4; ++i) {
            uint256 paid = closing.toUnits[i] + closing.toVouchers[i];
            all += paid;
            if (closing.escrow == 0 && behind && paid > 0) orderBroken = true;
            behind = behind || claims.units[i] + claims.vouchers[i] > 0;
        }
        if (closing.escrow == 0 && behind && closing.toTreasury + closing.toOperator > 0) orderBroken = true;
        if (closing.bond + closing.escrow != all || closing.bond != bondIn[f]) closingUnequal = true;
    }

    function _count(Vm.Log memory log) private {
        bytes32 kind = log.topics[0];
        ++seen[kind];
        if (kind == ITrancheToken.UnitsBurned.selector) {
            (, ITrancheToken.BurnReason reason) = abi.decode(log.data, (uint256, ITrancheToken.BurnReason));
            if (reason == ITrancheToken.BurnReason.Expired) ++seen["burnExpired"];
        }
        if (kind == IFacilityRegistry.FacilityStateChanged.selector) {
            IFacilityRegistry.FacilityState state = abi.decode(log.data, (IFacilityRegistry.FacilityState));
            if (state == IFacilityRegistry.FacilityState.Stopped) ++seen["stopped"];
            if (state == IFacilityRegistry.FacilityState.Matured) ++seen["matured"];
        }
        bool hostile = bad.mode() != HostileStablecoin.Mode.Honest;
        if (log.emitter == address(bad) && hostile) ++seen["hostile coin moved"];
        if (kind == IERC1155.TransferSingle.selector && address(uint160(uint256(log.topics[3]))) == address(receiver)) {
            bool acts = receiver.mode() == HostileReceiver.Mode.SendBack;
            acts = acts || receiver.mode() == HostileReceiver.Mode.ClaimInside;
            if (acts) ++seen["hostile receiver called"];
        }
    }
}
