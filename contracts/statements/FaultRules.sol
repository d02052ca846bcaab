// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IPledgeRegistry} from "../interfaces/IPledgeRegistry.sol";
import {IStatementChallenges} from "../interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {Faults} from "./Faults.sol";
import {UsageProof} from "./UsageProof.sol";

/// @title Judge of proofs: which rule do proven lines and pledges break?
/// @notice Reads only, and has no state of its own. Challengers can ask it first, at no cost, what a challenge would
/// find. It does not check whether the statement is posted.
/// @dev The StatementRegistry creates it, because one contract could not hold the code of both (24,576 bytes). Each
/// function takes the arguments of the challenge that it judges, so the registry can pass them on as they came.
contract FaultRules {
    /// @notice Register that holds the pledges.
    IFacilityRegistry public immutable facilityRegistry;

    /// @notice Deploys the judge for one register.
    /// @param facilities Register that holds the pledges.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @notice Fault that one line shows by itself. Reverts with ProofInvalid or FacilityUnknown.
    /// @param statement The statement.
    /// @param proven The line with its proof.
    /// @return The fault, or None.
    function ofLine(IStatementRegistry.Statement calldata statement, IStatementChallenges.ProvenLine calldata proven)
        external
        view
        returns (IStatementChallenges.Fault)
    {
        IStatementRegistry.Line memory line = proven.line;
        _requireLine(statement.usageRoot, line, proven.proof, 0);
        return Faults.ofLine(facilityRegistry.termsOf(statement.facilityId), statement, line);
    }

    /// @notice Fault that two lines show together. Reverts with ProofInvalid.
    /// @param statement The statement.
    /// @param first The line with the lower index, with its proof.
    /// @param second The other line, with its proof.
    /// @return The fault, or None.
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

    /// @notice Whether neighbours show that the line's device is not in the pledge in force in the epoch of its start.
    /// Reverts with ProofInvalid.
    /// @dev The pledge is sorted and numbered without gaps. So two neighbours with the device between them, or the
    /// first or last device on the wrong side of it, show that it is not pledged.
    /// @param statement The statement.
    /// @param proven The line with its proof.
    /// @param neighbours Two adjacent devices of the pledge, the first or last alone, or the device itself.
    /// @return DeviceNotPledged, or None.
    function ofDevice(
        IStatementRegistry.Statement calldata statement,
        IStatementChallenges.ProvenLine calldata proven,
        IStatementChallenges.ProvenPledge[] calldata neighbours
    ) external view returns (IStatementChallenges.Fault) {
        _requireLine(statement.usageRoot, proven.line, proven.proof, 0);
        uint64 facilityId = statement.facilityId;
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        uint32 epoch = _epochOf(proven.line.start, terms);
        bytes32 root = facilityRegistry.pledgeRegistry().pledgeAt(facilityId, epoch).root;
        for (uint256 i = 0; i < neighbours.length; ++i) {
            _requirePledge(root, facilityId, neighbours[i], i + 1);
        }
        // A difference is of a lease, not of a device.
        bool absent = proven.line.kind <= Faults.VOID
            && (_isBetween(proven.line.subject, neighbours, terms.deviceCount)
                || _isLater(proven.line.subject, neighbours, epoch));
        return absent ? IStatementChallenges.Fault.DeviceNotPledged : IStatementChallenges.Fault.None;
    }

    /// @notice Whether two facilities pledged one card for the same time, and the other one lives and got it with an
    /// earlier approval. None for a closing statement. Reverts with ProofInvalid.
    /// @param statement The statement.
    /// @param own The device in this facility's pledge of the statement's epoch.
    /// @param otherFacilityId The other facility.
    /// @param otherEpoch Epoch of the other facility that shares a second with the statement's.
    /// @param other The device in the other facility's pledge of that epoch.
    /// @return DevicePledgedTwice, or None.
    function ofPledges(
        IStatementRegistry.Statement calldata statement,
        IStatementChallenges.ProvenPledge calldata own,
        uint64 otherFacilityId,
        uint32 otherEpoch,
        IStatementChallenges.ProvenPledge calldata other
    ) external view returns (IStatementChallenges.Fault) {
        uint64 facilityId = statement.facilityId;
        // A closing statement has no hours of its own: after the window anybody may have the cards.
        bool ofEpoch = statement.epoch < facilityRegistry.statementRegistry().epochsPosted(facilityId);
        if (!ofEpoch) return IStatementChallenges.Fault.None;
        IPledgeRegistry pledges = facilityRegistry.pledgeRegistry();
        _requirePledge(pledges.pledgeAt(facilityId, statement.epoch).root, facilityId, own, 0);
        _requirePledge(pledges.pledgeAt(otherFacilityId, otherEpoch).root, otherFacilityId, other, 1);
        bool held = own.fromEpoch <= statement.epoch && other.fromEpoch <= otherEpoch;
        // A card that stays keeps the approval with which it came: a replacement of others makes it no later.
        bool earlier = pledges.pledgeAt(otherFacilityId, other.fromEpoch).number
            < pledges.pledgeAt(facilityId, own.fromEpoch).number;
        bool twice = own.card == other.card && held && earlier && _isLive(otherFacilityId, otherEpoch, statement);
        return twice ? IStatementChallenges.Fault.DevicePledgedTwice : IStatementChallenges.Fault.None;
    }

    /// @notice Whether another facility's epoch is in its window, shares a second with a statement's, and neither was
    /// the facility cancelled nor had it ended before that time; an epoch that had not begun by then claims nothing.
    /// @dev Attesters of the later pledge see the earlier approval before they sign anything; an approval that comes
    /// after theirs can never put them at fault.
    /// @param facilityId The other facility.
    /// @param epoch Its epoch.
    /// @param statement The statement.
    /// @return True if all of that holds.
    function _isLive(uint64 facilityId, uint32 epoch, IStatementRegistry.Statement calldata statement)
        private
        view
        returns (bool)
    {
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        if (terms.state == IFacilityRegistry.FacilityState.Cancelled) return false;
        uint256 start = terms.windowStart + uint256(epoch) * terms.epochLength;
        uint256 end = start + terms.epochLength;
        uint256 endedAt = facilityRegistry.endingOf(facilityId).endedAt;
        if (endedAt != 0 && endedAt < end) end = endedAt;
        bool live = start < end && end <= terms.windowEnd;
        return live && start < statement.epochEnd && statement.epochStart < end;
    }

    /// @notice Epoch of a time, as far as the window goes: before it the first.
    /// @param time UTC second.
    /// @param terms Window of the facility.
    /// @return The epoch.
    function _epochOf(uint64 time, IFacilityRegistry.EpochTerms memory terms) private pure returns (uint32) {
        if (time < terms.windowStart || terms.epochLength == 0) return 0;
        uint256 epoch = (time - terms.windowStart) / terms.epochLength;
        // Any larger number is past every pledge all the same.
        // forge-lint: disable-next-line(unsafe-typecast)
        return epoch > type(uint32).max ? type(uint32).max : uint32(epoch);
    }

    /// @notice Reverts with ProofInvalid unless a line belongs to a root.
    /// @param root Root of the usage tree.
    /// @param line The line.
    /// @param proof Its proof.
    /// @param which Number of the line in the call.
    /// @return leaf Leaf of the line.
    function _requireLine(bytes32 root, IStatementRegistry.Line memory line, bytes32[] calldata proof, uint256 which)
        private
        pure
        returns (bytes32 leaf)
    {
        leaf = UsageProof.leaf(line);
        require(UsageProof.verifyLeaf(root, leaf, proof), IStatementChallenges.ProofInvalid(which));
    }

    /// @notice Reverts with ProofInvalid unless a device belongs to a facility's pledge.
    /// @param root Root of the pledge.
    /// @param facilityId The facility.
    /// @param pledge The device with its proof.
    /// @param which Number of the device in the call.
    function _requirePledge(
        bytes32 root,
        uint64 facilityId,
        IStatementChallenges.ProvenPledge calldata pledge,
        uint256 which
    ) private pure {
        require(UsageProof.verifyPledge(root, facilityId, pledge), IStatementChallenges.ProofInvalid(which));
    }

    /// @notice Whether a sorted pledge with these neighbours cannot hold a device.
    /// @param device The device.
    /// @param neighbours Two adjacent devices of the pledge, or the first or last alone.
    /// @param deviceCount Number of pledged devices.
    /// @return True if it cannot.
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

    /// @notice Whether a device is pledged only from a later epoch.
    /// @param device The device.
    /// @param neighbours The device itself, alone.
    /// @param epoch The epoch.
    /// @return True if it is.
    function _isLater(bytes32 device, IStatementChallenges.ProvenPledge[] calldata neighbours, uint32 epoch)
        private
        pure
        returns (bool)
    {
        return neighbours.length == 1 && neighbours[0].device == device && neighbours[0].fromEpoch > epoch;
    }
}
