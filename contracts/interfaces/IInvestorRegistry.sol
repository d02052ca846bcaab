// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEligibilityMirror} from "./IEligibilityMirror.sol";

/// @title Investors: who may hold, send and receive units
/// @notice An account is eligible by an unexpired entry of this registry, or, where it has no entry at all, by an
/// optional ERC-3643 identity registry: an entry that expired or forbids is never overruled. Times are UTC seconds.
/// Contracts that hold units (escrows, wrappers, marketplaces) and spenders need entries like everybody else.
interface IInvestorRegistry {
    /// @param expiresAt Second from which the entry no longer counts; 0 is no entry.
    /// @param country ISO 3166-1 numeric.
    /// @param canSend Whether units may leave the account.
    /// @param canReceive Whether units may reach the account.
    struct Investor {
        uint64 expiresAt;
        uint16 country;
        bool canSend;
        bool canReceive;
    }

    /// @notice What a compliance agent signs (EIP-712, domain "Rentroll Investors" version "1") so that an investor can
    /// enter the registry alone.
    /// @param nonce `nonceOf(account)`; every change of the entry uses it up.
    /// @param deadline Last second in which the grant can be used.
    struct Grant {
        address account;
        uint64 expiresAt;
        uint16 country;
        bool canSend;
        bool canReceive;
        uint256 nonce;
        uint64 deadline;
    }

    /// @notice The entry of `account` changed. `agent` is the compliance agent that set or signed it.
    event InvestorSet(
        address indexed account, address indexed agent, uint64 expiresAt, uint16 country, bool canSend, bool canReceive
    );
    /// @notice The second source changed; zero is none.
    event IdentityRegistrySet(address indexed identityRegistry);

    /// @notice The token that keeps a copy of the entries.
    event MirrorSet(address indexed mirror);

    error MirrorLinked(address mirror);
    error GrantExpired(uint64 deadline, uint256 blockTime);
    error GrantNonceWrong(address account, uint256 expected, uint256 actual);
    error GrantSignatureInvalid(address agent);
    error NotComplianceAgent(address account);
    error ZeroAccount();

    /// @notice Sets an entry and makes grants signed so far worthless. Caller: the compliance role.
    /// @dev Emits InvestorSet.
    function setInvestor(address account, Investor calldata entry) external;
    /// @notice Enters `grant.account` by the signature (ECDSA or ERC-1271) of an account that may call `setInvestor`
    /// without delay. Caller: anybody.
    /// @dev Emits InvestorSet.
    function onboard(Grant calldata grant, address agent, bytes calldata signature) external;
    /// @notice Names the ERC-3643 identity registry asked for accounts without an entry. Caller: governance.
    function setIdentityRegistry(address registry) external;

    /// @notice Names the token that keeps a copy of every entry from now on, once. Caller: governance.
    /// @dev Once, because a token that is told no more would go on with old entries. Emits MirrorSet.
    function linkMirror(IEligibilityMirror token) external;
    /// @notice Copies the entry of an account to the token again: needed for entries older than the link. Caller:
    /// anybody.
    function resync(address account) external;

    /// @notice Whether units may leave `account`. Never reverts.
    function canSend(address account) external view returns (bool);
    /// @notice Whether units may reach `account`. Never reverts.
    function canReceive(address account) external view returns (bool);
    /// @notice Whether `spender` may move units from `from` to `to`. `spender == from` needs no entry of its own. Any
    /// other spender must be allowed to send. `from` zero is a mint, whose caller is no spender; `to` zero a burn.
    /// One call for one transfer: cheap, never reverts.
    function canMove(address spender, address from, address to) external view returns (bool);
    function investorOf(address account) external view returns (Investor memory);
    /// @notice Nonce that the next grant for `account` must carry.
    function nonceOf(address account) external view returns (uint256);
    /// @notice Digest that a compliance agent signs.
    function grantDigest(Grant calldata grant) external view returns (bytes32);
    function mirror() external view returns (IEligibilityMirror);
    function identityRegistry() external view returns (address);
}
