// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {Accumulator} from "./Accumulator.sol";
import {
    HOLDING_FROZEN,
    HOLDING_SETTLEMENT_SHIFT,
    HOLDING_UNITS_MASK,
    HOLDING_WATCHED,
    PackedPosition,
    packPosition
} from "./PackedPosition.sol";
import {TrancheId} from "./TrancheId.sol";

/// @title Positions of holders and streams of tranches
/// @notice The storage of the token, and the only functions that move units.
/// @dev Units are part of `Position`, one word with what the holder earned, instead of OpenZeppelin's balance mapping:
/// everything that moves units goes through here and first credits what both sides earned.
abstract contract UnitPositions is ITrancheToken, IERC7943MultiToken, ERC1155 {
    using Accumulator for Tranche;

    /// @notice A packed position in storage, so that its place is hashed once for reading and writing.
    /// @dev A word with a storage pointer, so that its place is hashed once for reading and writing.
    /// @param word The packed position.
    struct Slot {
        PackedPosition word;
    }

    /// @notice A facility's settlement token: one word.
    /// @dev A facility's settlement token in one word, by address for what comes in and by number for positions.
    /// @param settlementToken Its address, for money that comes in.
    /// @param number Its number, which positions carry.
    struct Settlement {
        address settlementToken;
        uint40 number;
    }

    /// @notice Register that names operators, caps and settlement tokens.
    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc ITrancheToken
    IWalletDesk public immutable walletDesk;
    mapping(uint256 id => Tranche) internal _tranches;
    mapping(uint256 id => mapping(address account => Slot)) internal _positions;
    /// @dev Settlement tokens, numbered from 1 in the order of their first mint.
    uint256 internal _settlementCount;
    mapping(uint256 number => address settlementToken) internal _settlementTokens;
    mapping(address settlementToken => uint256) internal _settlementNumbers;
    mapping(uint64 facilityId => Settlement) internal _facilitySettlements;
    /// @dev Read only where the position's flag says so.
    mapping(uint256 id => mapping(address account => uint256)) internal _frozen;

    /// @notice Sets register, wallet desk and base URI.
    /// @param facilities The register.
    /// @param wallets The contract that is told when a watched holder acts.
    /// @param baseUri Metadata address with `{id}`.
    constructor(IFacilityRegistry facilities, IWalletDesk wallets, string memory baseUri) ERC1155(baseUri) {
        facilityRegistry = facilities;
        walletDesk = wallets;
    }

    /// @inheritdoc ITrancheToken
    function watch(address account, uint256[] calldata ids) external {
        _requireWalletDesk();
        for (uint256 i = 0; i < ids.length; ++i) {
            Slot storage slot = _positions[ids[i]][account];
            slot.word = slot.word.watched();
        }
    }

    /// @notice Units of an account.
    /// @param account The account.
    /// @param id The tranche.
    /// @return Units (GPU-hours).
    function balanceOf(address account, uint256 id) public view override returns (uint256) {
        return _positions[id][account].word.unitsOf();
    }

    /// @inheritdoc ITrancheToken
    function totalSupply(uint256 id) external view returns (uint256) {
        return _tranches[id].supply;
    }

    /// @inheritdoc ITrancheToken
    function suppliesOf(uint64 facilityId, uint256 count) external view returns (uint256[4] memory supplies) {
        for (uint256 i = 0; i < count; ++i) {
            // The result has four places, so the index fits 8 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            supplies[i] = _tranches[TrancheId.pack(facilityId, uint8(i))].supply;
        }
    }

    /// @inheritdoc ITrancheToken
    function positionOf(address account, uint256 id) external view returns (Position memory) {
        return _positions[id][account].word.unpacked();
    }

    /// @inheritdoc ITrancheToken
    function trancheOf(uint256 id) external view returns (Tranche memory) {
        return _tranches[id];
    }

    /// @notice Moves units of one id between two accounts. Reverts with UnitsLocked, ERC1155InsufficientBalance or
    /// ERC7943InsufficientUnfrozenBalance.
    /// @dev One id at a time, so that a batch with repeated ids and a transfer to oneself see the state that the
    /// previous step left. Supply does not change, so the tranche's word stays as it is. Unchecked (decision 4): the
    /// position holds the units that leave, and no position holds more than the supply.
    /// @param from The account that the units leave.
    /// @param to The account that they reach.
    /// @param id The tranche.
    /// @param value Units to move.
    function _transferUnits(address from, address to, uint256 id, uint256 value) internal {
        (uint256 acc, uint256 end) = _tranches[id].accNow(block.timestamp);
        if (end == 0) revert UnitsLocked(id);
        mapping(address account => Slot) storage positions = _positions[id];
        Slot storage slot = positions[from];
        PackedPosition position = slot.word;
        uint256 holding = position.holdingOf();
        uint256 settlement = holding >> HOLDING_SETTLEMENT_SHIFT;
        holding = _requireUnits(from, id, value, holding);
        unchecked {
            slot.word = packPosition(acc, position.settledAt(acc), holding - value);
            slot = positions[to];
            position = slot.word;
            holding = position.holdingOf() + value;
            // A first receipt; a sender that never had units has no number to give.
            if (holding >> HOLDING_SETTLEMENT_SHIFT == 0) holding |= settlement << HOLDING_SETTLEMENT_SHIFT;
            slot.word = packPosition(acc, position.settledAt(acc), holding);
        }
    }

    /// @notice Whether the facility of a tranche was funded, so that its units move.
    /// @param id The tranche.
    /// @return True if it was.
    function _activated(uint256 id) internal view returns (bool) {
        return _tranches[id].streamEnd != 0;
    }

    /// @notice Creates units of one id.
    /// @param to The account that receives them.
    /// @param id The tranche.
    /// @param value Units to create.
    function _mintUnits(address to, uint256 id, uint256 value) internal {
        (uint256 acc,) = _changeSupply(id, value, 0);
        Slot storage slot = _positions[id][to];
        PackedPosition position = slot.word;
        uint256 holding = position.holdingOf() + value;
        if (holding >> HOLDING_SETTLEMENT_SHIFT == 0) {
            holding |= uint256(_facilitySettlements[TrancheId.facilityOf(id)].number) << HOLDING_SETTLEMENT_SHIFT;
        }
        slot.word = packPosition(acc, position.settledAt(acc), holding);
    }

    /// @notice Destroys units of one id. Reverts as `_transferUnits`.
    /// @param from The account that holds them.
    /// @param id The tranche.
    /// @param value Units to destroy.
    function _destroyUnits(address from, uint256 id, uint256 value) internal {
        Slot storage slot = _positions[id][from];
        PackedPosition position = slot.word;
        uint256 holding = position.holdingOf();
        holding = _requireUnits(from, id, value, holding);
        (uint256 acc, uint256 spare) = _changeSupply(id, 0, value);
        slot.word = packPosition(acc, position.settledAt(acc) + spare, holding - value);
    }

    /// @notice Reverts unless a position has enough units that are not frozen. Tells of a watched holder that acts.
    /// @dev Both flags are asked about at once, so that watching costs a transfer of others nothing.
    /// @param from The account.
    /// @param id The tranche.
    /// @param value Units that are to leave.
    /// @param holding Units, flags and settlement of its position.
    /// @return The same, watched no more after an act.
    function _requireUnits(address from, uint256 id, uint256 value, uint256 holding) private returns (uint256) {
        uint256 units = holding & HOLDING_UNITS_MASK;
        if (value > units) revert ERC1155InsufficientBalance(from, units, value, id);
        if (holding & (HOLDING_FROZEN | HOLDING_WATCHED) == 0) return holding;
        if (holding & HOLDING_FROZEN != 0) _requireUnfrozen(from, id, value, units);
        if (holding & HOLDING_WATCHED == 0 || msg.sender != from) return holding;
        walletDesk.noteAct(from, false);
        return holding ^ HOLDING_WATCHED;
    }

    /// @notice Reverts with NotWalletDesk unless the WalletDesk calls.
    function _requireWalletDesk() internal view {
        require(msg.sender == address(walletDesk), NotWalletDesk(msg.sender));
    }

    /// @notice Brings the accumulator up to now, then changes the supply.
    /// @dev Whoever burns the last units takes what still streams, which would otherwise belong to nobody.
    /// @param id The tranche.
    /// @param minted Units that are created.
    /// @param burned Units that are destroyed; a holder had them.
    /// @return Revenue per unit up to now, X24.
    /// @return Revenue that belongs to whoever burned the units, X24.
    function _changeSupply(uint256 id, uint256 minted, uint256 burned) private returns (uint256, uint256) {
        Tranche memory tranche = _tranches[id];
        uint256 spare;
        (tranche, spare) = tranche.withSupply(tranche.supply + minted - burned, block.timestamp);
        _tranches[id] = tranche;
        return (tranche.accX24, spare);
    }

    /// @notice Reverts with ERC7943InsufficientUnfrozenBalance if frozen units would leave.
    /// @param account The account.
    /// @param id The tranche.
    /// @param value Units that are to leave.
    /// @param units Units that it holds.
    function _requireUnfrozen(address account, uint256 id, uint256 value, uint256 units) private view {
        uint256 unfrozen = _unfrozenOf(units, _frozen[id][account]);
        require(value <= unfrozen, ERC7943InsufficientUnfrozenBalance(account, id, value, unfrozen));
    }

    /// @notice Units that may leave an account.
    /// @param units Units that it holds.
    /// @param frozen Units that are frozen; may be more.
    /// @return Units.
    function _unfrozenOf(uint256 units, uint256 frozen) internal pure returns (uint256) {
        return units > frozen ? units - frozen : 0;
    }
}
