// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {SaleBounds} from "./SaleBounds.sol";
import {SaleCheckout} from "./SaleCheckout.sol";
import {SaleRefunds} from "./SaleRefunds.sol";

/// @title Sale, part 3: how it ends, and where the proceeds go
/// @notice api/domain/capital/sale.py is the reference model.
contract PrimarySale is SaleRefunds {
    using SafeERC20 for IERC20;

    /// @notice Deploys the sale for one register.
    /// @param facilities The register, and through it the other contracts.
    /// @param wallets The contract that is told who acts.
    constructor(IFacilityRegistry facilities, IWalletDesk wallets) SaleCheckout(facilities, wallets) {}

    /// @inheritdoc IPrimarySale
    function finalize(uint64 facilityId) external nonReentrant {
        Book memory book = _books[facilityId];
        require(book.state == SaleState.Open, SaleNotOpen(facilityId, book.state));
        if (facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Cancelled) {
            _fail(facilityId, book.counted);
            return;
        }
        Hours memory when = _hours[facilityId];
        bool reached = book.soldUnits > 0 && book.counted >= when.floorProceeds;
        bool closed = block.timestamp >= when.closesAt;
        // Who buys up everything cannot end a sale that would fail.
        require(closed || (reached && _isSoldOut(facilityId, book.soldUnits)), SaleStillOpen(facilityId));
        if (reached && _isReady(facilityId)) {
            require(block.number > book.boughtAtBlock, BoughtInThisBlock(facilityId));
            _succeed(facilityId, book);
        } else {
            _fail(facilityId, book.counted);
            facilityRegistry.cancel(facilityId);
        }
    }

    /// @inheritdoc IPrimarySale
    function release(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        amount = releasable(facilityId);
        require(amount > 0, NothingToRelease(facilityId));
        _release(facilityId, amount);
    }

    /// @inheritdoc IPrimarySale
    function surrender(uint64 facilityId) external nonReentrant returns (Surrendered memory given) {
        require(msg.sender == address(facilityRegistry.rentLockbox()), NotRentLockbox(msg.sender));
        Book memory book = _books[facilityId];
        if (book.state != SaleState.Successful) return given;
        given.proceeds = book.proceeds;
        uint256 earned;
        (earned, given.unsigned) = _earnedDown(facilityId, book.proceeds);
        given.unearned = book.proceeds - earned;
        uint256 released = _spent[facilityId].released;
        if (earned > released) _release(facilityId, earned - released);
        uint64 escrow = book.proceeds - _spent[facilityId].released - _spent[facilityId].returned;
        given.escrow = escrow;
        uint64[] memory unitPrices = _unitPrices[facilityId];
        for (uint256 i = 0; i < unitPrices.length; ++i) {
            given.unitPrices[i] = unitPrices[i];
        }
        if (escrow == 0) return given;
        _spent[facilityId].returned += escrow;
        emit ProceedsSurrendered(facilityId, escrow, given.unearned);
        IERC20(facilityRegistry.settlementTokenOf(facilityId)).safeTransfer(msg.sender, escrow);
    }

    /// @inheritdoc IPrimarySale
    function releasable(uint64 facilityId) public view returns (uint256) {
        Book memory book = _books[facilityId];
        bool delivering = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Delivering;
        if (book.state != SaleState.Successful || !delivering) return 0;
        (uint256 earned,) = _earnedDown(facilityId, book.proceeds);
        uint256 released = _spent[facilityId].released;
        return earned > released ? earned - released : 0;
    }

    /// @notice Credits proceeds to the gpuOperator and emits ProceedsReleased.
    /// @param facilityId The facility.
    /// @param amount Minor units.
    function _release(uint64 facilityId, uint256 amount) private {
        uint64 released = SafeCast.toUint64(_spent[facilityId].released + amount);
        _spent[facilityId].released = released;
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        owedTo[facilityRegistry.settlementTokenOf(facilityId)][gpuOperator] += amount;
        emit ProceedsReleased(facilityId, gpuOperator, amount, released);
    }

    /// @notice Proceeds that the gpuOperator has earned: the up-front share, and the rest in proportion to what was
    /// available of what was promised. Only final epochs count, each time up to what was promised of all of them: hours
    /// beyond the promise earn nothing in advance.
    /// @dev Can fall: availability is cumulative, and what was promised so far grows with each epoch.
    /// @param facilityId The facility.
    /// @param proceeds Proceeds of the sale, minor units.
    /// @return earned Minor units, rounded down.
    /// @return unsigned What published epochs that are not final would have earned, minor units, rounded down.
    function _earnedDown(uint64 facilityId, uint256 proceeds) private view returns (uint256 earned, uint256 unsigned) {
        uint256 upFront = _upFrontDown(facilityId, proceeds);
        uint256 toEarn = proceeds - upFront;
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        uint256 promised = facilityRegistry.promisedGpuSeconds(facilityId, facilityRegistry.epochCountOf(facilityId));
        (uint32 epochs, uint64 available,) = statements.finalTotals(facilityId, 0);
        uint256 stated = facilityRegistry.promisedGpuSeconds(facilityId, epochs);
        earned = upFront + toEarn * Math.min(available, stated) / promised;
        uint32 published = statements.opennessOf(facilityId).firstOpen;
        unsigned = toEarn * (facilityRegistry.promisedGpuSeconds(facilityId, published) - stated) / promised;
    }

    /// @notice The share of the proceeds that the gpuOperator may take from `windowStart` on.
    /// @param facilityId The facility.
    /// @param proceeds Proceeds of the sale, minor units.
    /// @return Minor units, rounded down.
    function _upFrontDown(uint64 facilityId, uint256 proceeds) private view returns (uint256) {
        return proceeds * _hours[facilityId].upFrontBps / SaleBounds.BPS;
    }

    /// @notice Whether the bond is sufficient and the pledge approved. Before `windowStart` what is missing can still
    /// come, so the call reverts with BondInsufficient or PledgeNotApproved; from then on it is too late.
    /// @param facilityId The facility.
    /// @return True if nothing is missing.
    function _isReady(uint64 facilityId) private view returns (bool) {
        bool bonded = facilityRegistry.bondVault().isSufficient(facilityId);
        bool pledged = facilityRegistry.pledgeRegistry().isApproved(facilityId);
        if (block.timestamp < facilityRegistry.epochTermsOf(facilityId).windowStart) {
            require(bonded, BondInsufficient(facilityId));
            require(pledged, PledgeNotApproved(facilityId));
        }
        return bonded && pledged;
    }

    /// @notice Marks a sale as successful, emits SaleSucceeded and funds the facility. Nothing is called that the
    /// gpuOperator, its registration or a role could make fail.
    /// @param facilityId The facility.
    /// @param book Running totals of the sale.
    function _succeed(uint64 facilityId, Book memory book) private {
        _books[facilityId].state = SaleState.Successful;
        emit SaleSucceeded(facilityId, book.soldUnits, book.proceeds, _upFrontDown(facilityId, book.proceeds));
        facilityRegistry.fund(facilityId);
    }

    /// @notice Marks a sale as failed and emits SaleFailed.
    /// @param facilityId The facility.
    /// @param counted Proceeds that count towards the floor, minor units.
    function _fail(uint64 facilityId, uint256 counted) private {
        _books[facilityId].state = SaleState.Refunding;
        emit SaleFailed(facilityId, counted, _hours[facilityId].floorProceeds);
    }

    /// @notice Whether no unit is left. A running sale alone mints, and nothing burns.
    /// @param facilityId The facility.
    /// @param soldUnits Units sold.
    /// @return True if none is.
    function _isSoldOut(uint64 facilityId, uint256 soldUnits) private view returns (bool) {
        IFacilityRegistry.TrancheTerms[] memory tranches = facilityRegistry.tranchesOf(facilityId);
        uint256 units = 0;
        for (uint256 i = 0; i < tranches.length; ++i) {
            units += tranches[i].unitCap;
        }
        return soldUnits == units;
    }
}
