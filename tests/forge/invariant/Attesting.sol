// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {World} from "./World.sol";

/// @title Statements of one line each, honest, faulty and forged, and what must never come of them (invariant 6)
abstract contract Attesting is World {
    struct Posted {
        IStatementRegistry.Statement statement;
        IStatementRegistry.Line line;
        bool faulty;
    }

    mapping(uint64 f => mapping(uint32 epoch => Posted)) internal posted;
    mapping(uint64 f => mapping(uint32 epoch => bytes32)) private _hash;
    mapping(uint64 f => mapping(uint32 epoch => bytes32)) private _previous;
    mapping(uint64 f => mapping(uint32 epoch => bytes32)) private _finalHash;
    mapping(uint64 f => uint32) private _finalSeen;
    bool public forgedPosted;
    bool public outOfOrderPosted;
    bool public honestVoided;
    bool public faultStood;
    bool public finalChanged;
    bool public chainBroken;
    bool public postedOutOfTime;
    bool public rejectedPublished;
    mapping(uint64 f => mapping(uint32 epoch => bool)) private _rejected;

    /// @dev Every unit of three tranches to ann; the first epoch is over.
    function _fundToTheCap(uint64 f) internal {
        vm.startPrank(gpuOperator);
        for (uint256 s = 0; s < 3; ++s) {
            token.mint(ann, _id(f, s), CAP);
        }
        facilities.fund(f);
        vm.stopPrank();
        vm.warp(START + EPOCH);
    }

    /// @dev `delivers` zero is a usage line with a charge, else a delivery line of that lease.
    function _next(uint64 f, uint256 gross, uint256 available, bytes32 delivers, bool faulty)
        internal
        view
        returns (Posted memory made)
    {
        uint32 epoch = statements.epochsPosted(f);
        uint64 start = START + uint64(epoch) * EPOCH;
        uint64 seconds_ = EPOCH - (faulty ? 1 : 0);
        // forge-lint: disable-next-line(unsafe-typecast)
        int128 charge = delivers == bytes32(0) ? int128(uint128(gross % 50_000_000)) : int128(0);
        made.line = IStatementRegistry.Line({
            facilityId: f,
            epoch: epoch,
            index: 0,
            kind: delivers == bytes32(0) ? 0 : 1,
            subject: keccak256("device"),
            lease: delivers == bytes32(0) ? keccak256("lease") : delivers,
            start: start,
            end: start + EPOCH,
            gpuSeconds: seconds_,
            charge: charge,
            cumulativeGpuSeconds: seconds_,
            cumulativeCharge: charge
        });
        made.faulty = faulty;
        made.statement = IStatementRegistry.Statement({
            facilityId: f,
            epoch: epoch,
            epochStart: start,
            epochEnd: start + EPOCH,
            // forge-lint: disable-next-line(unsafe-typecast)
            availableGpuSeconds: uint64(available % (DEVICES * EPOCH + 1)),
            availableAdjustment: 0,
            billedGpuSeconds: seconds_,
            grossRevenue: charge,
            lineCount: 1,
            usageRoot: UsageProof.leaf(made.line),
            evidenceHash: bytes32(uint256(1)),
            previousStatementHash: epoch == 0 ? bytes32(0) : statements.statementOf(f, epoch - 1).statementHash,
            topRenterBps: 0,
            committedBps: 0
        });
    }

    /// @dev The closing statement after the epochs stated: one difference, of either sign.
    function _closing(uint64 f, int128 charge) internal view returns (Posted memory made) {
        made = _next(f, 0, 0, bytes32(0), false);
        made.line.kind = 11;
        (made.line.charge, made.line.cumulativeCharge) = (charge, charge);
        (made.line.gpuSeconds, made.line.cumulativeGpuSeconds) = (0, 0);
        (made.line.start, made.line.end) = (START, START + EPOCH);
        made.statement.epochEnd = made.statement.epochStart + SEAL;
        (made.statement.billedGpuSeconds, made.statement.grossRevenue) = (0, charge);
        made.statement.usageRoot = UsageProof.leaf(made.line);
    }

    /// @dev Every epoch of a facility that delivers is stated: the closing statement, final.
    function _seal(uint64 f, int128 charge) internal {
        _post(_closing(f, charge), 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
    }

    function _post(Posted memory made, uint256 leftOut) internal {
        uint64 f = made.statement.facilityId;
        uint32 epoch = made.statement.epoch;
        if (_now() < made.statement.epochEnd) vm.warp(made.statement.epochEnd);
        _bondSlashed();
        IAttesterRegistry.Attestation[] memory signed = new IAttesterRegistry.Attestation[](2);
        uint256 count = 0;
        for (uint256 i = 0; i < 3; ++i) {
            if (i != leftOut % 3) signed[count++] = _signature(attesterKeys[i], made.statement);
        }
        statements.post(made.statement, signed);
        posted[f][epoch] = made;
        _hash[f][epoch] = statements.hashStatement(made.statement);
        _previous[f][epoch] = made.statement.previousStatementHash;
        bool closing = statements.isClosingPosted(f);
        if (statements.epochsPosted(f) != (closing ? epoch : epoch + 1)) outOfOrderPosted = true;
        if (facilities.stateOf(f) == IFacilityRegistry.FacilityState.Delivering) return;
        IEndings.Ending memory ending = facilities.endingOf(f);
        uint256 latest = closing ? ending.endedAt + EPOCH : ending.endedAt;
        if (made.statement.epochEnd > latest || ending.closedAt != 0) postedOutOfTime = true;
    }

    /// @dev Attesters that lost their bonds deposit again: without them nobody could state anything.
    function _bondSlashed() private {
        for (uint256 i = 0; i < 3; ++i) {
            address attester = vm.addr(attesterKeys[i]);
            if (attesters.bondOf(attester) < SLASH) _bondAttester(attester, ATTESTER_BOND);
        }
    }

    /// @dev The operator's own word on the next epoch. What was rejected once can only be stated.
    function _publish(uint64 f, bytes32 evidenceHash) internal {
        uint32 epoch = statements.opennessOf(f).firstOpen;
        uint256 over = START + (uint256(epoch) + 1) * EPOCH;
        if (_now() < over) vm.warp(over);
        vm.prank(gpuOperator);
        statements.publish(f, epoch, evidenceHash);
        if (_rejected[f][epoch]) rejectedPublished = true;
    }

    /// @dev Attesters take the operator's word on an epoch back.
    function _reject(uint64 f, uint32 epoch) internal {
        bytes32 evidenceHash = statements.publishedHashOf(f, epoch);
        attesterDesk.reject(f, epoch, evidenceHash, _refusals(f, epoch, evidenceHash));
        _rejected[f][epoch] = true;
        if (statements.opennessOf(f).firstOpen > epoch) rejectedPublished = true;
    }

    /// @dev Every way to a quorum that is none: one signature, one twice, [A, B, A], a stranger, another statement's.
    function _forge(Posted memory made, uint256 how) internal {
        if (_now() < made.statement.epochEnd) vm.warp(made.statement.epochEnd);
        IAttesterRegistry.Attestation memory first = _signature(attesterKeys[0], made.statement);
        IAttesterRegistry.Attestation memory second = _signature(attesterKeys[1], made.statement);
        how %= 5;
        IAttesterRegistry.Attestation[] memory signed =
            new IAttesterRegistry.Attestation[](how == 0 ? 1 : how == 2 ? 3 : 2);
        signed[0] = first;
        if (how == 1) signed[1] = first;
        if (how == 2) (signed[1], signed[2]) = (second, first);
        if (how == 3) signed[1] = _signature(0xBAD, made.statement);
        if (how == 4) {
            made.statement.topRenterBps = 1;
            signed[1] = second;
        }
        try statements.post(made.statement, signed) {
            forgedPosted = true;
        } catch {}
    }

    /// @dev A good quorum over an epoch that is not next, or over the next with a wrong chain.
    function _disorder(Posted memory made, bool wrongChain) internal {
        if (wrongChain) made.statement.previousStatementHash = keccak256("another past");
        else ++made.statement.epoch;
        uint256 over = uint256(made.statement.epochEnd) + (wrongChain ? 0 : EPOCH);
        if (_now() < over) vm.warp(over);
        IAttesterRegistry.Attestation[] memory signed = new IAttesterRegistry.Attestation[](2);
        for (uint256 i = 0; i < 2; ++i) {
            signed[i] = _signature(attesterKeys[i], made.statement);
        }
        try statements.post(made.statement, signed) {
            outOfOrderPosted = true;
        } catch {}
    }

    /// @dev A fault voids exactly while the window is open; an honest statement never falls by itself.
    function _challenge(uint64 f, uint32 epoch) internal {
        Posted memory made = posted[f][epoch];
        bool standing = made.statement.facilityId != 0
            && statements.statementOf(f, epoch).statementHash == statements.hashStatement(made.statement);
        bool open = standing && made.faulty && !statements.isFinal(f, epoch);
        bool done = false;
        try statements.challengeLine(made.statement, IStatementChallenges.ProvenLine(made.line, new bytes32[](0))) {
            done = true;
        } catch {}
        if (done && !open) honestVoided = true;
        if (!done && open) faultStood = true;
        if (done && statements.epochsPosted(f) != epoch) chainBroken = true;
    }

    /// @dev What was final once stays, and the hash chain holds from each statement to the one before.
    function _watchStatements() internal {
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            uint32 epochs = statements.epochsFinal(f);
            if (epochs < _finalSeen[f]) finalChanged = true;
            bytes32 before = bytes32(0);
            for (uint32 e = 0; e < statements.epochsPosted(f); ++e) {
                bytes32 stored = statements.statementOf(f, e).statementHash;
                if (stored != _hash[f][e] || _previous[f][e] != before) chainBroken = true;
                if (e < _finalSeen[f] && stored != _finalHash[f][e]) finalChanged = true;
                if (e >= _finalSeen[f] && e < epochs) _finalHash[f][e] = stored;
                before = stored;
            }
            _finalSeen[f] = epochs;
        }
    }

    function _signature(uint256 key, IStatementRegistry.Statement memory statement)
        private
        view
        returns (IAttesterRegistry.Attestation memory)
    {
        return IAttesterRegistry.Attestation(vm.addr(key), sign(key, statements.statementDigest(statement)));
    }
}
