// SPDX-License-Identifier: UNLICENSED
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IFacilityRegistry} from "./interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "./interfaces/IStatementRegistry.sol";
import {UsageProof} from "./libraries/UsageProof.sol";

/// @title Attested statements, in order, each once, with a quorum
contract StatementRegistry is IStatementRegistry, AccessManaged, EIP712, Pausable {
    // solhint-disable-next-line gas-small-strings
    bytes32 private constant STATEMENT_TYPEHASH = keccak256(
        "Statement(uint64 facilityId,uint32 epoch,uint64 epochStart,uint64 epochEnd,"
        "uint64 availableGpuSeconds,uint64 billedGpuSeconds,uint128 grossRevenue,uint32 lineCount,"
        "bytes32 usageRoot,bytes32 evidenceHash,bytes32 previousStatementHash,"
        "uint16 topRenterBps,uint16 committedBps)"
    );
    uint256 private constant BPS = 10_000;

    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc IStatementRegistry
    uint64 public immutable challengeWindow;

    /// @inheritdoc IStatementRegistry
    uint8 public attesterCount;
    /// @inheritdoc IStatementRegistry
    uint8 public threshold;
    /// @inheritdoc IStatementRegistry
    mapping(address account => bool) public isAttester;
    /// @inheritdoc IStatementRegistry
    mapping(uint64 facilityId => uint32) public epochsPosted;
    mapping(uint64 facilityId => mapping(uint32 epoch => StatementRecord)) private _records;

    /// @param authority AccessManager that holds the roles.
    /// @param facilities Register that names capacity and windows.
    /// @param challengeWindow_ Seconds between posting and finality.
    constructor(address authority, IFacilityRegistry facilities, uint64 challengeWindow_)
        AccessManaged(authority)
        EIP712("Rentroll Statements", "1")
    {
        facilityRegistry = facilities;
        challengeWindow = challengeWindow_;
    }

    /// @inheritdoc IStatementRegistry
    function post(Statement calldata statement, Attestation[] calldata attestations) external whenNotPaused {
        uint64 facilityId = statement.facilityId;
        uint32 epoch = statement.epoch;
        uint32 expected = epochsPosted[facilityId];
        require(epoch == expected, EpochOutOfOrder(facilityId, expected, epoch));
        _checkAgainstTerms(statement);
        _checkContents(statement);
        StatementRecord memory previous;
        if (epoch > 0) previous = _records[facilityId][epoch - 1];
        require(
            statement.previousStatementHash == previous.statementHash,
            PreviousStatementWrong(previous.statementHash, statement.previousStatementHash)
        );
        bytes32 statementHash = hashStatement(statement);
        uint128 cumulativeGross = previous.cumulativeGross + statement.grossRevenue;
        uint64 cumulativeAvailable = previous.cumulativeAvailable + statement.availableGpuSeconds;
        epochsPosted[facilityId] = epoch + 1;
        _records[facilityId][epoch] =
            StatementRecord(statementHash, uint64(block.timestamp), cumulativeAvailable, cumulativeGross);
        address[] memory attesters = _checkQuorum(_hashTypedDataV4(statementHash), attestations);
        emit StatementPosted(facilityId, epoch, statementHash, statement, attesters, cumulativeGross);
    }

    /// @inheritdoc IStatementRegistry
    function setAttester(address attester, bool member) external restricted {
        require(attester != address(0) && isAttester[attester] != member, NotAttester(attester));
        isAttester[attester] = member;
        attesterCount = member ? attesterCount + 1 : attesterCount - 1;
        require(attesterCount >= threshold, ThresholdOutOfRange(threshold, attesterCount));
        emit AttesterSet(attester, member);
    }

    /// @inheritdoc IStatementRegistry
    function setThreshold(uint8 newThreshold) external restricted {
        bool inRange = newThreshold > 0 && newThreshold <= attesterCount;
        require(inRange, ThresholdOutOfRange(newThreshold, attesterCount));
        threshold = newThreshold;
        emit ThresholdSet(newThreshold);
    }

    /// @notice Stops postings. Caller: the pauser role.
    function pause() external restricted {
        _pause();
    }

    /// @notice Resumes postings. Caller: the governance role.
    function unpause() external restricted {
        _unpause();
    }

    /// @inheritdoc IStatementRegistry
    function hashStatement(Statement calldata statement) public pure returns (bytes32) {
        return keccak256(bytes.concat(STATEMENT_TYPEHASH, abi.encode(statement)));
    }

    /// @inheritdoc IStatementRegistry
    function statementDigest(Statement calldata statement) external view returns (bytes32) {
        return _hashTypedDataV4(hashStatement(statement));
    }

    /// @inheritdoc IStatementRegistry
    function statementOf(uint64 facilityId, uint32 epoch) external view returns (StatementRecord memory) {
        return _records[facilityId][epoch];
    }

    /// @inheritdoc IStatementRegistry
    function epochsFinal(uint64 facilityId) external view returns (uint32) {
        // Posting times never fall from epoch to epoch, so the first epoch that is not final is found by halving.
        uint32 low = 0;
        uint32 high = epochsPosted[facilityId];
        while (low < high) {
            uint32 middle = low + (high - low) / 2;
            if (isFinal(facilityId, middle)) low = middle + 1;
            else high = middle;
        }
        return low;
    }

    /// @inheritdoc IStatementRegistry
    function isFinal(uint64 facilityId, uint32 epoch) public view returns (bool) {
        uint64 postedAt = _records[facilityId][epoch].postedAt;
        return postedAt != 0 && block.timestamp >= postedAt + challengeWindow;
    }

    /// @inheritdoc IStatementRegistry
    function verifyLine(Statement calldata statement, Line calldata line, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        bytes32 stored = _records[statement.facilityId][statement.epoch].statementHash;
        require(stored != bytes32(0), StatementUnknown(statement.facilityId, statement.epoch));
        bytes32 given = hashStatement(statement);
        require(given == stored, StatementHashWrong(stored, given));
        if (line.facilityId != statement.facilityId || line.epoch != statement.epoch) return false;
        return UsageProof.verify(statement.usageRoot, line, proof);
    }

    function _checkAgainstTerms(Statement calldata statement) private view {
        uint64 facilityId = statement.facilityId;
        IFacilityRegistry.FacilityState state = facilityRegistry.stateOf(facilityId);
        require(state == IFacilityRegistry.FacilityState.Delivering, FacilityNotDelivering(facilityId));
        IFacilityRegistry.FacilityTerms memory terms = facilityRegistry.termsOf(facilityId);
        uint64 epochStart = terms.windowStart + uint64(statement.epoch) * terms.epochLength;
        uint64 epochEnd = epochStart + terms.epochLength;
        if (epochEnd > terms.windowEnd) {
            revert EpochBeyondWindow(facilityId, statement.epoch, facilityRegistry.epochCountOf(facilityId));
        }
        bool bounds = statement.epochStart == epochStart && statement.epochEnd == epochEnd;
        require(bounds, EpochBoundsWrong(epochStart, epochEnd));
        require(block.timestamp >= epochEnd, EpochNotOver(epochEnd, block.timestamp));
        uint256 capacity = uint256(terms.deviceCount) * terms.epochLength;
        uint64 billed = statement.billedGpuSeconds;
        require(billed <= capacity, GpuSecondsAboveCapacity(billed, capacity));
        uint64 available = statement.availableGpuSeconds;
        require(available <= capacity, GpuSecondsAboveCapacity(available, capacity));
    }

    function _checkContents(Statement calldata statement) private pure {
        bool empty = statement.lineCount == 0;
        require(empty == (statement.usageRoot == bytes32(0)), StatementInvalid("usageRoot"));
        require(!empty || statement.billedGpuSeconds == 0, StatementInvalid("billedGpuSeconds"));
        bool revenueFits = empty ? statement.grossRevenue == 0 : statement.grossRevenue <= type(uint64).max;
        require(revenueFits, StatementInvalid("grossRevenue"));
        require(statement.evidenceHash != bytes32(0), StatementInvalid("evidenceHash"));
        require(statement.topRenterBps <= BPS, StatementInvalid("topRenterBps"));
        require(statement.committedBps <= BPS, StatementInvalid("committedBps"));
    }

    /// @dev Strictly ascending attesters make every signer count once, also in [A, B, A].
    function _checkQuorum(bytes32 digest, Attestation[] calldata attestations)
        private
        view
        returns (address[] memory attesters)
    {
        uint256 count = attestations.length;
        require(threshold > 0 && count >= threshold, QuorumMissing(count, threshold));
        attesters = new address[](count);
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address attester = attestations[i].attester;
            require(attester > previous, AttestersNotAscending(previous, attester));
            require(isAttester[attester], NotAttester(attester));
            require(_signed(attester, digest, attestations[i].signature), SignatureInvalid(attester));
            attesters[i] = attester;
            previous = attester;
        }
    }

    /// @dev ECDSA first: an EOA with delegated code (EIP-7702) still signs with its key.
    function _signed(address attester, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == attester) return true;
        if (attester.code.length == 0) return false;
        try IERC1271(attester).isValidSignature(digest, signature) returns (bytes4 answer) {
            return answer == IERC1271.isValidSignature.selector;
        } catch {
            return false;
        }
    }
}
