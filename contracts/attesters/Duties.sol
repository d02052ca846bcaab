// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Signatures} from "../access/Signatures.sol";
import {IAttesterDesk} from "../interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ISignerCharges} from "../interfaces/ISignerCharges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {BatchRoot} from "../statements/BatchRoot.sol";

/// @title Which seat did its duty for which statement
/// @notice By a posted signature, by one that was shown in time, or by a refusal.
abstract contract Duties is IAttesterDesk, EIP712("Rentroll Attesters", "1") {
    /// @notice Duties of one statement: one word.
    /// @param seats Seats of the panel when the first duty was booked; 0 before.
    /// @param left Seats whose duty is not booked.
    /// @param slots Slots of those that are, one bit each.
    struct Roll {
        uint8 seats;
        uint8 left;
        uint40 slots;
    }

    // solhint-disable-next-line gas-small-strings
    bytes32 private constant REFUSAL_TYPEHASH = keccak256(
        "Refusal(uint64 facilityId,uint32 epoch,bytes32 statementHash,bytes32 evidenceHash,"
        "bytes32 previousStatementHash,uint32 rejections,uint8 code,bytes32 place)"
    );
    /// @dev Parts of one statement, as duties are counted: the least number that every odd number of seats up to 39
    /// divides, so that no seat loses anything to rounding.
    uint256 internal constant PARTS = 166_966_608_033_225;
    /// @dev From the closing to the end of bookings.
    uint256 private constant BOOKING = 90 days;

    /// @notice The register, and through it the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    mapping(uint64 facilityId => mapping(uint32 epoch => Roll)) private _rolls;
    /// @dev Slots of signers that were shown, one bit each. Those of a void statement are never read.
    mapping(bytes32 statementHash => uint40) private _shown;

    /// @notice Names the register.
    /// @param facilities The register, and through it the other contracts.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IAttesterDesk
    function bookSigners(uint64 facilityId, uint32 epoch) external {
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        require(statements.isFinal(facilityId, epoch), StatementNotFinal(facilityId, epoch));
        _requireBookable(facilityId, BOOKING);
        IStatementRegistry.StatementRecord memory record = statements.statementOf(facilityId, epoch);
        uint256 booked = _bookAll(facilityId, epoch, record.postedAt, statements.signersOf(facilityId, epoch));
        uint40 shown = _shown[record.statementHash];
        if (shown > 0) {
            address[] memory signers = facilityRegistry.attesterRegistry().accountsOf(shown);
            booked += _bookAll(facilityId, epoch, record.postedAt, signers);
        }
        require(booked > 0, NothingToBook(facilityId, epoch));
    }

    /// @inheritdoc IAttesterDesk
    function showSignatures(IStatementRegistry.Statement calldata statement, ISignerCharges.Signed calldata signed)
        external
    {
        (uint64 facilityId, uint32 epoch) = (statement.facilityId, statement.epoch);
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        bytes32 statementHash = statements.hashStatement(statement);
        bytes32 posted = statements.statementOf(facilityId, epoch).statementHash;
        require(posted == statementHash, StatementNotPosted(posted, statementHash));
        require(!statements.isFinal(facilityId, epoch), StatementFinal(facilityId, epoch));
        uint8 panel = facilityRegistry.epochTermsOf(facilityId).panel;
        bytes32 digest = signed.batched
            ? statements.batchDigest(MerkleProof.processProofCalldata(signed.path, BatchRoot.leaf(statementHash)))
            : statements.statementDigest(statement);
        uint40 shown = _shown[statementHash];
        for (uint256 i = 0; i < signed.attestations.length; ++i) {
            IAttesterRegistry.Attestation calldata attestation = signed.attestations[i];
            address attester = attestation.attester;
            shown |= uint40(1) << facilityRegistry.attesterRegistry().seatOf(panel, attester);
            require(Signatures.isValid(attester, digest, attestation.signature), SignatureInvalid(attester));
            emit SignatureShown(facilityId, epoch, attester, statementHash);
        }
        _shown[statementHash] = shown;
    }

    /// @inheritdoc IAttesterDesk
    function refuse(uint64 facilityId, uint32 epoch, Refusal[] calldata refusals) external {
        _refuse(facilityId, epoch, facilityRegistry.epochTermsOf(facilityId), refusals);
    }

    /// @inheritdoc IAttesterDesk
    function reject(uint64 facilityId, uint32 epoch, bytes32 evidenceHash, Refusal[] calldata refusals) external {
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        (, uint8 threshold) = facilityRegistry.attesterRegistry().panelOf(terms.panel);
        require(refusals.length >= threshold, QuorumMissing(refusals.length, threshold));
        uint32 rejections = statements.opennessOf(facilityId).rejections;
        for (uint256 i = 0; i < refusals.length; ++i) {
            bool fresh = refusals[i].evidenceHash == evidenceHash && refusals[i].rejections == rejections;
            require(fresh, RefusalStale(refusals[i].attester));
        }
        address[] memory attesters = _refuse(facilityId, epoch, terms, refusals);
        statements.takeBack(facilityId, epoch, evidenceHash, attesters);
    }

    /// @inheritdoc IAttesterDesk
    function refusalDigest(uint64 facilityId, uint32 epoch, Refusal calldata refusal) public view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                REFUSAL_TYPEHASH,
                facilityId,
                epoch,
                refusal.statementHash,
                refusal.evidenceHash,
                refusal.previousStatementHash,
                refusal.rejections,
                refusal.code,
                refusal.place
            )
        );
        return _hashTypedDataV4(structHash);
    }

    /// @inheritdoc IAttesterDesk
    function partsPerStatement() external pure returns (uint256) {
        return PARTS;
    }

    /// @inheritdoc IAttesterDesk
    function statementsDue(uint64 facilityId) public view returns (uint32) {
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        uint256 endedAt = facilityRegistry.endingOf(facilityId).endedAt;
        return _epochsOver(terms, endedAt == 0 ? terms.windowEnd : endedAt) + 1;
    }

    /// @inheritdoc IAttesterDesk
    function isBooked(uint64 facilityId, uint32 epoch, address attester) external view returns (bool) {
        uint8 number = facilityRegistry.attesterRegistry().numberOf(attester);
        return number > 0 && _rolls[facilityId][epoch].slots >> (number - 1) & 1 == 1;
    }

    /// @notice Counts a duty for an attester.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @param part Its part of a statement, in `PARTS`.
    function _count(uint64 facilityId, address attester, uint256 part) internal virtual;

    /// @notice Reverts with DutiesEnded if the facility is closed for so long.
    /// @param facilityId The facility.
    /// @param grace Seconds after the closing.
    function _requireBookable(uint64 facilityId, uint256 grace) private view {
        uint256 closedAt = facilityRegistry.endingOf(facilityId).closedAt;
        // Times of blocks.
        // forge-lint: disable-next-line(unsafe-typecast)
        require(closedAt == 0 || block.timestamp < closedAt + grace, DutiesEnded(facilityId, uint64(closedAt + grace)));
    }

    /// @notice From when nothing of a facility is booked any more.
    /// @param facilityId The facility.
    /// @return UTC second; 0 until it is closed.
    function _bookingEnds(uint64 facilityId) internal view returns (uint256) {
        uint256 closedAt = facilityRegistry.endingOf(facilityId).closedAt;
        return closedAt == 0 ? 0 : closedAt + BOOKING;
    }

    /// @notice Checks refusals, makes them public and books them.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param terms State, window and panel of the facility.
    /// @param refusals The refusals, in strictly ascending order of attester.
    /// @return attesters Who refused.
    function _refuse(
        uint64 facilityId,
        uint32 epoch,
        IFacilityRegistry.EpochTerms memory terms,
        Refusal[] calldata refusals
    ) private returns (address[] memory attesters) {
        require(refusals.length > 0, RefusalInvalid());
        _requireBookable(facilityId, 0);
        _requireDue(facilityId, epoch, terms);
        bool late = facilityRegistry.statementRegistry().isFinal(facilityId, epoch);
        require(!late, StatementFinal(facilityId, epoch));
        attesters = new address[](refusals.length);
        address previous = address(0);
        for (uint256 i = 0; i < refusals.length; ++i) {
            Refusal calldata refusal = refusals[i];
            address attester = refusal.attester;
            require(attester > previous, AttestersNotAscending(previous, attester));
            require(refusal.code != RefusalCode.None, RefusalInvalid());
            uint8 slot = facilityRegistry.attesterRegistry().seatOf(terms.panel, attester);
            bytes32 digest = refusalDigest(facilityId, epoch, refusal);
            require(Signatures.isValid(attester, digest, refusal.signature), SignatureInvalid(attester));
            emit StatementRefused(
                facilityId,
                epoch,
                attester,
                refusal.statementHash,
                refusal.evidenceHash,
                refusal.previousStatementHash,
                refusal.code,
                refusal.place
            );
            _book(facilityId, epoch, attester, slot);
            attesters[i] = attester;
            previous = attester;
        }
    }

    /// @notice Books accounts that held their slots when a statement was posted.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param postedAt When it was posted, UTC second.
    /// @param signers Accounts that hold the signers' slots now.
    /// @return booked Number of duties booked.
    function _bookAll(uint64 facilityId, uint32 epoch, uint256 postedAt, address[] memory signers)
        private
        returns (uint256 booked)
    {
        IAttesterRegistry attesters = facilityRegistry.attesterRegistry();
        for (uint256 i = 0; i < signers.length; ++i) {
            (uint40 activeFrom,) = attesters.attesterPeriodOf(signers[i]);
            uint8 number = attesters.numberOf(signers[i]);
            // A slot that was free was given to another account, which counts only from later on.
            if (number == 0 || activeFrom > postedAt) continue;
            if (_book(facilityId, epoch, signers[i], number - 1)) ++booked;
        }
    }

    /// @notice Books one duty, once for a slot, and for no more attesters than the panel had seats. Emits DutyBooked.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    /// @param slot Its slot.
    /// @return Whether it was not booked before.
    function _book(uint64 facilityId, uint32 epoch, address attester, uint8 slot) private returns (bool) {
        Roll memory roll = _rolls[facilityId][epoch];
        if (roll.seats == 0) {
            uint8 panel = facilityRegistry.epochTermsOf(facilityId).panel;
            (, uint8 threshold) = facilityRegistry.attesterRegistry().panelOf(panel);
            roll.seats = 2 * threshold - 1;
            roll.left = roll.seats;
        }
        uint40 bit = uint40(1) << slot;
        if (roll.slots & bit != 0 || roll.left == 0) return false;
        roll.slots |= bit;
        --roll.left;
        _rolls[facilityId][epoch] = roll;
        emit DutyBooked(facilityId, epoch, attester);
        _count(facilityId, attester, PARTS / roll.seats);
        return true;
    }

    /// @notice Reverts with StatementNotDue unless a statement's time is over: that of an epoch, or the closing one of
    /// a facility that ended, or whose window's seal is over.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param terms State and window of the facility.
    function _requireDue(uint64 facilityId, uint32 epoch, IFacilityRegistry.EpochTerms memory terms) private view {
        uint256 endedAt = facilityRegistry.endingOf(facilityId).endedAt;
        uint32 over = _epochsOver(terms, endedAt == 0 ? block.timestamp : endedAt);
        bool closing = epoch == over && over > 0
            && (endedAt != 0 || block.timestamp >= uint256(terms.windowEnd) + terms.sealSeconds);
        require(epoch < over || closing, StatementNotDue(facilityId, epoch));
    }

    /// @notice Epochs of a window that are over at a time.
    /// @param terms Window of the facility; all zero if it is unknown.
    /// @param time UTC second.
    /// @return The number.
    function _epochsOver(IFacilityRegistry.EpochTerms memory terms, uint256 time) private pure returns (uint32) {
        if (time > terms.windowEnd) time = terms.windowEnd;
        if (time <= terms.windowStart) return 0;
        // Windows are 32-bit numbers of seconds.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint32((time - terms.windowStart) / terms.epochLength);
    }
}
