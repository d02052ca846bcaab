// SPDX-License-Identifier: Apache-2.0
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
    /// @param issuedAt When the units were burned; compute of before serves no voucher.
    /// @param deliveryRef Lease hash that delivery lines must carry.
    struct Voucher {
        address holder;
        uint64 facilityId;
        uint64 owedGpuSeconds;
        uint64 servedGpuSeconds;
        uint64 paidGpuSeconds;
        uint64 issuedAt;
        bytes32 deliveryRef;
    }

    /// @notice Units of `id` were burned for compute.
    event VoucherIssued(
        uint256 indexed voucherId,
        uint64 indexed facilityId,
        address indexed holder,
        uint256 id,
        uint256 units,
        bytes32 deliveryRef
    );
    /// @notice Line `index` of the statement of `epoch` counted `gpuSeconds` towards the voucher.
    event VoucherServed(uint256 indexed voucherId, uint32 indexed epoch, uint32 index, uint64 gpuSeconds);
    /// @notice The bond paid `amount` minor units for `gpuSeconds` that stayed unserved.
    event VoucherPaid(uint256 indexed voucherId, address indexed holder, uint64 gpuSeconds, uint256 amount);

    error NotTrancheToken(address caller);
    error VoucherUnknown(uint256 voucherId);
    error LineNotDelivery(uint256 voucherId);
    error LineAlreadyUsed(uint64 facilityId, uint32 epoch, uint32 index);
    error StatementNotFinal(uint64 facilityId, uint32 epoch);
    error LineNotProven(uint64 facilityId, uint32 epoch, uint32 index);
    error FacilityNotEnded(uint64 facilityId);
    error ServingStillOpen(uint64 facilityId, uint64 payableFrom);
    error BondEmpty(uint64 facilityId);
    /// @dev The facility is not funded or delivering, or its window is over.
    error DeliveryClosed(uint64 facilityId);
    error DeliveryRefZero();
    /// @dev A lease of one facility delivers to one holder.
    error DeliveryRefTaken(uint64 facilityId, bytes32 deliveryRef, address holder);
    error NothingUnserved(uint256 voucherId);

    /// @notice Issues a voucher. Caller: TrancheToken, which burned the units. The first voucher of a `deliveryRef`
    /// binds it to its holder.
    /// @dev Emits VoucherIssued.
    function issue(address holder, uint256 id, uint256 units, bytes32 deliveryRef) external returns (uint256 voucherId);
    /// @notice Counts one delivery line of a final statement towards a voucher. Caller: anybody. A line counts once,
    /// for at most what the voucher is still owed, and only compute inside the window and after the voucher was
    /// issued.
    /// @dev Emits VoucherServed.
    function serve(
        uint256 voucherId,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) external;
    /// @notice After the facility defaulted, or matured and `SERVE_GRACE` after `windowEnd`, pays what stays unserved
    /// from the bond, as far as it goes; the rest stays owed. Caller: anybody. First come, first served.
    /// @dev Emits VoucherPaid.
    function payUnserved(uint256 voucherId) external returns (uint256 amount);

    /// @notice Reverts with VoucherUnknown.
    function voucherOf(uint256 voucherId) external view returns (Voucher memory);
    /// @notice GPU-seconds of all vouchers of a facility that are neither served nor paid.
    function unservedGpuSeconds(uint64 facilityId) external view returns (uint256);
    /// @notice Number of vouchers issued; ids count from 1.
    function voucherCount() external view returns (uint256);
    /// @notice Whether a delivery line served a voucher already.
    function isLineUsed(uint64 facilityId, uint32 epoch, uint32 index) external view returns (bool);
    /// @notice Seconds after `windowEnd` in which late proofs of delivery still come before payment.
    // solhint-disable-next-line func-name-mixedcase
    function SERVE_GRACE() external view returns (uint64);
}
