// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IStatementRegistry} from "../../../contracts/interfaces/IStatementRegistry.sol";
import {UsageProof} from "../../../contracts/statements/UsageProof.sol";
import {Attesting} from "../invariant/Attesting.sol";

/// @title Vouchers against real statements, attacked
contract DeliveringTest is Attesting {
    uint64 private constant F = 2;
    bytes32 private constant LEASE = keccak256("ann's lease");
    /// @dev A facility of its own: two epochs of 20 hours, two GPUs, 40 units of one tranche.
    uint64 private constant LONG = 9;
    uint32 private constant LONG_EPOCH = 72_000;

    function setUp() public {
        _build();
        vm.startPrank(gpuOperator);
        for (uint256 s = 0; s < 3; ++s) {
            token.mint(ann, _id(F, s), CAP);
        }
        facilities.fund(F);
        vm.stopPrank();
        vm.warp(START + 1);
    }

    function _final(Posted memory made) private {
        _post(made, 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
    }

    /// @notice ATTACKS 29: compute of before the units were burned earned revenue as units, so it serves no voucher; a
    /// second of a line serves once.
    function test_serve__line_of_before_or_used__reverts() external {
        uint256[] memory list = _one(_takeDelivery(desk, ann, _id(F, 2), 2, LEASE));
        Posted memory early = _next(F, 0, 36_000, LEASE, false);
        _final(early);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.LineNotForVoucher.selector, list[0]));
        desk.serve(list, early.statement, early.line, new bytes32[](0));

        Posted memory later = _next(F, 0, 36_000, LEASE, false);
        _final(later);
        desk.serve(list, later.statement, later.line, new bytes32[](0));

        assertEq(desk.voucherOf(list[0]).servedGpuSeconds, EPOCH, "served");
        bytes4 used = IDeliveryDesk.LineAlreadyUsed.selector;
        vm.expectRevert(abi.encodeWithSelector(used, F, uint32(1), uint32(0)));
        desk.serve(list, later.statement, later.line, new bytes32[](0));
    }

    /// @notice Finding C2: a reference that nobody agreed to is no order, so nothing burns and the bond owes nothing.
    function test_take_delivery__nonsense_reference__is_refused() external {
        IDeliveryDesk.DeliveryOrder memory order = _order(ann, _id(F, 2), CAP, keccak256("garbage"));
        bytes memory signature = sign(ANN_KEY, desk.orderDigest(order));
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.OrderSignatureInvalid.selector, gpuOperator));
        vm.prank(ann);
        desk.takeDelivery(order, signature);
        assertEq(desk.openGpuSecondsOf(F)[2], 0, "owed");
        assertEq(token.balanceOf(ann, _id(F, 2)), CAP, "units");
    }

    /// @notice Finding C2 (F6): burned in the last second, even on a good order, units give less than a second each.
    function test_take_delivery__last_second__gives_what_is_left() external {
        vm.warp(START + EPOCHS * EPOCH - 1);
        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.DeliveryEmpty.selector, _id(F, 2), 3));
        _takeDelivery(desk, ann, _id(F, 2), 3, LEASE);
        _takeDelivery(desk, ann, _id(F, 2), CAP, LEASE);
        // 12 units x 3,600 s / 14,400: three seconds, which the bond's rate makes 750 of 2,000,000 minor units.
        assertEq(desk.openGpuSecondsOf(F)[2], 3, "three seconds for twelve units");
        assertEq(3 * uint256(HALL_RATE) / 3_600, 750, "at most");
    }

    /// @notice Finding C2 (F6c): with one of four epochs left no more hours are owed than the hall can still deliver.
    function test_take_delivery__late__owes_no_more_than_is_left() external {
        vm.warp(START + 3 * EPOCH);
        for (uint256 s = 0; s < 3; ++s) {
            _takeDelivery(desk, ann, _id(F, s), CAP, LEASE);
            assertEq(desk.openGpuSecondsOf(F)[s], CAP * 900, "a quarter of an hour a unit");
        }
        assertLe(3 * CAP * 900, uint256(DEVICES) * EPOCH, "fits");
    }

    /// @notice Finding C3 (F7): twenty vouchers, one honest line of twenty hours: all are served, nothing is paid.
    function test_serve__twenty_vouchers_of_one_line__nothing_is_paid_again() external {
        IStatementRegistry.Line memory line = _openLong();
        uint256[] memory list = new uint256[](20);
        for (uint256 i = 0; i < 20; ++i) {
            list[i] = _takeDelivery(desk, ann, _id(LONG, 0), 1, LEASE);
        }
        vm.warp(START);
        IStatementRegistry.Statement memory first = _statement(line, 0);
        _post(Posted(first, line, false), 0);
        vm.warp(_now() + CHALLENGE_WINDOW);

        // One by one and in a batch: what counts is the line's seconds.
        desk.serve(_one(list[7]), first, line, new bytes32[](0));
        assertEq(desk.usedGpuSecondsOf(LONG, 0, 0), 3_600, "one hour");
        desk.serve(list, first, line, new bytes32[](0));

        assertEq(desk.usedGpuSecondsOf(LONG, 0, 0), LONG_EPOCH, "every second");
        assertEq(desk.openGpuSecondsOf(LONG)[0], 0, "served");
        line.cumulativeGpuSeconds = line.gpuSeconds = 0;
        (line.epoch, line.kind) = (1, 0);
        (line.start, line.end) = (START + LONG_EPOCH, START + 2 * LONG_EPOCH);
        _post(Posted(_statement(line, 1), line, false), 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
        lockbox.settle(LONG);
        Posted memory last = _closing(LONG, 0);
        last.statement.epochStart = START + 2 * LONG_EPOCH;
        last.statement.epochEnd = last.statement.epochStart + SEAL;
        _post(last, 0);
        vm.warp(_now() + CHALLENGE_WINDOW);
        facilities.mature(LONG);
        vm.warp(lockbox.closableFrom(LONG));
        lockbox.close(LONG);
        for (uint256 i = 0; i < 20; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IRentLockbox.NothingForVoucher.selector, list[i]));
            lockbox.payVoucher(list[i]);
        }
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 2_000_000, "the whole bond goes back");
    }

    function _openLong() private returns (IStatementRegistry.Line memory) {
        vm.warp(START - 100);
        IFacilityRegistry.FacilityTerms memory terms = _terms(LONG);
        (terms.windowEnd, terms.epochLength, terms.deviceCount) = (START + 2 * LONG_EPOCH, LONG_EPOCH, 2);
        (terms.promisedAvailabilityPpm, terms.patienceSeconds) = (500_000, LONG_EPOCH + 1 days);
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](1);
        tranches[0] = IFacilityRegistry.TrancheTerms(40, 0);
        vm.startPrank(gpuOperator);
        facilities.offer(LONG, terms, tranches);
        _approve(LONG);
        vault.setTerms(LONG, _bondTerms());
        token.mint(ann, _id(LONG, 0), 40);
        vm.stopPrank();
        _arm(_coin(LONG), gpuOperator, address(vault), 2_000_000);
        vm.startPrank(gpuOperator);
        vault.deposit(LONG, 2_000_000);
        facilities.fund(LONG);
        vm.stopPrank();
        uint64 end = START + LONG_EPOCH;
        return
            IStatementRegistry.Line(LONG, 0, 0, 1, keccak256("device"), LEASE, START, end, LONG_EPOCH, 0, LONG_EPOCH, 0);
    }

    function _statement(IStatementRegistry.Line memory line, uint32 epoch)
        private
        view
        returns (IStatementRegistry.Statement memory statement)
    {
        statement = _next(LONG, 0, 0, LEASE, false).statement;
        (statement.epochStart, statement.epochEnd) = (START + epoch * LONG_EPOCH, START + (epoch + 1) * LONG_EPOCH);
        (statement.availableGpuSeconds, statement.billedGpuSeconds) = (2 * LONG_EPOCH, line.gpuSeconds);
        statement.usageRoot = UsageProof.leaf(line);
    }

    function _one(uint256 voucherId) private pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = voucherId;
    }

    /// @notice Served until the closing, by lines of statements that came after the end; paid for the rest, once.
    function test_close__served_after_the_end__pays_for_what_stays_open() external {
        // At the window's start: three units are three hours.
        vm.warp(START);
        uint256[] memory list = _one(_takeDelivery(desk, ann, _id(F, 2), 3, LEASE));
        vm.warp(START + EPOCH + PATIENCE);
        facilities.noticeDefault(F, 0);
        vm.warp(_now() + CURE);
        facilities.declareDefault(F, 0);
        Posted memory made = _next(F, 0, 36_000, LEASE, false);
        _final(made);
        vm.warp(lockbox.closableFrom(F) - 1);
        assertEq(desk.serve(list, made.statement, made.line, new bytes32[](0)), 3_600, "an hour");
        vm.warp(_now() + 1);
        lockbox.close(F);

        vm.expectRevert(abi.encodeWithSelector(IDeliveryDesk.FacilityClosed.selector, F));
        desk.serve(list, made.statement, made.line, new bytes32[](0));
        // What seniors claim comes first. Of the bond of 2,000,000 nothing is left for vouchers of the last tranche.
        assertEq(lockbox.claimsOf(F).vouchers[2] + lockbox.voucherPoolsOf(F)[2], 2 * uint256(HALL_RATE), "two hours");
    }

    /// @notice Default needs an epoch that is neither stated nor published; a good facility cannot be brought down.
    function test_declare_default__all_in_order__reverts() external {
        vm.expectRevert(abi.encodeWithSelector(IEndings.DefaultNotNoticed.selector, F, 0));
        facilities.declareDefault(F, 0);
        uint256 overdueFrom = START + EPOCH + PATIENCE;
        vm.expectRevert(abi.encodeWithSelector(IEndings.EpochNotOverdue.selector, F, 0, overdueFrom));
        facilities.noticeDefault(F, 0);
    }
}
