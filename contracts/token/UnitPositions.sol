// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {Accumulator} from "../libraries/Accumulator.sol";
import {FLAG_FROZEN, PackedPosition, packPosition} from "../libraries/PackedPosition.sol";
import {TrancheId} from "../libraries/TrancheId.sol";

/// @title Positions of holders and streams of tranches: the storage of the token, and the one way to move units
/// @dev Units live in `Position`, one word with what the holder earned, instead of OpenZeppelin's balance
/// mapping: every path that moves units passes `_moveUnits`, which settles both sides first.
abstract contract UnitPositions is ITrancheToken, IERC7943MultiToken, ERC1155 {
    using Accumulator for Tranche;

    /// @dev A word with a storage pointer, so that its place is hashed once for reading and writing.
    struct Slot {
        PackedPosition word;
    }

    IFacilityRegistry public immutable facilityRegistry;
    mapping(uint256 id => Tranche) internal _tranches;
    mapping(uint256 id => mapping(address account => Slot)) internal _positions;
    /// @dev Settlement tokens, numbered from 1 in the order of their first mint.
    uint256 internal _settlementCount;
    mapping(uint256 number => address settlementToken) internal _settlementTokens;
    mapping(address settlementToken => uint256) internal _settlementNumbers;
    mapping(uint64 facilityId => uint256) internal _facilitySettlements;
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
    function positionOf(address account, uint256 id) external view returns (Position memory) {
        return _positions[id][account].word.unpacked();
    }

    /// @inheritdoc ITrancheToken
    function trancheOf(uint256 id) external view returns (Tranche memory) {
        return _tranches[id];
    }

    /// @dev Moves units of one id, so that a batch with repeated ids and a transfer to oneself see the state that the
    /// entry before left. `from` zero is a mint, `to` zero a burn.
    function _moveUnits(address from, address to, uint256 id, uint256 value) internal {
        uint256 acc;
        // Supply changes only by mint and burn, so a transfer leaves the tranche's word as it is.
        if (from == address(0)) acc = _changeSupply(id, value, 0);
        else if (to == address(0)) acc = _changeSupply(id, 0, value);
        else acc = _tranches[id].accNow(block.timestamp);
        mapping(address account => Slot) storage positions = _positions[id];
        uint256 settlement = 0;
        if (from == address(0)) {
            settlement = _facilitySettlements[TrancheId.facilityOf(id)];
        } else {
            Slot storage source = positions[from];
            PackedPosition before = source.word;
            settlement = before.settlementOf();
            source.word = _lessUnits(before, from, id, value, acc);
        }
        if (to != address(0)) {
            Slot storage target = positions[to];
            target.word = _moreUnits(target.word, value, acc, settlement);
        }
    }

    function _lessUnits(PackedPosition position, address from, uint256 id, uint256 value, uint256 acc)
        private
        view
        returns (PackedPosition)
    {
        uint256 units = position.unitsOf();
        require(value <= units, ERC1155InsufficientBalance(from, units, value, id));
        uint256 tags = position.tagsOf();
        if (tags & FLAG_FROZEN != 0) _requireUnfrozen(from, id, value, units);
        unchecked {
            return packPosition(acc, position.settledAt(acc), units - value, tags);
        }
    }

    /// @dev All positions with units carry the number of the same settlement token; a position that never had units has
    /// none, and gives none. Units added were minted or taken from a position, so they stay within the supply.
    function _moreUnits(PackedPosition position, uint256 value, uint256 acc, uint256 settlement)
        private
        pure
        returns (PackedPosition)
    {
        uint256 tags = position.tagsOf() | (settlement << 8);
        unchecked {
            return packPosition(acc, position.settledAt(acc), position.unitsOf() + value, tags);
        }
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
        // More burned than there is fails at the holder's balance, with the error that says so.
        uint256 left = tranche.supply + minted;
        // forge-lint: disable-next-line(unsafe-typecast)
        tranche.supply = uint40(Accumulator.fits(burned < left ? left - burned : 0, 40));
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
