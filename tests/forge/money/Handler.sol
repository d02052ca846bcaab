// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IDeliveryDesk} from "../../../contracts/interfaces/IDeliveryDesk.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {AuthorizedStablecoin} from "../../../contracts/mocks/AuthorizedStablecoin.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {Opening} from "./Opening.sol";

/// @title Every action on money, by three investors, an operator, a renter and strangers, as time goes on
/// @dev Actions revert where the contracts refuse: the runner goes on. Ghosts count only what succeeded.
contract Handler is Opening {
    error Probed(bool holds);

    /// @dev What vouchers of a tranche were credited so far.
    function credited(uint64 f, uint8 seniority) external view returns (uint256 sum) {
        for (uint256 v = 1; v <= desk.voucherCount(); ++v) {
            IDeliveryDesk.Voucher memory voucher = desk.voucherOf(v);
            if (voucher.facilityId == f && voucher.seniority == seniority) sum += lockbox.paidToVoucher(v);
        }
    }

    function statementsOf(uint64 f) external view returns (uint256 attestedFinal) {
        uint32 epochs = statements.epochsFinal(f);
        if (epochs == 0) return 0;
        uint256 gross = statements.statementOf(f, epochs - 1).cumulativeGross;
        // A closing statement below zero takes nothing back that is settled.
        if (!statements.isClosingFinal(f)) return gross;
        uint256 closing = statements.statementOf(f, epochs).cumulativeGross;
        return closing > gross ? closing : gross;
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
        uint32 posted = statements.epochsPosted(id);
        require(posted < EPOCHS && !statements.isClosingPosted(id), "all posted");
        uint256 end = START + uint256(posted + 1) * EPOCH;
        if (facilities.stateOf(id) == IFacilityRegistry.FacilityState.Delivering) {
            if (vm.getBlockTimestamp() < end) vm.warp(end);
        } else {
            _requireLastWord(id, end);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        statements.post(id, uint128(gross % 50_000_000), uint64(available % 36_001));
    }

    /// @dev The closing statement of a facility whose epochs are all stated; of either sign.
    function seal(uint256 f, uint256 gross) external {
        uint64 id = _f(f);
        require(statements.epochsPosted(id) == EPOCHS && !statements.isClosingPosted(id), "epochs are open");
        uint256 sealedAt = START + uint256(EPOCHS) * EPOCH + SEAL;
        if (facilities.stateOf(id) == IFacilityRegistry.FacilityState.Delivering) {
            if (vm.getBlockTimestamp() < sealedAt) vm.warp(sealedAt);
        } else {
            _requireLastWord(id, sealedAt);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        statements.postClosing(id, int128(int256(gross % 30_000_000)) - 25_000_000);
    }

    /// @dev The way of business, so that random sequences get far: funded, paid, attested, final.
    function epoch(uint256 f, uint256 gross, uint256 available, uint256 rent) external {
        _ready(rent);
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

    /// @dev One of the four ends of a facility and, in three cases of four, its closing as early as it may be.
    function windUp(uint256 f, uint256 how, uint256 gross) external {
        _ready(gross);
        uint64 id = _f(f);
        require(facilities.stateOf(id) == IFacilityRegistry.FacilityState.Delivering, "state");
        for (uint256 i = 0; i < 3; ++i) {
            // Some of what each holds of one tranche.
            _tryIt(address(this), abi.encodeCall(this.burn, (f, i, (how >> (40 + i)) % 3, how >> 50)));
        }
        if (how % 4 < 2) {
            for (uint32 e = statements.epochsPosted(id); e < EPOCHS; ++e) {
                this.post(f, gross, how >> (8 + e));
            }
            this.seal(f, how >> 60);
            vm.warp(vm.getBlockTimestamp() + 600);
            if (how % 4 == 1) this.payRent(f, gross);
            this.settle(f);
            _tryIt(address(facilities), abi.encodeCall(facilities.noticeUnpaid, (id)));
            vm.warp(vm.getBlockTimestamp() + 90 days);
            facilities.mature(id);
        } else if (how % 4 == 2) {
            uint32 open = statements.opennessOf(id).firstOpen;
            uint256 time = START + (uint256(open) + 1) * EPOCH + PATIENCE;
            if (vm.getBlockTimestamp() < time) vm.warp(time);
            _tryIt(address(facilities), abi.encodeCall(facilities.noticeDefault, (id, open)));
            vm.warp(vm.getBlockTimestamp() + CURE);
            facilities.declareDefault(id, open);
        } else {
            uint256 time = START + uint256(EPOCHS) * EPOCH + SEAL + 180 days;
            if (vm.getBlockTimestamp() < time) vm.warp(time);
            facilities.stop(id);
        }
        if ((how >> 4) % 4 == 0) return;
        vm.warp(lockbox.closableFrom(id));
        this.close(f);
    }

    /// @dev Rent that comes after the closing, as far as it is still taken.
    function late(uint256 f, uint256 amount) external {
        uint64 id = _f(f);
        require(facilities.endingOf(id).closedAt != 0, "not closed");
        uint256 posted = statements.epochsPosted(id);
        // At most four epochs.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (statements.isClosingPosted(id)) ++posted;
        uint256 gross = posted == 0 ? 0 : statements.statementOf(id, uint32(posted - 1)).cumulativeGross;
        this.payRent(f, amount % (gross - lockbox.bookOf(id).collected));
        this.settle(f);
    }

    function publish(uint256 f, uint256 epochs) external {
        uint64 id = _f(f);
        require(facilities.stateOf(id) == IFacilityRegistry.FacilityState.Delivering, "state");
        uint256 over = (vm.getBlockTimestamp() - START) / EPOCH;
        if (over > EPOCHS) over = EPOCHS;
        // At most four epochs.
        // forge-lint: disable-next-line(unsafe-typecast)
        statements.publish(id, uint32(1 + epochs % over));
    }

    function reject(uint256 f, uint256 number) external {
        uint64 id = _f(f);
        require(facilities.endingOf(id).closedAt == 0, "closed");
        // forge-lint: disable-next-line(unsafe-typecast)
        statements.reject(id, uint32(number % EPOCHS));
    }

    function void_(uint256 f) external {
        statements.void_(_f(f));
    }

    function settle(uint256 f) external {
        vm.recordLogs();
        uint64 id = _f(f);
        lockbox.settle(id);
        _check();
    }

    function settleMany(uint256 seed) external {
        uint64[] memory ids = new uint64[](3);
        for (uint256 i = 0; i < 3; ++i) {
            ids[i] = _f(seed >> i);
        }
        vm.recordLogs();
        bool holds = true;
        try this.probe(ids) {}
        catch (bytes memory reason) {
            holds = reason[reason.length - 1] != 0;
        }
        uint256 probed = vm.getRecordedLogs().length;
        vm.recordLogs();
        lockbox.settleMany(ids);
        _check(holds ? 0 : probed);
    }

    /// @dev Settles all together and undoes it: says whether that holds.
    function probe(uint64[] calldata ids) external {
        vm.prank(address(lockbox));
        revert Probed(_tryIt(address(lockbox), abi.encodeCall(lockbox.settleTogether, (ids))));
    }

    function close(uint256 f) external {
        vm.recordLogs();
        lockbox.close(_f(f));
        _check();
    }

    function slash(uint256 f) external {
        address[] memory guilty = new address[](2);
        (guilty[0], guilty[1]) = (bob, cleo);
        statements.slash(attesters, _f(f), bytes32(f), guilty, ann);
    }

    function release(uint256 f) external {
        sale.release(_f(f));
    }

    function releaseBond(uint256 f) external {
        uint64 id = _f(f);
        vault.release(id);
        bondIn[id] = 0;
    }

    function depositBond(uint256 f, uint256 amount) external {
        uint64 id = _f(f);
        amount = 1 + amount % 3_000_000;
        vm.prank(gpuOperator);
        vault.deposit(id, amount);
        bondIn[id] += amount;
    }

    function serve(uint256 voucher, uint256 gpuSeconds) external {
        voucher = 1 + voucher % desk.voucherCount();
        uint64 id = desk.voucherOf(voucher).facilityId;
        require(facilities.endingOf(id).closedAt == 0, "closed");
        // forge-lint: disable-next-line(unsafe-typecast)
        desk.serve(voucher, uint56(gpuSeconds % 7_200));
    }

    /// @dev The first from `voucher` on for which there is something.
    function payVoucher(uint256 voucher) external {
        uint256 count = desk.voucherCount();
        bool done = false;
        for (uint256 i = 0; i < count && !done; ++i) {
            done = _tryIt(address(lockbox), abi.encodeCall(lockbox.payVoucher, (1 + (voucher % count + i) % count)));
        }
        require(done, "none");
    }

    function withdraw(uint256 which, uint256 who, uint256 hostile) external {
        address[3] memory from = [address(lockbox), address(sale), address(vault)];
        address[5] memory payees = [gpuOperator, ann, renter, bob, cleo];
        address payee = payees[who % 5];
        vm.prank(payee);
        IBondVault(from[which % 3]).withdraw(hostile % 2 == 0 ? address(dollar) : address(bad), payee);
    }

    function takeFees(uint256 f) external {
        uint64 id = _f(f);
        feesTaken[_tokenOf(id)] += attesterDesk.collect(id);
    }

    function refundExcess(uint256 f, uint256 amount) external {
        uint64 id = _f(f);
        amount = 1 + amount % (lockbox.excessOf(id) + 1);
        vm.prank(address(refundDesk));
        lockbox.refundExcess(id, renter, amount);
        rentBack[id] += amount;
    }

    function mature(uint256 f) external {
        facilities.mature(_f(f));
    }

    function noticeUnpaid(uint256 f) external {
        facilities.noticeUnpaid(_f(f));
    }

    function noticeDefault(uint256 f, uint256 number) external {
        // forge-lint: disable-next-line(unsafe-typecast)
        facilities.noticeDefault(_f(f), uint32(number % EPOCHS));
    }

    function declareDefault(uint256 f, uint256 number) external {
        // forge-lint: disable-next-line(unsafe-typecast)
        facilities.declareDefault(_f(f), uint32(number % EPOCHS));
    }

    function stop(uint256 f) external {
        facilities.stop(_f(f));
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
        donated[targets[which % 4]][address(coin)] += amount;
    }

    function turn(uint256 mode) external {
        bad.setMode(HostileStablecoin.Mode(mode % 4));
        if (mode % 8 == 4) {
            bad.reenter(address(lockbox), abi.encodeWithSignature("settle(uint64)", uint64(3)));
        } else if (mode % 8 == 5) {
            bad.reenter(address(sale), abi.encodeWithSignature("release(uint64)", uint64(3)));
        } else if (mode % 8 == 6) {
            bad.reenter(address(vault), abi.encodeWithSignature("deposit(uint64,uint256)", uint64(3), 1));
        }
    }

    function _f(uint256 seed) private pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(1 + seed % FACILITIES);
    }
}
