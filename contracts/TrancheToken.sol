// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IFacilityRegistry} from "./interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "./interfaces/ITrancheToken.sol";
import {Accumulator} from "./libraries/Accumulator.sol";
import {TrancheId} from "./libraries/TrancheId.sol";

/// @title GPU-hour units (ERC-1155) that earn streamed revenue, exact to the 32nd fractional bit
/// @dev Units live in `Position`, one word with what the holder earned, instead of OpenZeppelin's balance
/// mapping: every path that moves units passes `_update`, and `_update` settles both sides first.
contract TrancheToken is ITrancheToken, ERC1155, AccessManaged, Pausable, ReentrancyGuardTransient {
    using Accumulator for Tranche;
    using Accumulator for Position;
    using Arrays for uint256[];
    using SafeERC20 for IERC20;

    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc ITrancheToken
    mapping(address source => bool) public isRevenueSource;
    mapping(uint256 id => Tranche) private _tranches;
    mapping(uint256 id => mapping(address account => Position)) private _positions;

    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names operators, caps and settlement tokens.
    /// @param baseUri Metadata address with `{id}`.
    constructor(address authority, IFacilityRegistry facilities, string memory baseUri)
        ERC1155(baseUri)
        AccessManaged(authority)
    {
        facilityRegistry = facilities;
    }

    /// @inheritdoc ITrancheToken
    function mint(address to, uint256 id, uint256 units) external {
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        bool open = valid && facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Offered;
        require(open && facilityRegistry.gpuOperatorOf(facilityId) == msg.sender, MintNotAllowed(id, msg.sender));
        uint256 cap = facilityRegistry.trancheCapOf(facilityId, seniority);
        uint256 supply = _tranches[id].supply;
        require(units <= cap && supply + units <= cap, UnitsAboveCap(id, supply + units, cap));
        _mint(to, id, units, "");
    }

    /// @inheritdoc ITrancheToken
    function claim(uint256[] calldata ids, address to) external nonReentrant returns (uint256 paid) {
        require(to != address(0), ZeroRecipient());
        address token = address(0);
        uint256 batch = 0;
        for (uint256 i = 0; i < ids.length; ++i) {
            uint256 amount = _take(msg.sender, ids[i]);
            if (amount == 0) continue;
            emit RevenueClaimed(msg.sender, to, ids[i], amount);
            address next = _settlementTokenOf(ids[i]);
            if (next != token) {
                _pay(token, to, batch);
                token = next;
                batch = 0;
            }
            batch += amount;
            paid += amount;
        }
        _pay(token, to, batch);
    }

    /// @inheritdoc ITrancheToken
    function accrue(uint256 id, uint256 amount, uint24 span) external nonReentrant {
        require(isRevenueSource[msg.sender], NotRevenueSource(msg.sender));
        require(amount <= Accumulator.MAX_AMOUNT, AmountAboveLimit(amount, Accumulator.MAX_AMOUNT));
        Tranche memory tranche = _tranches[id].accrued(amount, span, block.timestamp);
        _tranches[id] = tranche;
        emit RevenueAccrued(id, msg.sender, amount, tranche.unvestedUp(block.timestamp), tranche.streamEnd);
        IERC20 token = IERC20(_settlementTokenOf(id));
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, SettlementShort(amount, received));
    }

    /// @inheritdoc ITrancheToken
    function vest(uint256 id) external {
        require(msg.sender == address(facilityRegistry), NotFacilityRegistry(msg.sender));
        Tranche memory tranche = _tranches[id];
        emit StreamVested(id, tranche.unvestedUp(block.timestamp));
        _tranches[id] = tranche.vestedAtOnce(block.timestamp);
    }

    /// @inheritdoc ITrancheToken
    function setRevenueSource(address source, bool allowed) external restricted {
        isRevenueSource[source] = allowed;
        emit RevenueSourceSet(source, allowed);
    }

    /// @notice Stops transfers and mints; never claims. Caller: the pauser role.
    function pause() external restricted {
        _pause();
    }

    /// @notice Resumes transfers and mints. Caller: the governance role.
    function unpause() external restricted {
        _unpause();
    }

    /// @notice Units of `account`.
    function balanceOf(address account, uint256 id) public view override returns (uint256) {
        return _positions[id][account].units;
    }

    /// @inheritdoc ITrancheToken
    function claimable(address account, uint256 id) external view returns (uint256) {
        Position memory position = _positions[id][account];
        return position.settled(_tranches[id].accAt(block.timestamp)).owedX32 >> Accumulator.FRACTION_BITS;
    }

    /// @inheritdoc ITrancheToken
    function unvested(uint256 id) external view returns (uint256) {
        return _tranches[id].unvestedUp(block.timestamp);
    }

    /// @inheritdoc ITrancheToken
    function totalSupply(uint256 id) external view returns (uint256) {
        return _tranches[id].supply;
    }

    /// @inheritdoc ITrancheToken
    function positionOf(address account, uint256 id) external view returns (Position memory) {
        return _positions[id][account];
    }

    /// @inheritdoc ITrancheToken
    function trancheOf(uint256 id) external view returns (Tranche memory) {
        return _tranches[id];
    }

    /// @dev The one hook of every mint, burn and transfer, entry by entry, so that a batch with repeated ids and a
    /// transfer to oneself see the state that the entry before left.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values)
        internal
        override
        whenNotPaused
    {
        require(ids.length == values.length, ERC1155InvalidArrayLength(ids.length, values.length));
        for (uint256 i = 0; i < ids.length; ++i) {
            _moveUnits(from, to, ids.unsafeMemoryAccess(i), values.unsafeMemoryAccess(i));
        }
        if (ids.length == 1) emit TransferSingle(_msgSender(), from, to, ids[0], values[0]);
        else emit TransferBatch(_msgSender(), from, to, ids, values);
    }

    function _moveUnits(address from, address to, uint256 id, uint256 value) private {
        Tranche memory tranche = _tranches[id];
        // Supply changes only by mint and burn, so a transfer leaves the tranche's word as it is.
        if (from == address(0) || to == address(0)) tranche = tranche.checkpoint(block.timestamp);
        uint256 acc = tranche.accAt(block.timestamp);
        if (from == address(0)) {
            tranche.supply += Accumulator.toUnits(value);
        } else {
            Position memory source = _positions[id][from].settled(acc);
            require(source.units >= value, ERC1155InsufficientBalance(from, source.units, value, id));
            source.units -= Accumulator.toUnits(value);
            _positions[id][from] = source;
        }
        if (to == address(0)) {
            tranche.supply -= Accumulator.toUnits(value);
        } else {
            Position memory target = _positions[id][to].settled(acc);
            target.units += Accumulator.toUnits(value);
            _positions[id][to] = target;
        }
        if (from == address(0) || to == address(0)) _tranches[id] = tranche;
    }

    /// @dev Takes whole minor units; the fraction stays owed, so flooring never loses money.
    function _take(address account, uint256 id) private returns (uint256 amount) {
        Position memory position = _positions[id][account].settled(_tranches[id].accAt(block.timestamp));
        amount = position.owedX32 >> Accumulator.FRACTION_BITS;
        if (amount == 0) return 0;
        position.owedX32 = Accumulator.fractionOf(position.owedX32);
        _positions[id][account] = position;
    }

    function _pay(address token, address to, uint256 amount) private {
        if (amount > 0) IERC20(token).safeTransfer(to, amount);
    }

    function _settlementTokenOf(uint256 id) private view returns (address) {
        (uint64 facilityId,,) = TrancheId.unpack(id);
        return facilityRegistry.settlementTokenOf(facilityId);
    }
}
