// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "./IAttesterRegistry.sol";

/// @title Pledges: which devices a facility may deliver with, in which epoch
/// @notice A pledge is a Merkle root over devices and their cards, sorted and numbered. It counts once k attesters of
/// the facility's panel signed it: they checked its count and order, and that none of its cards is in another live
/// pledge at the same time. A pledge is live from its approval until its facility ends, or its offer expires.
interface IPledgeRegistry {
    /// @notice One approved pledge of a facility.
    /// @param root Merkle root over (facilityId, index, device, card, fromEpoch).
    /// @param fromEpoch First epoch for which it holds, until the next one does.
    /// @param approvedAt Block time of the approval, UTC seconds.
    /// @param number Number of the approval among all facilities, from 1. Of two pledges of one card the lower counts;
    /// a card that a replacement keeps has the number with which it came.
    struct Pledge {
        bytes32 root;
        uint32 fromEpoch;
        uint40 approvedAt;
        uint64 number;
    }

    /// @notice Attesters approved the pledge of an offer, or one that takes its place.
    /// @param facilityId The facility.
    /// @param fromEpoch First epoch for which it holds.
    /// @param pledgeRoot Merkle root over the devices.
    /// @param number Number of the approval, from 1.
    /// @param attesters The attesters that signed, in ascending order.
    event PledgeApproved(
        uint64 indexed facilityId, uint32 indexed fromEpoch, bytes32 pledgeRoot, uint64 number, address[] attesters
    );

    /// @notice The pledge of this offer is approved already.
    /// @param facilityId The facility.
    error PledgeApprovedBefore(uint64 facilityId);

    /// @notice Only an offer that can still be funded has its pledge approved.
    /// @param facilityId The facility.
    error FacilityNotOffered(uint64 facilityId);

    /// @notice Devices are replaced in a facility that is funded or delivers, and has an approved pledge, for an epoch
    /// of its window; none is left, or this one lies after it.
    /// @param facilityId The facility.
    error ReplacementNotAccepted(uint64 facilityId);

    /// @notice Only the facility's gpuOperator replaces devices.
    /// @param facilityId The facility.
    /// @param caller The caller.
    error NotGpuOperator(uint64 facilityId, address caller);

    /// @notice Devices are replaced from an epoch of the window not begun yet, and not before the last replacement.
    /// @param facilityId The facility.
    /// @param fromEpoch The epoch asked for.
    /// @param least First epoch that can be.
    error ReplacementTooEarly(uint64 facilityId, uint32 fromEpoch, uint32 least);

    /// @notice The root is zero.
    error PledgeRootZero();

    /// @notice Approves the pledge of an offer, as its terms name it. Caller: anybody who holds the signatures.
    /// @dev Emits PledgeApproved. Reverts with FacilityNotOffered or PledgeApprovedBefore, or as
    /// `IAttesterRegistry.checkQuorum` does.
    /// @param facilityId The facility.
    /// @param attestations Signatures of its panel over `pledgeDigest`, in strictly ascending order of attester.
    function approve(uint64 facilityId, IAttesterRegistry.Attestation[] calldata attestations) external;

    /// @notice Puts another pledge of as many devices in force from an epoch that has not begun. Caller: the facility's
    /// gpuOperator.
    /// @dev Emits PledgeApproved. Reverts with NotGpuOperator, ReplacementNotAccepted, ReplacementTooEarly or
    /// PledgeRootZero, or as `IAttesterRegistry.checkQuorum` does.
    /// @param facilityId The facility.
    /// @param pledgeRoot Merkle root over its devices from that epoch on.
    /// @param fromEpoch The epoch.
    /// @param attestations Signatures of its panel over `pledgeDigest`, in strictly ascending order of attester.
    function replace(
        uint64 facilityId,
        bytes32 pledgeRoot,
        uint32 fromEpoch,
        IAttesterRegistry.Attestation[] calldata attestations
    ) external;

    /// @notice EIP-712 digest that attesters sign (domain "Rentroll Pledges" version "1"). It names the number of
    /// approvals so far, so that what they checked still holds: an approval in between makes it void.
    /// @param facilityId The facility.
    /// @param pledgeRoot Merkle root over the devices.
    /// @param fromEpoch First epoch for which it shall hold; 0 for the pledge of an offer.
    /// @return The digest.
    function pledgeDigest(uint64 facilityId, bytes32 pledgeRoot, uint32 fromEpoch) external view returns (bytes32);

    /// @notice Whether a facility has an approved pledge.
    /// @param facilityId The facility.
    /// @return True if it has.
    function isApproved(uint64 facilityId) external view returns (bool);

    /// @notice The pledge in force for an epoch; all zero if none was approved.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @return The pledge.
    function pledgeAt(uint64 facilityId, uint32 epoch) external view returns (Pledge memory);

    /// @notice Every approved pledge of a facility, in order.
    /// @param facilityId The facility.
    /// @return The pledges.
    function pledgesOf(uint64 facilityId) external view returns (Pledge[] memory);

    /// @notice Number of approvals so far, of all facilities.
    /// @return The number.
    function approvals() external view returns (uint64);
}
