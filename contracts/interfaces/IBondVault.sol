// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Bonds of operators (per facility) and of attesters
/// @notice Amounts are minor units; operator bonds are in the facility's settlement token, attester bonds in the one
/// token given at construction. Internal books only: of every token, operator bonds + attester bonds + slashed money
/// that waits + what accounts are owed is held here. Payouts to accounts are pulls (`withdraw`).
interface IBondVault is IPayouts {
    /// @param requiredBond Least bond while the facility is funded or delivering.
    /// @param ratePerGpuHour What holders get for each promised GPU-hour that was not available, and voucher holders
    /// for each unserved GPU-hour.
    /// @param graceSeconds How long the bond may be below `requiredBond` before anybody may declare default.
    /// @param defaultAfterEpochs Epochs without a valid statement after its due time that are a default; 0 = never.
    struct BondTerms {
        uint96 requiredBond;
        uint64 ratePerGpuHour;
        uint32 graceSeconds;
        uint16 defaultAfterEpochs;
    }

    event BondTermsSet(uint64 indexed facilityId, BondTerms terms);
    event BondDeposited(uint64 indexed facilityId, address indexed payer, uint256 amount, uint256 bond);
    /// @notice `amount` was paid to holders because availability fell short: `gpuSeconds` is the cumulative shortfall
    /// through the first `epochs` epochs, `bond` what is left.
    event ShortfallPaid(uint64 indexed facilityId, uint32 epochs, uint256 gpuSeconds, uint256 amount, uint256 bond);
    /// @notice A voucher's holder is owed `amount` for compute that was not served.
    event UnservedPaid(
        uint64 indexed facilityId, address indexed holder, uint256 gpuSeconds, uint256 amount, uint256 bond
    );
    event BondReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount);
    event BondSeized(uint64 indexed facilityId, uint256 amount);
    event AttesterBondDeposited(address indexed attester, address indexed payer, uint256 amount, uint256 bond);
    event AttesterBondWithdrawn(address indexed attester, address indexed to, uint256 amount);
    /// @notice `amount` was taken of an attester's bond; the challenger is owed `toChallenger` of it.
    event AttesterSlashed(
        address indexed attester,
        uint64 indexed facilityId,
        address indexed challenger,
        uint256 amount,
        uint256 toChallenger
    );
    /// @notice What slashing took for holders of a facility was paid to them.
    event SlashedDistributed(uint64 indexed facilityId, uint256 amount);
    /// @notice The treasury took slashed money that no holders could get.
    event SlashedTaken(address indexed to, uint256 amount);
    event SlashAmountSet(uint96 amount);

    error NotGpuOperator(uint64 facilityId, address caller);
    error TermsFrozen(uint64 facilityId);
    error DepositNotAccepted(uint64 facilityId);
    error NothingDue(uint64 facilityId);
    error BondStillNeeded(uint64 facilityId);
    error FacilityNotDefaulted(uint64 facilityId);
    error NotStatementRegistry(address caller);
    error NotDeliveryDesk(address caller);
    error AttesterLiable(address attester, uint64 liableUntil);

    /// @notice Sets the bond terms, once, before any unit exists. Caller: the facility's gpuOperator, while Offered.
    /// @dev Emits BondTermsSet.
    function setTerms(uint64 facilityId, BondTerms calldata terms) external;
    /// @notice Adds to a facility's bond by allowance, while it is Offered, Funded or Delivering. Caller: anybody.
    /// @dev Emits BondDeposited.
    function deposit(uint64 facilityId, uint256 amount) external;
    /// @notice Pays holders, down the waterfall, for promised and final GPU-seconds that were not available:
    /// max(0, promised - available) x rate / 3600 on the cumulative of all final epochs, rounded down, less what was
    /// paid before, as far as the bond goes. What was paid is never taken back. Caller: anybody.
    /// @dev Emits ShortfallPaid.
    function payShortfall(uint64 facilityId) external returns (uint256 amount);
    /// @notice Owes a voucher holder for unserved GPU-seconds, rounded down, as far as the bond goes. Caller: the
    /// delivery desk. The holder takes it with `withdraw`.
    /// @dev Emits UnservedPaid.
    function payUnserved(uint64 facilityId, address holder, uint256 gpuSeconds) external returns (uint256 amount);
    /// @notice Owes what is left to the gpuOperator once the facility was cancelled, or matured with every shortfall
    /// and every voucher paid. Caller: anybody.
    /// @dev Emits BondReleased.
    function release(uint64 facilityId) external returns (uint256 amount);
    /// @notice After default, sends what is left to holders down the waterfall. What unserved vouchers are owed stays
    /// for them. Caller: anybody.
    /// @dev Emits BondSeized.
    function seize(uint64 facilityId) external returns (uint256 amount);
    /// @notice Adds to an attester's bond by allowance. Caller: anybody.
    /// @dev Emits AttesterBondDeposited.
    function depositAttesterBond(address attester, uint256 amount) external;
    /// @notice Takes the attester's bond once nothing that it signed can be challenged any more: it is no member, and
    /// a challenge window went by since it was one (IStatementRegistry.liableUntil). Caller: the attester.
    /// @dev Emits AttesterBondWithdrawn.
    function withdrawAttesterBond(address to) external returns (uint256 amount);
    /// @notice Takes `slashAmount` (or what is left) of each attester's bond; half to the challenger, the rest to
    /// holders of the facility. It moves no token, so that no token can stop a challenge. Caller: StatementRegistry,
    /// after a proven fault.
    /// @dev Emits AttesterSlashed for each. An attester that challenges itself still loses half.
    function slash(uint64 facilityId, address[] calldata attesters, address challenger) external returns (uint256);
    /// @notice Sends what slashing took for holders of a facility down its waterfall; to the treasury's part if it has
    /// no units. Caller: anybody.
    /// @dev Emits SlashedDistributed.
    function distributeSlashed(uint64 facilityId) external returns (uint256 amount);
    /// @notice Takes slashed money that no holders could get: another token than the facility's, or no units. Caller:
    /// the treasury role.
    function takeSlashed(address to) external returns (uint256 amount);
    /// @notice Sets what a fault costs each attester that signed. Caller: the governance role.
    function setSlashAmount(uint96 amount) external;

    function bondOf(uint64 facilityId) external view returns (uint256);
    function bondTermsOf(uint64 facilityId) external view returns (BondTerms memory);
    /// @notice Whether the bond is at least what the terms require; true where no terms were set.
    function isSufficient(uint64 facilityId) external view returns (bool);
    /// @notice Since when the bond is below the required minimum; 0 if it is not.
    function belowSince(uint64 facilityId) external view returns (uint64);
    /// @notice What `payShortfall` would pay now if the bond were large enough.
    function shortfallDue(uint64 facilityId) external view returns (uint256);
    function attesterBondOf(address attester) external view returns (uint256);
    /// @notice Slashed money that waits for holders of a facility.
    function slashedFor(uint64 facilityId) external view returns (uint256);
    /// @notice Slashed money that waits for the treasury.
    function slashedUnassigned() external view returns (uint256);
    function slashAmount() external view returns (uint96);
}
