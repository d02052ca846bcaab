// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Vouchers: units burned for compute, to be served inside the delivery window
/// @notice A voucher is issued on an order that the facility's gpuOperator signed, and only once. A unit gives 3,600
/// GPU-seconds less the part of the window that is over; of a tranche with a coupon, at most what its coupon buys at
/// the bond's rate. Delivery lines of final statements serve a voucher; for what stays open the closing of the facility
/// pays (IRentLockbox.payVoucher). api/domain/capital/vouchers.py is the reference model.
interface IDeliveryDesk {
    /// @notice What the facility's gpuOperator signs (EIP-712, domain "Rentroll Deliveries" version "1"): that it will
    /// deliver compute to one holder under one lease.
    /// @param holder The only account that may burn units on this order.
    /// @param id Tranche of the units.
    /// @param units Units to burn.
    /// @param lease Lease hash that delivery lines must carry.
    /// @param nonce Any number that this gpuOperator never used before.
    /// @param deadline Last UTC second in which the order counts.
    struct DeliveryOrder {
        address holder;
        uint256 id;
        uint256 units;
        bytes32 lease;
        uint256 nonce;
        uint256 deadline;
    }

    /// @notice Compute that a facility owes to one holder. Open is what is owed, less what was served.
    /// @param holder The account that burned units, and that is paid for what stays open.
    /// @param facilityId The facility that owes the compute.
    /// @param seniority Rank of the tranche of the units.
    /// @param owedGpuSeconds GPU-seconds owed when the voucher was issued.
    /// @param servedGpuSeconds GPU-seconds proven as delivered.
    /// @param units Units that were burned.
    /// @param issuedAt UTC second in which the units were burned; earlier compute serves no voucher.
    /// @param lease Lease hash that delivery lines must carry.
    struct Voucher {
        address holder;
        uint64 facilityId;
        uint8 seniority;
        uint56 owedGpuSeconds;
        uint56 servedGpuSeconds;
        uint40 units;
        uint40 issuedAt;
        bytes32 lease;
    }

    /// @notice Units were burned for compute.
    /// @param voucherId Number of the voucher, from 1.
    /// @param facilityId The facility.
    /// @param holder The account that burned the units.
    /// @param id Tranche of the units.
    /// @param units Units burned.
    /// @param owedGpuSeconds GPU-seconds owed for them.
    /// @param lease Lease hash that delivery lines must carry.
    /// @param nonce Number of the gpuOperator's order.
    event VoucherIssued(
        uint256 indexed voucherId,
        uint64 indexed facilityId,
        address indexed holder,
        uint256 id,
        uint256 units,
        uint64 owedGpuSeconds,
        bytes32 lease,
        uint256 nonce
    );

    /// @notice A delivery line counted towards a voucher.
    /// @param voucherId The voucher.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the line's statement.
    /// @param index Place of the line in its statement, from 0.
    /// @param gpuSeconds GPU-seconds counted; at most what was still open, and what was left of the line.
    event VoucherServed(
        uint256 indexed voucherId, uint64 indexed facilityId, uint32 indexed epoch, uint32 index, uint64 gpuSeconds
    );

    /// @notice A gpuOperator took back an order before it was used.
    /// @param gpuOperator The account that signed it, or never will.
    /// @param nonce Number of the order.
    event OrderCancelled(address indexed gpuOperator, uint256 nonce);

    /// @notice A lost wallet was recovered, and this voucher is the new wallet's.
    /// @param voucherId The voucher.
    /// @param facilityId The facility.
    /// @param holder The lost wallet.
    /// @param to The new wallet, which is the holder from now on.
    event VoucherMoved(uint256 indexed voucherId, uint64 indexed facilityId, address holder, address indexed to);

    /// @notice Only the WalletDesk moves vouchers.
    /// @param caller The account that called.
    error NotWalletDesk(address caller);

    /// @notice The voucher is not this account's.
    /// @param voucherId The voucher.
    /// @param holder Its holder; zero if there is no such voucher.
    /// @param account The account named.
    error VoucherOfAnother(uint256 voucherId, address holder, address account);

    /// @notice The order names another holder. Ask the gpuOperator for one of your own.
    /// @param holder The holder named.
    /// @param caller The account that called.
    error OrderOfAnother(address holder, address caller);

    /// @notice The order's last second is over. Ask the gpuOperator for a new one.
    /// @param deadline Last second of the order, UTC.
    /// @param blockTime Time of this block, UTC seconds.
    error OrderExpired(uint256 deadline, uint256 blockTime);

    /// @notice The order was used or cancelled; each counts once. Ask the gpuOperator for a new one.
    /// @param gpuOperator The facility's gpuOperator.
    /// @param nonce Number of the order.
    error OrderUsed(address gpuOperator, uint256 nonce);

    /// @notice The signature is not the gpuOperator's over this order.
    /// @param gpuOperator The facility's gpuOperator.
    error OrderSignatureInvalid(address gpuOperator);

    /// @notice No voucher has this number.
    /// @param voucherId The number.
    error VoucherUnknown(uint256 voucherId);

    /// @notice The line is no delivery: it must be one, in time or late, with GPU-seconds, inside the delivery window.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the line.
    /// @param index Place of the line in its statement.
    error LineNotDelivery(uint64 facilityId, uint32 epoch, uint32 index);

    /// @notice The line does not serve this voucher: it is of another facility or lease, or begins before the voucher
    /// was issued.
    /// @param voucherId The voucher.
    error LineNotForVoucher(uint256 voucherId);

    /// @notice Every second of the line has served a voucher already; each counts once.
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

    /// @notice None of these vouchers has anything open: all of it is served.
    /// @param facilityId The facility of the line.
    error NothingToServe(uint64 facilityId);

    /// @notice The facility is closed: what its vouchers are open for is paid in money now.
    /// @param facilityId The facility.
    error FacilityClosed(uint64 facilityId);

    /// @notice The facility is not Funded or Delivering, or its window is over.
    /// @dev The facility is not funded or delivering, or its window is over.
    /// @param facilityId The facility.
    error DeliveryClosed(uint64 facilityId);

    /// @notice The bond's terms have no rate, so that nothing would be paid for compute that is not delivered: units
    /// of this facility do not burn for vouchers.
    /// @param facilityId The facility.
    error DeliveryWithoutRate(uint64 facilityId);

    /// @notice The units would give less than one GPU-second. Sell or keep them.
    /// @param id The tranche.
    /// @param units The units.
    error DeliveryEmpty(uint256 id, uint256 units);

    /// @notice A voucher needs a lease hash other than zero.
    error LeaseZero();

    /// @notice The lease belongs to another holder: a lease of one facility delivers to one holder.
    /// @dev A lease of one facility delivers to one holder.
    /// @param facilityId The facility.
    /// @param lease The lease hash.
    /// @param holder The holder that it belongs to.
    error LeaseTaken(uint64 facilityId, bytes32 lease, address holder);

    /// @notice Burns the caller's units for compute on an order that the facility's gpuOperator signed, by ECDSA or
    /// ERC-1271, and issues a voucher; while the facility is Funded or Delivering, before `windowEnd`.
    /// `gpuSecondsDown` tells what the units give. Uses the order up; the first voucher of a lease binds it to its
    /// holder. Stopped by a pause. Caller: the order's holder.
    /// @dev Emits VoucherIssued; the TrancheToken emits TransferSingle and UnitsBurned. Reverts with OrderOfAnother,
    /// OrderExpired, OrderUsed, OrderSignatureInvalid, LeaseZero, LeaseTaken, DeliveryClosed, DeliveryWithoutRate or
    /// DeliveryEmpty, or as `ITrancheToken.burnForDelivery` does.
    /// @param order What the gpuOperator signed.
    /// @param signature The gpuOperator's signature.
    /// @return voucherId Number of the voucher, from 1.
    function takeDelivery(DeliveryOrder calldata order, bytes calldata signature) external returns (uint256 voucherId);

    /// @notice Takes back an order of the caller's that was not used yet. Caller: a gpuOperator.
    /// @dev Emits OrderCancelled. Reverts with OrderUsed.
    /// @param nonce Number of the order.
    function cancelOrder(uint256 nonce) external;

    /// @notice Makes vouchers of a lost wallet the new wallet's, with their leases. Caller: the WalletDesk, see
    /// `IWalletDesk.collectVouchers`.
    /// @dev Emits VoucherMoved for each. Reverts with NotWalletDesk or VoucherOfAnother.
    /// @param holder The lost wallet.
    /// @param to The new wallet.
    /// @param voucherIds Vouchers of the lost wallet.
    function moveVouchers(address holder, address to, uint256[] calldata voucherIds) external;

    /// @notice Counts one delivery line of a final statement towards vouchers of its lease, in the order given, each
    /// up to what is open, until every second of the line is used. Its seconds count one by one: a line serves many
    /// vouchers, in any number of calls, and none of its seconds twice. Vouchers without anything open are passed
    /// over. Until the facility is closed. The line must lie inside the window and begin after each voucher was issued.
    /// Caller: anybody.
    /// @dev Emits VoucherServed for each voucher that gets seconds. Reverts with LineNotDelivery, StatementNotFinal,
    /// FacilityClosed, LineNotProven, LineAlreadyUsed, VoucherUnknown, LineNotForVoucher or NothingToServe, or as
    /// IStatementRegistry.verifyLine does.
    /// @param voucherIds The vouchers.
    /// @param statement The posted statement that holds the line.
    /// @param line The delivery line.
    /// @param proof Merkle proof of the line under the statement's `usageRoot`.
    /// @return gpuSeconds GPU-seconds counted, above 0.
    function serve(
        uint256[] calldata voucherIds,
        IStatementRegistry.Statement calldata statement,
        IStatementRegistry.Line calldata line,
        bytes32[] calldata proof
    ) external returns (uint256 gpuSeconds);

    /// @notice GPU-seconds that units of a tranche would give in this block: units x 3,600 x what is left of the window
    /// / the window x worth / rate. The worth of a unit is at most the rate, at most its coupon in every tranche but
    /// the last, and at most what all promised hours at the rate leave to its tranche, by rank and at caps: so open
    /// vouchers always fit what is promised, behind seniors' coupons. Rounded down once, over all units together;
    /// before `windowStart` the whole window is left. Reverts with DeliveryClosed or DeliveryWithoutRate.
    /// @param id The tranche.
    /// @param units The units.
    /// @return GPU-seconds.
    function gpuSecondsDown(uint256 id, uint256 units) external view returns (uint256);

    /// @notice A voucher. Reverts with VoucherUnknown.
    /// @param voucherId The voucher.
    /// @return What it owes and what was served.
    function voucherOf(uint256 voucherId) external view returns (Voucher memory);

    /// @notice GPU-seconds of all vouchers of a facility that are not served, by seniority of the units that were
    /// burned. They stay as they are once the facility is closed.
    /// @param facilityId The facility.
    /// @return GPU-seconds by seniority.
    function openGpuSecondsOf(uint64 facilityId) external view returns (uint64[4] memory);

    /// @notice GPU-seconds that vouchers of a facility were served.
    /// @param facilityId The facility.
    /// @return GPU-seconds.
    function servedGpuSecondsOf(uint64 facilityId) external view returns (uint64);

    /// @notice What of the burned units is not served yet: of each voucher units x 3,600 x open / owed, rounded down.
    /// @param facilityId The facility.
    /// @return Unit-seconds by seniority; 3,600 for a unit of which nothing is served.
    function openUnitSecondsOf(uint64 facilityId) external view returns (uint64[4] memory);

    /// @notice Number of vouchers issued; ids count from 1.
    /// @return The number, which is also the newest id.
    function voucherCount() external view returns (uint256);

    /// @notice GPU-seconds of a delivery line that served vouchers already.
    /// @param facilityId The facility.
    /// @param epoch Epoch of the line.
    /// @param index Place of the line in its statement.
    /// @return GPU-seconds.
    function usedGpuSecondsOf(uint64 facilityId, uint32 epoch, uint32 index) external view returns (uint64);

    /// @notice Whether an order was used or cancelled.
    /// @param gpuOperator The account that signs it.
    /// @param nonce Number of the order.
    /// @return True if it was.
    function isOrderUsed(address gpuOperator, uint256 nonce) external view returns (bool);

    /// @notice What a gpuOperator signs for an order (EIP-712).
    /// @param order The order.
    /// @return The digest.
    function orderDigest(DeliveryOrder calldata order) external view returns (bytes32);
}
