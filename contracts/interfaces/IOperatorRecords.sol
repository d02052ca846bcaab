// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What operators put on record for themselves: numbers of offers that they prepare, and keys
/// @notice Nothing of it binds anybody else, or moves money.
interface IOperatorRecords {
    /// @notice An operator reserved a number for an offer that it prepares.
    /// @param facilityId The number.
    /// @param gpuOperator The operator.
    event FacilityReserved(uint64 indexed facilityId, address indexed gpuOperator);

    /// @notice An operator named the key that signs for it in the logs of its facilities.
    /// @param gpuOperator The operator.
    /// @param ledgerKey Ed25519 public key; zero for none.
    event LedgerKeySet(address indexed gpuOperator, bytes32 ledgerKey);

    /// @notice Another operator reserved this number: choose another one.
    /// @param facilityId The number.
    /// @param gpuOperator Who reserved it.
    error FacilityReservedBefore(uint64 facilityId, address gpuOperator);

    /// @notice Reserves a number for an offer of the caller, so that nobody can take it while the offer, whose pledge
    /// names it, is prepared. Caller: the gpuOperator role.
    /// @dev Emits FacilityReserved. Reverts with FacilityExists or FacilityReservedBefore.
    /// @param facilityId The number.
    function reserve(uint64 facilityId) external;

    /// @notice Names the key that signs for the caller in the logs of its facilities. Caller: anybody, for itself.
    /// @dev Emits LedgerKeySet.
    /// @param ledgerKey Ed25519 public key; zero for none.
    function setLedgerKey(bytes32 ledgerKey) external;

    /// @notice Operator that reserved a number.
    /// @param facilityId The number.
    /// @return The operator; zero if nobody did.
    function reservedBy(uint64 facilityId) external view returns (address);

    /// @notice Key that signs for an operator in the logs of its facilities.
    /// @param gpuOperator The operator.
    /// @return Ed25519 public key; zero for none.
    function ledgerKeyOf(address gpuOperator) external view returns (bytes32);
}
