// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {Accumulator} from "./Accumulator.sol";
import {
    HOLDING_CLAIMED,
    HOLDING_SETTLEMENT_SHIFT,
    HOLDING_WATCHED,
    PackedPosition,
    packPosition
} from "./PackedPosition.sol";
import {TrancheId} from "./TrancheId.sol";
import {UnitPositions} from "./UnitPositions.sol";

/// @title Revenue of units
/// @notice Revenue is accrued by sources, streamed, and claimed by holders.
abstract contract UnitRevenue is UnitPositions, ReentrancyGuardTransient {
    using Accumulator for Tranche;
    using SafeERC20 for IERC20;

    /// @inheritdoc ITrancheToken
    mapping(address source => bool) public isRevenueSource;

    /// @inheritdoc ITrancheToken
    function claim(uint256[] calldata ids, address to) external nonReentrant returns (uint256 paid) {
        return _claim(msg.sender, ids, to, true);
    }

    /// @inheritdoc ITrancheToken
    function claimFor(address holder, uint256[] calldata ids, address to) external nonReentrant returns (uint256 paid) {
        _requireWalletDesk();
        return _claim(holder, ids, to, false);
    }

    /// @inheritdoc ITrancheToken
    function accrue(Accrual[] calldata accruals) external nonReentrant returns (uint256[] memory flowedOn) {
        require(isRevenueSource[msg.sender], NotRevenueSource(msg.sender));
        address settlementToken = address(0);
        uint256 batch = 0;
        for (uint256 i = 0; i < accruals.length; ++i) {
            (uint256 amount, uint256 rest) = _accrue(accruals[i]);
            if (rest > 0) {
                if (flowedOn.length == 0) flowedOn = new uint256[](accruals.length);
                flowedOn[i] = rest;
            }
            if (amount == 0) continue;
            address next = settlementTokenOf(accruals[i].facilityId);
            if (next != settlementToken) {
                _pull(settlementToken, batch);
                settlementToken = next;
                batch = 0;
            }
            batch += amount;
        }
        _pull(settlementToken, batch);
    }

    /// @inheritdoc ITrancheToken
    function claimable(address account, uint256 id) external view returns (uint256) {
        (uint256 acc,) = _tranches[id].accNow(block.timestamp);
        return _positions[id][account].word.settledAt(acc) >> Accumulator.FRACTION_BITS;
    }

    /// @inheritdoc ITrancheToken
    function unvested(uint256 id) external view returns (uint256) {
        return Accumulator.unvestedUp(_tranches[id], block.timestamp);
    }

    /// @inheritdoc ITrancheToken
    function settlementTokenOf(uint64 facilityId) public view returns (address) {
        return _facilitySettlements[facilityId].settlementToken;
    }

    /// @notice Adds revenue to the streams of one facility and emits RevenueAccrued for each, and RevenueFlowedOn for
    /// what one could not take. The money comes later, in `_pull`.
    /// @param accrual Revenue of the facility.
    /// @return taken Minor units that all tranches together took.
    /// @return flowedOn Minor units that they could not take.
    function _accrue(Accrual calldata accrual) private returns (uint256 taken, uint256 flowedOn) {
        uint256 first = TrancheId.pack(accrual.facilityId, 0);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 amount = accrual.amounts[i];
            if (amount == 0) continue;
            (uint256 part, uint256 streaming, uint256 end) =
                _tranches[first + i].accrue(amount, accrual.span, block.timestamp);
            // The end of a stream is a 32-bit time.
            // forge-lint: disable-next-line(unsafe-typecast)
            if (part > 0) emit RevenueAccrued(first + i, msg.sender, part, streaming, uint64(end));
            taken += part;
            if (part == amount) continue;
            emit RevenueFlowedOn(first + i, msg.sender, amount - part);
            flowedOn += amount - part;
        }
    }

    /// @notice Takes money from the caller. A token that keeps a fee, or adds to a transfer, is refused with
    /// SettlementShort.
    /// @dev Never more than was sent: a token that keeps a fee, or adds to a transfer, is refused.
    /// @param settlementToken The token.
    /// @param amount Minor units; nothing happens for 0.
    function _pull(address settlementToken, uint256 amount) private {
        if (amount == 0) return;
        IERC20 token = IERC20(settlementToken);
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, SettlementShort(amount, received));
    }

    /// @notice Pays a holder's vested revenue of some tranches, one transfer for each run of ids with one settlement
    /// token.
    /// @param holder The account that earned it.
    /// @param ids The tranches.
    /// @param to The account that receives it.
    /// @param own Whether it is an act of the holder.
    /// @return paid Minor units paid in all.
    function _claim(address holder, uint256[] calldata ids, address to, bool own) private returns (uint256 paid) {
        require(to != address(0), RecipientInvalid(to));
        if (to != holder && to.code.length > 0) require(!walletDesk.isOurs(to), RecipientInvalid(to));
        uint256 count = ids.length;
        uint256[] memory amounts = new uint256[](count);
        uint256 settlement = 0;
        uint256 batch = 0;
        for (uint256 i = 0; i < count; ++i) {
            (uint256 amount, uint256 next) = _takeOwed(holder, ids[i], own);
            if (amount == 0) continue;
            amounts[i] = amount;
            if (next != settlement) {
                // Several tokens in one claim: a token that calls back here cannot claim again, the guard refuses it.
                paid += _pay(settlement, to, batch);
                settlement = next;
                batch = 0;
            }
            batch += amount;
        }
        if (count != 1) emit RevenueClaimedBatch(holder, to, ids, amounts);
        else if (batch > 0) emit RevenueClaimed(holder, to, ids[0], batch);
        paid += _pay(settlement, to, batch);
    }

    /// @notice Marks whole minor units of one position as paid. The fraction stays owed, so rounding down never loses
    /// money.
    /// @dev Takes whole minor units; the fraction stays owed, so flooring never loses money.
    /// @param account The holder.
    /// @param id The tranche.
    /// @param own Whether it is an act of the holder.
    /// @return amount Minor units to pay, rounded down.
    /// @return settlement Number of the settlement token; 0 if there is nothing to pay.
    function _takeOwed(address account, uint256 id, bool own) private returns (uint256 amount, uint256 settlement) {
        (uint256 acc,) = _tranches[id].accNow(block.timestamp);
        Slot storage slot = _positions[id][account];
        PackedPosition position = slot.word;
        uint256 owed = position.settledAt(acc);
        uint256 holding = position.holdingOf();
        if (own && holding & (HOLDING_CLAIMED | HOLDING_WATCHED) != HOLDING_CLAIMED) {
            holding = _noteClaim(account, holding);
        }
        amount = owed >> Accumulator.FRACTION_BITS;
        if (amount == 0) return (0, 0);
        settlement = holding >> HOLDING_SETTLEMENT_SHIFT;
        slot.word = packPosition(acc, Accumulator.fractionOf(owed), holding);
    }

    /// @notice Tells the WalletDesk of a claim that it may wait for: of a watched holder, or a contract's first one.
    /// @param account The holder.
    /// @param holding Units, flags and settlement of its position.
    /// @return The same, watched no more and claimed before.
    function _noteClaim(address account, uint256 holding) private returns (uint256) {
        if (holding & HOLDING_WATCHED != 0 || account.code.length > 0) walletDesk.noteAct(account, true);
        return (holding | HOLDING_CLAIMED | HOLDING_WATCHED) ^ HOLDING_WATCHED;
    }

    /// @notice Sends money; nothing happens for 0.
    /// @param settlement Number of the settlement token.
    /// @param to The account that receives it.
    /// @param amount Minor units.
    /// @return Minor units sent.
    function _pay(uint256 settlement, address to, uint256 amount) private returns (uint256) {
        if (amount > 0) IERC20(_settlementTokens[settlement]).safeTransfer(to, amount);
        return amount;
    }
}
