// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {Accumulator} from "./Accumulator.sol";
import {
    PackedPosition,
    HOLDING_FROZEN,
    HOLDING_SETTLEMENT_SHIFT,
    HOLDING_UNITS_MASK,
    packPosition
} from "./PackedPosition.sol";
import {TrancheId} from "./TrancheId.sol";

/// @title Positions of holders and streams of tranches: the storage of the token, and the one way to move units
/// @dev Units live in `Position`, one word with what the holder earned, instead of OpenZeppelin's balance
/// mapping: every path that moves units passes here, and settles both sides first.
abstract contract UnitPositions is ITrancheToken, IERC7943MultiToken, ERC1155 {
    using Accumulator for Tranche;

    /// @dev A word with a storage pointer, so that its place is hashed once for reading and writing.
    struct Slot {
        PackedPosition word;
    }

    /// @dev A facility's settlement token in one word, by address for what comes in and by number for positions.
    struct Settlement {
        address settlementToken;
        uint40 number;
    }

    IFacilityRegistry public immutable facilityRegistry;
    mapping(uint256 id => Tranche) internal _tranches;
    mapping(uint256 id => mapping(address account => Slot)) internal _positions;
    /// @dev Settlement tokens, numbered from 1 in the order of their first mint.
    uint256 internal _settlementCount;
    mapping(uint256 number => address settlementToken) internal _settlementTokens;
    mapping(address settlementToken => uint256) internal _settlementNumbers;
    mapping(uint64 facilityId => Settlement) internal _facilitySettlements;
    /// @dev Read only where the position's flag says so.
    mapping(uint256 id => mapping(address account => uint256)) internal _frozen;

    constructor(IFacilityRegistry facilities, string memory baseUri) ERC1155(baseUri) {
        facilityRegistry = facilities;
    }

    /// @notice Units of `account`.
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

    /// @dev Moves units of one id between two accounts, so that a batch with repeated ids and a transfer to oneself see
    /// the state that the entry before left. Supply does not change, so the tranche's word stays as it is.
    /// Unchecked (decision 4): a position holds the units that leave, and no position holds more than the supply.
    function _transferUnits(address from, address to, uint256 id, uint256 value) internal {
        uint256 acc = _tranches[id].accNow(block.timestamp);
        mapping(address account => Slot) storage positions = _positions[id];
        Slot storage slot = positions[from];
        PackedPosition position = slot.word;
        uint256 holding = position.holdingOf();
        uint256 settlement = holding >> HOLDING_SETTLEMENT_SHIFT;
        _requireUnits(from, id, value, holding);
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

    function _mintUnits(address to, uint256 id, uint256 value) internal {
        uint256 acc = _changeSupply(id, value, 0);
        Slot storage slot = _positions[id][to];
        PackedPosition position = slot.word;
        uint256 holding = position.holdingOf() + value;
        if (holding >> HOLDING_SETTLEMENT_SHIFT == 0) {
            holding |= uint256(_facilitySettlements[TrancheId.facilityOf(id)].number) << HOLDING_SETTLEMENT_SHIFT;
        }
        slot.word = packPosition(acc, position.settledAt(acc), holding);
    }

    function _destroyUnits(address from, uint256 id, uint256 value) internal {
        Slot storage slot = _positions[id][from];
        PackedPosition position = slot.word;
        uint256 holding = position.holdingOf();
        _requireUnits(from, id, value, holding);
        uint256 acc = _changeSupply(id, 0, value);
        slot.word = packPosition(acc, position.settledAt(acc), holding - value);
    }

    function _requireUnits(address from, uint256 id, uint256 value, uint256 holding) private view {
        uint256 units = holding & HOLDING_UNITS_MASK;
        if (value > units) revert ERC1155InsufficientBalance(from, units, value, id);
        if (holding & HOLDING_FROZEN != 0) _requireUnfrozen(from, id, value, units);
    }

    /// @dev Lets the accumulator catch up before units come or go. Burning the last units ends the stream first, so
    /// that what still streams is theirs instead of nobody's.
    function _changeSupply(uint256 id, uint256 minted, uint256 burned) private returns (uint256 acc) {
        Tranche memory tranche = _tranches[id];
        if (burned > 0 && burned == tranche.supply) {
            uint256 streaming = tranche.unvestedUp(block.timestamp);
            if (streaming > 0) emit StreamVested(id, streaming);
            tranche = tranche.vestedAtOnce(block.timestamp);
        }
        tranche = tranche.checkpoint(block.timestamp);
        // A holder had the units that are burned.
        // forge-lint: disable-next-line(unsafe-typecast)
        tranche.supply = uint40(Accumulator.fits(tranche.supply + minted - burned, 40));
        _tranches[id] = tranche;
        return tranche.accX32;
    }

    function _requireUnfrozen(address account, uint256 id, uint256 value, uint256 units) private view {
        uint256 unfrozen = _unfrozenOf(units, _frozen[id][account]);
        require(value <= unfrozen, ERC7943InsufficientUnfrozenBalance(account, id, value, unfrozen));
    }

    function _unfrozenOf(uint256 units, uint256 frozen) internal pure returns (uint256) {
        return units > frozen ? units - frozen : 0;
    }
}
