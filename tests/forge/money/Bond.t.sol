// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IPayouts} from "../../../contracts/interfaces/IPayouts.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {MoneyBase} from "./MoneyBase.sol";

contract BondTest is MoneyBase {
    function setUp() public {
        _deploy();
        _offer(7, address(dollar), _twoTranches());
        _bond(7, 1_000_000);
    }

    function test_setTerms__wrong__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NotGpuOperator.selector, uint64(7), address(this)));
        vault.setTerms(7, _bondTerms());
        vm.expectRevert(abi.encodeWithSelector(IBondVault.TermsFrozen.selector, uint64(7)));
        vm.prank(gpuOperator);
        vault.setTerms(7, _bondTerms());
        _offer(8, address(dollar), _twoTranches());
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(8, 1), 1);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.TermsFrozen.selector, uint64(8)));
        vault.setTerms(8, _bondTerms());
        vm.stopPrank();
    }

    function test_deposit__wrong__reverts() public {
        vm.expectRevert(abi.encodeWithSelector(IBondVault.DepositNotAccepted.selector, uint64(9)));
        vault.deposit(9, 1);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        vault.deposit(7, 0);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.AmountZero.selector));
        vault.depositAttesterBond(ann, 0);
    }

    function test_payShortfall__cumulative__down_and_never_back() public {
        _fund();
        uint256 rate = _bondTerms().ratePerGpuHour;
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.payShortfall(7);
        _postFinal(7, 0, 30_001);
        uint256 first = (35_640 - 30_001) * rate / 3_600;
        assertEq(vault.shortfallDue(7), first, "due");
        assertEq(vault.payShortfall(7), first, "first");
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.payShortfall(7);
        _postFinal(7, 0, 36_000);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.payShortfall(7);
        _postFinal(7, 0, 30_000);
        uint256 whole = (3 * 35_640 - 96_001) * rate / 3_600;
        assertEq(vault.payShortfall(7), whole - first, "the difference");
        _postFinal(7, 0, 0);
        uint256 left = vault.bondOf(7);
        vault.payShortfall(7);
        require(vault.bondOf(7) < left, "goes on");
    }

    function test_payShortfall__more_than_the_bond__capped() public {
        IBondVault.BondTerms memory terms = _bondTerms();
        terms.ratePerGpuHour = 10_000_000;
        _offer(8, address(dollar), _twoTranches());
        vm.prank(gpuOperator);
        vault.setTerms(8, terms);
        _depositBond(8, 1_000_000);
        _fund(8);
        _postFinal(8, 0, 0);
        assertEq(vault.payShortfall(8), 1_000_000, "all");
        assertEq(vault.bondOf(8), 0, "none left");
        require(!vault.isSufficient(8), "insufficient");
        _depositBond(8, 500);
        assertEq(vault.payShortfall(8), 500, "the rest as it comes");
    }

    function test_release__matured__after_everything_owed() public {
        _fund();
        for (uint32 e = 0; e < EPOCHS; ++e) {
            _postFinal(7, 0, 35_000);
        }
        vm.expectRevert(abi.encodeWithSelector(IBondVault.BondStillNeeded.selector, uint64(7)));
        vault.release(7);
        lockbox.settle(7);
        facilities.mature(7);
        desk.setUnserved(7, 3_600);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.BondStillNeeded.selector, uint64(7)));
        vault.release(7);
        uint256 paid = vault.payShortfall(7);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.BondStillNeeded.selector, uint64(7)));
        vault.release(7);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NotDeliveryDesk.selector, address(this)));
        vault.payUnserved(7, cleo, 1);
        assertEq(desk.pay(vault, 7, cleo, 3_600), 70_001, "voucher");
        assertEq(vault.release(7), 1_000_000 - paid - 70_001, "the rest");
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.release(7);
        vm.prank(gpuOperator);
        vault.withdraw(address(dollar), gpuOperator);
        vm.prank(cleo);
        vault.withdraw(address(dollar), cleo);
        assertEq(dollar.balanceOf(address(vault)), 0, "nothing is left");
        vm.expectRevert(abi.encodeWithSelector(IBondVault.DepositNotAccepted.selector, uint64(7)));
        vault.deposit(7, 1);
    }

    function test_seize__default__leaves_what_vouchers_are_owed() public {
        _fund();
        vm.expectRevert(abi.encodeWithSelector(IBondVault.FacilityNotDefaulted.selector, uint64(7)));
        vault.seize(7);
        desk.setUnserved(7, 1);
        vm.warp(START + 3 * uint256(EPOCH));
        facilities.declareDefault(7);
        // 1 GPU-second at 70,001 an hour is 19.4: 20 stay, rounded up (ATTACKS 9).
        assertEq(vault.seize(7), 1_000_000 - 20, "seized");
        assertEq(desk.pay(vault, 7, cleo, 1), 19, "voucher");
        assertEq(vault.seize(7), 1, "the rounding");
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.seize(7);
        assertEq(token.unvested(_id(7, 0)) + token.unvested(_id(7, 1)), 1_000_000 - 19, "to holders");
    }

    function test_withdrawAttesterBond__liable__only_after() public {
        _attesterBond(ann, 900);
        uint64 free = uint64(vm.getBlockTimestamp() + 1_200);
        statements.setLiable(ann, free);
        vm.startPrank(ann);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.AttesterLiable.selector, ann, free));
        vault.withdrawAttesterBond(cleo);
        vm.warp(free);
        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        vault.withdrawAttesterBond(address(0));
        assertEq(vault.withdrawAttesterBond(cleo), 900, "bond");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), ann));
        vault.withdrawAttesterBond(cleo);
        vm.stopPrank();
        assertEq(dollar.balanceOf(cleo), 900, "paid");
    }

    function test_slash__fault__half_to_the_challenger_rest_to_holders() public {
        // ATTACKS 24
        _fund();
        vault.setSlashAmount(101);
        _attesterBond(ann, 900);
        _attesterBond(bob, 50);
        address[] memory guilty = new address[](3);
        (guilty[0], guilty[1], guilty[2]) = (ann, bob, cleo);
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NotStatementRegistry.selector, address(this)));
        vault.slash(7, guilty, renter);
        assertEq(statements.slash(vault, 7, guilty, renter), 151, "taken");
        assertEq(vault.attesterBondOf(ann), 799, "ann");
        assertEq(vault.attesterBondOf(bob), 0, "bob");
        assertEq(vault.owedTo(address(dollar), renter), 75, "challenger");
        assertEq(vault.slashedFor(7), 76, "holders");
        assertEq(vault.distributeSlashed(7), 76, "distributed");
        vm.expectRevert(abi.encodeWithSelector(IBondVault.NothingDue.selector, uint64(7)));
        vault.distributeSlashed(7);
        assertEq(token.unvested(_id(7, 1)), 76, "streams to holders");
    }

    function test_slash__other_token_or_no_units__treasury() public {
        HostileStablecoin other = new HostileStablecoin();
        facilities.setSettlementToken(address(other), true);
        _funded(8, address(other), _oneTranche());
        vault.setSlashAmount(100);
        _attesterBond(ann, 900);
        address[] memory guilty = new address[](1);
        guilty[0] = ann;
        vm.expectRevert(abi.encodeWithSelector(IPayouts.NothingOwed.selector, address(dollar), address(this)));
        vault.takeSlashed(cleo);
        statements.slash(vault, 8, guilty, renter);
        statements.slash(vault, 7, guilty, renter);
        vault.distributeSlashed(7);
        assertEq(vault.slashedUnassigned(), 100, "both halves");
        vm.expectRevert(abi.encodeWithSelector(IPayouts.RecipientInvalid.selector, address(0)));
        vault.takeSlashed(address(0));
        vault.takeSlashed(cleo);
        assertEq(dollar.balanceOf(cleo), 100, "treasury");
    }

    function _attesterBond(address attester, uint256 amount) private {
        dollar.mint(address(this), amount);
        dollar.approve(address(vault), amount);
        vault.depositAttesterBond(attester, amount);
    }

    function _fund() private {
        _fund(7);
    }

    function _fund(uint64 facilityId) private {
        vm.startPrank(gpuOperator);
        token.mint(ann, _id(facilityId, 0), 16);
        token.mint(bob, _id(facilityId, 1), 24);
        facilities.fund(facilityId);
        vm.stopPrank();
        vm.warp(START);
    }
}
