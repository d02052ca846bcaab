// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

/// @title Bonds of operators (per facility) and of attesters
/// @notice Amounts are minor units; operator bonds are in the facility's settlement token, attester bonds in the one
/// token given at construction. Internal books only. Payouts to accounts are pulls (`withdraw`).
interface IBondVault {
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
    /// @notice Shortfall of availability through the first `epochs` epochs was paid to holders.
    event ShortfallPaid(uint64 indexed facilityId, uint32 epochs, uint256 gpuSeconds, uint256 amount, uint256 bond);
    event UnservedPaid(
        uint64 indexed facilityId, address indexed holder, uint256 gpuSeconds, uint256 amount, uint256 bond
    );
    event BondReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount);
    event BondSeized(uint64 indexed facilityId, uint256 amount);
    event AttesterBondDeposited(address indexed attester, address indexed payer, uint256 amount, uint256 bond);
    event AttesterExitRequested(address indexed attester, uint64 withdrawableAt);
    event AttesterBondWithdrawn(address indexed attester, address indexed to, uint256 amount);
    event AttesterSlashed(
        address indexed attester,
        uint64 indexed facilityId,
        address indexed challenger,
        uint256 amount,
        uint256 toChallenger
    );
    event Withdrawn(address indexed token, address indexed account, address indexed to, uint256 amount);

    error NotGpuOperator(uint64 facilityId, address caller);
    error TermsFrozen(uint64 facilityId);
    error AmountZero();
    error SettlementShort(uint256 expected, uint256 received);
    error NothingDue(uint64 facilityId);
    error BondStillNeeded(uint64 facilityId);
    error FacilityNotDefaulted(uint64 facilityId);
    error NotStatementRegistry(address caller);
    error NotDeliveryDesk(address caller);
    error ExitNotRequested(address attester);
    error ExitTooEarly(address attester, uint64 withdrawableAt);
    error ZeroRecipient();

    /// @notice Sets the bond terms, once, before any unit exists. Caller: the facility's gpuOperator, while Offered.
    function setTerms(uint64 facilityId, BondTerms calldata terms) external;
    /// @notice Adds to a facility's bond by allowance. Caller: anybody.
    function deposit(uint64 facilityId, uint256 amount) external;
    /// @notice Pays holders, down the waterfall, for promised and final GPU-seconds that were not available. Caller: anybody.
    function payShortfall(uint64 facilityId) external returns (uint256 amount);
    /// @notice Pays a voucher holder for unserved GPU-seconds, as far as the bond goes. Caller: the delivery desk.
    function payUnserved(uint64 facilityId, address holder, uint256 gpuSeconds) external returns (uint256 amount);
    /// @notice Returns what is left to the gpuOperator once the facility ended and nothing is owed. Caller: anybody.
    function release(uint64 facilityId) external returns (uint256 amount);
    /// @notice After default, sends what is left to holders down the waterfall. Caller: anybody.
    function seize(uint64 facilityId) external returns (uint256 amount);
    /// @notice Adds to an attester's bond by allowance. Caller: anybody.
    function depositAttesterBond(address attester, uint256 amount) external;
    /// @notice Starts the exit delay. Caller: the attester.
    function requestAttesterExit() external;
    /// @notice Takes the attester's bond after the delay, once it is no member of the attester set. Caller: the attester.
    function withdrawAttesterBond(address to) external returns (uint256 amount);
    /// @notice Takes `slashAmount` (or what is left) of each attester's bond; half to the challenger, half to holders of
    /// the facility. Caller: StatementRegistry, after a proven fault.
    function slash(uint64 facilityId, address[] calldata attesters, address challenger) external returns (uint256 taken);
    /// @notice Takes what the caller is owed of a token.
    function withdraw(address token, address to) external returns (uint256 amount);

    function bondOf(uint64 facilityId) external view returns (uint256);
    function bondTermsOf(uint64 facilityId) external view returns (BondTerms memory);
    /// @notice Whether the bond is at least what the terms require.
    function isSufficient(uint64 facilityId) external view returns (bool);
    /// @notice Since when the bond is below the required minimum; 0 if it is not.
    function belowSince(uint64 facilityId) external view returns (uint64);
    function attesterBondOf(address attester) external view returns (uint256);
    function owedTo(address token, address account) external view returns (uint256);
}
