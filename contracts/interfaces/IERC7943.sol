// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title ERC-7943 (uRWA) for multi-token contracts, interface id 0x41c4fbad
/// @notice Names, parameter order and indexed fields are those of the ERC. `tokenId` is the id of a tranche, amounts
/// are units (GPU-hours).
interface IERC7943MultiToken is IERC165 {
    /// @notice The enforcer moved units without the sender's consent.
    /// @param from The account that lost them.
    /// @param to The account that received them.
    /// @param tokenId The tranche.
    /// @param amount Units moved.
    event ForcedTransfer(address indexed from, address indexed to, uint256 indexed tokenId, uint256 amount);

    /// @notice The frozen amount of an account was set; it replaces the amount before.
    /// @param account The account.
    /// @param tokenId The tranche.
    /// @param amount Units frozen from now on; 0 if none.
    event Frozen(address indexed account, uint256 indexed tokenId, uint256 amount);

    /// @notice The account may not send units, or may not move them as a spender. Compliance must renew or set its
    /// entry first.
    /// @param account The account.
    error ERC7943CannotSend(address account);

    /// @notice The account may not receive units. Compliance must renew or set its entry first.
    /// @param account The account.
    error ERC7943CannotReceive(address account);

    /// @notice This forced transfer is refused: it would move units to their own holder.
    /// @param from The account that holds the units.
    /// @param to The same account.
    /// @param tokenId The tranche.
    /// @param amount Units asked for.
    error ERC7943CannotTransfer(address from, address to, uint256 tokenId, uint256 amount);

    /// @notice The account has fewer unfrozen units than it wants to move.
    /// @param account The account.
    /// @param tokenId The tranche.
    /// @param amount Units asked for.
    /// @param unfrozen Units that it may move.
    error ERC7943InsufficientUnfrozenBalance(address account, uint256 tokenId, uint256 amount, uint256 unfrozen);

    /// @notice Moves units without the sender's consent, also while paused. The receiver must be eligible. Caller: the
    /// enforcer role.
    /// @dev Emits Frozen first when frozen units are taken, then TransferSingle, then ForcedTransfer. What the units
    /// earned stays with `from` (invariant 3). Reverts with ERC7943CannotReceive, ERC7943CannotTransfer or an ERC-6093
    /// error.
    /// @param from The account that loses them.
    /// @param to The account that receives them.
    /// @param tokenId The tranche.
    /// @param amount Units to move; frozen ones are taken last.
    /// @return result Always true; a failure reverts.
    function forcedTransfer(address from, address to, uint256 tokenId, uint256 amount) external returns (bool result);

    /// @notice Sets (does not add to) the frozen units of an account; may exceed its balance. Frozen units keep
    /// earning, and their revenue can be claimed. Caller: the enforcer role.
    /// @dev Emits Frozen.
    /// @param account The account.
    /// @param tokenId The tranche.
    /// @param amount Units frozen from now on.
    /// @return result Always true; a failure reverts.
    function setFrozenTokens(address account, uint256 tokenId, uint256 amount) external returns (bool result);

    /// @notice Whether units may leave the account. Never reverts.
    /// @param account The account.
    /// @return allowed True if it may send.
    function canSend(address account) external view returns (bool allowed);

    /// @notice Whether units may reach the account. Never reverts.
    /// @param account The account.
    /// @return allowed True if it may receive.
    function canReceive(address account) external view returns (bool allowed);

    /// @notice Frozen units of the account; may exceed its balance. Never reverts.
    /// @param account The account.
    /// @param tokenId The tranche.
    /// @return amount Frozen units.
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount);

    // solhint-disable max-line-length
    /// @notice Whether the rules (pause, eligibility, freeze) let `from` itself make a transfer. Never reverts. As the
    /// ERC asks, the balance is not checked: only a transfer tells.
    /// @param from The sender.
    /// @param to The receiver.
    /// @param tokenId The tranche.
    /// @param amount Units.
    /// @return allowed True if no rule forbids it.
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount) external view returns (bool allowed);
    // solhint-enable max-line-length
}
