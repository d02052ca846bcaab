// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {ITrancheToken} from "../interfaces/ITrancheToken.sol";
import {TrancheId} from "../token/TrancheId.sol";
import {SaleCheckout} from "./SaleCheckout.sol";

/// @title Sale, part 2: how it ends, and where the proceeds go
/// @notice api/domain/capital/sale.py is the reference model.
contract PrimarySale is SaleCheckout {
    using SafeERC20 for IERC20;

    /// @dev How long after windowStart a sale can still succeed.
    uint256 private constant FINALIZE_GRACE = 3 days;

    /// @notice Deploys the sale for one register.
    /// @param facilities The register, and through it the other contracts.
    constructor(IFacilityRegistry facilities) SaleCheckout(facilities) {}

    /// @inheritdoc IPrimarySale
    function finalize(uint64 facilityId) external nonReentrant {
        Book memory book = _books[facilityId];
        require(book.state == SaleState.Open, SaleNotOpen(facilityId, book.state));
        if (facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Cancelled) {
            _fail(facilityId, book.soldUnits);
            return;
        }
        uint40[] memory unsold = _unsold(facilityId);
        bool closed = block.timestamp >= _hours[facilityId].closesAt;
        require(closed || _isSoldOut(unsold), SaleStillOpen(facilityId));
        if (_canSucceed(facilityId, book.soldUnits)) {
            _succeed(facilityId, book, unsold);
        } else {
            _fail(facilityId, book.soldUnits);
            facilityRegistry.cancel(facilityId);
        }
    }

    /// @inheritdoc IPrimarySale
    function refund(uint256 id, uint256 units, address to) external nonReentrant returns (uint256 amount) {
        _requireRecipient(to);
        require(units > 0, UnitsZero());
        (uint64 facilityId, uint8 seniority, bool valid) = TrancheId.unpack(id);
        Book memory book = _books[facilityId];
        require(book.state == SaleState.Refunding, NotRefunding(facilityId));
        require(valid && seniority < _unitPrices[facilityId].length, TrancheUnknown(id));
        require(units <= book.soldUnits, UnitsAboveCap(id, units, book.soldUnits));
        amount = units * _unitPrices[facilityId][seniority];
        book.soldUnits = SafeCast.toUint40(book.soldUnits - units);
        book.proceeds = SafeCast.toUint64(book.proceeds - amount);
        _books[facilityId] = book;
        emit UnitsRefunded(facilityId, msg.sender, id, units, amount, to);
        facilityRegistry.trancheToken().burnForRefund(msg.sender, id, units);
        IERC20(facilityRegistry.settlementTokenOf(facilityId)).safeTransfer(to, amount);
    }

    /// @inheritdoc IPrimarySale
    function release(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        amount = releasable(facilityId);
        require(amount > 0, NothingToRelease(facilityId));
        uint64 released = SafeCast.toUint64(_books[facilityId].released + amount);
        _books[facilityId].released = released;
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        owedTo[facilityRegistry.settlementTokenOf(facilityId)][gpuOperator] += amount;
        emit ProceedsReleased(facilityId, gpuOperator, amount, released);
    }

    /// @inheritdoc IPrimarySale
    function seize(uint64 facilityId) external nonReentrant returns (uint256 amount) {
        Book memory book = _books[facilityId];
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        uint256 kept = book.proceeds;
        if (state == IFacilityRegistry.FacilityState.Defaulted) kept = book.released;
        else if (state == IFacilityRegistry.FacilityState.Matured) kept = _earnedDown(facilityId, book);
        bool successful = book.state == SaleState.Successful;
        amount = successful ? book.proceeds - kept - book.seized : 0;
        require(amount > 0, NothingToSeize(facilityId));
        _books[facilityId].seized = SafeCast.toUint64(book.seized + amount);
        emit ProceedsSeized(facilityId, amount);
        IRentLockbox lockbox = facilityRegistry.rentLockbox();
        IERC20(facilityRegistry.settlementTokenOf(facilityId)).forceApprove(address(lockbox), amount);
        lockbox.distribute(facilityId, amount);
    }

    /// @inheritdoc IPrimarySale
    function releasable(uint64 facilityId) public view returns (uint256) {
        Book memory book = _books[facilityId];
        bool defaulted = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Defaulted;
        if (book.state != SaleState.Successful || defaulted) return 0;
        return _earnedDown(facilityId, book) - book.released;
    }

    /// @notice Proceeds that the gpuOperator has earned: the up-front share, and the rest in proportion to delivery.
    /// @dev Depends on final epochs alone, so it never falls.
    /// @param facilityId The facility.
    /// @param book Running totals of the sale.
    /// @return Minor units, rounded down.
    function _earnedDown(uint64 facilityId, Book memory book) private view returns (uint256) {
        uint256 upFront = _upFrontDown(facilityId, book.proceeds);
        uint256 promised = facilityRegistry.promisedGpuSeconds(facilityId, facilityRegistry.epochCountOf(facilityId));
        if (promised == 0) return book.proceeds;
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        (uint256 available,) = statements.finalTotalsOf(facilityId, statements.epochsFinal(facilityId));
        return upFront + (book.proceeds - upFront) * Math.min(available, promised) / promised;
    }

    /// @notice The share of the proceeds that the gpuOperator may take at success.
    /// @param facilityId The facility.
    /// @param proceeds Proceeds of the sale, minor units.
    /// @return Minor units, rounded down.
    function _upFrontDown(uint64 facilityId, uint256 proceeds) private view returns (uint256) {
        return proceeds * _hours[facilityId].upFrontBps / BPS;
    }

    /// @notice Whether a sale that has ended succeeds. Before `windowStart` a missing bond can still come, so the call
    /// reverts with BondInsufficient; from then on it is too late.
    /// @dev Before windowStart a missing bond can still come; from then on it is too late.
    /// @param facilityId The facility.
    /// @param soldUnits Units sold.
    /// @return True if it succeeds.
    function _canSucceed(uint64 facilityId, uint256 soldUnits) private view returns (bool) {
        if (soldUnits < _hours[facilityId].floorUnits) return false;
        uint64 windowStart = facilityRegistry.epochTermsOf(facilityId).windowStart;
        IBondVault bonds = facilityRegistry.bondVault();
        bool bonded = bonds.isSufficient(facilityId);
        if (block.timestamp < windowStart) require(bonded, BondInsufficient(facilityId));
        return bonded && block.timestamp < windowStart + FINALIZE_GRACE;
    }

    /// @notice Marks a sale as successful, mints unsold units to the gpuOperator and funds the facility. Emits
    /// SaleSucceeded and UnitsRetained.
    /// @param facilityId The facility.
    /// @param book Running totals of the sale.
    /// @param unsold Unsold units by seniority.
    function _succeed(uint64 facilityId, Book memory book, uint40[] memory unsold) private {
        _books[facilityId].state = SaleState.Successful;
        emit SaleSucceeded(facilityId, book.soldUnits, book.proceeds, _upFrontDown(facilityId, book.proceeds));
        ITrancheToken token = facilityRegistry.trancheToken();
        address gpuOperator = facilityRegistry.gpuOperatorOf(facilityId);
        for (uint256 i = 0; i < unsold.length; ++i) {
            if (unsold[i] == 0) continue;
            uint256 id = _id(facilityId, i);
            emit UnitsRetained(facilityId, gpuOperator, id, unsold[i]);
            token.mint(gpuOperator, id, unsold[i]);
        }
        facilityRegistry.fund(facilityId);
    }

    /// @notice Marks a sale as failed and emits SaleFailed.
    /// @param facilityId The facility.
    /// @param soldUnits Units sold.
    function _fail(uint64 facilityId, uint256 soldUnits) private {
        _books[facilityId].state = SaleState.Refunding;
        emit SaleFailed(facilityId, soldUnits, _hours[facilityId].floorUnits);
    }

    /// @notice Units of each tranche that were not sold.
    /// @param facilityId The facility.
    /// @return unsold Units by seniority.
    function _unsold(uint64 facilityId) private view returns (uint40[] memory unsold) {
        IFacilityRegistry.TrancheTerms[] memory tranches = facilityRegistry.tranchesOf(facilityId);
        ITrancheToken token = facilityRegistry.trancheToken();
        unsold = new uint40[](tranches.length);
        for (uint256 i = 0; i < tranches.length; ++i) {
            unsold[i] = SafeCast.toUint40(tranches[i].unitCap - token.totalSupply(_id(facilityId, i)));
        }
    }

    /// @notice Whether no unit is left.
    /// @param unsold Unsold units by seniority.
    /// @return True if none is.
    function _isSoldOut(uint40[] memory unsold) private pure returns (bool) {
        for (uint256 i = 0; i < unsold.length; ++i) {
            if (unsold[i] > 0) return false;
        }
        return true;
    }

    /// @notice Id of a tranche.
    /// @param facilityId The facility.
    /// @param seniority Rank of the tranche, below 4.
    /// @return The id.
    function _id(uint64 facilityId, uint256 seniority) private pure returns (uint256) {
        // At most four tranches, so the index fits 8 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        return TrancheId.pack(facilityId, uint8(seniority));
    }
}
