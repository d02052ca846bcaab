// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IPayouts} from "../interfaces/IPayouts.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";

/// @title What lockbox, sale and bond vault share
/// @notice Money comes in exactly, or not at all, and accounts take their payouts themselves.
abstract contract Payouts is IPayouts, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice The contract that is told who acts, and that pays wallets which cannot.
    IWalletDesk internal immutable _walletDesk;
    /// @inheritdoc IPayouts
    mapping(address token => mapping(address account => uint256)) public owedTo;

    /// @notice Names the wallet desk.
    /// @param wallets The contract that is told who acts.
    constructor(IWalletDesk wallets) {
        _walletDesk = wallets;
    }

    /// @inheritdoc IPayouts
    function withdraw(address token, address to) external nonReentrant returns (uint256 amount) {
        _walletDesk.noteAct(msg.sender, true);
        return _withdraw(msg.sender, token, to);
    }

    /// @inheritdoc IPayouts
    function withdrawFor(address account, address token, address to) external nonReentrant returns (uint256 amount) {
        require(msg.sender == address(_walletDesk), NotWalletDesk(msg.sender));
        return _withdraw(account, token, to);
    }

    /// @notice Sends everything that an account is owed of a token, and emits Withdrawn.
    /// @param account The account.
    /// @param token The token.
    /// @param to The account that receives it.
    /// @return amount Minor units.
    function _withdraw(address account, address token, address to) private returns (uint256 amount) {
        _requireRecipient(to);
        amount = owedTo[token][account];
        require(amount > 0, NothingOwed(token, account));
        owedTo[token][account] = 0;
        emit Withdrawn(token, account, to, amount);
        IERC20(token).safeTransfer(to, amount);
    }

    /// @notice Reverts with RecipientInvalid for an address from which money would never come back.
    /// @param to The account that is to be paid.
    function _requireRecipient(address to) internal view {
        require(to != address(0) && !_walletDesk.isOurs(to), RecipientInvalid(to));
    }

    /// @notice Takes money from the caller. Reverts with SettlementShort.
    /// @dev The payer is always the caller: no function takes money from an account that somebody else names (ATTACKS
    /// 28).
    /// @param token The token.
    /// @param amount Minor units.
    function _pull(IERC20 token, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        _requireReceived(token, before, amount);
    }

    /// @notice Reverts with SettlementShort unless the balance grew by exactly an amount.
    /// @param token The token.
    /// @param before Balance before, minor units.
    /// @param amount Minor units that were to arrive.
    function _requireReceived(IERC20 token, uint256 before, uint256 amount) internal view {
        uint256 received = token.balanceOf(address(this)) - before;
        require(received == amount, SettlementShort(amount, received));
    }
}
