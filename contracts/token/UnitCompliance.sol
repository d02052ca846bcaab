// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC1155Utils} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Utils.sol";
import {Arrays} from "@openzeppelin/contracts/utils/Arrays.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IInvestorRegistry} from "../interfaces/IInvestorRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {UnitRevenue} from "./UnitRevenue.sol";

/// @title Who may move units: pause, eligibility of sender, receiver and spender, freezes (ERC-7943)
/// @dev `Pausable` stands right before this contract in storage, so that its flag and `investorRegistry` share a slot.
abstract contract UnitCompliance is UnitRevenue, Pausable {
    using Arrays for uint256[];

    /// @inheritdoc ITrancheToken
    IInvestorRegistry public investorRegistry;

    /// @inheritdoc IERC7943MultiToken
    function canSend(address account) public view returns (bool allowed) {
        IInvestorRegistry registry = investorRegistry;
        if (address(registry) == address(0)) return true;
        try registry.canSend(account) returns (bool answer) {
            return answer;
        } catch {
            return false;
        }
    }

    /// @inheritdoc IERC7943MultiToken
    function canReceive(address account) public view returns (bool allowed) {
        IInvestorRegistry registry = investorRegistry;
        if (address(registry) == address(0)) return true;
        try registry.canReceive(account) returns (bool answer) {
            return answer;
        } catch {
            return false;
        }
    }

    /// @inheritdoc IERC7943MultiToken
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount)
        external
        view
        returns (bool allowed)
    {
        if (paused() || !canSend(from) || !canReceive(to)) return false;
        uint256 frozen = _frozen[tokenId][from];
        return frozen == 0 || amount <= _unfrozenOf(_positions[tokenId][from].units, frozen);
    }

    /// @inheritdoc IERC7943MultiToken
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount) {
        return _frozen[tokenId][account];
    }

    /// @notice ERC-165: ERC-1155 with metadata URI, and ERC-7943 for multi-tokens.
    function supportsInterface(bytes4 interfaceId) public view virtual override(ERC1155, IERC165) returns (bool) {
        return interfaceId == type(IERC7943MultiToken).interfaceId || super.supportsInterface(interfaceId);
    }

    /// @dev The one hook of every mint, burn and transfer by a holder or spender. Burns are not stopped here by pause:
    /// a refund must stay open.
    function _update(address from, address to, uint256[] memory ids, uint256[] memory values) internal override {
        require(ids.length == values.length, ERC1155InvalidArrayLength(ids.length, values.length));
        _requireAllowed(from, to);
        if (ids.length == 1) {
            _moveUnits(from, to, ids.unsafeMemoryAccess(0), values.unsafeMemoryAccess(0));
            emit TransferSingle(msg.sender, from, to, ids.unsafeMemoryAccess(0), values.unsafeMemoryAccess(0));
            return;
        }
        for (uint256 i = 0; i < ids.length; ++i) {
            _moveUnits(from, to, ids.unsafeMemoryAccess(i), values.unsafeMemoryAccess(i));
        }
        emit TransferBatch(msg.sender, from, to, ids, values);
    }

    function _setFrozen(address account, uint256 id, uint256 amount) internal {
        _frozen[id][account] = amount;
        uint8 flags = _positions[id][account].flags;
        _positions[id][account].flags = amount == 0 ? flags & ~FLAG_FROZEN : flags | FLAG_FROZEN;
        emit Frozen(account, id, amount);
    }

    /// @dev The enforcer's move: past pause, sender and freeze, never past the receiver. Taking frozen units lowers
    /// the frozen amount by as many. A move to oneself would only unfreeze, so it is refused.
    function _force(address from, address to, uint256 id, uint256 amount) internal {
        require(to != address(0), ERC1155InvalidReceiver(to));
        require(from != address(0), ERC1155InvalidSender(from));
        require(from != to, ERC7943CannotTransfer(from, to, id, amount));
        require(canReceive(to), ERC7943CannotReceive(to));
        uint256 units = _positions[id][from].units;
        require(amount <= units, ERC1155InsufficientBalance(from, units, amount, id));
        uint256 frozen = _frozen[id][from];
        uint256 unfrozen = _unfrozenOf(units, frozen);
        if (amount > unfrozen) _setFrozen(from, id, frozen - (amount - unfrozen));
        _moveUnits(from, to, id, amount);
        emit TransferSingle(msg.sender, from, to, id, amount);
        emit ForcedTransfer(from, to, id, amount);
        ERC1155Utils.checkOnERC1155Received(msg.sender, from, to, id, amount, "");
    }

    /// @dev Pause and registry are one warm slot. One external call covers sender, receiver and spender; only a
    /// refusal asks again, to name the account.
    function _requireAllowed(address from, address to) private view {
        if (to != address(0)) _requireNotPaused();
        IInvestorRegistry registry = investorRegistry;
        if (address(registry) == address(0)) return;
        // A burn has no spender: the token itself checked who asked for it.
        address spender = to == address(0) ? from : msg.sender;
        if (registry.canMove(spender, from, to)) return;
        require(from == address(0) || registry.canSend(from), ERC7943CannotSend(from));
        require(to == address(0) || registry.canReceive(to), ERC7943CannotReceive(to));
        revert ERC7943CannotSend(spender);
    }
}
