// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPayouts} from "./IPayouts.sol";

/// @title Bonds of operators, one per facility
/// @notice Amounts are minor units of the facility's settlement token. The vault counts only what its own functions
/// took in: of every token it holds at least the bonds + what accounts are owed. Accounts take what they are owed with
/// `withdraw`.
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

    /// @notice Only the RentLockbox takes bonds, at a closing.
    /// @param caller The account that called.
    error NotRentLockbox(address caller);

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
}
