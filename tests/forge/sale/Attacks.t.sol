// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {InvestorRegistry} from "../../../contracts/access/InvestorRegistry.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IInvestorRegistry} from "../../../contracts/interfaces/IInvestorRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {MoneyBase} from "../money/MoneyBase.sol";

/// @dev An account without a receiver hook that offers, sells, and buys and finalizes in one transaction.
contract BareOperator {
    function act(address target, bytes calldata call) public returns (bytes memory) {
        // solhint-disable-next-line avoid-low-level-calls
        (bool done, bytes memory answer) = target.call(call);
        require(done, "refused");
        return answer;
    }

    function actTwice(address target, bytes calldata first, bytes calldata second) external {
        act(target, first);
        act(target, second);
    }
}

/// @dev The same account with a hook.
contract AcceptingOperator is BareOperator {
    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }
}

/// @title Sales against people who want more than they pay for, with the outcomes in numbers
/// @dev 20 seniors (coupon 2.2) and 20 juniors; 40 GPU-hours promised, worth 2.5 each.
contract SaleAttacksTest is MoneyBase {
    InvestorRegistry private investors;

    function setUp() public {
        _deploy();
        investors = new InvestorRegistry(address(authority));
        token.setInvestorRegistry(investors);
        investors.linkMirror(token);
        address[4] memory people = [gpuOperator, ann, bob, cleo];
        for (uint256 i = 0; i < people.length; ++i) {
            _allow(people[i], true);
        }
    }

    /// Finding F13, H4: a floor filled with juniors at a millionth of a dollar is not reached.
    function test_floor__filled_by_the_operator_with_cheap_juniors__is_missed() public {
        _sell(gpuOperator, 20_000_000, 2_000_000, 1);
        _buy(ann, _id(1, 0), 1);
        _buy(gpuOperator, _id(1, 1), 20);
        _buy(gpuOperator, _id(1, 0), 19);
        assertEq(sale.bookOf(1).soldUnits, 40, "sold out");
        vm.roll(block.number + 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleStillOpen.selector, uint64(1)));
        sale.finalize(1);
        vm.warp(START - 1_000);
        sale.finalize(1);
        require(sale.bookOf(1).state == IPrimarySale.SaleState.Refunding, "demand was 2 of 40 dollars");
        uint256 before = dollar.balanceOf(ann);
        sale.refundTo(ann, _id(1, 0));
        assertEq(dollar.balanceOf(ann) - before, 2_000_000, "ann has her money back");
        sale.refundTo(gpuOperator, _id(1, 0));
        sale.refundTo(gpuOperator, _id(1, 1));
        assertEq(dollar.balanceOf(address(sale)), 0, "and the operator its own");
    }

    /// The same with a puppet and borrowed money: what is borrowed for a block cannot carry a floor.
    function test_floor__filled_with_money_borrowed_for_one_block__is_refused() public {
        BareOperator puppet = new AcceptingOperator();
        _sell(gpuOperator, 60_000_000, 2_000_000, 1_000_000);
        _buy(ann, _id(1, 0), 20);
        dollar.mint(address(puppet), 20_000_000);
        _allow(address(puppet), true);
        puppet.act(address(dollar), abi.encodeCall(dollar.approve, (address(sale), 20_000_000)));
        vm.expectRevert(bytes("refused"));
        puppet.actTwice(
            address(sale),
            abi.encodeCall(IPrimarySale.buy, (_id(1, 1), 20, 20_000_000)),
            abi.encodeCall(IPrimarySale.finalize, (1))
        );
        // In the next block it is a purchase like any other: nothing comes back before the window.
        puppet.act(address(sale), abi.encodeCall(IPrimarySale.buy, (_id(1, 1), 20, 20_000_000)));
        _finalize(1);
        assertEq(sale.releasable(1), 0, "locked");
        vm.warp(START - 1);
        assertEq(sale.releasable(1), 0, "until the window");
    }

    /// Finding F20, M3: an operator that cannot receive units has no option to let a good sale fail.
    function test_finalize__operator_without_a_hook__succeeds() public {
        BareOperator bare = new BareOperator();
        _sell(address(bare), 39_000_000, 2_000_000, 1_000_000);
        _buy(ann, _id(1, 0), 20);
        vm.warp(START - 1_000);
        _finalize(1);
        require(facilities.stateOf(1) == IFacilityRegistry.FacilityState.Funded, "funded");
        assertEq(token.totalSupply(_id(1, 1)), 0, "unsold juniors do not exist");
        assertEq(facilities.settlementTermsOf(1).unsold[1], 20, "unsold");
    }

    /// Finding F39, M3: compliance that strikes the operator off the list vetoes no sale.
    function test_finalize__operator_struck_off_token_paused__succeeds() public {
        _sell(gpuOperator, 39_000_000, 2_000_000, 1_000_000);
        _buy(ann, _id(1, 0), 20);
        _allow(gpuOperator, false);
        token.pause();
        vm.warp(START - 1_000);
        _finalize(1);
        require(facilities.stateOf(1) == IFacilityRegistry.FacilityState.Funded, "funded");
    }

    /// Findings F1b and F1c, C1: whatever ending comes, the operator holds no unit that it did not buy.
    function test_finalize__half_sold__operator_gets_no_free_units() public {
        _sell(gpuOperator, 39_000_000, 2_000_000, 1_000_000);
        _buy(ann, _id(1, 0), 20);
        vm.warp(START - 1_000);
        _finalize(1);
        for (uint256 i = 0; i < 2; ++i) {
            assertEq(token.balanceOf(gpuOperator, _id(1, i)), 0, "none");
            vm.expectPartialRevert(bytes4(keccak256("MintNotAllowed(uint256,address)")));
            vm.prank(gpuOperator);
            token.mint(gpuOperator, _id(1, i), 1);
        }
    }

    /// An operator that buys up what is left cannot end a sale that others would still fill.
    function test_finalize__bought_up_to_fail__stays_open() public {
        _sell(gpuOperator, 50_000_000, 2_000_000, 1_000_000);
        _buy(ann, _id(1, 0), 20);
        _buy(gpuOperator, _id(1, 1), 20);
        vm.roll(block.number + 1);
        vm.expectRevert(abi.encodeWithSelector(IPrimarySale.SaleStillOpen.selector, uint64(1)));
        vm.prank(gpuOperator);
        sale.finalize(1);
    }

    function _allow(address account, bool listed) private {
        investors.setInvestor(account, IInvestorRegistry.Investor(listed ? type(uint64).max : 0, 752, listed, listed));
    }

    /// Finding F1, C1: the operator sells seniors alone, delivers nothing and defaults. It once took their buyer's whole
    /// money and its bond back by the juniors that it had kept. Its buyer gets what performance would have given: the
    /// coupons, of which the unearned price is a part. What missing hours cost on unsold juniors stays in the bond.
    function test_default__nothing_delivered_juniors_unsold__buyer_gets_the_coupons() public {
        _sell(gpuOperator, 20_000_000, 2_000_000, 1_000_000);
        _buy(ann, _id(1, 0), 20);
        vm.warp(START - 1_000);
        _finalize(1);
        vm.warp(START);
        uint256 upFront = sale.release(1);
        _default(1, 0);

        _close(1);

        assertEq(upFront, 8_000_000, "a fifth of the price, as agreed");
        assertEq(token.claimable(ann, _id(1, 0)), 44_000_000, "the buyer: 2.20 a unit, as performed");
        // 40 missing hours at 2.5: the fee is one of a hundred dollars.
        assertEq(lockbox.feesOwed(1), 1_000_000, "the fee");
        uint256 back = lockbox.owedTo(address(dollar), gpuOperator);
        assertEq(back, 32_000_000 + 100_000_000 - 44_000_000 - 1_000_000, "the operator: what nobody claims");
        // Performance would have earned it 40 dollars of price and 56 of rent less the fee, and its bond of 100.
        assertLe(upFront + back, 40_000_000 + 55_000_000 + 100_000_000, "no gain from its failure");
    }

    /// Finding F1b: one tranche half sold: the unsold half takes nothing of what was not earned.
    function test_default__half_sold__unsold_half_takes_nothing() public {
        _sell(gpuOperator, 10_000_000, 2_000_000, 1_000_000);
        _buy(bob, _id(1, 1), 10);
        vm.warp(START - 1_000);
        _finalize(1);
        _default(1, 0);

        _close(1);

        // 99 dollars of missing hours, less 44 of coupons that nobody bought: 55 on twenty juniors, ten of them bought.
        assertEq(token.claimable(bob, _id(1, 1)), 27_500_000, "as performed");
        assertEq(sale.bookOf(1).returned, 8_000_000, "the unearned price is a part of it");
        uint256 back = lockbox.owedTo(address(dollar), gpuOperator);
        assertEq(back, 8_000_000 + 100_000_000 - 27_500_000 - 1_000_000, "the rest of the bond");
    }

    /// @dev Offers facility 1 of `operator`, bonds it with 100 dollars and opens its sale, 20 % up front.
    function _sell(address operator, uint64 floorProceeds, uint64 senior, uint64 junior) private {
        gpuOperator = operator;
        IFacilityRegistry.FacilityTerms memory terms = _terms(address(dollar));
        terms.promisedAvailabilityPpm = 1_000_000;
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](2);
        tranches[0] = IFacilityRegistry.TrancheTerms(20, 2_200_000);
        tranches[1] = IFacilityRegistry.TrancheTerms(20, 0);
        uint64[] memory prices = new uint64[](2);
        (prices[0], prices[1]) = (senior, junior);
        vm.startPrank(operator);
        facilities.offer(1, terms, tranches);
        _approve(1);
        vault.setTerms(1, IBondVault.BondTerms(100_000_000, 2_500_000));
        sale.open(1, IPrimarySale.SaleTerms(START - 100_000, START - 1_000, floorProceeds, 2_000, prices));
        vm.stopPrank();
        _depositBond(1, 100_000_000);
    }
}
