// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {SaleCheckout} from "./SaleCheckout.sol";

/// @title Sale, part 2: the price goes back to who paid it
/// @notice Units move only once their facility is funded, so the units of an account in a failed sale are exactly those
/// that it bought and was not refunded for: they are the record of its purchases.
abstract contract SaleRefunds is SaleCheckout {
    using SafeERC20 for IERC20;

    /// @inheritdoc IPrimarySale
    function refund(uint256 id, uint256 units, address to) external nonReentrant returns (uint256 amount) {
        _walletDesk.noteAct(msg.sender, true);
        return _refund(msg.sender, id, units, to);
    }

    /// @inheritdoc IPrimarySale
    function refundFor(address buyer, uint256 id, uint256 units, address to)
        external
        nonReentrant
        returns (uint256 amount)
    {
        require(msg.sender == address(_walletDesk), NotWalletDesk(msg.sender));
        return _refund(buyer, id, units, to);
    }

    /// @inheritdoc IPrimarySale
    function refundTo(address buyer, uint256 id) external nonReentrant returns (uint256 amount) {
        uint256 units = facilityRegistry.trancheToken().positionOf(buyer, id).units;
        return _refund(buyer, id, units, _walletDesk.payeeOf(buyer));
    }

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
