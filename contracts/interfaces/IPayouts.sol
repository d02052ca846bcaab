// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Money owed to accounts, taken by them: no payout is ever pushed
/// @notice Amounts are minor units of `token`. A payee that a token blocks loses nothing: it names another `to`.
interface IPayouts {
    /// @notice `account` took what it was owed of `token`; it was sent to `to`.
    event Withdrawn(address indexed token, address indexed account, address indexed to, uint256 amount);

    error AmountZero();
    /// @dev A token moved less (or more) than it was told to: fee-on-transfer, rebasing or dishonest.
    error SettlementShort(uint256 expected, uint256 received);
    error ZeroRecipient();
    error NothingOwed(address token, address account);

    /// @notice Sends everything that the caller is owed of a token to `to`. Never paused. Caller: the payee.
    /// @dev Emits Withdrawn. Reverts with NothingOwed, so that nothing is ever marked paid that was not (ATTACKS 12).
    function withdraw(address token, address to) external returns (uint256 amount);

    /// @notice What `account` may withdraw of `token`.
    function owedTo(address token, address account) external view returns (uint256);
}
