// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {AuthorityUtils} from "@openzeppelin/contracts/access/manager/AuthorityUtils.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IEligibilityMirror} from "../interfaces/IEligibilityMirror.sol";
import {IIdentityRegistry} from "../interfaces/IIdentityRegistry.sol";
import {IInvestorRegistry} from "../interfaces/IInvestorRegistry.sol";
import {Signatures} from "./Signatures.sol";

/// @title Allow-list of investors
/// @notice Entries are set by the compliance role, or by an investor with a grant that a compliance agent signed. An
/// ERC-3643 identity registry may be a second source.
contract InvestorRegistry is IInvestorRegistry, AccessManaged, EIP712("Rentroll Investors", "1") {
    bytes32 private constant GRANT_TYPEHASH = keccak256(
        "Grant(address account,uint64 expiresAt,uint16 country,bool canSend,bool canReceive,uint256 nonce,"
        "uint64 deadline)"
    );
    /// @dev Bounds what an identity registry that loops or returns megabytes can cost.
    uint256 private constant IDENTITY_GAS = 50_000;

    /// @inheritdoc IInvestorRegistry
    address public identityRegistry;
    /// @inheritdoc IInvestorRegistry
    IEligibilityMirror public mirror;
    /// @inheritdoc IInvestorRegistry
    mapping(address account => uint256) public nonceOf;
    mapping(address account => Investor) private _investors;

    /// @notice Deploys an empty registry.
    /// @param authority AccessManager that holds the roles.
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc IInvestorRegistry
    function setInvestor(address account, Investor calldata entry) external restricted {
        // Grants signed before this decision must not undo it.
        ++nonceOf[account];
        _setEntry(account, msg.sender, entry);
    }

    /// @inheritdoc IInvestorRegistry
    function onboard(Grant calldata grant, address agent, bytes calldata signature) external {
        require(block.timestamp <= grant.deadline, GrantExpired(grant.deadline, block.timestamp));
        uint256 nonce = nonceOf[grant.account];
        require(grant.nonce == nonce, GrantNonceWrong(grant.account, nonce, grant.nonce));
        // Who could call `setInvestor` now, without a delay, may also sign.
        (bool immediate,) =
            AuthorityUtils.canCallWithDelay(authority(), agent, address(this), this.setInvestor.selector);
        require(immediate, NotComplianceAgent(agent));
        require(Signatures.isValid(agent, grantDigest(grant), signature), GrantSignatureInvalid(agent));
        nonceOf[grant.account] = nonce + 1;
        _setEntry(grant.account, agent, Investor(grant.expiresAt, grant.country, grant.canSend, grant.canReceive));
    }

    /// @inheritdoc IInvestorRegistry
    function setIdentityRegistry(address registry) external restricted {
        identityRegistry = registry;
        emit IdentityRegistrySet(registry);
    }

    /// @inheritdoc IInvestorRegistry
    function linkMirror(IEligibilityMirror token) external restricted {
        require(address(mirror) == address(0), MirrorLinked(address(mirror)));
        mirror = token;
        emit MirrorSet(address(token));
    }

    /// @inheritdoc IInvestorRegistry
    function resync(address account) external {
        _copyToMirror(account, _investors[account]);
    }

    /// @inheritdoc IInvestorRegistry
    function canMove(address spender, address from, address to) external view returns (bool) {
        if (from != address(0) && !canSend(from)) return false;
        if (to != address(0) && !canReceive(to)) return false;
        // The token authorised the minter, which moves nobody's units.
        return spender == from || from == address(0) || canSend(spender);
    }

    /// @inheritdoc IInvestorRegistry
    function canSend(address account) public view returns (bool) {
        Investor storage entry = _investors[account];
        uint256 expiresAt = entry.expiresAt;
        return expiresAt == 0 ? _verified(account) : block.timestamp < expiresAt && entry.canSend;
    }

    /// @inheritdoc IInvestorRegistry
    function canReceive(address account) public view returns (bool) {
        Investor storage entry = _investors[account];
        uint256 expiresAt = entry.expiresAt;
        return expiresAt == 0 ? _verified(account) : block.timestamp < expiresAt && entry.canReceive;
    }

    /// @inheritdoc IInvestorRegistry
    function investorOf(address account) external view returns (Investor memory) {
        return _investors[account];
    }

    /// @inheritdoc IInvestorRegistry
    function grantDigest(Grant calldata grant) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(GRANT_TYPEHASH, grant)));
    }

    /// @notice Stores an entry, emits InvestorSet and copies it to the token. Reverts with ZeroAccount.
    /// @param account The investor.
    /// @param agent The compliance agent that decided.
    /// @param entry The entry.
    function _setEntry(address account, address agent, Investor memory entry) private {
        require(account != address(0), ZeroAccount());
        _investors[account] = entry;
        emit InvestorSet(account, agent, entry.expiresAt, entry.country, entry.canSend, entry.canReceive);
        _copyToMirror(account, entry);
    }

    /// @notice Tells the token until when an account may send and receive; nothing if no token is named.
    /// @param account The investor.
    /// @param entry Its entry.
    function _copyToMirror(address account, Investor memory entry) private {
        if (address(mirror) == address(0)) return;
        mirror.mirrorInvestor(account, entry.canSend ? entry.expiresAt : 0, entry.canReceive ? entry.expiresAt : 0);
    }

    /// @notice Whether the second source says that an account is eligible.
    /// @dev A registry that reverts, has no code, burns gas or answers anything but `true` verifies nobody.
    /// @param account The account.
    /// @return True if it does.
    function _verified(address account) private view returns (bool) {
        address registry = identityRegistry;
        if (registry == address(0)) return false;
        (bool success, bytes memory answer) =
            registry.staticcall{gas: IDENTITY_GAS}(abi.encodeCall(IIdentityRegistry.isVerified, (account)));
        return success && answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
    }
}
