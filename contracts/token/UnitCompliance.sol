// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Utils} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Utils.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IEligibilityMirror} from "../interfaces/IEligibilityMirror.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IInvestorRegistry} from "../interfaces/IInvestorRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TimedPause} from "../access/TimedPause.sol";
import {ITimedPause} from "../interfaces/ITimedPause.sol";
import {UnitRevenue} from "./UnitRevenue.sol";

/// @title Who may move units
/// @notice Pause, eligibility of sender, receiver and spender, and freezes (ERC-7943).
abstract contract UnitCompliance is UnitRevenue, TimedPause, IEligibilityMirror {
    using Arrays for uint256[];

    /// @notice What decides about moves: one word.
    /// @dev One slot. A new registry starts a new generation, which makes every copied entry worthless.
    /// @param pausedUntil Until when transfers, mints, deliveries and burns of expired units are stopped, UTC seconds.
    /// @param generation Number of registries named so far. A new registry makes every copied entry of the one before
    /// worthless.
    /// @param registry Registry that every move asks; zero means no restriction.
    struct MoveRules {
        uint40 pausedUntil;
        uint40 generation;
        IInvestorRegistry registry;
    }

    /// @notice What the registry last said about an account; saves a call for each transfer.
    /// @dev What the registry last said of an account; seconds from which it no longer counts. Saves the call.
    /// @param sendUntil UTC second from which the account may no longer send.
    /// @param receiveUntil UTC second from which it may no longer receive.
    /// @param generation Registry that said so.
    struct CopiedEntry {
        uint64 sendUntil;
        uint64 receiveUntil;
        uint40 generation;
    }

    /// @dev Bounds what a registry that loops or returns megabytes can cost a view. Ours needs 60,000. A move asks
    /// without a bound: what such a registry does to it, refusing it, any registry may do.
    uint256 private constant REGISTRY_GAS = 100_000;

    MoveRules private _moveRules;
    mapping(address account => CopiedEntry) private _copiedEntries;

    /// @notice Moves units of one id. Caller: their holder or an approved spender.
    /// @dev As in OpenZeppelin's ERC1155, without arrays of one. Emits TransferSingle. Reverts with EnforcedPause, an
    /// ERC-6093 or an ERC-7943 error.
    /// @param from The account that holds them.
    /// @param to The account that receives them.
    /// @param id The tranche.
    /// @param value Units to move.
    /// @param data Passed on to a receiver that is a contract.
    function safeTransferFrom(address from, address to, uint256 id, uint256 value, bytes memory data) public override {
        _checkAuthorized(msg.sender, from);
        if (to == address(0)) revert ERC1155InvalidReceiver(to);
        _requireAllowed(from, to);
        _transferUnits(from, to, id, value);
        emit TransferSingle(msg.sender, from, to, id, value);
        if (to.code.length > 0) ERC1155Utils.checkOnERC1155Received(msg.sender, from, to, id, value, data);
    }

    /// @notice Approves a spender of all units of the caller, or ends that. It is an act of the caller.
    /// @dev Emits ApprovalForAll. Reverts with ERC1155InvalidOperator.
    /// @param operator The spender.
    /// @param approved Whether it may move the caller's units.
    function setApprovalForAll(address operator, bool approved) public override {
        walletDesk.noteAct(msg.sender, false);
        super.setApprovalForAll(operator, approved);
    }

    /// @inheritdoc IEligibilityMirror
    function mirrorInvestor(address account, uint64 sendUntil, uint64 receiveUntil) external {
        MoveRules memory rules = _moveRules;
        // A registry that is not in use is ignored; a revert would stop its own changes.
        if (msg.sender != address(rules.registry)) return;
        _copiedEntries[account] = CopiedEntry(sendUntil, receiveUntil, rules.generation);
    }

    /// @inheritdoc ITimedPause
    function pausedUntil() public view override returns (uint256) {
        return _moveRules.pausedUntil;
    }

    /// @inheritdoc ITrancheToken
    function investorRegistry() public view returns (IInvestorRegistry) {
        return _moveRules.registry;
    }

    /// @inheritdoc IERC7943MultiToken
    function canSend(address account) public view returns (bool allowed) {
        return _registryAnswersTrue(abi.encodeCall(IInvestorRegistry.canSend, (account)));
    }

    /// @inheritdoc IERC7943MultiToken
    function canReceive(address account) public view returns (bool allowed) {
        return _registryAnswersTrue(abi.encodeCall(IInvestorRegistry.canReceive, (account)));
    }

    /// @inheritdoc IERC7943MultiToken
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount)
        external
        view
        returns (bool allowed)
    {
        if (paused() || !_activated(tokenId) || !canSend(from) || !canReceive(to)) return false;
        uint256 frozen = _frozen[tokenId][from];
        return frozen == 0 || amount <= _unfrozenOf(_positions[tokenId][from].word.unitsOf(), frozen);
    }

    /// @inheritdoc IERC7943MultiToken
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount) {
        return _frozen[tokenId][account];
    }

    /// @notice ERC-165: ERC-1155 with metadata URI, and ERC-7943 for multi-tokens.
    /// @param interfaceId Id of an interface.
    /// @return True if the token implements it.
    function supportsInterface(bytes4 interfaceId) public view virtual override(ERC1155, IERC165) returns (bool) {
        return interfaceId == type(IERC7943MultiToken).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @notice Moves units of several ids.
    /// @param from The account that the units leave.
    /// @param to The account that they reach.
    /// @param ids The tranches.
    /// @param values Units of each.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override {
        require(ids.length == values.length, ERC1155InvalidArrayLength(ids.length, values.length));
        _requireAllowed(from, to);
        uint256 count = ids.length;
        for (uint256 i = 0; i < count; ++i) {
            _transferUnits(from, to, ids.unsafeMemoryAccess(i), values.unsafeMemoryAccess(i));
        }
        if (count == 1) emit TransferSingle(msg.sender, from, to, ids[0], values[0]);
        else emit TransferBatch(msg.sender, from, to, ids, values);
    }

    /// @notice Creates units and emits TransferSingle. Reverts as a transfer does.
    /// @param to The account that receives them.
    /// @param id The tranche.
    /// @param value Units to create.
    function _createUnits(address to, uint256 id, uint256 value) internal {
        require(to != address(0), ERC1155InvalidReceiver(to));
        _requireAllowed(address(0), to);
        _mintUnits(to, id, value);
        emit TransferSingle(msg.sender, address(0), to, id, value);
        if (to.code.length > 0) ERC1155Utils.checkOnERC1155Received(msg.sender, address(0), to, id, value, "");
    }

    /// @notice Destroys units whose holder may send them and emits TransferSingle. No pause stops it here.
    /// @param from The account that holds them.
    /// @param id The tranche.
    /// @param value Units to destroy.
    function _destroyAllowed(address from, uint256 id, uint256 value) internal {
        _requireAllowed(from, address(0));
        _destroyUnits(from, id, value);
        emit TransferSingle(msg.sender, from, address(0), id, value);
    }

    /// @notice Sets the frozen units of an account and emits Frozen.
    /// @param account The account.
    /// @param id The tranche.
    /// @param amount Units frozen from now on.
    function _setFrozen(address account, uint256 id, uint256 amount) internal {
        _frozen[id][account] = amount;
        Slot storage slot = _positions[id][account];
        slot.word = slot.word.withFrozen(amount > 0);
        emit Frozen(account, id, amount);
    }

    /// @notice The enforcer's move: it ignores pause, sender and freeze, but never the receiver's eligibility.
    /// @dev Taking frozen units lowers the frozen amount by as many. A move to oneself would only unfreeze, so it is
    /// refused.
    /// @param from The account that loses the units.
    /// @param to The account that receives them.
    /// @param id The tranche.
    /// @param amount Units to move.
    function _force(address from, address to, uint256 id, uint256 amount) internal {
        require(to != address(0), ERC1155InvalidReceiver(to));
        require(from != address(0), ERC1155InvalidSender(from));
        require(from != to, ERC7943CannotTransfer(from, to, id, amount));
        require(canReceive(to), ERC7943CannotReceive(to));
        uint256 units = _positions[id][from].word.unitsOf();
        require(amount <= units, ERC1155InsufficientBalance(from, units, amount, id));
        uint256 frozen = _frozen[id][from];
        uint256 unfrozen = _unfrozenOf(units, frozen);
        if (amount > unfrozen) {
            frozen -= amount - unfrozen;
            _setFrozen(from, id, frozen);
        }
        Slot storage slot = _positions[id][from];
        // What is frozen may exceed the balance: it must withhold what comes later, and not stop this move.
        slot.word = slot.word.withFrozen(false);
        _transferUnits(from, to, id, amount);
        slot.word = slot.word.withFrozen(frozen > 0);
        emit TransferSingle(msg.sender, from, to, id, amount);
        emit ForcedTransfer(from, to, id, amount);
        ERC1155Utils.checkOnERC1155Received(msg.sender, from, to, id, amount, "");
    }

    /// @notice Destroys units whose price is paid back: no pause, freeze or registry is asked. Emits TransferSingle.
    /// @param from The account that holds them.
    /// @param id The tranche.
    /// @param value Units to destroy.
    function _destroyRefunded(address from, uint256 id, uint256 value) internal {
        Slot storage slot = _positions[id][from];
        // For good: what is left of a failed sale moves no more, it can only be refunded as well.
        slot.word = slot.word.withFrozen(false);
        _destroyUnits(from, id, value);
        emit TransferSingle(msg.sender, from, address(0), id, value);
    }

    /// @notice Stores when a pause ends.
    /// @param until UTC second; 0 for now.
    function _setPausedUntil(uint256 until) internal override {
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        _moveRules.pausedUntil = uint40(until);
    }

    /// @notice Names the registry that every move asks and emits InvestorRegistrySet.
    /// @param registry The registry; zero means no restriction.
    function _setRegistry(IInvestorRegistry registry) internal {
        _moveRules.registry = registry;
        ++_moveRules.generation;
        emit InvestorRegistrySet(address(registry));
        // Views must never revert, so an address that cannot answer is refused here.
        if (address(registry) != address(0)) registry.canMove(address(this), address(this), address(this));
    }

    /// @notice Reverts unless pause and eligibility allow a move.
    /// @dev Transfers between accounts whose copied entries allow it need no call. In every other case, and for mints
    /// and burns, the registry decides.
    /// @param from The account that the units leave; zero for a mint.
    /// @param to The account that they reach; zero for a burn.
    function _requireAllowed(address from, address to) private view {
        uint256 pausedUntil_ = _moveRules.pausedUntil;
        uint256 generation = _moveRules.generation;
        IInvestorRegistry registry = _moveRules.registry;
        if (block.timestamp < pausedUntil_ && to != address(0)) revert EnforcedPause();
        if (address(registry) == address(0)) return;
        CopiedEntry storage entry = _copiedEntries[from];
        // Both fields are read before any branch, so that they cost one load.
        uint256 until = entry.sendUntil;
        uint256 copiedIn = entry.generation;
        if (until > block.timestamp && copiedIn == generation) {
            entry = _copiedEntries[to];
            until = entry.receiveUntil;
            copiedIn = entry.generation;
            if (until > block.timestamp && copiedIn == generation) {
                if (msg.sender == from || _isSpenderAllowed(generation)) return;
            }
        }
        _requireRegistryAllows(registry, from, to);
    }

    /// @notice Asks the registry a question; without a registry everything is allowed.
    /// @dev A low-level call, because a view of ERC-7943 must not revert whatever the registry does.
    /// @param question The call's data.
    /// @return True if the answer is `true`; anything else, also a failure, is no.
    function _registryAnswersTrue(bytes memory question) private view returns (bool) {
        address registry = address(_moveRules.registry);
        if (registry == address(0)) return true;
        (bool success, bytes memory answer) = registry.staticcall{gas: REGISTRY_GAS}(question);
        return success && answer.length == 32 && abi.decode(answer, (uint256)) == 1;
    }

    /// @notice Whether the caller's copied entry lets it move units of others.
    /// @param generation Number of the registry in use.
    /// @return True if it does.
    function _isSpenderAllowed(uint256 generation) private view returns (bool) {
        CopiedEntry storage entry = _copiedEntries[msg.sender];
        return entry.sendUntil > block.timestamp && entry.generation == generation;
    }

    /// @notice Reverts with ERC7943CannotSend or ERC7943CannotReceive unless the registry allows a move.
    /// @dev Burns and mints have no spender: the token itself checked who asked for them. Only after a refusal are the
    /// accounts asked about one by one, to name the one that is refused.
    /// @param registry The registry.
    /// @param from The account that the units leave; zero for a mint.
    /// @param to The account that they reach; zero for a burn.
    function _requireRegistryAllows(IInvestorRegistry registry, address from, address to) private view {
        address spender = to == address(0) ? from : msg.sender;
        if (registry.canMove(spender, from, to)) return;
        require(from == address(0) || registry.canSend(from), ERC7943CannotSend(from));
        require(to == address(0) || registry.canReceive(to), ERC7943CannotReceive(to));
        revert ERC7943CannotSend(spender);
    }
}
