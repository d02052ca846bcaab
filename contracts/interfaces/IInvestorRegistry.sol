// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Investors: who may hold, send and receive units
/// @notice An account is eligible by an unexpired entry of this registry, or, where there is none, by an optional
/// ERC-3643 identity registry. Times are UTC seconds.
interface IInvestorRegistry {
    /// @param expiresAt Second from which the entry no longer counts.
    /// @param country ISO 3166-1 numeric.
    /// @param canSend Whether units may leave the account.
    /// @param canReceive Whether units may reach the account.
    struct Investor {
        uint64 expiresAt;
        uint16 country;
        bool canSend;
        bool canReceive;
    }

    /// @notice What a compliance agent signs (EIP-712) so that an investor can enter the registry alone.
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

    error GrantExpired(uint64 deadline, uint256 blockTime);
    error GrantNonceWrong(address account, uint256 expected, uint256 actual);
    error GrantSignatureInvalid(address agent);
    error NotComplianceAgent(address account);
    error ZeroAccount();

    /// @notice Sets an entry. Caller: the compliance role. Emits InvestorSet.
    function setInvestor(address account, Investor calldata entry) external;
    /// @notice Enters `grant.account` by the signature of an account with the compliance role. Caller: anybody.
    function onboard(Grant calldata grant, address agent, bytes calldata signature) external;
    /// @notice Names the ERC-3643 identity registry asked for accounts without an entry. Caller: governance.
    function setIdentityRegistry(address identityRegistry) external;

    function canSend(address account) external view returns (bool);
    function canReceive(address account) external view returns (bool);
    /// @notice Whether `spender` may move units from `from` to `to`. `spender == from` needs no entry of its own.
    /// `from` zero is a mint, `to` zero a burn. One call for one transfer: cheap, never reverts.
    function canMove(address spender, address from, address to) external view returns (bool);
    function investorOf(address account) external view returns (Investor memory);
    function nonceOf(address account) external view returns (uint256);
    function identityRegistry() external view returns (address);
}
