// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who may act for a wallet that cannot, and what stops it
/// @notice A lost wallet is recovered as a whole: its units with what is frozen of them, its revenue, its vouchers, its
/// refunds and what it is owed go to another wallet of the same person. A contract that cannot claim gets a beneficiary
/// for its money; its units stay where they are. Both are proposed by one role, confirmed by another one from another
/// account, wait in the open, and fall as soon as the wallet shows that it can act. Times are UTC seconds.
/// @dev An act is what the wallet itself did, by call or by signature: a transfer, claim, withdrawal, purchase, refund,
/// delivery or approval, or a cancellation here. What others do to it is none: not what they send to it, nor what a
/// spender that it approved before does. Acts in claims and transfers are seen in positions that are watched, and only
/// such positions are ever recovered: anybody can have more of them watched.
interface IWalletProposals {
    /// @notice What is proposed for a wallet.
    /// @param None Nothing, or nothing any more.
    /// @param Recovery Everything goes to another wallet.
    /// @param Beneficiary Its money is paid to another account.
    enum Kind {
        None,
        Recovery,
        Beneficiary
    }

    /// @notice What was last proposed for a wallet.
    /// @param kind What it is; None once it was executed, voided or rejected.
    /// @param to Who gets what.
    /// @param number Number of the proposal, from 1.
    /// @param proposer The account that proposed it.
    /// @param proposedAt When.
    /// @param confirmedAt When it was confirmed; 0 before.
    /// @param actedAt Last time that the wallet was seen to act since the first proposal; 0 for never.
    struct Proposal {
        Kind kind;
        address to;
        uint56 number;
        address proposer;
        uint40 proposedAt;
        uint40 confirmedAt;
        uint40 actedAt;
    }

    /// @notice It was proposed to recover a lost wallet. If it is yours and you can read this, cancel.
    /// @param wallet The wallet that is said to be lost.
    /// @param to The wallet that would get everything.
    /// @param number Number of the proposal.
    /// @param proposer The account that proposed it.
    event RecoveryProposed(address indexed wallet, address indexed to, uint256 indexed number, address proposer);

    /// @notice A beneficiary was proposed for a contract. If it can act, do so, or cancel.
    /// @param wallet The contract that is said to be unable to claim.
    /// @param to The account that would get its money.
    /// @param number Number of the proposal.
    /// @param proposer The account that proposed it.
    event BeneficiaryProposed(address indexed wallet, address indexed to, uint256 indexed number, address proposer);

    /// @notice A second role confirmed a proposal; now it waits.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    /// @param confirmer The account that confirmed it.
    /// @param opensAt First second in which it can be executed.
    /// @param closesAt First second in which it no longer can.
    event ProposalConfirmed(
        address indexed wallet, uint256 indexed number, address confirmer, uint64 opensAt, uint64 closesAt
    );

    /// @notice The wallet acted, or cancelled, so nothing becomes of the proposal.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    event ProposalVoided(address indexed wallet, uint256 indexed number);

    /// @notice The proposer, or the role that confirms, took a proposal back.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    /// @param by The account that did.
    event ProposalRejected(address indexed wallet, uint256 indexed number, address by);

    /// @notice Acts in these positions are seen from now on.
    /// @param wallet The wallet.
    /// @param ids Their tranches.
    event PositionsWatched(address indexed wallet, uint256[] ids);

    /// @notice A wallet with a proposal acted.
    /// @param wallet The wallet.
    event WalletActed(address indexed wallet);

    /// @notice A lost wallet was recovered: everything of it is another wallet's from now on.
    /// @param wallet The lost wallet.
    /// @param to The new wallet.
    /// @param number Number of the proposal.
    event WalletRecovered(address indexed wallet, address indexed to, uint256 indexed number);

    /// @notice The money of a contract goes to another account from now on.
    /// @param wallet The contract.
    /// @param to The beneficiary.
    /// @param number Number of the proposal.
    event BeneficiaryNamed(address indexed wallet, address indexed to, uint256 indexed number);

    /// @notice A contract has no beneficiary any more: it took money itself, cancelled, or the role removed it.
    /// @param wallet The contract.
    /// @param to The former beneficiary.
    event BeneficiaryRemoved(address indexed wallet, address indexed to);

    /// @notice A contract took money itself, or refused a beneficiary: it never gets one.
    /// @param wallet The contract.
    event ContractTookMoney(address indexed wallet);

    /// @notice Only contracts of ours tell that a wallet acted.
    /// @param caller The account that called.
    error NotOurContract(address caller);

    /// @notice This wallet can neither be recovered nor get what is recovered: it is zero, a contract of ours, both at
    /// once, was itself recovered, or may offer facilities, which it does elsewhere.
    /// @param wallet The wallet.
    error WalletInvalid(address wallet);

    /// @notice Only a deployed contract that never took money itself can have a beneficiary. An account with delegated
    /// code (EIP-7702) has a key, so it is none.
    /// @param wallet The wallet.
    error ClaimsItself(address wallet);

    /// @notice Something is proposed for this wallet. Take it back first.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    error ProposalPending(address wallet, uint256 number);

    /// @notice This is not what is proposed for the wallet: it was executed, voided or rejected, or it lapsed.
    /// @param wallet The wallet.
    /// @param number The number named.
    error ProposalUnknown(address wallet, uint256 number);

    /// @notice The proposal was confirmed before.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    error AlreadyConfirmed(address wallet, uint256 number);

    /// @notice Whoever proposed cannot confirm, whatever its roles are.
    /// @param account The account.
    error ConfirmerProposed(address account);

    /// @notice The proposal is not confirmed, or the wait is not over.
    /// @param wallet The wallet.
    /// @param opensAt First second in which it can be executed; 0 while it is not confirmed.
    error ProposalNotOpen(address wallet, uint64 opensAt);

    /// @notice Only the new wallet executes a recovery: that proves that somebody holds its key.
    /// @param to The new wallet.
    /// @param caller The account that called.
    error NotNewWallet(address to, address caller);

    /// @notice The new wallet may not receive units. Register it first.
    /// @param to The new wallet.
    error NewWalletNotEligible(address to);

    /// @notice The position was not watched for long enough since the wallet last acted. Have it watched, and wait.
    /// @param wallet The wallet.
    /// @param id The tranche.
    /// @param opensAt First second in which it can be collected; 0 while it is not watched.
    error PositionNotQuiet(address wallet, uint256 id, uint64 opensAt);

    /// @notice Nobody may take money of this wallet in its place.
    /// @param wallet The wallet.
    error NoPayee(address wallet);

    /// @notice A recovery of the wallet is pending. What would be sent to it waits.
    /// @param wallet The wallet.
    error RecoveryPending(address wallet);

    /// @notice Only the proposer takes back what it proposed. The role that confirms can reject it.
    /// @param proposer The account that proposed.
    /// @param caller The account that called.
    error NotProposer(address proposer, address caller);

    /// @notice The signature is not the account's over exactly this.
    /// @param account The account named.
    error SignatureInvalid(address account);

    /// @notice Proposes to recover a lost wallet, and watches positions. Caller: the compliance role.
    /// @dev Emits RecoveryProposed and PositionsWatched. Reverts with WalletInvalid or ProposalPending. A proposal
    /// lapses after 30 days without confirmation.
    /// @param wallet The lost wallet.
    /// @param to Another wallet of the same person.
    /// @param ids Tranches of all its positions.
    function proposeRecovery(address wallet, address to, uint256[] calldata ids) external;

    /// @notice Proposes to pay money of a contract that cannot claim to another account. Caller: the compliance role.
    /// @dev Emits BeneficiaryProposed. Reverts with WalletInvalid, ClaimsItself or ProposalPending.
    /// @param wallet The contract.
    /// @param to The account that is to get its money.
    function proposeBeneficiary(address wallet, address to) external;

    /// @notice Confirms a proposal: a recovery opens 7 days later, a beneficiary 30 days later, each for 30 days.
    /// Caller: the enforcer role, from another account than the proposer's.
    /// @dev Emits ProposalConfirmed. Reverts with ProposalUnknown, AlreadyConfirmed or ConfirmerProposed.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    function confirm(address wallet, uint256 number) external;

    /// @notice Rejects what is proposed. Caller: the enforcer role.
    /// @dev Emits ProposalRejected. Reverts with ProposalUnknown.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    function reject(address wallet, uint256 number) external;

    /// @notice Takes back what the caller proposed. Caller: the proposer.
    /// @dev Emits ProposalRejected. Reverts with ProposalUnknown or NotProposer.
    /// @param wallet The wallet.
    /// @param number Number of the proposal.
    function retract(address wallet, uint256 number) external;

    /// @notice Takes a contract's beneficiary away. Caller: the enforcer role.
    /// @dev Emits BeneficiaryRemoved. Reverts with NoPayee.
    /// @param wallet The contract.
    function removeBeneficiary(address wallet) external;

    /// @notice Cancels whatever is proposed for the caller, and its beneficiary. Caller: the wallet.
    /// @dev Emits ProposalVoided, WalletActed, BeneficiaryRemoved and ContractTookMoney, each if there is cause.
    function cancel() external;

    /// @notice As `cancel`, for a wallet that signed `Cancel(address wallet,uint256 number)` (EIP-712, domain "Rentroll
    /// Wallets" version "1") by ECDSA or ERC-1271. Caller: anybody.
    /// @dev Events as `cancel`. Reverts with ProposalUnknown or SignatureInvalid.
    /// @param wallet The wallet.
    /// @param number Number of the proposal that it cancels.
    /// @param signature The wallet's signature.
    function cancelBySig(address wallet, uint256 number, bytes calldata signature) external;

    /// @notice Executes a proposal whose wait is over. Caller: the new wallet for a recovery, anybody for a
    /// beneficiary.
    /// @dev Emits WalletRecovered or BeneficiaryNamed. Nothing moves yet: see `IWalletDesk`, and
    /// `multicall`. Reverts with ProposalUnknown, ProposalNotOpen, NotNewWallet, NewWalletNotEligible, WalletInvalid or
    /// ClaimsItself.
    /// @param wallet The wallet.
    function execute(address wallet) external;

    /// @notice Has acts of a wallet seen in more positions. Caller: anybody, while a recovery is proposed, or after it.
    /// @dev Emits PositionsWatched. What is watched since the last act stays as it is. Reverts with ProposalUnknown.
    /// @param wallet The wallet.
    /// @param ids Tranches of the positions.
    function watch(address wallet, uint256[] calldata ids) external;

    /// @notice Tells that a wallet acted. Caller: the contract of ours that it acted in; nothing happens, for anybody,
    /// if nothing depends on it.
    /// @dev Emits ProposalVoided, WalletActed, BeneficiaryRemoved and ContractTookMoney, each if there is cause.
    /// Reverts with NotOurContract.
    /// @param wallet The wallet.
    /// @param tookMoney Whether it claimed or withdrew.
    function noteAct(address wallet, bool tookMoney) external;

    /// @notice What was last proposed for a wallet.
    /// @param wallet The wallet.
    /// @return The proposal; zero members if there was none.
    function proposalOf(address wallet) external view returns (Proposal memory);

    /// @notice When the wait of what is proposed is over.
    /// @param wallet The wallet.
    /// @return opensAt First second in which it can be executed; 0 if it is not confirmed or nothing is proposed.
    /// @return closesAt First second in which it lapses; 0 if nothing is proposed.
    function hoursOf(address wallet) external view returns (uint64 opensAt, uint64 closesAt);

    /// @notice Since when a position of a wallet is watched.
    /// @param wallet The wallet.
    /// @param id The tranche.
    /// @return UTC second; 0 for never. What is not after the wallet's last act counts no more.
    function watchedSince(address wallet, uint256 id) external view returns (uint40);

    /// @notice The wallet that a lost wallet was recovered to.
    /// @param wallet The wallet.
    /// @return The new wallet, which may have been lost since; zero if it was not recovered.
    function successorOf(address wallet) external view returns (address);

    /// @notice The account that gets a contract's money.
    /// @param wallet The contract.
    /// @return The beneficiary; zero for none.
    function beneficiaryOf(address wallet) external view returns (address);

    /// @notice Whether a contract ever took money itself, or refused a beneficiary.
    /// @param wallet The contract.
    /// @return True if it did.
    function tookMoney(address wallet) external view returns (bool);

    /// @notice The wallet that a refund or payment of a wallet goes to: its own, or that of its last recovery.
    /// @dev Reverts with RecoveryPending: what was sent to a lost wallet could never be recovered.
    /// @param wallet The wallet.
    /// @return The wallet.
    function payeeOf(address wallet) external view returns (address);

    /// @notice Whether money sent to an address would be nobody's: a contract of ours or a settlement token.
    /// @param account The address.
    /// @return True if it would.
    function isOurs(address account) external view returns (bool);
}
