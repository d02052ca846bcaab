// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {Faults} from "./Faults.sol";
import {UsageProof} from "./UsageProof.sol";

/// @title Judge of proofs: which rule do proven lines and pledges break?
/// @notice Reads only, and has no state. The registry makes its own at construction, because both together exceed the
/// size of one contract; challengers can ask it first, at no cost, what a challenge would find. It does not look
/// whether the statement is posted.
/// @dev Each function takes the arguments of the challenge that it judges: the registry passes them on as they came.
contract FaultRules {
    IFacilityRegistry public immutable facilityRegistry;

    /// @param facilities Register that holds the pledges.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @notice Fault that one line shows, or None. Reverts with ProofInvalid.
    function ofLine(IStatementRegistry.Statement calldata statement, IStatementChallenges.ProvenLine calldata proven)
        external
        pure
        returns (IStatementChallenges.Fault)
    {
        IStatementRegistry.Line memory line = proven.line;
        _requireLine(statement.usageRoot, line, proven.proof, 0);
        return Faults.ofLine(statement, line);
    }

    /// @notice Fault that two lines show together, or None. Reverts with ProofInvalid.
    function ofPair(
        IStatementRegistry.Statement calldata statement,
        IStatementChallenges.ProvenLine calldata first,
        IStatementChallenges.ProvenLine calldata second
    ) external pure returns (IStatementChallenges.Fault) {
        IStatementRegistry.Line memory firstLine = first.line;
        IStatementRegistry.Line memory secondLine = second.line;
        bytes32 firstLeaf = _requireLine(statement.usageRoot, firstLine, first.proof, 0);
        bytes32 secondLeaf = _requireLine(statement.usageRoot, secondLine, second.proof, 1);
        // One line twice shows nothing.
        if (firstLeaf == secondLeaf) return IStatementChallenges.Fault.None;
        return Faults.ofPair(firstLine, secondLine);
    }

    /// @notice DeviceNotPledged if `neighbours` show that the line's device is not in the pledge, else None. Reverts
    /// with ProofInvalid.
    /// @dev The pledge is sorted and numbered without gaps, so two neighbours with a device between them, or the first
    /// or last device on the wrong side of it, show that it is not there.
    function ofDevice(
        IStatementRegistry.Statement calldata statement,
        IStatementChallenges.ProvenLine calldata proven,
        IStatementChallenges.ProvenPledge[] calldata neighbours
    ) external view returns (IStatementChallenges.Fault) {
        _requireLine(statement.usageRoot, proven.line, proven.proof, 0);
        IFacilityRegistry.FacilityTerms memory terms = facilityRegistry.termsOf(statement.facilityId);
        for (uint256 i = 0; i < neighbours.length; ++i) {
            _requirePledge(terms.pledgeRoot, statement.facilityId, neighbours[i], i + 1);
        }
        // A shortfall is of a lease, not of a device.
        bool absent =
            proven.line.kind != Faults.SHORTFALL && _isBetween(proven.line.device, neighbours, terms.deviceCount);
        return absent ? IStatementChallenges.Fault.DeviceNotPledged : IStatementChallenges.Fault.None;
    }

    /// @notice DevicePledgedTwice if both pledges hold one device, their windows overlap, and the other facility's
    /// pledge is the earlier one and stands; else None. Reverts with ProofInvalid.
    function ofPledges(
        IStatementRegistry.Statement calldata statement,
        IStatementChallenges.ProvenPledge calldata own,
        uint64 otherFacilityId,
        IStatementChallenges.ProvenPledge calldata other
    ) external view returns (IStatementChallenges.Fault) {
        uint64 facilityId = statement.facilityId;
        IFacilityRegistry.FacilityTerms memory mine = facilityRegistry.termsOf(facilityId);
        IFacilityRegistry.FacilityTerms memory theirs = facilityRegistry.termsOf(otherFacilityId);
        _requirePledge(mine.pledgeRoot, facilityId, own, 0);
        _requirePledge(theirs.pledgeRoot, otherFacilityId, other, 1);
        bool meet = mine.windowStart < theirs.windowEnd && theirs.windowStart < mine.windowEnd;
        bool twice = own.device == other.device && meet && _isEarlierPledge(otherFacilityId, facilityId);
        return twice ? IStatementChallenges.Fault.DevicePledgedTwice : IStatementChallenges.Fault.None;
    }

    /// @dev A pledge stands from its offer until it is cancelled. Attesters of the later facility see the earlier offer
    /// before they sign anything; an offer that comes after theirs can never put them at fault.
    function _isEarlierPledge(uint64 otherFacilityId, uint64 facilityId) private view returns (bool) {
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(otherFacilityId);
        if (state == IFacilityRegistry.FacilityState.Cancelled) return false;
        uint64 own = facilityRegistry.offeredAtBlock(facilityId);
        uint64 other = facilityRegistry.offeredAtBlock(otherFacilityId);
        return other < own || (other == own && otherFacilityId < facilityId);
    }

    function _requireLine(bytes32 root, IStatementRegistry.Line memory line, bytes32[] calldata proof, uint256 which)
        private
        pure
        returns (bytes32 leaf)
    {
        leaf = UsageProof.leaf(line);
        require(UsageProof.verifyLeaf(root, leaf, proof), IStatementChallenges.ProofInvalid(which));
    }

    function _requirePledge(
        bytes32 root,
        uint64 facilityId,
        IStatementChallenges.ProvenPledge calldata pledge,
        uint256 which
    ) private pure {
        require(UsageProof.verifyPledge(root, facilityId, pledge), IStatementChallenges.ProofInvalid(which));
    }

    function _isBetween(bytes32 device, IStatementChallenges.ProvenPledge[] calldata neighbours, uint32 deviceCount)
        private
        pure
        returns (bool)
    {
        if (neighbours.length == 0 || neighbours.length > 2) return false;
        uint32 index = neighbours[0].index;
        bytes32 first = neighbours[0].device;
        if (neighbours.length == 1) {
            return (index == 0 && device < first) || (uint256(index) + 1 == deviceCount && device > first);
        }
        bool adjacent = uint256(index) + 1 == neighbours[1].index;
        return adjacent && first < device && device < neighbours[1].device;
    }
}
