// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";
import {IWalletProposals} from "./IWalletProposals.sol";

/// @title What is taken for a wallet: by its own signature, or because it cannot act
/// @notice Whoever may take money from a contract of ours may also sign that somebody else calls (EIP-712, domain
/// "Rentroll Wallets" version "1"; all these signatures of an account have one row of nonces). What a recovered wallet,
/// or a contract with a beneficiary, has is collected for whom it is due to. Nothing here can be paused.
interface IWalletDesk is IWalletProposals {
    /// @notice Units of a recovered wallet moved, and what was frozen of them is frozen again.
    /// @param wallet The lost wallet.
    /// @param to The new wallet.
    /// @param id The tranche.
    /// @param units Units that moved.
    /// @param frozen Units that were frozen, and are.
    event UnitsRecovered(address indexed wallet, address indexed to, uint256 indexed id, uint256 units, uint256 frozen);

    /// @notice The wallet was not recovered.
    /// @param wallet The wallet.
    error NotRecovered(address wallet);

    /// @notice Only whoever gets the money names another receiver.
    /// @param payee Who gets it.
    /// @param to The receiver named.
    error ReceiverNotPayee(address payee, address to);

    /// @notice The signature's last second is over. Sign again with a later deadline.
    /// @param deadline Last second of the signature.
    /// @param blockTime Time of this block.
    error DeadlinePassed(uint256 deadline, uint256 blockTime);

    /// @notice As `ITrancheToken.claim`, for a holder that signed `Claim(address holder,uint256[] ids,address
    /// to,uint256 nonce,uint256 deadline)` by ECDSA or ERC-1271. It is an act of the holder. Caller: anybody.
    /// @dev Events as `claim`. Uses up one nonce of the holder. Reverts with DeadlinePassed or SignatureInvalid, or as
    /// `claim`.
    /// @param holder The account whose revenue is paid.
    /// @param ids The tranches.
    /// @param to The account that receives the money.
    /// @param deadline Last UTC second in which the signature counts.
    /// @param signature The holder's signature.
    /// @return paid Minor units paid in all, over all settlement tokens.
    function claimBySig(address holder, uint256[] calldata ids, address to, uint256 deadline, bytes calldata signature)
        external
        returns (uint256 paid);

    /// @notice As `IPrimarySale.refund`, for a buyer that signed `Refund(address buyer,uint256 id,uint256 units,address
    /// to,uint256 nonce,uint256 deadline)` by ECDSA or ERC-1271. It is an act of the buyer. Caller: anybody.
    /// @dev Emits UnitsRefunded. Uses up one nonce of the buyer. Reverts with DeadlinePassed or SignatureInvalid, or as
    /// `refund`.
    /// @param buyer The account that bought the units.
    /// @param id Tranche of the units.
    /// @param units Units to take back.
    /// @param to The account that receives the money.
    /// @param deadline Last UTC second in which the signature counts.
    /// @param signature The buyer's signature.
    /// @return amount Minor units paid: units x price.
    function refundBySig(
        address buyer,
        uint256 id,
        uint256 units,
        address to,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 amount);

    /// @notice As `IPayouts.withdraw`, for an account that signed `Withdraw(address source,address token,address
    /// account,address to,uint256 nonce,uint256 deadline)` by ECDSA or ERC-1271. It is an act of the account. Caller:
    /// anybody.
    /// @dev Emits Withdrawn. Uses up one nonce of the account. Reverts with DeadlinePassed, SignatureInvalid or
    /// NotOurContract, or as `withdraw`.
    /// @param source The RentLockbox, PrimarySale or BondVault.
    /// @param token The token.
    /// @param account The account that is owed.
    /// @param to The account that receives the money.
    /// @param deadline Last second in which the signature counts.
    /// @param signature The account's signature.
    /// @return amount Minor units.
    function withdrawBySig(
        IPayouts source,
        address token,
        address account,
        address to,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 amount);

    /// @notice Moves all units of a recovered wallet, and what is frozen of them, to the new wallet. Caller: anybody.
    /// @dev Emits UnitsRecovered, ForcedTransfer, TransferSingle and Frozen. Before funding units do not move
    /// (UnitsLocked): collect them later, or their refund. Reverts with NotRecovered, PositionNotQuiet, or as a forced
    /// transfer: the new wallet must be eligible.
    /// @param wallet The lost wallet.
    /// @param ids The tranches.
    function collectUnits(address wallet, uint256[] calldata ids) external;

    /// @notice Pays revenue of a recovered wallet, or of a contract with a beneficiary. Caller: anybody.
    /// @dev Emits what a claim emits. Reverts with NoPayee, PositionNotQuiet or ReceiverNotPayee, or as a claim.
    /// @param wallet The wallet that earned it.
    /// @param ids The tranches.
    /// @param to The new wallet or beneficiary; another receiver if that one calls.
    /// @return paid Minor units.
    function collectRevenue(address wallet, uint256[] calldata ids, address to) external returns (uint256 paid);

    /// @notice Pays what a recovered wallet, or a contract with a beneficiary, is owed. Caller: anybody.
    /// @dev Emits Withdrawn. Reverts with NoPayee, ReceiverNotPayee or NotOurContract, or as `withdraw`.
    /// @param source The RentLockbox, PrimarySale or BondVault.
    /// @param token The token.
    /// @param wallet The wallet that is owed.
    /// @param to The new wallet or beneficiary; another receiver if that one calls.
    /// @return Minor units.
    function collectPayout(IPayouts source, address token, address wallet, address to) external returns (uint256);

    /// @notice Makes vouchers of a recovered wallet the new wallet's. Caller: anybody.
    /// @dev Emits VoucherMoved for each. Reverts with NotRecovered or VoucherOfAnother.
    /// @param wallet The lost wallet.
    /// @param voucherIds Its vouchers.
    function collectVouchers(address wallet, uint256[] calldata voucherIds) external;
}
