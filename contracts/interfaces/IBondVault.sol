// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Bonds of operators, one per facility, and of attesters
/// @notice Amounts are minor units. An operator's bond is in the facility's settlement token; attesters' bonds are in
/// the one token given at construction. The vault counts only what its own functions took in: of every token it holds
/// at least the operators' bonds + the attesters' bonds + slashed money not yet paid out + what accounts are owed.
/// Accounts take what they are owed with `withdraw`.
interface IBondVault is IPayouts {
    /// @notice Terms of an operator's bond, fixed before any unit exists.
    /// @param requiredBond Least bond with which the facility is funded, minor units.
    /// @param ratePerGpuHour What a GPU-hour that was promised and not delivered costs, minor units: to holders at the
    /// closing, and to a voucher of which it stays open.
    struct BondTerms {
        uint96 requiredBond;
        uint64 ratePerGpuHour;
    }

    /// @notice A facility's bond terms were set, for good.
    /// @param facilityId The facility.
    /// @param terms The terms.
    event BondTermsSet(uint64 indexed facilityId, BondTerms terms);

    /// @notice An operator's bond grew.
    /// @param facilityId The facility.
    /// @param payer The account that paid.
    /// @param amount Minor units added.
    /// @param bond The facility's bond after it, minor units.
    event BondDeposited(uint64 indexed facilityId, address indexed payer, uint256 amount, uint256 bond);

    /// @notice The gpuOperator is owed the bond of a cancelled offer; `withdraw` takes it.
    /// @param facilityId The facility.
    /// @param gpuOperator The account that runs the facility's GPUs.
    /// @param amount Minor units.
    event BondReleased(uint64 indexed facilityId, address indexed gpuOperator, uint256 amount);

    /// @notice The bond went to the RentLockbox, which closes the facility and pays it out.
    /// @param facilityId The facility.
    /// @param amount Minor units.
    event BondSurrendered(uint64 indexed facilityId, uint256 amount);

    /// @notice An attester's bond grew.
    /// @param attester The attester.
    /// @param payer The account that paid.
    /// @param amount Minor units added.
    /// @param bond The attester's bond after it, minor units.
    event AttesterBondDeposited(address indexed attester, address indexed payer, uint256 amount, uint256 bond);

    /// @notice An attester took its whole bond back.
    /// @param attester The attester.
    /// @param to The account that received it.
    /// @param amount Minor units.
    event AttesterBondWithdrawn(address indexed attester, address indexed to, uint256 amount);

    /// @notice A proven fault cost an attester part of its bond.
    /// @param attester The attester that had signed the statement.
    /// @param facilityId Facility of the statement.
    /// @param challenger The account that proved the fault.
    /// @param amount Minor units taken from the bond.
    /// @param toChallenger Part of `amount` that the challenger is owed: half, rounded down.
    event AttesterSlashed(
        address indexed attester,
        uint64 indexed facilityId,
        address indexed challenger,
        uint256 amount,
        uint256 toChallenger
    );

    /// @notice The treasury took its half of slashed money.
    /// @param to The account that received it.
    /// @param amount Minor units.
    event SlashedTaken(address indexed to, uint256 amount);

    /// @notice What a fault costs each attester that signed changed.
    /// @param amount Minor units for each attester and fault.
    event SlashAmountSet(uint96 amount);

    /// @notice Only the facility's gpuOperator may do this.
    /// @param facilityId The facility.
    /// @param caller The account that called.
    error NotGpuOperator(uint64 facilityId, address caller);

    /// @notice Bond terms are set once, while the facility is Offered and before any unit exists. It is too late, or
    /// they are set already.
    /// @param facilityId The facility.
    error TermsFrozen(uint64 facilityId);

    /// @notice The facility is not Offered, Funded or Delivering, so no bond is taken for it.
    /// @param facilityId The facility.
    error DepositNotAccepted(uint64 facilityId);

    /// @notice There is no bond to release.
    /// @param facilityId The facility.
    error NothingDue(uint64 facilityId);

    /// @notice Only the bond of a cancelled offer is released; that of a funded facility is paid out by its closing.
    /// @param facilityId The facility.
    error BondStillNeeded(uint64 facilityId);

    /// @notice All promised hours at this rate exceed what a closing can pay out, 2^63 minor units.
    /// @param facilityId The facility.
    /// @param ratePerGpuHour The rate, minor units.
    error RateAboveLimit(uint64 facilityId, uint64 ratePerGpuHour);

    /// @notice Only the StatementRegistry may slash.
    /// @param caller The account that called.
    error NotStatementRegistry(address caller);

    /// @notice Only the RentLockbox takes bonds, at a closing.
    /// @param caller The account that called.
    error NotRentLockbox(address caller);

    /// @notice A statement that the attester signed may still be challenged, so its bond stays.
    /// @param attester The attester.
    /// @param liableUntil UTC second from which it may withdraw; the largest uint64 while its membership has no end.
    error AttesterLiable(address attester, uint64 liableUntil);

    /// @notice Sets the bond terms, once and before any unit exists. Caller: the facility's gpuOperator, while Offered.
    /// @dev Emits BondTermsSet. Reverts with NotGpuOperator, TermsFrozen or RateAboveLimit.
    /// @param facilityId The facility.
    /// @param terms The terms.
    function setTerms(uint64 facilityId, BondTerms calldata terms) external;

    /// @notice Adds to a facility's bond by allowance, while it is Offered, Funded or Delivering. Caller: anybody.
    /// @dev Emits BondDeposited. Reverts with DepositNotAccepted, AmountZero or SettlementShort.
    /// @param facilityId The facility.
    /// @param amount Minor units of the settlement token.
    function deposit(uint64 facilityId, uint256 amount) external;

    /// @notice Credits the bond of a Cancelled offer to the gpuOperator, which takes it with `withdraw`. Caller:
    /// anybody.
    /// @dev Emits BondReleased. Reverts with BondStillNeeded or NothingDue.
    /// @param facilityId The facility.
    /// @return amount Minor units credited.
    function release(uint64 facilityId) external returns (uint256 amount);

    /// @notice Sends the whole bond to the RentLockbox. Until then it never falls. Caller: the RentLockbox, once, when
    /// it closes the facility.
    /// @dev Emits BondSurrendered if there is a bond. Reverts with NotRentLockbox.
    /// @param facilityId The facility.
    /// @return amount Minor units sent; 0 if there is none.
    function surrender(uint64 facilityId) external returns (uint256 amount);

    /// @notice Adds to an attester's bond by allowance. Caller: anybody.
    /// @dev Emits AttesterBondDeposited. Reverts with AmountZero or SettlementShort.
    /// @param attester The attester, which alone can withdraw the bond.
    /// @param amount Minor units of the attester token.
    function depositAttesterBond(address attester, uint256 amount) external;

    /// @notice Takes the caller's whole bond back once nothing that it signed can be challenged any more, see
    /// IStatementRegistry.liableUntil. Caller: the attester.
    /// @dev Emits AttesterBondWithdrawn. Reverts with RecipientInvalid, AttesterLiable or NothingOwed.
    /// @param to The account that receives it.
    /// @return amount Minor units sent.
    function withdrawAttesterBond(address to) external returns (uint256 amount);

    /// @notice Takes `slashAmount`, or what is left, from each attester's bond: half (rounded down) for the challenger,
    /// the rest for the treasury. No token moves here, so that no token can stop a challenge. Caller: the
    /// StatementRegistry, after a proven fault.
    /// @dev Emits AttesterSlashed for each attester that lost something. An attester that challenges itself still loses
    /// half. Reverts with NotStatementRegistry.
    /// @param facilityId The facility.
    /// @param attesters The attesters that signed the faulty statement.
    /// @param challenger The account that proved the fault.
    /// @return Minor units taken in all.
    function slash(uint64 facilityId, address[] calldata attesters, address challenger) external returns (uint256);

    /// @notice Takes the treasury's half of slashed money. Caller: the treasury role.
    /// @dev Emits SlashedTaken. Reverts with RecipientInvalid or NothingOwed.
    /// @param to The account that receives it.
    /// @return amount Minor units sent.
    function takeSlashed(address to) external returns (uint256 amount);

    /// @notice Sets what a fault costs each attester that signed. Caller: the governance role.
    /// @dev Emits SlashAmountSet.
    /// @param amount Minor units of the attester token.
    function setSlashAmount(uint96 amount) external;

    /// @notice A facility's bond.
    /// @param facilityId The facility.
    /// @return Minor units of the settlement token.
    function bondOf(uint64 facilityId) external view returns (uint256);

    /// @notice A facility's bond terms; all zero if none were set.
    /// @param facilityId The facility.
    /// @return The terms.
    function bondTermsOf(uint64 facilityId) external view returns (BondTerms memory);

    /// @notice Whether bond terms were set; a facility is sold and funded only with them.
    /// @param facilityId The facility.
    /// @return True if they were.
    function hasTerms(uint64 facilityId) external view returns (bool);

    /// @notice Whether the bond is at least `requiredBond`; true where no terms were set.
    /// @param facilityId The facility.
    /// @return True if the facility may be funded.
    function isSufficient(uint64 facilityId) external view returns (bool);

    /// @notice An attester's bond.
    /// @param attester The attester.
    /// @return Minor units of the attester token.
    function attesterBondOf(address attester) external view returns (uint256);

    /// @notice Slashed money that `takeSlashed` would send to the treasury.
    /// @return Minor units of the attester token.
    function slashedForTreasury() external view returns (uint256);

    /// @notice What a fault costs each attester that signed.
    /// @return Minor units of the attester token.
    function slashAmount() external view returns (uint96);
}
