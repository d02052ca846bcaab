// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IBondVault} from "../interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {TrancheId} from "../token/TrancheId.sol";

/// @title Vouchers for compute
/// @notice Issued when units are burned, served by proof of delivery, or paid from the bond.
contract DeliveryDesk is IDeliveryDesk {
    using SafeCast for uint256;

    uint8 private constant KIND_DELIVERY = 1;
    /// @inheritdoc IDeliveryDesk
    uint64 public constant SERVE_GRACE = 1 days;

    /// @notice Register that names the token, the statements and the bonds.
    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc IDeliveryDesk
    uint256 public voucherCount;
    /// @inheritdoc IDeliveryDesk
    mapping(uint64 facilityId => uint256) public unservedGpuSeconds;
    mapping(uint256 voucherId => Voucher) private _vouchers;
    mapping(uint64 facilityId => mapping(bytes32 deliveryRef => address)) private _refHolders;
    mapping(uint64 facilityId => mapping(uint32 epoch => mapping(uint32 index => bool))) private _usedLines;

    /// @notice Deploys an empty desk.
    /// @param facilities Register that names the token, the statements and the bonds.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IDeliveryDesk
    function issue(address holder, uint256 id, uint256 units, bytes32 deliveryRef)
        external
        returns (uint256 voucherId)
    {
        require(msg.sender == address(facilityRegistry.trancheToken()), NotTrancheToken(msg.sender));
        require(deliveryRef != bytes32(0), DeliveryRefZero());
        uint64 facilityId = TrancheId.facilityOf(id);
        require(_isOpen(facilityId), DeliveryClosed(facilityId));
        // One holder for each lease hash: a stranger's voucher cannot use up the lines of somebody else's lease.
        address bound = _refHolders[facilityId][deliveryRef];
        require(bound == address(0) || bound == holder, DeliveryRefTaken(facilityId, deliveryRef, bound));
        if (bound == address(0)) _refHolders[facilityId][deliveryRef] = holder;
        voucherId = ++voucherCount;
        uint64 owed = (units * 1 hours).toUint64();
        _vouchers[voucherId] = Voucher({
            holder: holder,
            facilityId: facilityId,
            owedGpuSeconds: owed,
            servedGpuSeconds: 0,
            paidGpuSeconds: 0,
            issuedAt: uint64(block.timestamp),
            deliveryRef: deliveryRef
        });
        unservedGpuSeconds[facilityId] += owed;
        emit VoucherIssued(voucherId, facilityId, holder, id, units, deliveryRef);
    }

    /// @inheritdoc IDeliveryDesk
    function serve(
        uint256 voucherId,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) external {
        Voucher memory voucher = voucherOf(voucherId);
        uint256 left = _unserved(voucher);
        require(left > 0, NothingUnserved(voucherId));
        require(_servesVoucher(voucher, line), LineNotDelivery(voucherId));
        uint64 facilityId = line.facilityId;
        uint32 epoch = line.epoch;
        require(!_usedLines[facilityId][epoch][line.index], LineAlreadyUsed(facilityId, epoch, line.index));
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        require(statements.isFinal(facilityId, epoch), StatementNotFinal(facilityId, epoch));
        require(statements.verifyLine(statement, line, proof), LineNotProven(facilityId, epoch, line.index));
        _usedLines[facilityId][epoch][line.index] = true;
        uint64 credited = Math.min(left, line.gpuSeconds).toUint64();
        _vouchers[voucherId].servedGpuSeconds = voucher.servedGpuSeconds + credited;
        unservedGpuSeconds[facilityId] -= credited;
        emit VoucherServed(voucherId, epoch, line.index, credited);
    }

    /// @inheritdoc IDeliveryDesk
    function payUnserved(uint256 voucherId) external returns (uint256 amount) {
        Voucher memory voucher = voucherOf(voucherId);
        uint256 left = _unserved(voucher);
        require(left > 0, NothingUnserved(voucherId));
        uint64 facilityId = voucher.facilityId;
        _requireEnded(facilityId);
        IBondVault vault = facilityRegistry.bondVault();
        uint256 rate = vault.bondTermsOf(facilityId).ratePerGpuHour;
        // Only what the bond can pay is marked as paid: the rest stays owed should the bond be topped up. At a rate of
        // zero nothing will ever be paid, and the voucher is closed.
        uint256 covered = rate == 0 ? left : Math.min(left, vault.bondOf(facilityId) * 1 hours / rate);
        require(covered > 0, BondEmpty(facilityId));
        uint64 gpuSeconds = covered.toUint64();
        _vouchers[voucherId].paidGpuSeconds = voucher.paidGpuSeconds + gpuSeconds;
        unservedGpuSeconds[facilityId] -= covered;
        if (rate > 0) amount = vault.payUnserved(facilityId, voucher.holder, covered);
        emit VoucherPaid(voucherId, voucher.holder, gpuSeconds, amount);
    }

    /// @inheritdoc IDeliveryDesk
    function voucherOf(uint256 voucherId) public view returns (Voucher memory voucher) {
        voucher = _vouchers[voucherId];
        require(voucher.holder != address(0), VoucherUnknown(voucherId));
    }

    /// @inheritdoc IDeliveryDesk
    function isLineUsed(uint64 facilityId, uint32 epoch, uint32 index) external view returns (bool) {
        return _usedLines[facilityId][epoch][index];
    }

    /// @notice Whether a facility takes new vouchers: Funded or Delivering, before `windowEnd`.
    /// @param facilityId The facility.
    /// @return True if it does.
    function _isOpen(uint64 facilityId) private view returns (bool) {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        bool running =
            state == IFacilityRegistry.FacilityState.Funded || state == IFacilityRegistry.FacilityState.Delivering;
        return running && block.timestamp < facilityRegistry.termsOf(facilityId).windowEnd;
    }

    /// @notice Reverts with FacilityNotEnded or ServingStillOpen unless unserved compute of a facility may be paid.
    /// @param facilityId The facility.
    function _requireEnded(uint64 facilityId) private view {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        if (state == IFacilityRegistry.FacilityState.Defaulted) return;
        require(state == IFacilityRegistry.FacilityState.Matured, FacilityNotEnded(facilityId));
        uint64 payableFrom = facilityRegistry.termsOf(facilityId).windowEnd + SERVE_GRACE;
        require(block.timestamp >= payableFrom, ServingStillOpen(facilityId, payableFrom));
    }

    /// @notice Whether a line is a delivery for this voucher.
    /// @dev Compute that was delivered before the units were burned earned revenue as a unit, so it serves no voucher.
    /// @param voucher The voucher.
    /// @param line The line.
    /// @return True if it is.
    function _servesVoucher(Voucher memory voucher, IStatementRegistry.Line calldata line) private view returns (bool) {
        bool named = line.kind == KIND_DELIVERY && line.facilityId == voucher.facilityId
            && line.lease == voucher.deliveryRef && line.gpuSeconds > 0;
        if (!named || line.start < voucher.issuedAt) return false;
        IFacilityRegistry.FacilityTerms memory terms = facilityRegistry.termsOf(line.facilityId);
        return line.start >= terms.windowStart && line.end <= terms.windowEnd;
    }

    /// @notice What a voucher still owes.
    /// @param voucher The voucher.
    /// @return GPU-seconds.
    function _unserved(Voucher memory voucher) private pure returns (uint256) {
        return voucher.owedGpuSeconds - voucher.servedGpuSeconds - voucher.paidGpuSeconds;
    }
}
