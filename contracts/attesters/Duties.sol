// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Signatures} from "../access/Signatures.sol";
import {IAttesterDesk} from "../interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IEndings} from "../interfaces/IEndings.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {ISignerCharges} from "../interfaces/ISignerCharges.sol";
import {IStatementRegistry} from "../interfaces/IStatementRegistry.sol";
import {BatchRoot} from "../statements/BatchRoot.sol";

/// @title Which seat did its duty for which statement
/// @notice By a posted signature, by one that was shown in time, or by a refusal.
abstract contract Duties is IAttesterDesk, EIP712("Rentroll Attesters", "1") {
    // solhint-disable-next-line gas-small-strings
    bytes32 private constant REFUSAL_TYPEHASH = keccak256(
        "Refusal(uint64 facilityId,uint32 epoch,bytes32 statementHash,bytes32 evidenceHash,"
        "bytes32 previousStatementHash,uint32 rejections,uint64 until,uint8 code,bytes32 place)"
    );
    /// @dev Parts of one statement, as duties are counted: the least number that every odd number of seats up to 39
    /// divides, so that no seat loses anything to rounding.
    uint256 internal constant PARTS = 166_966_608_033_225;
    /// @dev From the closing to the end of bookings.
    uint256 private constant BOOKING = 90 days;

    /// @notice The register, and through it the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc IAttesterDesk
    mapping(uint64 facilityId => mapping(uint32 epoch => mapping(address attester => bytes32))) public shownBy;
    /// @inheritdoc IAttesterDesk
    mapping(uint64 facilityId => mapping(uint32 epoch => mapping(address attester => bool))) public hasRefused;
    /// @inheritdoc IAttesterDesk
    mapping(uint64 facilityId => mapping(uint32 epoch => bool)) public isBooked;

    /// @notice Names the register.
    /// @param facilities The register, and through it the other contracts.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IAttesterDesk
    function book(uint64 facilityId, uint32 epoch) external {
        require(!isBooked[facilityId][epoch], BookedBefore(facilityId, epoch));
        _requireBookable(facilityId, BOOKING);
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        bytes32 statementHash;
        uint256 moment;
        address[] memory posted;
        if (statements.isFinal(facilityId, epoch)) {
            IStatementRegistry.StatementRecord memory record = statements.statementOf(facilityId, epoch);
            (statementHash, moment) = (record.statementHash, record.postedAt);
            posted = statements.signersOf(facilityId, epoch);
        } else {
            moment = _neverStatedAt(facilityId, epoch);
        }
        isBooked[facilityId][epoch] = true;
        _bookSeats(facilityId, epoch, moment, statementHash, posted);
    }

    /// @inheritdoc IAttesterDesk
    function showSignatures(IStatementRegistry.Statement calldata statement, ISignerCharges.Signed calldata signed)
        external
    {
        (uint64 facilityId, uint32 epoch) = (statement.facilityId, statement.epoch);
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        _requireOpen(facilityId, epoch, terms);
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        bytes32 statementHash = statements.hashStatement(statement);
        IStatementRegistry.StatementRecord memory posted = statements.statementOf(facilityId, epoch);
        bool stands = posted.statementHash == bytes32(0) || posted.statementHash == statementHash;
        require(stands, StatementNotPosted(posted.statementHash, statementHash));
        bytes32 digest = signed.batched
            ? statements.batchDigest(MerkleProof.processProofCalldata(signed.path, BatchRoot.leaf(statementHash)))
            : statements.statementDigest(statement);
        IAttesterRegistry attesters = facilityRegistry.attesterRegistry();
        for (uint256 i = 0; i < signed.attestations.length; ++i) {
            IAttesterRegistry.Attestation calldata attestation = signed.attestations[i];
            address attester = attestation.attester;
            // Who sat when it was posted keeps its say while it can be challenged.
            bool sat = posted.postedAt != 0 && attesters.wasSeated(terms.panel, attester, posted.postedAt);
            if (!sat) attesters.checkSeat(terms.panel, attester);
            require(Signatures.isValid(attester, digest, attestation.signature), SignatureInvalid(attester));
            shownBy[facilityId][epoch][attester] = statementHash;
            emit SignatureShown(facilityId, epoch, attester, statementHash);
        }
    }

    /// @inheritdoc IAttesterDesk
    function refuse(uint64 facilityId, uint32 epoch, Refusal[] calldata refusals) external {
        for (uint256 i = 0; i < refusals.length; ++i) {
            // Of nothing there is nothing to recompute.
            require(refusals[i].statementHash | refusals[i].evidenceHash != bytes32(0), RefusalInvalid());
        }
        _refuse(facilityId, epoch, refusals);
    }

    /// @inheritdoc IAttesterDesk
    function reject(uint64 facilityId, uint32 epoch, bytes32 evidenceHash, Refusal[] calldata refusals) external {
        IStatementRegistry statements = facilityRegistry.statementRegistry();
        uint8 panel = facilityRegistry.epochTermsOf(facilityId).panel;
        (, uint8 threshold) = facilityRegistry.attesterRegistry().panelOf(panel);
        require(refusals.length >= threshold, QuorumMissing(refusals.length, threshold));
        uint32 rejections = statements.opennessOf(facilityId).rejections;
        for (uint256 i = 0; i < refusals.length; ++i) {
            Refusal calldata refusal = refusals[i];
            // A refusal of a statement says nothing of evidence that its operator publishes.
            bool fresh = refusal.evidenceHash == evidenceHash && refusal.statementHash == bytes32(0)
                && refusal.rejections == rejections && block.timestamp <= refusal.until;
            require(fresh, RefusalStale(refusal.attester));
        }
        address[] memory attesters = _refuse(facilityId, epoch, refusals);
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
                refusal.until,
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

    /// @notice Checks refusals and makes them public.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param refusals The refusals, in strictly ascending order of attester.
    /// @return attesters Who refused.
    function _refuse(uint64 facilityId, uint32 epoch, Refusal[] calldata refusals)
        private
        returns (address[] memory attesters)
    {
        require(refusals.length > 0, RefusalInvalid());
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        _requireOpen(facilityId, epoch, terms);
        attesters = new address[](refusals.length);
        address previous = address(0);
        for (uint256 i = 0; i < refusals.length; ++i) {
            Refusal calldata refusal = refusals[i];
            address attester = refusal.attester;
            require(attester > previous, AttestersNotAscending(previous, attester));
            require(refusal.code != RefusalCode.None, RefusalInvalid());
            facilityRegistry.attesterRegistry().checkSeat(terms.panel, attester);
            bytes32 digest = refusalDigest(facilityId, epoch, refusal);
            require(Signatures.isValid(attester, digest, refusal.signature), SignatureInvalid(attester));
            hasRefused[facilityId][epoch][attester] = true;
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
            attesters[i] = attester;
            previous = attester;
        }
    }

    /// @notice Whose seats count for a statement that never came: those that held when it fell due. Reverts with
    /// StatementNotFinal while it can come, or with StatementNotDue if there is none of that number.
    /// @param facilityId The facility; only a closed one will state nothing more.
    /// @param epoch Number of the statement.
    /// @return UTC second.
    function _neverStatedAt(uint64 facilityId, uint32 epoch) private view returns (uint256) {
        IEndings.Ending memory ending = facilityRegistry.endingOf(facilityId);
        require(ending.closedAt != 0, StatementNotFinal(facilityId, epoch));
        uint32 due = statementsDue(facilityId);
        require(epoch < due, StatementNotDue(facilityId, epoch));
        if (epoch + 1 == due) return ending.endedAt;
        IFacilityRegistry.EpochTerms memory terms = facilityRegistry.epochTermsOf(facilityId);
        return terms.windowStart + (uint256(epoch) + 1) * terms.epochLength;
    }

    /// @notice Reverts with DutiesEnded, StatementNotDue or StatementFinal unless attesters can have their say on a
    /// statement: it is due, the facility is not closed, and nothing is final of it.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param terms State and window of the facility.
    function _requireOpen(uint64 facilityId, uint32 epoch, IFacilityRegistry.EpochTerms memory terms) private view {
        _requireBookable(facilityId, 0);
        _requireDue(facilityId, epoch, terms);
        bool late = facilityRegistry.statementRegistry().isFinal(facilityId, epoch);
        require(!late, StatementFinal(facilityId, epoch));
    }

    /// @notice Books each seat that did its duty.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param moment Whose seats count: those that held then, UTC second.
    /// @param statementHash The final statement; zero if none ever came.
    /// @param posted Accounts in the slots of those whose signatures were posted with it.
    function _bookSeats(uint64 facilityId, uint32 epoch, uint256 moment, bytes32 statementHash, address[] memory posted)
        private
    {
        IAttesterRegistry attesters = facilityRegistry.attesterRegistry();
        uint8 panel = facilityRegistry.epochTermsOf(facilityId).panel;
        (uint40 seats, uint8 threshold) = attesters.seatsAt(panel, moment);
        address[] memory seated = attesters.accountsOf(seats);
        for (uint256 i = 0; i < seated.length; ++i) {
            address attester = seated[i];
            bool done = _isIn(posted, attester) || _isDone(facilityId, epoch, attester, statementHash);
            // A slot that is another's by now is paid to nobody.
            if (!done || !attesters.wasSeated(panel, attester, moment)) continue;
            emit DutyBooked(facilityId, epoch, attester);
            _count(facilityId, attester, PARTS / (2 * uint256(threshold) - 1));
        }
    }

    /// @notice Whether an attester refused, or showed its signature over what became final; or, where nothing did, over
    /// anything.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    /// @param statementHash The final statement; zero if none ever came.
    /// @return True if it did.
    function _isDone(uint64 facilityId, uint32 epoch, address attester, bytes32 statementHash)
        private
        view
        returns (bool)
    {
        bytes32 shown = shownBy[facilityId][epoch][attester];
        bool signed = shown != bytes32(0) && (statementHash == bytes32(0) || shown == statementHash);
        return signed || hasRefused[facilityId][epoch][attester];
    }

    /// @notice Whether an account is in a list.
    /// @param list The list; at most as long as a panel.
    /// @param account The account.
    /// @return True if it is.
    function _isIn(address[] memory list, address account) private pure returns (bool) {
        for (uint256 i = 0; i < list.length; ++i) {
            if (list[i] == account) return true;
        }
        return false;
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
