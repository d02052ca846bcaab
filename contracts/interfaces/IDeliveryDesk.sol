// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Vouchers: units burned for compute, to be served inside the delivery window
/// @notice One unit is one GPU-hour: 3,600 GPU-seconds owed. Delivery lines of final statements serve a voucher; what
/// stays unserved is paid from the operator's bond.
interface IDeliveryDesk {
    /// @notice Compute that a facility owes to one holder.
    /// @param holder The account that burned units, and that is paid for what stays unserved.
    /// @param facilityId The facility that owes the compute.
    /// @param owedGpuSeconds GPU-seconds owed: 3,600 for each unit.
    /// @param servedGpuSeconds GPU-seconds proven as delivered.
    /// @param paidGpuSeconds GPU-seconds paid from the bond instead.
    /// @param issuedAt UTC second in which the units were burned; earlier compute serves no voucher.
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

    /// @notice Units were burned for compute.
    /// @param voucherId Number of the voucher, from 1.
    /// @param facilityId The facility.
    /// @param holder The account that burned the units.
    /// @param id Tranche of the units.
    /// @param units Units burned, GPU-hours.
    /// @param deliveryRef Lease hash that delivery lines must carry.
    event VoucherIssued(
        uint256 indexed voucherId,
        uint64 indexed facilityId,
        address indexed holder,
        uint256 id,
        uint256 units,
        bytes32 deliveryRef
    );

    /// @notice A delivery line counted towards a voucher.
    /// @param voucherId The voucher.
    /// @param epoch Epoch of the line's statement.
    /// @param index Place of the line in its statement, from 0.
    /// @param gpuSeconds GPU-seconds counted; at most what was still owed.
    event VoucherServed(uint256 indexed voucherId, uint32 indexed epoch, uint32 index, uint64 gpuSeconds);

    /// @notice Unserved compute of a voucher was paid from the bond.
    /// @param voucherId The voucher.
    /// @param holder The account that is owed the money.
    /// @param gpuSeconds GPU-seconds paid for.
    /// @param amount Minor units; 0 if the bond terms have a rate of 0.
    event VoucherPaid(uint256 indexed voucherId, address indexed holder, uint64 gpuSeconds, uint256 amount);

    /// @notice Only the TrancheToken may issue vouchers.
    /// @param caller The account that called.
    error NotTrancheToken(address caller);

    /// @notice No voucher has this number.
    /// @param voucherId The number.
    error VoucherUnknown(uint256 voucherId);

    /// @notice The line does not serve this voucher: it must be a delivery line of the same facility and lease hash,
    /// with GPU-seconds, inside the delivery window and not before the voucher was issued.
    /// @param voucherId The voucher.
    error LineNotDelivery(uint256 voucherId);

    /// @notice The line has served a voucher already; each line counts once.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the line.
    /// @param index Place of the line in its statement.
    error LineAlreadyUsed(uint64 facilityId, uint32 epoch, uint32 index);

    /// @notice The line's statement is not posted, or may still be challenged. Wait for the challenge window to end.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the statement.
    error StatementNotFinal(uint64 facilityId, uint32 epoch);

    /// @notice The proof does not lead from the line to the statement's `usageRoot`.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the line.
    /// @param index Place of the line in its statement.
    error LineNotProven(uint64 facilityId, uint32 epoch, uint32 index);

    /// @notice Unserved compute is paid only after the facility matured or defaulted.
    /// @param facilityId The facility.
    error FacilityNotEnded(uint64 facilityId);

    /// @notice The facility matured, but late proofs of delivery still come first.
    /// @param facilityId The facility.
    /// @param payableFrom UTC second from which unserved compute is paid.
    error ServingStillOpen(uint64 facilityId, uint64 payableFrom);

    /// @notice The bond cannot pay for a single GPU-second, or there is no bond vault. The compute stays owed: call
    /// again after a deposit.
    /// @param facilityId The facility.
    error BondEmpty(uint64 facilityId);

    /// @notice The facility is not Funded or Delivering, or its window is over.
    /// @dev The facility is not funded or delivering, or its window is over.
    /// @param facilityId The facility.
    error DeliveryClosed(uint64 facilityId);

    /// @notice A voucher needs a lease hash other than zero.
    error DeliveryRefZero();

    /// @notice The lease hash belongs to another holder: a lease of one facility delivers to one holder. Use the hash
    /// of a lease of your own.
    /// @dev A lease of one facility delivers to one holder.
    /// @param facilityId The facility.
    /// @param deliveryRef The lease hash.
    /// @param holder The holder that it belongs to.
    error DeliveryRefTaken(uint64 facilityId, bytes32 deliveryRef, address holder);

    /// @notice Everything that the voucher owed is served or paid.
    /// @param voucherId The voucher.
    error NothingUnserved(uint256 voucherId);

    /// @notice Issues a voucher. The first voucher with a `deliveryRef` binds it to its holder. Caller: the
    /// TrancheToken, which burned the units.
    /// @dev Emits VoucherIssued. Reverts with NotTrancheToken, DeliveryRefZero, DeliveryClosed or DeliveryRefTaken.
    /// @param holder The account that burned the units.
    /// @param id Tranche of the units.
    /// @param units Units burned, GPU-hours.
    /// @param deliveryRef Lease hash that delivery lines must carry.
    /// @return voucherId Number of the voucher, from 1.
    function issue(address holder, uint256 id, uint256 units, bytes32 deliveryRef) external returns (uint256 voucherId);

    /// @notice Counts one delivery line of a final statement towards a voucher. A line counts once, for at most what
    /// the voucher is still owed, and only if its interval is inside the window and after the voucher was issued.
    /// Caller: anybody.
    /// @dev Emits VoucherServed. Reverts with VoucherUnknown, NothingUnserved, LineNotDelivery, LineAlreadyUsed,
    /// StatementNotFinal or LineNotProven.
    /// @param voucherId The voucher.
    /// @param statement The posted statement that holds the line.
    /// @param line The delivery line.
    /// @param proof Merkle proof of the line under the statement's `usageRoot`.
    function serve(
        uint256 voucherId,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) external;

    /// @notice Pays for what stays unserved from the bond, as far as the bond goes; the rest stays owed. Open after a
    /// default, or after maturity from `SERVE_GRACE` after `windowEnd` on. First come, first served. Caller: anybody.
    /// @dev Emits VoucherPaid. Reverts with VoucherUnknown, NothingUnserved, FacilityNotEnded, ServingStillOpen or
    /// BondEmpty. GPU-seconds that the bond covers and their price are both rounded down.
    /// @param voucherId The voucher.
    /// @return amount Minor units that the holder is owed; `IBondVault.withdraw` takes them.
    function payUnserved(uint256 voucherId) external returns (uint256 amount);

    /// @notice A voucher. Reverts with VoucherUnknown.
    /// @param voucherId The voucher.
    /// @return What it owes and what was served and paid.
    function voucherOf(uint256 voucherId) external view returns (Voucher memory);

    /// @notice GPU-seconds of all vouchers of a facility that are neither served nor paid.
    /// @param facilityId The facility.
    /// @return GPU-seconds.
    function unservedGpuSeconds(uint64 facilityId) external view returns (uint256);

    /// @notice Number of vouchers issued; ids count from 1.
    /// @return The number, which is also the newest id.
    function voucherCount() external view returns (uint256);

    /// @notice Whether a delivery line served a voucher already.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the line.
    /// @param index Place of the line in its statement.
    /// @return True if it did.
    function isLineUsed(uint64 facilityId, uint32 epoch, uint32 index) external view returns (bool);

    // solhint-disable func-name-mixedcase
    /// @notice Time after `windowEnd` in which late proofs of delivery still come before payment.
    /// @return Seconds.
    function SERVE_GRACE() external view returns (uint64);
    // solhint-enable func-name-mixedcase
}
