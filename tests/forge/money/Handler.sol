// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IPrimarySale} from "../../../contracts/interfaces/IPrimarySale.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {AuthorizedStablecoin} from "../../../contracts/mocks/AuthorizedStablecoin.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {MoneyBase} from "./MoneyBase.sol";
import {Vm} from "../Vm.sol";

/// @title Every action on money, by three investors, an operator, a renter and strangers, as time goes on
/// @dev Facilities 1 and 2 settle in an honest token, 3 in one that turns hostile. 1 and 3 are sold, 2 is minted.
/// Actions revert where the contracts refuse: the runner goes on. Ghosts count only what succeeded.
contract Handler is MoneyBase {
    uint64 public constant FACILITIES = 3;

    HostileStablecoin public bad;
    address[3] private _investors;
    /// @dev Ghosts by settlement token.
    mapping(address account => uint256) public distributed;
    mapping(address account => uint256) public claimed;
    mapping(address account => uint256) public feesTaken;
    mapping(address account => uint256) public residualOwed;
    mapping(address account => uint256) public donatedToToken;
    mapping(uint64 facilityId => uint256) public rentIn;
    mapping(uint64 facilityId => uint256) public rentBack;
    mapping(uint64 facilityId => uint256) public shortfallsPaid;
    bool public orderBroken;
    bool public emptyTranchePaid;
    uint256 public settlements;
    uint256 public distributions;

    function start() external {
        require(address(bad) == address(0), "once");
        _deploy();
        bad = new HostileStablecoin();
        facilities.setSettlementToken(address(bad), true);
        vault.setSlashAmount(1_000);
        _investors = [ann, bob, cleo];
        for (uint64 f = 1; f <= FACILITIES; ++f) {
            _offerOne(f);
        }
        address[5] memory payers = [ann, bob, cleo, renter, gpuOperator];
        for (uint256 i = 0; i < payers.length; ++i) {
            dollar.mint(payers[i], 1e15);
            bad.mint(payers[i], 1e15);
            vm.startPrank(payers[i]);
            address[3] memory spenders = [address(sale), address(lockbox), address(vault)];
            for (uint256 j = 0; j < spenders.length; ++j) {
                dollar.approve(spenders[j], type(uint256).max);
                bad.approve(spenders[j], type(uint256).max);
            }
            vm.stopPrank();
        }
        vm.startPrank(gpuOperator);
        vault.deposit(1, 1_000_000);
        vault.deposit(2, 1_000_000);
        vault.deposit(3, 1_000_000);
        vault.depositAttesterBond(bob, 10_000);
        vm.stopPrank();
        vm.prank(gpuOperator);
        facilities.fund(2);
        vm.warp(START - 3_000);
        vm.prank(ann);
        sale.buy(_id(1, 0), 7, type(uint256).max);
        vm.prank(bob);
        sale.buy(_id(3, 1), 3, type(uint256).max);
    }

    function parts()
        external
        view
        returns (address facilities_, address lockbox_, address sale_, address vault_, address token_, address dollar_)
    {
        return (address(facilities), address(lockbox), address(sale), address(vault), address(token), address(dollar));
    }

    function statementsOf(uint64 f) external view returns (uint256 attestedFinal) {
        uint32 epochs = statements.epochsFinal(f);
        return epochs == 0 ? 0 : statements.statementOf(f, epochs - 1).cumulativeGross;
    }

    // --- actions ---

    function pass(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + seed % 9_000);
    }

    function leap(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + (seed % 64 == 0 ? 91 days : seed % 4_000));
    }

    function buy(uint256 f, uint256 who, uint256 tranche, uint256 units) external {
        vm.prank(_investors[who % 3]);
        sale.buy(_id(_f(f), tranche % 3), 1 + units % 20, type(uint256).max);
    }

    function finalize(uint256 f) external {
        _finalize(_f(f));
    }

    function refund(uint256 f, uint256 who, uint256 tranche, uint256 units) external {
        address holder = _investors[who % 3];
        uint256 id = _id(_f(f), tranche % 3);
        uint256 held = token.balanceOf(holder, id);
        vm.prank(holder);
        sale.refund(id, 1 + units % (held + 1), holder);
    }

    function refundTo(uint256 f, uint256 who, uint256 tranche) external {
        sale.refundTo(_investors[who % 3], _id(_f(f), tranche % 3));
    }

    function expire(uint256 f) external {
        facilities.expire(_f(f));
    }

    function payRent(uint256 f, uint256 amount) external {
        uint64 id = _f(f);
        amount = 1 + amount % 60_000_000;
        vm.prank(renter);
        lockbox.payRent(id, "lease", amount);
        rentIn[id] += amount;
    }

    function post(uint256 f, uint256 gross, uint256 available) external {
        uint64 id = _f(f);
        require(facilities.stateOf(id) == IFacilityRegistry.FacilityState.Delivering, "state");
        uint32 posted = statements.epochsPosted(id);
        require(posted < EPOCHS, "all posted");
        uint256 end = START + uint256(posted + 1) * EPOCH;
        if (vm.getBlockTimestamp() < end) vm.warp(end);
        // forge-lint: disable-next-line(unsafe-typecast)
        statements.post(id, uint128(gross % 50_000_000), uint64(available % 36_001));
    }

    /// @dev The way of business, so that random sequences get far: funded, paid, attested, final.
    function epoch(uint256 f, uint256 gross, uint256 available, uint256 rent) external {
        uint64 id = _f(f);
        if (sale.bookOf(id).state == IPrimarySale.SaleState.Open) {
            if (vm.getBlockTimestamp() < START) vm.warp(START);
            _finalize(id);
        }
        this.payRent(f, rent);
        this.post(f, gross, available);
        vm.warp(vm.getBlockTimestamp() + 600);
    }

    /// @dev The same to the end of the window, with everything paid.
    function season(uint256 f, uint256 gross, uint256 available) external {
        for (uint32 e = statements.epochsPosted(_f(f)); e < EPOCHS; ++e) {
            this.epoch(f, gross, available, gross);
        }
        this.settle(f);
    }

    function void_(uint256 f) external {
        statements.void_(_f(f));
    }

    function settle(uint256 f) external {
        vm.recordLogs();
        uint64 id = _f(f);
        lockbox.settle(id);
        ++settlements;
        _check();
    }

    function settleMany(uint256 seed) external {
        uint64[] memory ids = new uint64[](3);
        for (uint256 i = 0; i < 3; ++i) {
            ids[i] = _f(seed >> i);
        }
        vm.recordLogs();
        lockbox.settleMany(ids);
        _check();
    }

    function payShortfall(uint256 f) external {
        uint64 id = _f(f);
        vm.recordLogs();
        uint256 amount = vault.payShortfall(id);
        shortfallsPaid[id] += amount;
        _distributed(id, amount);
    }

    function seizeBond(uint256 f) external {
        vm.recordLogs();
        _distributed(_f(f), vault.seize(_f(f)));
    }

    function seizeProceeds(uint256 f) external {
        vm.recordLogs();
        _distributed(_f(f), sale.seize(_f(f)));
    }

    function distributeSlashed(uint256 f) external {
        uint256 before = vault.slashedUnassigned();
        vm.recordLogs();
        uint256 amount = vault.distributeSlashed(_f(f));
        if (vault.slashedUnassigned() == before) _distributed(_f(f), amount);
    }

    function slash(uint256 f) external {
        address[] memory guilty = new address[](2);
        (guilty[0], guilty[1]) = (bob, cleo);
        statements.slash(vault, _f(f), guilty, ann);
    }

    function release(uint256 f) external {
        sale.release(_f(f));
    }

    function releaseBond(uint256 f) external {
        vault.release(_f(f));
    }

    function depositBond(uint256 f, uint256 amount) external {
        vm.prank(gpuOperator);
        vault.deposit(_f(f), 1 + amount % 3_000_000);
    }

    function unserved(uint256 f, uint256 gpuSeconds) external {
        desk.setUnserved(_f(f), gpuSeconds % 7_200);
    }

    function payUnserved(uint256 f, uint256 gpuSeconds) external {
        desk.pay(vault, _f(f), cleo, gpuSeconds % (desk.unservedGpuSeconds(_f(f)) + 1));
    }

    function withdraw(uint256 which, uint256 who, uint256 hostile) external {
        address[3] memory from = [address(lockbox), address(sale), address(vault)];
        address[3] memory payees = [gpuOperator, ann, renter];
        vm.prank(payees[who % 3]);
        IBondVault(from[which % 3]).withdraw(hostile % 2 == 0 ? address(dollar) : address(bad), payees[who % 3]);
    }

    function takeFees(uint256 f) external {
        uint64[] memory ids = new uint64[](1);
        ids[0] = _f(f);
        uint256 fees = lockbox.feesOwed(ids[0]);
        lockbox.takeFees(ids, address(0xFEE));
        feesTaken[_tokenOf(ids[0])] += fees;
    }

    function refundExcess(uint256 f, uint256 amount) external {
        uint64 id = _f(f);
        amount = 1 + amount % (lockbox.excessOf(id) + 1);
        lockbox.refundExcess(id, renter, amount);
        rentBack[id] += amount;
    }

    function mature(uint256 f) external {
        facilities.mature(_f(f));
    }

    function declareDefault(uint256 f) external {
        facilities.declareDefault(_f(f));
    }

    function claim(uint256 f, uint256 who) external {
        vm.prank(_investors[who % 3]);
        claimed[_tokenOf(_f(f))] += token.claim(_ids(_f(f), 3), _investors[who % 3]);
    }

    function transfer(uint256 f, uint256 who, uint256 to, uint256 tranche, uint256 units) external {
        address from = _investors[who % 3];
        uint256 id = _id(_f(f), tranche % 3);
        units %= token.balanceOf(from, id) + 1;
        vm.prank(from);
        token.safeTransferFrom(from, _investors[to % 3], id, units, "");
    }

    function burn(uint256 f, uint256 who, uint256 tranche, uint256 units) external {
        IFacilityRegistry.FacilityState state = facilities.stateOf(_f(f));
        require(state == IFacilityRegistry.FacilityState.Delivering, "only while delivering");
        uint256 id = _id(_f(f), tranche % 3);
        units = 1 + units % (token.balanceOf(_investors[who % 3], id) + 1);
        _burn(_investors[who % 3], id, units);
    }

    function donate(uint256 which, uint256 amount, uint256 hostile) external {
        address[4] memory targets = [address(lockbox), address(sale), address(vault), address(token)];
        IERC20 coin = IERC20(hostile % 2 == 0 ? address(dollar) : address(bad));
        amount %= 1_000;
        if (hostile % 2 == 0) AuthorizedStablecoin(address(coin)).mint(targets[which % 4], amount);
        else bad.mint(targets[which % 4], amount);
        if (which % 4 == 3) donatedToToken[address(coin)] += amount;
    }

    function turn(uint256 mode) external {
        bad.setMode(HostileStablecoin.Mode(mode % 4));
        if (mode % 8 == 4) {
            bad.reenter(address(lockbox), abi.encodeWithSignature("settle(uint64)", uint64(3)));
        } else if (mode % 8 == 5) {
            bad.reenter(address(sale), abi.encodeWithSignature("release(uint64)", uint64(3)));
        } else if (mode % 8 == 6) {
            bad.reenter(address(vault), abi.encodeWithSignature("payShortfall(uint64)", uint64(3)));
        }
    }

    // --- checks inside an action ---

    function _distributed(uint64 f, uint256 amount) private {
        distributed[_tokenOf(f)] += amount;
        ++distributions;
        _check();
    }

    /// @dev Invariant 5 and ATTACKS 10 from what was emitted: who was paid, and who stayed behind.
    function _check() private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 topic = logs[i].topics[0];
            if (logs[i].emitter == address(lockbox) && topic == IRentLockbox.ResidualOwed.selector) {
                residualOwed[_tokenOf(uint64(uint256(logs[i].topics[1])))] += abi.decode(logs[i].data, (uint256));
            }
            if (logs[i].emitter != address(token) || topic != ITrancheToken.RevenueAccrued.selector) continue;
            uint256 id = uint256(logs[i].topics[1]);
            if (token.totalSupply(id) == 0) emptyTranchePaid = true;
            for (uint256 s = 0; s < (id & 255); ++s) {
                if (lockbox.arrearsOf((id >> 8 << 8) | s) > 0) orderBroken = true;
            }
        }
    }

    function _offerOne(uint64 f) private {
        IFacilityRegistry.TrancheTerms[] memory tranches = new IFacilityRegistry.TrancheTerms[](f == 2 ? 3 : 2);
        for (uint256 i = 0; i < tranches.length; ++i) {
            bool last = i + 1 == tranches.length;
            tranches[i] = IFacilityRegistry.TrancheTerms(12, last ? 0 : 1_000_003);
        }
        _offer(f, f == 3 ? address(bad) : address(dollar), tranches);
        IBondVault.BondTerms memory terms = _bondTerms();
        if (f == 1) terms.defaultAfterEpochs = 0;
        vm.prank(gpuOperator);
        vault.setTerms(f, terms);
        if (f == 2) {
            vm.startPrank(gpuOperator);
            for (uint256 i = 0; i < 3; ++i) {
                token.mint(_investorsOf(i), _id(f, i), 12);
            }
            vm.stopPrank();
        } else {
            IPrimarySale.SaleTerms memory offer = _saleTerms();
            offer.floorProceeds = (f == 3 ? 10 : 4) * JUNIOR_PRICE;
            vm.prank(gpuOperator);
            sale.open(f, offer);
        }
    }

    function _investorsOf(uint256 i) private view returns (address) {
        return i == 0 ? ann : i == 1 ? bob : cleo;
    }

    function _tokenOf(uint64 f) private view returns (address) {
        return facilities.settlementTokenOf(f);
    }

    function _f(uint256 seed) private pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(1 + seed % FACILITIES);
    }
}
