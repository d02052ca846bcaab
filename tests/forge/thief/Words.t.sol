// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IStatementChallenges} from "../../../contracts/interfaces/IStatementChallenges.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title Voids, rejections and notices: who gains from what they leave behind
contract WordsTest is ThiefBase {
    /// @dev An offer before ours, of a puppet, with one of our devices in it.
    uint64 private constant EARLIER = 6;
    bytes32 private constant DEVICE = keccak256("GPU-1");
    address private constant PUPPET = address(0xC1);

    mapping(uint32 epoch => IStatementRegistry.Statement) private _posted;

    /// Nothing is delivered; attesters are honest, awake, and state so. The operator voids what they state by a pledge
    /// of its own puppet: voided epochs count as published, and published epochs cost no damages.
    function test_thief__own_device_pledged_twice__voids_keep_the_bond_whole() public {
        _found(_pledgedTwice(100 * USDC));
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _stateAndVoid(e);
        }
        assertEq(statements.opennessOf(FACILITY).firstOpen, EPOCHS, "all are as good as published");
        // Nobody can declare a default, nobody published anything. The long stop ends it.
        vm.warp(START + EPOCHS * EPOCH + SEAL + LONG_STOP);
        facilities.stop(FACILITY);
        // Stated again after the end, and voided again.
        _stateAndVoid(EPOCHS - 1);
        vm.warp(statements.statementsEndAt(FACILITY) - 1);
        _stateAndVoid(EPOCHS - 1);
        vm.warp(_now() + 32 days);
        _close();
        assertEq(_operatorInAll(), 112 * USDC, "bond and what was up front; 60 by the table");
        assertEq(_all(SENIOR), 32 * USDC, "80 % of the price; 44 by the table");
        assertEq(_all(JUNIOR), 16 * USDC, "80 % of the price; 56 by the table");
    }

    /// What k attesters can do against it, if they know that they may: a rejection of an epoch that nobody published.
    function test_thief__own_device_pledged_twice__attesters_reject_the_void_epoch() public {
        _found(_pledgedTwice(100 * USDC));
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _stateAndVoid(e);
        }
        _reject(0);
        vm.warp(_now() + PATIENCE);
        facilities.noticeDefault(FACILITY, 0);
        vm.warp(_now() + EPOCH + 1 days);
        facilities.declareDefault(FACILITY, 0);
        _close();
        assertEq(_operatorInAll(), 60 * USDC, "as in the table");
    }

    /// "That epoch can only be stated": also after a void.
    function test_thief__rejected_then_stated_then_void__is_open_again() public {
        _found(_pledgedTwice(100 * USDC));
        vm.warp(START + EPOCH);
        _publish(0);
        _reject(0);
        assertEq(statements.opennessOf(FACILITY).firstOpen, 0, "open");
        _state(0);
        _void(0);
        assertEq(statements.opennessOf(FACILITY).firstOpen, 0, "open");
        assertEq(statements.publishedHashOf(FACILITY, 0), bytes32(0), "nothing stands published");
    }

    /// Each void gives every open epoch a whole patience more, and ends a running cure: also of an epoch that was never
    /// stated, published or voided.
    function test_thief__own_device_pledged_twice__puts_off_default_of_another_epoch() public {
        _found(_pledgedTwice(100 * USDC));
        _state(0);
        vm.warp(START + 2 * EPOCH + PATIENCE);
        facilities.noticeDefault(FACILITY, 1);
        // Epoch 0 is final by now, so the operator waits for another statement: attesters state epoch 1 late, in the
        // cure, and epoch 1 is voided. The notice of epoch 2 is gone as well.
        vm.warp(START + 3 * EPOCH + PATIENCE);
        facilities.noticeDefault(FACILITY, 2);
        _state(0);
        _void(1);
        vm.warp(_now() + EPOCH + 1 days);
        vm.expectRevert(abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, FACILITY, uint32(2)));
        facilities.declareDefault(FACILITY, 2);
    }

    /// Finding F3 with a real void: void, notice and default never fit together.
    function test_thief__void_then_default__patience_and_cure_from_the_void() public {
        _found(_pledgedTwice(100 * USDC));
        vm.warp(START + EPOCHS * EPOCH);
        for (uint32 e = 0; e < 3; ++e) {
            _state(10 hours);
        }
        vm.warp(_now() + CHALLENGE_WINDOW - 1);
        _void(0);
        uint256 overdue = _now() + PATIENCE;
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, FACILITY, uint32(3), overdue));
        facilities.noticeDefault(FACILITY, 3);
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOpen.selector, FACILITY, uint32(0)));
        facilities.noticeDefault(FACILITY, 0);
    }

    /// A notice in the block of a rejection would count for nothing.
    function test_thief__notice_in_the_block_of_a_rejection__refused() public {
        _found(_soldOut(100));
        vm.warp(START + EPOCH);
        _publish(0);
        vm.warp(START + EPOCH + PATIENCE);
        _reject(0);
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, FACILITY, uint32(0), _now() + 1));
        facilities.noticeDefault(FACILITY, 0);
    }

    /// @dev A puppet offers first, and funds its offer with one unit of its own, so that the pledge never lapses.
    function _pledgedTwice(uint256 bond) private returns (Offer memory offer) {
        IFacilityRegistry.FacilityTerms memory terms = _terms(_soldOut(0));
        terms.gpuOperator = PUPPET;
        terms.deviceCount = 1;
        terms.pledgeRoot = _leafOf(EARLIER);
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(1, 0);
        vm.startPrank(PUPPET);
        facilities.offer(EARLIER, terms, tranches);
        _approve(EARLIER);
        vault.setTerms(EARLIER, IBondVault.BondTerms(0, 0));
        token.mint(PUPPET, uint256(EARLIER) << 8, 1);
        facilities.fund(EARLIER);
        vm.stopPrank();
        offer = _offerOf(Deal(20, 20, bond, 1_000_000, 0));
        offer.terms.pledgeRoot = _leafOf(FACILITY);
    }

    /// @dev The one device of a pledge.
    function _only() private pure returns (IStatementChallenges.ProvenPledge memory) {
        return IStatementChallenges.ProvenPledge(0, DEVICE, DEVICE, 0, new bytes32[](0));
    }

    function _leafOf(uint64 facilityId) private view returns (bytes32) {
        return this.leafOf(facilityId, _only());
    }

    function leafOf(uint64 facilityId, IStatementChallenges.ProvenPledge calldata pledge)
        external
        pure
        returns (bytes32)
    {
        return UsageProof.pledgeLeaf(facilityId, pledge);
    }

    function _state(uint64 available) private {
        uint32 epoch = statements.epochsPosted(FACILITY);
        uint256 end = START + (uint256(epoch) + 1) * EPOCH;
        if (_now() < end) vm.warp(end);
        IStatementRegistry.Statement memory statement = _statement(available, 0);
        IAttesterRegistry.Attestation[] memory signatures = _signed(statements.statementDigest(statement));
        statements.post(statement, signatures);
        previous = statements.hashStatement(statement);
        _posted[epoch] = statement;
    }

    /// @dev Attesters state all epochs up to one; in the last second the operator shows the pledge of its puppet.
    function _stateAndVoid(uint32 last) private {
        uint256 end = START + (uint256(last) + 1) * EPOCH;
        if (_now() < end) vm.warp(end);
        for (uint32 e = statements.epochsPosted(FACILITY); e <= last; ++e) {
            _state(0);
        }
        vm.warp(_now() + CHALLENGE_WINDOW - 1);
        _void(0);
    }

    function _void(uint32 epoch) private {
        IStatementChallenges.ProvenPledge memory only = _only();
        vm.prank(gpuOperator);
        statements.challengeDoublePledge(_posted[epoch], only, EARLIER, epoch, only);
        previous = epoch == 0 ? bytes32(0) : statements.statementOf(FACILITY, epoch - 1).statementHash;
    }
}
