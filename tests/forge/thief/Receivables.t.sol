// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ThiefBase} from "./ThiefBase.sol";

/// @title Rent that nobody will ever pay: attested, dear, and owed by a puppet of the operator
/// @dev Each test has the honest history beside it, which differs in one line of one statement. R1 and R2 of
/// docs/reviews/closing-thief.md; the last test shows what is left of R3.
contract ReceivablesTest is ThiefBase {
    uint256 private _start;

    function setUp() public override {
        super.setUp();
        _start = vm.snapshotState();
    }

    /// F1 again: nothing is delivered, juniors are unsold. One GPU-hour is leased to a puppet for 50, and never paid.
    function test_thief__dear_lease_never_paid__stands_for_nothing() public {
        (uint256 senior, uint256 operator) = _nothingDelivered(Deal(20, 0, 0, 1_000_000, 0), 0);
        assertEq(senior, 32 * USDC, "without the lease: 80 % of the price comes back");
        assertEq(operator, 8 * USDC, "and what was up front stays");
        (senior, operator) = _nothingDelivered(Deal(20, 0, 0, 1_000_000, 0), 50 * USDC);
        assertEq(senior, 32 * USDC, "with it, the same");
        assertEq(operator, 8 * USDC, "the operator gains nothing");
    }

    /// The same with sold juniors, which are the operator's puppet (or not: they gain in any case).
    function test_thief__dear_lease_never_paid__juniors_get_none_of_the_seniors_price() public {
        (uint256 senior,) = _nothingDelivered(_soldOut(0), 0);
        assertEq(senior, 32 * USDC, "without");
        assertEq(_all(JUNIOR), 16 * USDC, "without, juniors");
        (senior,) = _nothingDelivered(_soldOut(0), 50 * USDC);
        assertEq(senior, 32 * USDC, "with");
        assertEq(_all(JUNIOR), 16 * USDC, "with, juniors");
    }

    /// A bond that covers all damages: one epoch with a dear lease, then default. The bond pays the lease first, "as
    /// rent", but only what the delivered hours are worth. Up front 100 %.
    function test_thief__dear_lease_then_default__bond_pays_the_worth_of_its_hours() public {
        (uint256 senior, uint256 coalition) = _oneEpochThenDefault(10 * RATE);
        assertEq(senior, 44 * USDC, "an honest price of the lease: seniors are whole");
        assertEq(coalition, 116 * USDC, "operator and juniors, without the rent that it took elsewhere");
        (senior, coalition) = _oneEpochThenDefault(200 * USDC);
        assertEq(senior, 44 * USDC, "a dear lease: the same");
        assertEq(coalition, 116 * USDC, "operator and juniors gain nothing");
    }

    /// Vouchers of seniors are not behind a dear lease either.
    function test_thief__dear_lease_never_paid__senior_vouchers_get_their_hours() public {
        assertEq(_voucherUnserved(40 * USDC), 11 * USDC, "honest price: 4.4 hours");
        assertEq(_voucherUnserved(400 * USDC), 11 * USDC, "dear lease: the same");
    }

    /// No fraud at all: a renter fails. What it owes stands for nothing: seniors claim their coupons first.
    function test_thief__renter_fails__seniors_come_first() public {
        _found(_soldOut(0));
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(5 hours, 5 * RATE);
        }
        _matureUnpaid();
        _close();
        assertEq(_all(SENIOR), 18 * USDC, "their own price, and what juniors' price is above its claim");
        assertEq(_all(JUNIOR), 6 * USDC, "juniors' claim, out of their price");
    }

    /// An honest price, juniors unsold, the renter is a puppet: the bond pays the residual of that rent to the operator
    /// while seniors' damages are open.
    function test_thief__lease_never_paid_then_default__operator_is_paid_from_its_bond_before_seniors() public {
        _found(Deal(20, 0, 30 * USDC, 1_000_000, 0));
        _post(10 hours, 10 * RATE);
        _post(10 hours, 10 * RATE);
        _default();
        _close();
        assertEq(_all(SENIOR), 38 * USDC, "seniors are 6 short");
        assertEq(lockbox.owedTo(address(dollar), gpuOperator), 8 * USDC, "8 of the bond are back with the operator");
    }

    function _nothingDelivered(Deal memory deal, uint256 rent) private returns (uint256 senior, uint256 operator) {
        _again();
        _found(deal);
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(0, e == 0 ? rent : 0);
        }
        if (rent > 0) {
            _matureUnpaid();
        } else {
            _seal(0);
            facilities.mature(FACILITY);
        }
        _close();
        return (_all(SENIOR), _operatorInAll());
    }

    function _oneEpochThenDefault(uint256 rent) private returns (uint256 senior, uint256 coalition) {
        _again();
        Offer memory offer = _offerOf(_soldOut(100));
        offer.upFrontBps = 10_000;
        _found(offer);
        _post(10 hours, rent);
        _default();
        _close();
        // All proceeds, 60, were up front: whether they are taken already or not does not matter.
        if (sale.releasable(FACILITY) > 0) sale.release(FACILITY);
        return (_all(SENIOR), _operatorInAll() + _all(JUNIOR));
    }

    /// @dev Everything is available and leased; five seniors were burned for 4.4 hours that were never served.
    function _voucherUnserved(uint256 rent) private returns (uint256) {
        _again();
        _found(_soldOut(100));
        uint256 voucher = _takeDelivery(desk, ann, SENIOR, 5, "voucher");
        for (uint256 e = 0; e < EPOCHS; ++e) {
            _post(10 hours, e == 0 ? rent : 0);
        }
        _matureUnpaid();
        _close();
        return lockbox.payableToVoucher(voucher);
    }

    /// @dev Back to before the offer: a second history begins where the first one did.
    function _again() private {
        uint256 start = _start;
        vm.revertToState(start);
        _start = vm.snapshotState();
    }
}
