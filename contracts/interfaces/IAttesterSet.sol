// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The accounts whose signatures make a statement count, each for a period
/// @notice A membership begins `activationDelay` seconds after it was granted and ends `removalDelay` seconds after it
/// was ended, so that everybody sees a change before it counts. Until the threshold is first set no statement can be
/// posted, and memberships begin at once. At every time, present or scheduled, at least `threshold` members are active.
interface IAttesterSet {
    /// @param attester Account that recomputed the statement: an EOA or an ERC-1271 contract.
    /// @param signature Its signature over the statement's EIP-712 digest.
    struct Attestation {
        address attester;
        bytes signature;
    }

    /// @notice `attester` was granted a membership, or its membership was ended. AttesterPeriodSet says from when on.
    event AttesterSet(address indexed attester, bool member);
    /// @notice Signatures of `attester` count while `activeFrom <= block time < activeUntil`, in UTC seconds; the
    /// largest uint40 stands for a membership without end.
    event AttesterPeriodSet(address indexed attester, uint40 activeFrom, uint40 activeUntil);
    /// @notice Number of signatures that a statement needs.
    event ThresholdSet(uint8 threshold);

    error QuorumMissing(uint256 signatures, uint256 threshold);
    error AttestersNotAscending(address previous, address next);
    error NotAttester(address account);
    error AlreadyAttester(address account);
    /// @dev All slots are taken. A slot is never given to a second account: old statements refer to it.
    error AttesterSlotsFull(uint256 slots);
    error SignatureInvalid(address attester);
    /// @dev `attesters` is the number of members that would stay active.
    error ThresholdOutOfRange(uint256 threshold, uint256 attesters);

    /// @notice Grants or ends a membership. Granting it to a member that is leaving takes back the removal.
    /// Caller: the governance role.
    /// @dev Emits AttesterSet and AttesterPeriodSet. Never leaves fewer than `threshold` members at any time.
    function setAttester(address attester, bool member) external;

    /// @notice Sets the number of signatures needed, 1 to the number of active members that are not leaving.
    /// Caller: the governance role.
    /// @dev Emits ThresholdSet.
    function setThreshold(uint8 newThreshold) external;

    /// @notice Whether signatures of `account` count now.
    function isAttester(address account) external view returns (bool);
    /// @notice Number of accounts whose signatures count now.
    function attesterCount() external view returns (uint8);
    /// @notice Number of signatures that a statement needs; 0 until it is set.
    function threshold() external view returns (uint8);
    /// @notice Period of `account`; both 0 if it never was a member, see AttesterPeriodSet.
    function attesterPeriodOf(address account) external view returns (uint40 activeFrom, uint40 activeUntil);
    /// @notice Account in a slot: bit `slot` of a statement's signers stands for it. Zero if the slot is free.
    function attesterAt(uint8 slot) external view returns (address);
    /// @notice Seconds from granting a membership to its begin.
    function activationDelay() external view returns (uint32);
    /// @notice Seconds from ending a membership to its end.
    function removalDelay() external view returns (uint32);
}
