// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Signatures} from "../access/Signatures.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {SaleCheckout} from "./SaleCheckout.sol";

/// @title Sale, part 2: the price goes back to who paid it
/// @notice Units move only once their facility is funded, so the units of an account in a failed sale are exactly those
/// that it bought and was not refunded for: they are the record of its purchases.
abstract contract SaleRefunds is SaleCheckout, EIP712("Rentroll Sale", "1"), Nonces {
    using SafeERC20 for IERC20;

    bytes32 private constant REFUND_TYPEHASH =
        keccak256("Refund(address buyer,uint256 id,uint256 units,address to,uint256 nonce,uint256 deadline)");

    /// @inheritdoc IPrimarySale
    function refund(uint256 id, uint256 units, address to) external nonReentrant returns (uint256 amount) {
        return _refund(msg.sender, id, units, to);
    }

    /// @inheritdoc IPrimarySale
    function refundBySig(
        address buyer,
        uint256 id,
        uint256 units,
        address to,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant returns (uint256 amount) {
        require(block.timestamp <= deadline, DeadlinePassed(deadline, block.timestamp));
        bytes32 structHash = keccak256(abi.encode(REFUND_TYPEHASH, buyer, id, units, to, _useNonce(buyer), deadline));
        require(Signatures.isValid(buyer, _hashTypedDataV4(structHash), signature), SignatureInvalid(buyer));
        return _refund(buyer, id, units, to);
    }

    /// @inheritdoc IPrimarySale
    function refundTo(address buyer, uint256 id) external nonReentrant returns (uint256 amount) {
        return _refund(buyer, id, facilityRegistry.trancheToken().positionOf(buyer, id).units, buyer);
    }

    // solhint-disable func-name-mixedcase
    /// @notice EIP-712 domain separator of `refundBySig`.
    /// @return The separator.
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // solhint-enable func-name-mixedcase

    /// @notice Takes units of a failed sale back and pays exactly their price. Emits UnitsRefunded.
    /// @param buyer The account that bought them.
    /// @param id Tranche of the units.
    /// @param units Units to take back.
    /// @param to The account that receives the money.
    /// @return amount Minor units paid.
    function _refund(address buyer, uint256 id, uint256 units, address to) private returns (uint256 amount) {
        _requireRecipient(to);
        require(units > 0, UnitsZero());
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        Book memory book = _books[facilityId];
        require(book.state == SaleState.Refunding, NotRefunding(facilityId));
        require(valid && seniority < _unitPrices[facilityId].length, TrancheUnknown(id));
        ITrancheToken token = facilityRegistry.trancheToken();
        uint256 bought = token.positionOf(buyer, id).units;
        require(units <= bought, UnitsAboveCap(id, units, bought));
        amount = units * _unitPrices[facilityId][seniority];
        // What is refunded was sold: units are in `soldUnits`, and their price in `proceeds`.
        // forge-lint: disable-start(unsafe-typecast)
        book.soldUnits -= uint40(units);
        book.proceeds -= uint64(amount);
        // forge-lint: disable-end(unsafe-typecast)
        _books[facilityId] = book;
        emit UnitsRefunded(facilityId, buyer, id, units, amount, to);
        token.burnForRefund(buyer, id, units);
        IERC20(facilityRegistry.settlementTokenOf(facilityId)).safeTransfer(to, amount);
    }
}
