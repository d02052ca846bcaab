// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEligibilityMirror} from "./IEligibilityMirror.sol";

/// @title Investors: who may hold, send and receive units
/// @notice An account is eligible by an unexpired entry in this registry. An account without any entry may also be
/// eligible through an optional ERC-3643 identity registry; that registry never overrules an entry that has expired or
/// forbids. Times are UTC seconds. Contracts that hold units (escrows, wrappers, marketplaces) and approved spenders
/// need entries like everybody else.
interface IInvestorRegistry {
    /// @notice The entry of one account.
    /// @param expiresAt UTC second from which the entry no longer counts; 0 means no entry.
    /// @param country ISO 3166-1 numeric code.
    /// @param canSend Whether units may leave the account.
    /// @param canReceive Whether units may reach the account.
    struct Investor {
        uint64 expiresAt;
        uint16 country;
        bool canSend;
        bool canReceive;
    }

    /// @notice What a compliance agent signs (EIP-712, domain "Rentroll Investors" version "1") so that an investor can
    /// enter the registry on its own.
    /// @param account The investor.
    /// @param expiresAt As in `Investor`.
    /// @param country As in `Investor`.
    /// @param canSend As in `Investor`.
    /// @param canReceive As in `Investor`.
    /// @param nonce `nonceOf(account)`; every change of the entry uses it up.
    /// @param deadline Last UTC second in which the grant can be used.
    struct Grant {
        address account;
        uint64 expiresAt;
        uint16 country;
        bool canSend;
        bool canReceive;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice The entry of an account changed.
    /// @param account The investor.
    /// @param agent The compliance agent that set the entry or signed the grant.
    /// @param expiresAt As in `Investor`.
    /// @param country As in `Investor`.
    /// @param canSend As in `Investor`.
    /// @param canReceive As in `Investor`.
    event InvestorSet(
        address indexed account, address indexed agent, uint64 expiresAt, uint16 country, bool canSend, bool canReceive
    );

    /// @notice The second source of eligibility changed.
    /// @param identityRegistry The ERC-3643 registry asked from now on; zero if none.
    event IdentityRegistrySet(address indexed identityRegistry);

    /// @notice A token was named that keeps a copy of the entries.
    /// @param mirror The token.
    event MirrorSet(address indexed mirror);

    /// @notice A token that copies the entries was named already; that happens once.
    /// @param mirror The token named.
    error MirrorLinked(address mirror);

    /// @notice The grant's last second is over. Ask the compliance agent for a new one.
    /// @param deadline Last second of the grant, UTC.
    /// @param blockTime Time of this block, UTC seconds.
    error GrantExpired(uint64 deadline, uint256 blockTime);

    /// @notice The grant was used, or the entry was changed since it was signed. Ask for a new one.
    /// @param account The investor.
    /// @param expected Nonce that a grant must carry now.
    /// @param actual Nonce that this one carries.
    error GrantNonceWrong(address account, uint256 expected, uint256 actual);

    /// @notice The signature is not the agent's over this grant.
    /// @param agent The agent named.
    error GrantSignatureInvalid(address agent);

    /// @notice The signer may not call `setInvestor` without delay, so its grants do not count.
    /// @param account The signer.
    error NotComplianceAgent(address account);

    /// @notice The zero address can have no entry.
    error ZeroAccount();

    /// @notice Sets an entry, and makes grants that were signed before worthless. Caller: the compliance role.
    /// @dev Emits InvestorSet. Reverts with ZeroAccount.
    /// @param account The investor.
    /// @param entry Its new entry; `expiresAt` 0 removes it.
    function setInvestor(address account, Investor calldata entry) external;

    /// @notice Enters an investor by the signature (ECDSA or ERC-1271) of an account that may call `setInvestor`
    /// without delay. Caller: anybody.
    /// @dev Emits InvestorSet. Reverts with GrantExpired, GrantNonceWrong, NotComplianceAgent, GrantSignatureInvalid or
    /// ZeroAccount.
    /// @param grant The grant.
    /// @param agent The compliance agent that signed it.
    /// @param signature The agent's signature over `grantDigest(grant)`.
    function onboard(Grant calldata grant, address agent, bytes calldata signature) external;

    /// @notice Names the ERC-3643 identity registry that is asked about accounts without an entry. Caller: the
    /// governance role.
    /// @dev Emits IdentityRegistrySet.
    /// @param registry The registry; zero for none.
    function setIdentityRegistry(address registry) external;

    /// @notice Names the token that receives a copy of every entry from now on. Only once, because a token that is no
    /// longer told would go on with old entries. Caller: the governance role.
    /// @dev Emits MirrorSet. Reverts with MirrorLinked.
    /// @param token The token.
    function linkMirror(IEligibilityMirror token) external;

    /// @notice Copies the entry of an account to the token again: needed for entries older than the link. Caller:
    /// anybody.
    /// @param account The investor.
    function resync(address account) external;

    /// @notice Whether units may leave `account`. Never reverts.
    /// @param account The account.
    /// @return True if it may send.
    function canSend(address account) external view returns (bool);

    /// @notice Whether units may reach `account`. Never reverts.
    /// @param account The account.
    /// @return True if it may receive.
    function canReceive(address account) external view returns (bool);

    /// @notice Whether a spender may move units from one account to another. Never reverts. A sender that moves its own
    /// units needs no second entry; any other spender must be allowed to send.
    /// @param spender The account that moves the units.
    /// @param from The account that they leave; zero for a mint, whose caller is no spender.
    /// @param to The account that they reach; zero for a burn.
    /// @return True if all of them may.
    function canMove(address spender, address from, address to) external view returns (bool);

    /// @notice The entry of an account, whether or not it has expired.
    /// @param account The investor.
    /// @return The entry; all zero if there is none.
    function investorOf(address account) external view returns (Investor memory);

    /// @notice Nonce that the next grant for `account` must carry.
    /// @param account The investor.
    /// @return The nonce.
    function nonceOf(address account) external view returns (uint256);

    /// @notice EIP-712 digest that a compliance agent signs.
    /// @param grant The grant.
    /// @return The digest.
    function grantDigest(Grant calldata grant) external view returns (bytes32);

    /// @notice The token that keeps a copy of the entries.
    /// @return The token; zero if none is named.
    function mirror() external view returns (IEligibilityMirror);

    /// @notice The second source of eligibility.
    /// @return The ERC-3643 registry; zero if there is none.
    function identityRegistry() external view returns (address);
}
