// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Money that accounts are owed and take themselves: no payout is ever pushed
/// @notice Amounts are minor units of the named token. If a token blocks a payee, the payee loses nothing: it names
/// another receiver.
interface IPayouts {
    /// @notice An account took everything that it was owed of a token.
    /// @param token Address of the ERC-20 token.
    /// @param account The account that was owed.
    /// @param to The account that received it.
    /// @param amount Minor units.
    event Withdrawn(address indexed token, address indexed account, address indexed to, uint256 amount);

    /// @notice The amount must be above zero.
    error AmountZero();

    /// @notice The token moved less, or more, than it was told to: it takes a fee, rebases or lies. Such tokens are
    /// refused.
    /// @dev A token moved less (or more) than it was told to: fee-on-transfer, rebasing or dishonest.
    /// @param expected Minor units that were to arrive.
    /// @param received Minor units that arrived.
    error SettlementShort(uint256 expected, uint256 received);

    /// @notice Only the WalletDesk takes payouts for others.
    /// @param caller The account that called.
    error NotWalletDesk(address caller);

    /// @notice Money cannot be sent to the zero address, to a contract of ours or to a settlement token, where it would
    /// be nobody's. Name another receiver.
    /// @param to The receiver named.
    error RecipientInvalid(address to);

    /// @notice The account is owed nothing of this token.
    /// @param token Address of the ERC-20 token.
    /// @param account The account.
    error NothingOwed(address token, address account);

    /// @notice Sends everything that the caller is owed of a token. Never paused. Caller: the account that is owed.
    /// @dev Emits Withdrawn. Reverts with RecipientInvalid, or with NothingOwed so that nothing is marked as paid that
    /// was not (ATTACKS 12).
    /// @param token Address of the ERC-20 token.
    /// @param to The account that receives it.
    /// @return amount Minor units sent.
    function withdraw(address token, address to) external returns (uint256 amount);

    /// @notice As `withdraw`, for an account that signed, was recovered or has a beneficiary. Caller: the WalletDesk,
    /// see `IWalletDesk.withdrawBySig` and `IWalletDesk.collectPayout`.
    /// @dev Emits Withdrawn. Reverts with NotWalletDesk, RecipientInvalid or NothingOwed.
    /// @param account The account that is owed.
    /// @param token Address of the ERC-20 token.
    /// @param to The account that receives it.
    /// @return amount Minor units sent.
    function withdrawFor(address account, address token, address to) external returns (uint256 amount);

    /// @notice What an account may withdraw of a token.
    /// @param token Address of the ERC-20 token.
    /// @param account The account.
    /// @return Minor units.
    function owedTo(address token, address account) external view returns (uint256);
}
