// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Signatures} from "../access/Signatures.sol";
import {IDeliveryDesk} from "../interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {TrancheId} from "../token/TrancheId.sol";

/// @title Vouchers for compute
/// @notice Issued on the gpuOperator's order when units are burned, and served by proof of delivery.
/// @dev Units are below 2^40, so that all GPU-seconds of a tranche fit 52 bits.
contract DeliveryDesk is IDeliveryDesk, EIP712("Rentroll Deliveries", "1") {
    using SafeCast for uint256;

    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "DeliveryOrder(address holder,uint256 id,uint256 units,bytes32 lease,uint256 nonce,uint256 deadline)"
    );
    uint8 private constant KIND_DELIVERY = 1;
    uint8 private constant KIND_LATE_DELIVERY = 3;

    /// @notice Register that names the token, the statements and the bonds.
    IFacilityRegistry public immutable facilityRegistry;
    IWalletDesk private immutable _walletDesk;
    /// @inheritdoc IDeliveryDesk
    uint256 public voucherCount;
    /// @inheritdoc IDeliveryDesk
    mapping(address gpuOperator => mapping(uint256 nonce => bool)) public isOrderUsed;
    mapping(uint256 voucherId => Voucher) private _vouchers;
    /// @inheritdoc IDeliveryDesk
    mapping(uint64 facilityId => uint64) public servedGpuSecondsOf;
    mapping(uint64 facilityId => uint64[4]) private _openGpuSeconds;
    mapping(uint64 facilityId => uint64[4]) private _openUnitSeconds;
    mapping(uint64 facilityId => mapping(bytes32 lease => address)) private _leaseHolders;
    mapping(uint64 facilityId => mapping(uint32 epoch => mapping(uint32 index => uint64))) private _usedGpuSeconds;

    /// @notice Deploys an empty desk.
    /// @param facilities Register that names the token, the statements and the bonds.
    /// @param wallets The contract that is told who acts, and that moves vouchers of lost wallets.
    constructor(IFacilityRegistry facilities, IWalletDesk wallets) {
        facilityRegistry = facilities;
        _walletDesk = wallets;
    }

    /// @inheritdoc IDeliveryDesk
    function takeDelivery(DeliveryOrder calldata order, bytes calldata signature) external returns (uint256 voucherId) {
        require(order.holder == msg.sender, OrderOfAnother(order.holder, msg.sender));
        _walletDesk.noteAct(msg.sender, false);
        (uint64 facilityId, uint8 seniority,) = TrancheId.unpack(order.id);
        _useOrder(facilityRegistry.gpuOperatorOf(facilityId), order, signature);
        _bindLease(facilityId, order.lease, msg.sender);
        // First, so that id and units are real ones below. A burn calls nobody.
        facilityRegistry.trancheToken().burnForDelivery(msg.sender, order.id, order.units);
        uint256 owed = gpuSecondsDown(order.id, order.units);
        require(owed > 0, DeliveryEmpty(order.id, order.units));
        voucherId = ++voucherCount;
        _vouchers[voucherId] = Voucher({
            holder: msg.sender,
            facilityId: facilityId,
            seniority: seniority,
            owedGpuSeconds: SafeCast.toUint56(owed),
            servedGpuSeconds: 0,
            units: SafeCast.toUint40(order.units),
            // Windows end before 2106.
            // forge-lint: disable-next-line(unsafe-typecast)
            issuedAt: uint40(block.timestamp),
            lease: order.lease
        });
        _openGpuSeconds[facilityId][seniority] += owed.toUint64();
        _openUnitSeconds[facilityId][seniority] += (order.units * 1 hours).toUint64();
        emit VoucherIssued(
            voucherId, facilityId, msg.sender, order.id, order.units, owed.toUint64(), order.lease, order.nonce
        );
    }

    /// @inheritdoc IDeliveryDesk
    function cancelOrder(uint256 nonce) external {
        _markUsed(msg.sender, nonce);
        emit OrderCancelled(msg.sender, nonce);
    }

    /// @inheritdoc IDeliveryDesk
    function moveVouchers(address holder, address to, uint256[] calldata voucherIds) external {
        require(msg.sender == address(_walletDesk), NotWalletDesk(msg.sender));
        for (uint256 i = 0; i < voucherIds.length; ++i) {
            Voucher storage voucher = _vouchers[voucherIds[i]];
            require(voucher.holder == holder, VoucherOfAnother(voucherIds[i], voucher.holder, holder));
            voucher.holder = to;
            _leaseHolders[voucher.facilityId][voucher.lease] = to;
            emit VoucherMoved(voucherIds[i], voucher.facilityId, holder, to);
        }
    }

    /// @inheritdoc IDeliveryDesk
    function serve(
        uint256[] calldata voucherIds,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) external returns (uint256 gpuSeconds) {
        _requireProven(statement, line, proof);
        uint256 used = _usedGpuSeconds[line.facilityId][line.epoch][line.index];
        uint256 delivered = _deliveredBy(line);
        require(used < delivered, LineAlreadyUsed(line.facilityId, line.epoch, line.index));
        uint256 unused = delivered - used;
        for (uint256 i = 0; i < voucherIds.length; ++i) {
            gpuSeconds += _serve(voucherIds[i], line, unused - gpuSeconds);
        }
        require(gpuSeconds > 0, NothingToServe(line.facilityId));
        _usedGpuSeconds[line.facilityId][line.epoch][line.index] = (used + gpuSeconds).toUint64();
        servedGpuSecondsOf[line.facilityId] += gpuSeconds.toUint64();
    }

    /// @inheritdoc IDeliveryDesk
    function gpuSecondsDown(uint256 id, uint256 units) public view returns (uint256) {
        (uint64 facilityId, uint8 seniority,) = TrancheId.unpack(id);
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        require(_isOpen(terms), DeliveryClosed(facilityId));
        uint256 rate = facilityRegistry.bondVault().bondTermsOf(facilityId).ratePerGpuHour;
        require(rate > 0, DeliveryWithoutRate(facilityId));
        uint256 window = terms.windowEnd - terms.windowStart;
        uint256 left = Math.min(window, terms.windowEnd - block.timestamp);
        // At most 2^40 units x 2^12 s x 2^32 s x a 64-bit worth: far below 2^256.
        return units * 1 hours * left * _worthOf(facilityId, seniority, rate) / (window * rate);
    }

    /// @inheritdoc IDeliveryDesk
    function voucherOf(uint256 voucherId) public view returns (Voucher memory voucher) {
        voucher = _vouchers[voucherId];
        require(voucher.holder != address(0), VoucherUnknown(voucherId));
    }

    /// @inheritdoc IDeliveryDesk
    function openGpuSecondsOf(uint64 facilityId) external view returns (uint64[4] memory) {
        return _openGpuSeconds[facilityId];
    }

    /// @inheritdoc IDeliveryDesk
    function openUnitSecondsOf(uint64 facilityId) external view returns (uint64[4] memory) {
        return _openUnitSeconds[facilityId];
    }

    /// @inheritdoc IDeliveryDesk
    function usedGpuSecondsOf(uint64 facilityId, uint32 epoch, uint32 index) external view returns (uint64) {
        return _usedGpuSeconds[facilityId][epoch][index];
    }

    /// @inheritdoc IDeliveryDesk
    function orderDigest(DeliveryOrder calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ORDER_TYPEHASH, order)));
    }

    /// @notice What a unit can get of all promised hours at the bond's rate, by rank: at most an hour, at most its
    /// coupon, and at most what more senior tranches at their caps leave.
    /// @dev So all vouchers together never ask for more than is promised, nor before seniors' coupons.
    /// @param facilityId The facility.
    /// @param seniority Rank of its tranche.
    /// @param rate The bond's rate.
    /// @return worth Minor units, rounded down.
    function _worthOf(uint64 facilityId, uint256 seniority, uint256 rate) private view returns (uint256 worth) {
        uint256 promised = facilityRegistry.promisedGpuSeconds(facilityId, facilityRegistry.epochCountOf(facilityId));
        uint256 left = promised * rate / 1 hours;
        IFacilityRegistry.TrancheTerms[] memory tranches = facilityRegistry.tranchesOf(facilityId);
        for (uint256 i = 0; i < seniority; ++i) {
            left = Math.saturatingSub(left, uint256(tranches[i].unitCap) * tranches[i].couponPerUnit);
        }
        worth = Math.min(rate, left / tranches[seniority].unitCap);
        if (seniority + 1 < tranches.length) worth = Math.min(worth, tranches[seniority].couponPerUnit);
    }

    /// @notice Uses up an order; reverts with OrderExpired, OrderUsed or OrderSignatureInvalid.
    /// @param gpuOperator The facility's gpuOperator.
    /// @param order What it signed.
    /// @param signature Its signature.
    function _useOrder(address gpuOperator, DeliveryOrder calldata order, bytes calldata signature) private {
        require(block.timestamp <= order.deadline, OrderExpired(order.deadline, block.timestamp));
        bool signed = Signatures.isValid(gpuOperator, orderDigest(order), signature);
        require(signed, OrderSignatureInvalid(gpuOperator));
        _markUsed(gpuOperator, order.nonce);
    }

    /// @notice Marks an order as used or cancelled. Reverts with OrderUsed.
    /// @param gpuOperator The account that signs it.
    /// @param nonce Number of the order.
    function _markUsed(address gpuOperator, uint256 nonce) private {
        require(!isOrderUsed[gpuOperator][nonce], OrderUsed(gpuOperator, nonce));
        isOrderUsed[gpuOperator][nonce] = true;
    }

    /// @notice Binds a lease to its first holder. Reverts with LeaseZero or LeaseTaken.
    /// @dev All vouchers that a line can serve are one holder's: nobody who calls `serve` can choose between holders.
    /// @param facilityId The facility.
    /// @param lease The lease hash.
    /// @param holder The holder.
    function _bindLease(uint64 facilityId, bytes32 lease, address holder) private {
        require(lease != bytes32(0), LeaseZero());
        address bound = _leaseHolders[facilityId][lease];
        require(bound == address(0) || bound == holder, LeaseTaken(facilityId, lease, bound));
        if (bound == address(0)) _leaseHolders[facilityId][lease] = holder;
    }

    /// @notice Counts some of a proven line towards one voucher and emits VoucherServed; nothing if nothing is open.
    /// Reverts with VoucherUnknown or LineNotForVoucher.
    /// @dev Compute that was delivered before the units were burned earned revenue as a unit, so it serves no voucher.
    /// @param voucherId The voucher.
    /// @param line The line.
    /// @param unused GPU-seconds of the line that serve no voucher yet.
    /// @return counted GPU-seconds counted.
    function _serve(uint256 voucherId, IStatementRegistry.Line calldata line, uint256 unused)
        private
        returns (uint256 counted)
    {
        Voucher memory voucher = voucherOf(voucherId);
        bool fits =
            line.facilityId == voucher.facilityId && line.lease == voucher.lease && line.start >= voucher.issuedAt;
        require(fits, LineNotForVoucher(voucherId));
        counted = Math.min(_open(voucher), unused);
        if (counted == 0) return 0;
        _vouchers[voucherId].servedGpuSeconds = SafeCast.toUint56(voucher.servedGpuSeconds + counted);
        _reduceOpen(voucher, counted);
        emit VoucherServed(voucherId, line.facilityId, line.epoch, line.index, counted.toUint64());
    }

    /// @notice Takes GPU-seconds of a voucher off the open sums of its tranche.
    /// @dev Unit-seconds are rounded down on what is open of the voucher, so that their sum is that of the vouchers.
    /// @param voucher The voucher as it was before.
    /// @param gpuSeconds GPU-seconds that are open no more.
    function _reduceOpen(Voucher memory voucher, uint256 gpuSeconds) private {
        uint256 open = _open(voucher);
        uint256 unitSeconds = _unitSecondsDown(voucher, open) - _unitSecondsDown(voucher, open - gpuSeconds);
        _openGpuSeconds[voucher.facilityId][voucher.seniority] -= gpuSeconds.toUint64();
        _openUnitSeconds[voucher.facilityId][voucher.seniority] -= unitSeconds.toUint64();
    }

    /// @notice Reverts with LineNotDelivery, FacilityClosed, StatementNotFinal or LineNotProven unless a line is a
    /// delivery of a final statement, inside the window of a facility that is not closed.
    /// @param statement The statement.
    /// @param line The line.
    /// @param proof Proof of the line.
    function _requireProven(
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) private view {
        (uint64 facilityId, uint32 epoch, uint32 index) = (line.facilityId, line.epoch, line.index);
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        bool inside = line.start >= terms.windowStart && line.start < line.end && line.end <= terms.windowEnd;
        require(inside && _deliveredBy(line) > 0, LineNotDelivery(facilityId, epoch, index));
        require(facilityRegistry.endingOf(facilityId).closedAt == 0, FacilityClosed(facilityId));
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        require(statements.isFinal(facilityId, epoch), StatementNotFinal(facilityId, epoch));
        require(statements.verifyLine(statement, line, proof), LineNotProven(facilityId, epoch, index));
    }

    /// @notice What a line delivers: a late one counts nothing in its statement, and serves by its length all the same.
    /// @param line The line; its interval does not end before it starts.
    /// @return GPU-seconds; 0 of a line that is no delivery.
    function _deliveredBy(IStatementRegistry.Line calldata line) private pure returns (uint256) {
        if (line.kind == KIND_LATE_DELIVERY) return line.end - line.start;
        return line.kind == KIND_DELIVERY ? line.gpuSeconds : 0;
    }

    /// @notice Whether a facility takes new vouchers: Funded or Delivering, before `windowEnd`.
    /// @param terms State and window of the facility.
    /// @return True if it does.
    function _isOpen(IFacilityRegistry.EpochTerms memory terms) private view returns (bool) {
        bool running = terms.state == IFacilityRegistry.FacilityState.Funded
            || terms.state == IFacilityRegistry.FacilityState.Delivering;
        return running && block.timestamp < terms.windowEnd;
    }

    /// @notice What of a voucher is not served.
    /// @param voucher The voucher.
    /// @return GPU-seconds.
    function _open(Voucher memory voucher) private pure returns (uint256) {
        return voucher.owedGpuSeconds - voucher.servedGpuSeconds;
    }

    /// @notice What part of a voucher's units some open GPU-seconds are.
    /// @param voucher The voucher.
    /// @param open Open GPU-seconds.
    /// @return Unit-seconds, rounded down.
    function _unitSecondsDown(Voucher memory voucher, uint256 open) private pure returns (uint256) {
        return uint256(voucher.units) * 1 hours * open / voucher.owedGpuSeconds;
    }
}
