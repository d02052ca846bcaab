// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";

/// @title ERC-7943 (uRWA) for multi-token contracts, interface id 0x41c4fbad
/// @notice Names, parameter order and indexed fields are those of the ERC; `tokenId` is the id of a tranche.
interface IERC7943MultiToken is IERC165 {
    /// @notice Units were taken from one account and given to another by the enforcer.
    event ForcedTransfer(address indexed from, address indexed to, uint256 indexed tokenId, uint256 amount);
    /// @notice `amount` units of `account` are frozen from now on, in place of what was frozen before.
    event Frozen(address indexed account, uint256 indexed tokenId, uint256 amount);

    error ERC7943CannotSend(address account);
    error ERC7943CannotReceive(address account);
    error ERC7943CannotTransfer(address from, address to, uint256 tokenId, uint256 amount);
    error ERC7943InsufficientUnfrozenBalance(address account, uint256 tokenId, uint256 amount, uint256 unfrozen);

    /// @notice Moves units without the sender's consent. Caller: the enforcer role. The receiver must be eligible.
    /// @dev Emits Frozen first when frozen units are taken, then TransferSingle, then ForcedTransfer. Works while
    /// paused. What the units earned stays with `from` (invariant 3). Always true; reverts on failure.
    function forcedTransfer(address from, address to, uint256 tokenId, uint256 amount) external returns (bool result);

    /// @notice Sets, not adds, the frozen units of an account; may exceed its balance. Caller: the enforcer role.
    /// @dev Emits Frozen. Frozen units keep earning, and their revenue can be claimed. Always true.
    function setFrozenTokens(address account, uint256 tokenId, uint256 amount) external returns (bool result);

    /// @notice Whether units may leave the account. Never reverts.
    function canSend(address account) external view returns (bool allowed);
    /// @notice Whether units may reach the account. Never reverts.
    function canReceive(address account) external view returns (bool allowed);
    /// @notice Frozen units of the account; may exceed its balance. Never reverts.
    function getFrozenTokens(address account, uint256 tokenId) external view returns (uint256 amount);
    /// @notice Whether rules (pause, eligibility, freeze) let `from` itself transfer. Never reverts. As the ERC asks,
    /// a balance that is too small is no rule: only a transfer tells.
    // solhint-disable-next-line max-line-length
    function canTransfer(address from, address to, uint256 tokenId, uint256 amount) external view returns (bool allowed);
}
