// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "../../../contracts/interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {BatchRoot} from "../../../contracts/statements/BatchRoot.sol";
import {Setup} from "./Setup.sol";

/// @title Batches of statements
abstract contract Batches is Setup {
    uint64 internal constant FIRST = 100;

    function _open(uint256 count) internal {
        IFacilityRegistry.FacilityTerms memory terms = facilities.termsOf(FACILITY);
        for (uint64 i = 0; i < count; ++i) {
            facilities.setFacility(FIRST + i, terms, IFacilityRegistry.FacilityState.Funded, 1);
        }
    }

    /// @dev The next statements of all facilities, in ascending order of their leaves.
    function _batch(uint256 count, uint32 epoch) internal view returns (IStatementRegistry.Statement[] memory list) {
        list = new IStatementRegistry.Statement[](count);
        for (uint256 i = 0; i < count; ++i) {
            list[i] = _statement(epoch, keccak256("root"), 1000);
            // forge-lint: disable-next-line(unsafe-typecast)
            uint64 facilityId = FIRST + uint64(i);
            list[i].facilityId = facilityId;
            if (epoch > 0) list[i].previousStatementHash = registry.statementOf(facilityId, epoch - 1).statementHash;
            for (uint256 j = i; j > 0 && _leaf(list[j]) < _leaf(list[j - 1]); --j) {
                (list[j], list[j - 1]) = (list[j - 1], list[j]);
            }
        }
    }

    function _leaf(IStatementRegistry.Statement memory statement) internal view returns (bytes32) {
        return BatchRoot.leaf(registry.hashStatement(statement));
    }

    function _signBatch(IStatementRegistry.Statement[] memory list)
        internal
        view
        returns (IAttesterRegistry.Attestation[] memory)
    {
        bytes32[] memory hashes = new bytes32[](list.length);
        for (uint256 i = 0; i < list.length; ++i) {
            hashes[i] = registry.hashStatement(list[i]);
        }
        return _signedBy(registry.batchDigest(registry.batchRoot(hashes)), attesterKeys, 3);
    }

    function _postMany(IStatementRegistry.Statement[] memory list) internal returns (uint256 gasUsed) {
        IAttesterRegistry.Attestation[] memory signed = _signBatch(list);
        vm.warp(list[0].epochEnd);
        registry.postMany(list, signed);
        gasUsed = vm.lastCallGas().gasTotalUsed;
    }
}

/// @title Gas of a batch
contract BatchGasTest is Batches {
    event GasSeen(string what, uint256 gasUsed);

    function test_postMany__fifty_facilities__cost_less_than_alone() public {
        _open(50);
        emit GasSeen("first epoch, each", _postMany(_batch(50, 0)) / 50);
        uint256 each = _postMany(_batch(50, 1)) / 50;
        emit GasSeen("later epoch, each", each);
        assertLe(each, 96_500, "with 22,700 for its settlement below 120,000");
        for (uint64 i = 0; i < 50; ++i) {
            assertEq(registry.epochsPosted(FIRST + i), 2, "posted");
            assertEq(registry.signersOf(FIRST + i, 1).length, 3, "signers");
        }
    }
}

/// @title Many facilities under one set of signatures (docs/DEAL.md)
contract BatchTest is Batches {
    /// @notice Rule 17: what cannot be posted is skipped, with the reason of a single posting.
    function test_postMany__one_that_cannot_be_posted__skips_it_and_says_why() public {
        _open(3);
        facilities.setState(FIRST + 1, IFacilityRegistry.FacilityState.Offered);
        IStatementRegistry.Statement[] memory list = _batch(3, 0);
        bytes memory reason =
            abi.encodeWithSelector(IStatementRegistry.FacilityNotDelivering.selector, uint64(FIRST + 1));
        IAttesterRegistry.Attestation[] memory signed = _signBatch(list);
        vm.warp(list[0].epochEnd);
        vm.expectEmit(true, true, true, true, address(registry));
        emit IStatementRegistry.StatementSkipped(FIRST + 1, 0, reason);
        registry.postMany(list, signed);
        assertEq(registry.epochsPosted(FIRST), 1, "posted");
        assertEq(registry.epochsPosted(FIRST + 1), 0, "skipped");
        assertEq(registry.epochsPosted(FIRST + 2), 1, "posted");
        // The same batch again: nothing twice.
        registry.postMany(list, signed);
        assertEq(registry.epochsPosted(FIRST), 1, "once");
    }

    /// @notice Signatures of one panel post nothing of another's.
    function test_postMany__facility_of_another_panel__is_skipped() public {
        _open(2);
        attesters.setPanel(2, _addressesOf(_inOrder(1, 1)));
        facilities.setFacility(FIRST, facilities.termsOf(FACILITY), IFacilityRegistry.FacilityState.Funded, 2);
        IStatementRegistry.Statement[] memory list = _batch(2, 0);
        IAttesterRegistry.Attestation[] memory signed = _signBatch(list);
        vm.warp(list[0].epochEnd);
        if (list[0].facilityId == FIRST) {
            address second = signed[vm.addr(1) == signed[0].attester ? 1 : 0].attester;
            vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.NotOnPanel.selector, second, uint8(2)));
            registry.postMany(list, signed);
            return;
        }
        registry.postMany(list, signed);
        assertEq(registry.epochsPosted(FIRST), 0, "of the other panel");
        assertEq(registry.epochsPosted(FIRST + 1), 1, "of this panel");
    }

    function test_postMany__empty_changed_or_from_outside__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.BatchEmpty.selector));
        registry.postMany(new IStatementRegistry.Statement[](0), new IAttesterRegistry.Attestation[](0));
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.BatchEmpty.selector));
        registry.batchRoot(new bytes32[](0));
        _open(2);
        IStatementRegistry.Statement[] memory list = _batch(2, 0);
        IAttesterRegistry.Attestation[] memory signed = _signBatch(list);
        vm.warp(list[0].epochEnd);
        address[] memory signers = new address[](3);
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.NotThisContract.selector, address(this)));
        registry.postSigned(list[0], 1, signers, 7);
        vm.expectRevert(abi.encodeWithSelector(IStatementRegistry.NotThisContract.selector, address(this)));
        registry.postTogether(list, signed);
        // Signed for two, posted as one; signed for these, posted with others.
        IStatementRegistry.Statement[] memory one = new IStatementRegistry.Statement[](1);
        one[0] = list[0];
        address first = vm.addr(attesterKeys[0]);
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, first));
        registry.postMany(one, signed);
        list[1].topRenterBps = 1;
        vm.expectRevert(abi.encodeWithSelector(IAttesterRegistry.SignatureInvalid.selector, first));
        registry.postMany(list, signed);
    }
}
