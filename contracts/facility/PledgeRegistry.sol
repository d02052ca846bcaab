// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPledgeRegistry} from "../interfaces/IPledgeRegistry.sol";

/// @title Approved pledges, by epoch
/// @notice Nothing is ever taken back: a statement is judged by the pledge that was in force in the epoch of its line.
contract PledgeRegistry is IPledgeRegistry, EIP712("Rentroll Pledges", "1") {
    // solhint-disable-next-line gas-small-strings
    bytes32 private constant APPROVAL_TYPEHASH = keccak256(
        "PledgeApproval(uint64 facilityId,bytes32 pledgeRoot,uint32 deviceCount,uint32 fromEpoch,uint64 approvals)"
    );

    /// @notice The register, and through it the panels' signatures.
    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc IPledgeRegistry
    uint64 public approvals;
    mapping(uint64 facilityId => Pledge[]) private _pledges;

    /// @notice Deploys an empty register of pledges.
    /// @param facilities The register, and through it the panels' signatures.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IPledgeRegistry
    function approve(uint64 facilityId, IAttesterRegistry.Attestation[] calldata attestations) external {
        bool offered = facilityRegistry.stateOf(facilityId) == IFacilityRegistry.FacilityState.Offered;
        require(offered, FacilityNotOffered(facilityId));
        require(!isApproved(facilityId), PledgeApprovedBefore(facilityId));
        _approve(facilityId, facilityRegistry.termsOf(facilityId).pledgeRoot, 0, attestations);
    }

    /// @inheritdoc IPledgeRegistry
    function replace(
        uint64 facilityId,
        bytes32 pledgeRoot,
        uint32 fromEpoch,
        IAttesterRegistry.Attestation[] calldata attestations
    ) external {
        require(msg.sender == facilityRegistry.gpuOperatorOf(facilityId), NotGpuOperator(facilityId, msg.sender));
        require(pledgeRoot != bytes32(0), PledgeRootZero());
        (uint32 least, uint256 epochs) = _firstToBegin(facilityId);
        require(least < epochs && fromEpoch < epochs, ReplacementNotAccepted(facilityId));
        require(fromEpoch >= least, ReplacementTooEarly(facilityId, fromEpoch, least));
        _approve(facilityId, pledgeRoot, fromEpoch, attestations);
    }

    /// @inheritdoc IPledgeRegistry
    function pledgeDigest(uint64 facilityId, bytes32 pledgeRoot, uint32 fromEpoch) public view returns (bytes32) {
        uint32 deviceCount = facilityRegistry.epochTermsOf(facilityId).deviceCount;
        bytes32 structHash =
            keccak256(abi.encode(APPROVAL_TYPEHASH, facilityId, pledgeRoot, deviceCount, fromEpoch, approvals));
        return _hashTypedDataV4(structHash);
    }

    /// @inheritdoc IPledgeRegistry
    function isApproved(uint64 facilityId) public view returns (bool) {
        return _pledges[facilityId].length > 0;
    }

    /// @inheritdoc IPledgeRegistry
    function pledgeAt(uint64 facilityId, uint32 epoch) external view returns (Pledge memory pledge) {
        Pledge[] storage pledges = _pledges[facilityId];
        // Replacements are few: at most one an epoch, and each is paid for.
        for (uint256 i = pledges.length; i > 0; --i) {
            if (pledges[i - 1].fromEpoch <= epoch) return pledges[i - 1];
        }
    }

    /// @inheritdoc IPledgeRegistry
    function pledgesOf(uint64 facilityId) external view returns (Pledge[] memory) {
        return _pledges[facilityId];
    }

    /// @notice Checks the panel's signatures, stores a pledge and emits PledgeApproved.
    /// @param facilityId The facility.
    /// @param pledgeRoot Merkle root over the devices.
    /// @param fromEpoch First epoch for which it holds.
    /// @param attestations Signatures of the panel.
    function _approve(
        uint64 facilityId,
        bytes32 pledgeRoot,
        uint32 fromEpoch,
        IAttesterRegistry.Attestation[] calldata attestations
    ) private {
        uint8 panel = facilityRegistry.epochTermsOf(facilityId).panel;
        bytes32 digest = pledgeDigest(facilityId, pledgeRoot, fromEpoch);
        (address[] memory attesters,) = facilityRegistry.attesterRegistry().checkQuorum(panel, digest, attestations);
        uint64 number = ++approvals;
        _pledges[facilityId].push(Pledge(pledgeRoot, fromEpoch, uint40(block.timestamp), number));
        emit PledgeApproved(facilityId, fromEpoch, pledgeRoot, number, attesters);
    }

    /// @notice First epoch from which devices can be replaced: one that has not begun, not before the last replacement.
    /// Reverts with ReplacementNotAccepted.
    /// @param facilityId The facility.
    /// @return least The epoch; past the window if none is left.
    /// @return epochs Number of epochs in the window.
    function _firstToBegin(uint64 facilityId) private view returns (uint32 least, uint256 epochs) {
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        bool runs = terms.state == IFacilityRegistry.FacilityState.Funded
            || terms.state == IFacilityRegistry.FacilityState.Delivering;
        uint256 count = _pledges[facilityId].length;
        require(runs && count > 0, ReplacementNotAccepted(facilityId));
        uint256 begun =
            block.timestamp < terms.windowStart ? 0 : (block.timestamp - terms.windowStart) / terms.epochLength + 1;
        uint256 next = _pledges[facilityId][count - 1].fromEpoch;
        // Epochs of a window have 32 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        least = uint32(begun > next ? begun : next);
        epochs = (terms.windowEnd - terms.windowStart) / terms.epochLength;
    }
}
