// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {IERC7943MultiToken} from "../interfaces/IERC7943.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPayouts} from "../interfaces/IPayouts.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {IWalletProposals} from "../interfaces/IWalletProposals.sol";
import {WalletProposals} from "./WalletProposals.sol";
import {WalletSignatures} from "./WalletSignatures.sol";

/// @title Wallet desk, part 3: what is collected for a wallet that cannot act
/// @notice Holds the enforcer role, for `collectUnits` alone. It never holds units or money.
contract WalletDesk is WalletSignatures, Multicall {
    /// @notice Deploys an empty desk.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names the other contracts.
    constructor(address authority, IFacilityRegistry facilities) WalletProposals(authority, facilities) {}

    /// @inheritdoc IWalletDesk
    function collectUnits(address wallet, uint256[] calldata ids) external nonReentrant {
        address to = _requireHeir(wallet);
        address token = address(facilityRegistry.trancheToken());
        for (uint256 i = 0; i < ids.length; ++i) {
            _requireQuiet(wallet, ids[i]);
            _collectUnits(token, wallet, to, ids[i]);
        }
    }

    /// @inheritdoc IWalletDesk
    function collectRevenue(address wallet, uint256[] calldata ids, address to)
        external
        nonReentrant
        returns (uint256 paid)
    {
        _requirePayee(wallet, to);
        if (successorOf[wallet] != address(0)) {
            for (uint256 i = 0; i < ids.length; ++i) {
                _requireQuiet(wallet, ids[i]);
            }
        }
        return facilityRegistry.trancheToken().claimFor(wallet, ids, to);
    }

    /// @inheritdoc IWalletDesk
    function collectPayout(IPayouts source, address token, address wallet, address to)
        external
        nonReentrant
        returns (uint256 amount)
    {
        _requirePayee(wallet, to);
        return _withdraw(source, token, wallet, to);
    }

    /// @inheritdoc IWalletDesk
    function collectVouchers(address wallet, uint256[] calldata voucherIds) external {
        facilityRegistry.deliveryDesk().moveVouchers(wallet, _requireHeir(wallet), voucherIds);
    }

    /// @inheritdoc IWalletProposals
    function isOurs(address account) public view override(WalletProposals, IWalletProposals) returns (bool) {
        if (account.code.length == 0) return false;
        IFacilityRegistry facilities = facilityRegistry;
        ITrancheToken token = facilities.trancheToken();
        return account == address(this) || account == address(facilities) || _isWitness(account)
            || account == address(facilities.statementRegistry()) || account == address(token.investorRegistry())
            || account == address(facilities.refundDesk()) || facilities.isSettlementToken(account);
    }

    /// @notice Whether a contract of ours sees wallets act: the token, those that owe money, and the desk of vouchers.
    /// @param account The account.
    /// @return True if it does.
    function _isWitness(address account) internal view override returns (bool) {
        return account == address(facilityRegistry.trancheToken()) || _isPayer(account)
            || account == address(facilityRegistry.deliveryDesk());
    }

    /// @notice Marks positions as watched, in the token and here, and emits PositionsWatched.
    /// @param wallet The wallet.
    /// @param ids Tranches of the positions.
    function _watch(address wallet, uint256[] calldata ids) internal override {
        for (uint256 i = 0; i < ids.length; ++i) {
            _startWatch(wallet, ids[i]);
        }
        facilityRegistry.trancheToken().watch(wallet, ids);
        emit PositionsWatched(wallet, ids);
    }

    /// @notice Moves all units of one position, and emits UnitsRecovered.
    /// @dev What is frozen is frozen at the new wallet before its units come: its hook cannot send them on.
    /// @param tokenAddress The token of units.
    /// @param wallet The lost wallet.
    /// @param to The new wallet.
    /// @param id The tranche.
    function _collectUnits(address tokenAddress, address wallet, address to, uint256 id) private {
        uint256 units = ITrancheToken(tokenAddress).positionOf(wallet, id).units;
        IERC7943MultiToken token = IERC7943MultiToken(tokenAddress);
        uint256 frozen = token.getFrozenTokens(wallet, id);
        if (frozen > 0) {
            token.setFrozenTokens(to, id, token.getFrozenTokens(to, id) + frozen);
            token.setFrozenTokens(wallet, id, 0);
        }
        if (units > 0) token.forcedTransfer(wallet, to, id, units);
        emit UnitsRecovered(wallet, to, id, units, frozen);
    }

    /// @notice The new wallet of a recovered one. Reverts with NotRecovered.
    /// @param wallet The lost wallet.
    /// @return The new wallet.
    function _requireHeir(address wallet) private view returns (address) {
        require(successorOf[wallet] != address(0), NotRecovered(wallet));
        return _heirOf(wallet);
    }

    /// @notice Reverts with NoPayee or ReceiverNotPayee unless money of a wallet may go to an account.
    /// @param wallet The wallet.
    /// @param to The account.
    function _requirePayee(address wallet, address to) private view {
        address payee = successorOf[wallet];
        if (payee == address(0)) {
            payee = beneficiaryOf[wallet];
            // It may have been an account with code then, and one that delegates now.
            require(payee != address(0) && _cannotClaim(wallet), NoPayee(wallet));
        }
        payee = _heirOf(payee);
        require(to == payee || msg.sender == payee, ReceiverNotPayee(payee, to));
    }
}
