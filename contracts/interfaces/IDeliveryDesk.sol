// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Vouchers: units burned for compute, to be served inside the delivery window
/// @notice One unit is one GPU-hour: 3,600 GPU-seconds owed. Delivery lines of final statements serve a voucher.
interface IDeliveryDesk {
    /// @param holder Who took delivery, and is paid for what stays unserved.
    /// @param facilityId The facility that owes the compute.
    /// @param owedGpuSeconds GPU-seconds owed: 3,600 a unit.
    /// @param servedGpuSeconds GPU-seconds proven as delivered.
    /// @param paidGpuSeconds GPU-seconds paid from the bond instead.
    /// @param deliveryRef Lease hash that delivery lines must carry.
    struct Voucher {
        address holder;
        uint64 facilityId;
        uint64 owedGpuSeconds;
        uint64 servedGpuSeconds;
        uint64 paidGpuSeconds;
        bytes32 deliveryRef;
    }

    event VoucherIssued(
        uint256 indexed voucherId,
        uint64 indexed facilityId,
        address indexed holder,
        uint256 id,
        uint256 units,
        bytes32 deliveryRef
    );
    event VoucherServed(uint256 indexed voucherId, uint32 indexed epoch, uint32 index, uint64 gpuSeconds);
    event VoucherPaid(uint256 indexed voucherId, address indexed holder, uint64 gpuSeconds, uint256 amount);

    error NotTrancheToken(address caller);
    error VoucherUnknown(uint256 voucherId);
    error LineNotDelivery(uint256 voucherId);
    error LineAlreadyUsed(uint64 facilityId, uint32 epoch, uint32 index);
    error StatementNotFinal(uint64 facilityId, uint32 epoch);
    error LineNotProven(uint64 facilityId, uint32 epoch, uint32 index);
    error FacilityNotEnded(uint64 facilityId);
    error NothingUnserved(uint256 voucherId);

    /// @notice Issues a voucher. Caller: TrancheToken, which burned the units.
    function issue(address holder, uint256 id, uint256 units, bytes32 deliveryRef) external returns (uint256 voucherId);
    /// @notice Counts one delivery line of a final statement towards a voucher. Caller: anybody. A line counts once.
    function serve(
        uint256 voucherId,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) external;
    /// @notice After the facility matured or defaulted, pays what stays unserved from the bond. Caller: anybody.
    function payUnserved(uint256 voucherId) external returns (uint256 amount);

    function voucherOf(uint256 voucherId) external view returns (Voucher memory);
    /// @notice GPU-seconds of all vouchers of a facility that are neither served nor paid.
    function unservedGpuSeconds(uint64 facilityId) external view returns (uint256);
}
