// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPledgeRegistry} from "../../../contracts/interfaces/IPledgeRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title Devices that were never pledged, devices pledged twice, pairs of lines, and what a proven fault leaves
contract JudgingTest is Attesting {
    uint64 private constant F = 10;
    uint64 private constant LATER = 11;
    bytes32 private constant LOW = bytes32(uint256(1_000));
    bytes32 private constant HIGH = bytes32(uint256(2_000));

    function setUp() public {
        _build();
        _open(F);
        _open(LATER);
        vm.warp(START + EPOCH);
    }

    /// @dev A facility of two devices, LOW and HIGH, funded.
    function _open(uint64 f) private {
        _open(f, START, START + EPOCHS * EPOCH);
    }

    function _open(uint64 f, uint64 windowStart, uint64 windowEnd) private {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        (terms.windowStart, terms.windowEnd, terms.expiresAt) = (windowStart, windowEnd, windowStart);
        (terms.deviceCount, terms.pledgeRoot) = (2, _rootOf(f));
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(2, 0);
        vm.startPrank(gpuOperator);
        facilities.offer(f, terms, tranches);
        _approve(f);
        vault.setTerms(f, IBondVault.BondTerms(0, 70_001));
        token.mint(ann, _id(f, 0), 2);
        facilities.fund(f);
        vm.stopPrank();
    }

    function _pair(bytes32 a, bytes32 b) private pure returns (bytes32) {
        return a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a));
    }

    function _pledge(uint64 f, uint32 index) private view returns (IStatementChallenges.ProvenPledge memory proven) {
        proven = _bare(index);
        proven.proof = new bytes32[](1);
        proven.proof[0] = this.leafOf(f, _bare(1 - index));
    }

    /// @dev Without its proof.
    function _bare(uint32 index) private pure returns (IStatementChallenges.ProvenPledge memory proven) {
        proven.index = index;
        proven.device = proven.card = index == 0 ? LOW : HIGH;
    }

    function _rootOf(uint64 f) private view returns (bytes32) {
        return _pair(this.leafOf(f, _bare(0)), this.leafOf(f, _bare(1)));
    }

    function leafOf(uint64 f, IStatementChallenges.ProvenPledge calldata pledge) external pure returns (bytes32) {
        return UsageProof.pledgeLeaf(f, pledge);
    }

    function _pledges(uint256 count, uint32 first)
        private
        view
        returns (IStatementChallenges.ProvenPledge[] memory list)
    {
        list = new IStatementChallenges.ProvenPledge[](count);
        for (uint256 i = 0; i < count; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast)
            list[i] = _pledge(F, (first + uint32(i)) % 2);
        }
    }

    /// @dev A posted statement of one line that names `device`.
    function _billed(uint64 f, bytes32 device, uint8 kind) private returns (Posted memory made) {
        made = _next(f, 40_000_000, 7_000, bytes32(0), false);
        made.line.subject = device;
        made.line.kind = kind;
        made.statement.usageRoot = UsageProof.leaf(made.line);
        _post(made, 0);
    }

    function _proven(Posted memory made) private pure returns (IStatementChallenges.ProvenLine memory) {
        return IStatementChallenges.ProvenLine(made.line, new bytes32[](0));
    }

    function _voids(bytes32 device, IStatementChallenges.ProvenPledge[] memory neighbours) private {
        Posted memory made = _billed(F, device, 0);
        statements.challengeDevice(made.statement, _proven(made), neighbours);
        assertEq(statements.epochsPosted(F), 0, "void");
    }

    function _stands(Posted memory made, IStatementChallenges.ProvenPledge[] memory neighbours) private {
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.NoFault.selector, F, uint32(0)));
        statements.challengeDevice(made.statement, _proven(made), neighbours);
    }

    function test_device__between_neighbours__was_never_pledged() external {
        _voids(bytes32(uint256(1_500)), _pledges(2, 0));
    }

    function test_device__before_the_first__was_never_pledged() external {
        _voids(bytes32(uint256(999)), _pledges(1, 0));
    }

    function test_device__after_the_last__was_never_pledged() external {
        _voids(bytes32(uint256(2_001)), _pledges(1, 1));
    }

    function test_device__pledged__stands_whatever_is_shown() external {
        Posted memory made = _billed(F, LOW, 0);
        _stands(made, _pledges(0, 0));
        _stands(made, _pledges(1, 0));
        _stands(made, _pledges(1, 1));
        _stands(made, _pledges(2, 0));
        _stands(made, _pledges(2, 1));
        _stands(made, _pledges(3, 0));
    }

    function test_device__pledged_last__stands_whatever_is_shown() external {
        Posted memory made = _billed(F, HIGH, 0);
        _stands(made, _pledges(1, 1));
        _stands(made, _pledges(2, 0));
    }

    function test_device__of_a_difference__is_none() external {
        _stands(_billed(F, bytes32(0), 5), _pledges(1, 0));
    }

    function test_device__proofs_of_something_else__revert() external {
        Posted memory made = _billed(F, bytes32(uint256(1_500)), 0);
        IStatementChallenges.ProvenPledge[] memory neighbours = _pledges(2, 0);
        neighbours[1].device = bytes32(uint256(1_900));
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.ProofInvalid.selector, 2));
        statements.challengeDevice(made.statement, _proven(made), neighbours);
        neighbours = _pledges(2, 0);
        made.line.subject = HIGH;
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.ProofInvalid.selector, 0));
        statements.challengeDevice(made.statement, _proven(made), neighbours);
    }

    /// @notice ATTACKS 23: of two pledges of one device the later one is at fault, and may be posted again.
    function test_double_pledge__of_the_later_facility__voids_and_does_not_bar() external {
        Posted memory made = _billed(LATER, LOW, 0);
        statements.challengeDoublePledge(made.statement, _pledge(LATER, 0), F, 0, _pledge(F, 0));
        assertEq(statements.epochsPosted(LATER), 0, "void");
        assertFalse(statements.verdictOf(statements.hashStatement(made.statement)).barred, "not barred");
        _post(made, 0);
        assertEq(statements.epochsPosted(LATER), 1, "posted again");
        // Charged once for one statement, however often it falls.
        uint256 bond = attesters.bondOf(vm.addr(attesterKeys[1]));
        statements.challengeDoublePledge(made.statement, _pledge(LATER, 0), F, 0, _pledge(F, 0));
        assertEq(attesters.bondOf(vm.addr(attesterKeys[1])), bond, "charged once");
    }

    function test_double_pledge__of_the_earlier_facility_or_another_device__stands() external {
        Posted memory made = _billed(F, LOW, 0);
        bytes memory none = abi.encodeWithSelector(IStatementChallenges.NoFault.selector, F, uint32(0));
        _refused(made, _pledge(F, 0), LATER, _pledge(LATER, 0), none);
        _refused(made, _pledge(F, 0), LATER, _pledge(LATER, 1), none);
        _refused(made, _pledge(F, 0), F, _pledge(F, 0), none);
    }

    function test_double_pledge__proofs_of_something_else__revert() external {
        Posted memory made = _billed(LATER, LOW, 0);
        bytes4 invalid = IStatementChallenges.ProofInvalid.selector;
        _refused(made, _pledge(F, 0), F, _pledge(F, 0), abi.encodeWithSelector(invalid, 0));
        _refused(made, _pledge(LATER, 0), F, _pledge(LATER, 0), abi.encodeWithSelector(invalid, 1));
    }

    function _refused(
        Posted memory made,
        IStatementChallenges.ProvenPledge memory own,
        uint64 otherFacilityId,
        IStatementChallenges.ProvenPledge memory other,
        bytes memory reason
    ) private {
        vm.expectRevert(reason);
        statements.challengeDoublePledge(made.statement, own, otherFacilityId, 0, other);
    }

    /// @notice An offer that was cancelled pledges nothing any more; of two in one block the approval counts.
    function test_double_pledge__cancelled_or_same_block__decides_by_state_and_approval() external {
        IFacilityRegistry.FacilityTerms memory terms = _terms(1);
        terms.deviceCount = 2;
        terms.windowStart += 2 * EPOCH;
        terms.windowEnd += 2 * EPOCH;
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(2, 0);
        vm.startPrank(gpuOperator);
        for (uint64 f = 20; f < 22; ++f) {
            terms.pledgeRoot = _rootOf(f);
            facilities.offer(f, terms, tranches);
            _approve(f);
        }
        vault.setTerms(21, IBondVault.BondTerms(0, 70_001));
        token.mint(ann, _id(21, 0), 2);
        facilities.fund(21);
        vm.stopPrank();
        vm.warp(START + 3 * EPOCH);
        Posted memory made = _shifted(21, 2 * EPOCH);
        statements.challengeDoublePledge(made.statement, _pledge(21, 0), 20, 0, _pledge(20, 0));
        assertEq(statements.epochsPosted(21), 0, "void");
        _post(made, 0);
        vm.prank(gpuOperator);
        facilities.cancel(20);
        bytes memory none = abi.encodeWithSelector(IStatementChallenges.NoFault.selector, uint64(21), uint32(0));
        _refused(made, _pledge(21, 0), 20, _pledge(20, 0), none);
    }

    /// @notice Finding F25: what a facility pledged is free from the second in which it ended.
    function test_double_pledge__the_earlier_facility_ended__claims_nothing_after_its_end() external {
        uint64 long = START + 2 * EPOCH;
        _open(30, long, long + 200 * EPOCH);
        uint256 noticedAt = long + EPOCH + PATIENCE;
        vm.warp(noticedAt);
        facilities.noticeDefault(30, 0);
        // Two facilities take the card over: one window begins before the default of the first, one after it.
        uint64 declaredAt = uint64(noticedAt + CURE);
        _open(31, declaredAt - EPOCH, declaredAt + EPOCH);
        _open(32, declaredAt, declaredAt + EPOCH);
        vm.warp(declaredAt);
        facilities.declareDefault(30, 0);
        // Epochs of 30 begin on whole hours of its window, the same as these.
        uint32 last = uint32((declaredAt - long) / EPOCH) - 1;
        Posted memory made = _shifted(31, declaredAt - EPOCH - START);
        statements.challengeDoublePledge(made.statement, _pledge(31, 0), 30, last, _pledge(30, 0));
        assertEq(statements.epochsPosted(31), 0, "it still had the card");
        made = _shifted(32, declaredAt - START);
        bytes memory none = abi.encodeWithSelector(IStatementChallenges.NoFault.selector, uint64(32), uint32(0));
        _refusedAt(made, last, none);
        _refusedAt(made, last + 1, none);
    }

    function _refusedAt(Posted memory made, uint32 otherEpoch, bytes memory reason) private {
        IStatementChallenges.ProvenPledge memory own = _pledge(32, 0);
        IStatementChallenges.ProvenPledge memory other = _pledge(30, 0);
        vm.expectRevert(reason);
        statements.challengeDoublePledge(made.statement, own, 30, otherEpoch, other);
    }

    /// @notice Rule 16: a failed card is replaced from an epoch that has not begun; each epoch is judged by its pledge.
    function test_replace__from_the_next_epoch__judges_each_epoch_by_its_pledge() external {
        bytes32 other = bytes32(uint256(1_500));
        IStatementChallenges.ProvenPledge memory only =
            IStatementChallenges.ProvenPledge(0, other, other, 2, new bytes32[](0));
        bytes32 root = this.leafOf(F, only);
        _replace(root, 1, abi.encodeWithSelector(IPledgeRegistry.ReplacementTooEarly.selector, F, uint32(1), uint32(2)));
        _replace(root, 2, "");
        assertEq(pledges.pledgeAt(F, 1).root, _rootOf(F), "the old one");
        assertEq(pledges.pledgeAt(F, 2).root, root, "the new one");
        IStatementChallenges.ProvenPledge[] memory shown = new IStatementChallenges.ProvenPledge[](1);
        Posted memory made = _billed(F, other, 0);
        statements.challengeDevice(made.statement, _proven(made), _pledges(2, 0));
        assertEq(statements.epochsPosted(F), 0, "not pledged in epoch 0");
        for (uint256 i = 0; i < 2; ++i) {
            _billed(F, LOW, 0);
        }
        made = _billed(F, other, 0);
        shown[0] = only;
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.NoFault.selector, F, uint32(2)));
        statements.challengeDevice(made.statement, _proven(made), shown);
    }

    /// @notice A card that stays keeps the approval with which it came, whatever is replaced beside it.
    function test_double_pledge__after_a_replacement__the_earlier_facility_stays_the_earlier() external {
        bytes32 other = bytes32(uint256(1_500));
        IStatementChallenges.ProvenPledge memory low = _bare(0);
        IStatementChallenges.ProvenPledge memory newer =
            IStatementChallenges.ProvenPledge(1, other, other, 2, new bytes32[](0));
        low.proof = new bytes32[](1);
        low.proof[0] = this.leafOf(F, newer);
        _replace(_pair(this.leafOf(F, low), low.proof[0]), 2, "");
        for (uint256 i = 0; i < 2; ++i) {
            _billed(F, LOW, 0);
        }
        Posted memory made = _billed(F, LOW, 0);
        IStatementChallenges.ProvenPledge memory theirs = _pledge(LATER, 0);
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.NoFault.selector, F, uint32(2)));
        statements.challengeDoublePledge(made.statement, low, LATER, 2, theirs);
    }

    function _replace(bytes32 root, uint32 fromEpoch, bytes memory reason) private {
        IAttesterRegistry.Attestation[] memory signed = _signed(pledges.pledgeDigest(F, root, fromEpoch));
        if (reason.length > 0) vm.expectRevert(reason);
        vm.prank(gpuOperator);
        pledges.replace(F, root, fromEpoch, signed);
    }

    function _shifted(uint64 f, uint64 later) private returns (Posted memory made) {
        made = _next(f, 1, 1, bytes32(0), false);
        made.line.subject = LOW;
        made.line.start += later;
        made.line.end += later;
        made.statement.epochStart += later;
        made.statement.epochEnd += later;
        made.statement.usageRoot = UsageProof.leaf(made.line);
        _post(made, 0);
    }

    /// @dev A posted statement of two minutes of one device, the second `apart` seconds after the first began.
    function _twoLines(uint64 apart)
        private
        returns (
            Posted memory made,
            IStatementChallenges.ProvenLine memory one,
            IStatementChallenges.ProvenLine memory two
        )
    {
        made = _next(F, 0, 1, bytes32(0), false);
        IStatementRegistry.Line memory first = made.line;
        first.subject = LOW;
        first.end = first.start + 60;
        (first.gpuSeconds, first.cumulativeGpuSeconds) = (60, 60);
        IStatementRegistry.Line memory second = abi.decode(abi.encode(first), (IStatementRegistry.Line));
        (second.index, second.start, second.end) = (1, first.start + apart, first.start + apart + 60);
        second.cumulativeGpuSeconds = 120;
        made.statement.lineCount = 2;
        made.statement.billedGpuSeconds = 120;
        made.statement.usageRoot = _pair(UsageProof.leaf(first), UsageProof.leaf(second));
        _post(made, 0);
        one = IStatementChallenges.ProvenLine(first, new bytes32[](1));
        two = IStatementChallenges.ProvenLine(second, new bytes32[](1));
        (one.proof[0], two.proof[0]) = (UsageProof.leaf(second), UsageProof.leaf(first));
    }

    function test_pair__one_device_twice_in_a_second__voids_and_bars() external {
        (Posted memory made, IStatementChallenges.ProvenLine memory one, IStatementChallenges.ProvenLine memory two) =
            _twoLines(59);
        bytes memory none = abi.encodeWithSelector(IStatementChallenges.NoFault.selector, F, uint32(0));
        vm.expectRevert(none);
        statements.challengePair(made.statement, one, one);
        vm.expectRevert(none);
        statements.challengePair(made.statement, two, one);
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.ProofInvalid.selector, 1));
        statements.challengePair(made.statement, one, IStatementChallenges.ProvenLine(two.line, new bytes32[](1)));
        statements.challengePair(made.statement, one, two);
        assertEq(statements.epochsPosted(F), 0, "void");
        _barred(made);
    }

    /// @notice Intervals are half open: a line may begin in the second in which the one before ends.
    function test_pair__touching__stands() external {
        (Posted memory made, IStatementChallenges.ProvenLine memory one, IStatementChallenges.ProvenLine memory two) =
            _twoLines(60);
        vm.expectRevert(abi.encodeWithSelector(IStatementChallenges.NoFault.selector, F, uint32(0)));
        statements.challengePair(made.statement, one, two);
    }

    /// @notice Invariant 6 and ATTACKS 24: nobody brings a proven fault back with its public signatures.
    function _barred(Posted memory made) private {
        bytes32 hash = statements.hashStatement(made.statement);
        assertTrue(statements.verdictOf(hash).barred, "barred");
        bool done = true;
        try this.postAgain(made) {}
        catch (bytes memory reason) {
            done = false;
            bytes memory expected =
                abi.encodeWithSelector(IStatementRegistry.StatementBarred.selector, F, uint32(0), hash);
            assertEq(keccak256(reason), keccak256(expected), "reason");
        }
        assertFalse(done, "posted again");
    }

    function postAgain(Posted calldata made) external {
        _post(made, 0);
    }
}
