// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IPayouts} from "../interfaces/IPayouts.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {Signatures} from "./Signatures.sol";
import {WalletProposals} from "./WalletProposals.sol";

/// @title Wallet desk, part 2: what an account signs for others to call
/// @notice One place for all contracts that pay, so that none of them has to check signatures.
abstract contract WalletSignatures is WalletProposals, IWalletDesk, Nonces, ReentrancyGuardTransient {
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address holder,uint256[] ids,address to,uint256 nonce,uint256 deadline)");
    bytes32 private constant REFUND_TYPEHASH =
        keccak256("Refund(address buyer,uint256 id,uint256 units,address to,uint256 nonce,uint256 deadline)");
    bytes32 private constant WITHDRAW_TYPEHASH =
        keccak256("Withdraw(address source,address token,address account,address to,uint256 nonce,uint256 deadline)");

    /// @inheritdoc IWalletDesk
    function claimBySig(address holder, uint256[] calldata ids, address to, uint256 deadline, bytes calldata signature)
        external
        nonReentrant
        returns (uint256 paid)
    {
        bytes32 idsHash = keccak256(abi.encodePacked(ids));
        bytes memory signed = abi.encode(CLAIM_TYPEHASH, holder, idsHash, to, _useNonce(holder), deadline);
        _requireSigned(holder, signed, deadline, signature);
        return facilityRegistry.trancheToken().claimFor(holder, ids, to);
    }

    /// @inheritdoc IWalletDesk
    function refundBySig(
        address buyer,
        uint256 id,
        uint256 units,
        address to,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant returns (uint256 amount) {
        bytes memory signed = abi.encode(REFUND_TYPEHASH, buyer, id, units, to, _useNonce(buyer), deadline);
        _requireSigned(buyer, signed, deadline, signature);
        return facilityRegistry.primarySale().refundFor(buyer, id, units, to);
    }

    /// @inheritdoc IWalletDesk
    function withdrawBySig(
        IPayouts source,
        address token,
        address account,
        address to,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant returns (uint256 amount) {
        bytes memory signed = abi.encode(WITHDRAW_TYPEHASH, source, token, account, to, _useNonce(account), deadline);
        _requireSigned(account, signed, deadline, signature);
        return _withdraw(source, token, account, to);
    }

    // solhint-disable func-name-mixedcase
    /// @notice EIP-712 domain separator of all signatures that this contract takes.
    /// @return The separator.
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // solhint-enable func-name-mixedcase

    /// @notice Pays what an account is owed. Reverts with NotOurContract.
    /// @param source The contract that owes it.
    /// @param token The token.
    /// @param account The account.
    /// @param to The account that receives it.
    /// @return Minor units.
    function _withdraw(IPayouts source, address token, address account, address to) internal returns (uint256) {
        require(_isPayer(address(source)), NotOurContract(address(source)));
        return source.withdrawFor(account, token, to);
    }

    /// @notice Whether an account is one of our contracts that owe money.
    /// @param account The account.
    /// @return True if it is.
    function _isPayer(address account) internal view returns (bool) {
        return account == address(facilityRegistry.rentLockbox()) || account == address(facilityRegistry.primarySale())
            || account == address(facilityRegistry.bondVault())
            || account == address(facilityRegistry.attesterRegistry())
            || account == address(facilityRegistry.attesterDesk());
    }

    /// @notice Reverts with DeadlinePassed or SignatureInvalid unless an account signed something; books it as its act.
    /// @param account The account.
    /// @param signed What it is to have signed, as EIP-712 encodes it.
    /// @param deadline Last second of the signature.
    /// @param signature The signature.
    function _requireSigned(address account, bytes memory signed, uint256 deadline, bytes calldata signature) private {
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        bool valid = Signatures.isValid(account, _hashTypedDataV4(keccak256(signed)), signature);
        require(valid, SignatureInvalid(account));
        _noteAct(account, true);
    }
}
