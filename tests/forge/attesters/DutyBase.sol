// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ISignerCharges} from "../../../contracts/interfaces/ISignerCharges.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Setup} from "../statements/Setup.sol";

/// @title What tests of duties share: statements of one line, signatures shown, refusals
abstract contract DutyBase is Setup {
    /// @dev A statement by one of three seats.
    uint256 internal constant THIRD = 166_966_608_033_225 / 3;
    uint32 internal constant SEAL_SECONDS = 1 hours;

    function setUp() public virtual override {
        super.setUp();
        IFacilityRegistry.FacilityTerms memory terms = facilities.termsOf(FACILITY);
        terms.sealSeconds = SEAL_SECONDS;
        facilities.setFacility(FACILITY, terms, IFacilityRegistry.FacilityState.Funded, 1);
    }

    function _ending(uint256 endedAt, uint256 closedAt) internal {
        // Times of blocks.
        // forge-lint: disable-next-line(unsafe-typecast)
        facilities.setEnding(FACILITY, IEndings.Ending(1, uint40(endedAt), uint40(closedAt), 0));
    }

    function _attester(uint256 which) internal view returns (address) {
        return vm.addr(attesterKeys[which]);
    }

    /// @dev Signed and posted by the first of the panel; it says a second too many of its only line.
    function _posted(uint32 epoch, uint256 signers) internal returns (IStatementRegistry.Statement memory statement) {
        IStatementRegistry.Line memory line = _line(epoch);
        statement = _statement(epoch, UsageProof.leaf(line), 1);
        (statement.billedGpuSeconds, statement.grossRevenue) = (line.gpuSeconds, line.charge);
        vm.warp(statement.epochEnd);
        registry.post(statement, _signedBy(registry.statementDigest(statement), attesterKeys, signers));
    }

    function _line(uint32 epoch) internal pure returns (IStatementRegistry.Line memory line) {
        uint64 start = WINDOW_START + uint64(epoch) * EPOCH_LENGTH;
        (line.facilityId, line.epoch, line.start, line.end) = (FACILITY, epoch, start, start + 60);
        (line.gpuSeconds, line.cumulativeGpuSeconds) = (61, 61);
        (line.charge, line.cumulativeCharge) = (41_500, 41_500);
    }

    function _void(IStatementRegistry.Statement memory statement) internal {
        registry.challengeLine(statement, IStatementChallenges.ProvenLine(_line(statement.epoch), new bytes32[](0)));
    }

    function _shown(IStatementRegistry.Statement memory statement, uint256 which)
        internal
        view
        returns (ISignerCharges.Signed memory signed)
    {
        signed.attestations = new IAttesterRegistry.Attestation[](1);
        signed.attestations[0] = _sign(statement)[which];
    }

    function _one(uint32 epoch, uint256 which) internal view returns (IAttesterDesk.Refusal[] memory refusals) {
        refusals = new IAttesterDesk.Refusal[](1);
        refusals[0] = _refusal(FACILITY, epoch, keccak256("evidence"), attesterKeys[which]);
    }

    function _oneOf(uint32 epoch, uint256 key) internal view returns (IAttesterDesk.Refusal[] memory refusals) {
        refusals = new IAttesterDesk.Refusal[](1);
        refusals[0] = _refusal(FACILITY, epoch, keccak256("evidence"), key);
    }

    function _sorted(address a, address b, address c) internal pure returns (address[] memory list) {
        list = new address[](3);
        (list[0], list[1], list[2]) = (a, b, c);
        for (uint256 i = 0; i < 3; ++i) {
            for (uint256 j = i + 1; j < 3; ++j) {
                if (list[j] < list[i]) (list[i], list[j]) = (list[j], list[i]);
            }
        }
    }

    function _signAgain(IAttesterDesk.Refusal memory refusal, uint32 epoch, uint256 which) internal view {
        refusal.signature = sign(attesterKeys[which], attesterDesk.refusalDigest(FACILITY, epoch, refusal));
    }

    function _notDue(uint32 epoch) internal {
        IAttesterDesk.Refusal[] memory refusals = _one(epoch, 1);
        vm.expectRevert(abi.encodeWithSelector(IAttesterDesk.StatementNotDue.selector, FACILITY, epoch));
        attesterDesk.refuse(FACILITY, epoch, refusals);
    }

    function _warpFinal() internal {
        vm.warp(vm.getBlockTimestamp() + CHALLENGE_WINDOW);
    }

    function _bookFinal(uint32 epoch) internal {
        _warpFinal();
        attesterDesk.book(FACILITY, epoch);
    }
}
