// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAttesterDesk} from "../../../contracts/interfaces/IAttesterDesk.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {UnitActs} from "./UnitActs.sol";

/// @title Every action of everybody, in any order, as time goes on
/// @dev Actions revert where the contracts refuse: the runner goes on, and what was counted is undone with them.
contract SystemHandler is UnitActs {
    /// @notice Builds the world; once.
    function start() external {
        require(ids.length == 0, "once");
        _build();
    }

    // --- rent, statements, settlement ----------------------------------------------------------------

    function payRent(uint256 f, uint256 amount) external watched(address(0)) {
        _payRent(_f(f), amount);
    }

    function post(uint256 f, uint256 gross, uint256 available, uint256 dice) external watched(address(0)) {
        uint64 id = _ready(f);
        bytes32 lease = dice % 4 == 0 ? _leaseOf(_holder(dice >> 8)) : bytes32(0);
        _post(_next(id, gross, available, lease, dice % 5 == 0), dice >> 16);
    }

    function forge(uint256 f, uint256 gross, uint256 how) external watched(address(0)) {
        _forge(_next(_f(f), gross, 1, bytes32(0), false), how);
    }

    function disorder(uint256 f, uint256 gross, uint256 how) external watched(address(0)) {
        _disorder(_next(_f(f), gross, 1, bytes32(0), false), how % 2 == 0);
    }

    function challenge(uint256 f, uint256 epoch) external watched(address(0)) {
        // forge-lint: disable-next-line(unsafe-typecast)
        _challenge(_f(f), uint32(epoch % EPOCHS));
    }

    /// @dev A faulty statement, proven at once.
    function fault(uint256 f, uint256 gross, uint256 signers) external watched(address(0)) {
        uint64 id = _ready(f);
        uint32 number = statements.epochsPosted(id);
        _post(_next(id, gross, 1, bytes32(0), true), signers);
        _challenge(id, number);
    }

    function settle(uint256 f) external watched(address(0)) {
        lockbox.settle(_f(f));
    }

    function settleMany(uint256 seed) external watched(address(0)) {
        uint64[] memory list = new uint64[](3);
        for (uint256 i = 0; i < 3; ++i) {
            list[i] = _f(seed >> i);
        }
        lockbox.settleMany(list);
    }

    /// @dev The way of business, so that random sequences get far: funded, paid, attested, final, settled.
    function business(uint256 f, uint256 gross, uint256 available, uint256 rent) external watched(address(0)) {
        _epoch(_ready(f), gross, available, rent);
    }

    /// @dev The same to the end of the window.
    function season(uint256 f, uint256 gross, uint256 available) external watched(address(0)) {
        uint64 id = _ready(f);
        for (uint256 i = statements.epochsPosted(id); i < EPOCHS; ++i) {
            _epoch(id, gross, available, gross);
        }
    }

    /// @dev The closing statement of a facility whose epochs are all stated; of either sign.
    function seal(uint256 f, uint256 gross) external watched(address(0)) {
        uint64 id = _f(f);
        require(statements.epochsPosted(id) == EPOCHS, "epochs are open");
        // forge-lint: disable-next-line(unsafe-typecast)
        _seal(id, int128(int256(gross % 30_000_000)) - 25_000_000);
    }

    // --- bonds, ends, control --------------------------------------------------------------------------

    function depositBond(uint256 f, uint256 amount) external watched(address(0)) {
        uint64 id = _f(f);
        amount = 1 + amount % 3_000_000;
        _arm(_coin(id), gpuOperator, address(vault), amount);
        vm.prank(gpuOperator);
        vault.deposit(id, amount);
        bondIn[id] += amount;
    }

    function takeSlashed() external watched(address(0)) {
        attesters.takeSlashed(address(0xFEE));
    }

    /// @dev Now and then in its first second.
    function close(uint256 f) external watched(address(0)) {
        uint64 id = _f(f);
        uint256 opensAt = lockbox.closableFrom(id);
        if ((f >> 8) % 2 == 0 && opensAt > _now()) vm.warp(opensAt);
        _doOne(f, address(lockbox), IRentLockbox.close.selector);
    }

    function late(uint256 f, uint256 dice) external watched(address(0)) {
        require(_late(_f(f), dice) || _late(_f(f + 1), dice) || _late(_f(f + 2), dice), "none");
    }

    function release(uint256 f, uint256 bond) external watched(address(0)) {
        _doOne(f, bond % 2 == 0 ? address(vault) : address(sale), IBondVault.release.selector);
    }

    function withdraw(uint256 which, uint256 who, uint256 f) external watched(address(0)) {
        address[3] memory from = [address(lockbox), address(sale), address(vault)];
        address[4] memory payees = [gpuOperator, renter, address(this), _holder(who >> 8)];
        (address payee, address coin) = (payees[who % 4], _coin(_f(f)));
        for (uint256 i = 0; i < 3; ++i) {
            IBondVault books = IBondVault(from[(which % 3 + i) % 3]);
            if (books.owedTo(coin, payee) == 0) continue;
            vm.prank(payee);
            books.withdraw(coin, payee);
        }
    }

    /// @dev Fees of a facility: split, and one attester's pay or the treasury's part taken.
    function takeFees(uint256 f, uint256 whose) external watched(address(0)) {
        uint64 id = _f(f);
        attesterDesk.collect(id);
        if (whose % 3 == 0) {
            attesterDesk.takeFees(_coin(id), address(0xFEE));
        } else if (whose % 3 == 1) {
            attesterDesk.pay(id, vm.addr(attesterKeys[(whose >> 8) % 3]));
        } else {
            attesterDesk.releaseUnearned(id);
        }
    }

    /// @dev Signers of a statement, or an attester that refuses the next one.
    function bookDuties(uint256 f, uint256 epoch, uint256 who) external watched(address(0)) {
        uint64 id = _f(f);
        if (who % 2 == 0) return attesterDesk.book(id, uint32(epoch % (EPOCHS + 1)));
        IAttesterDesk.Refusal[] memory refusals = new IAttesterDesk.Refusal[](1);
        uint32 next = statements.epochsPosted(id);
        refusals[0] = _refusal(id, next, keccak256("evidence"), attesterKeys[(who >> 8) % 3]);
        attesterDesk.refuse(id, next, refusals);
    }

    /// @dev What is left goes pro rata; a credit needs two signatures, and comes first.
    function refundExcess(uint256 f, uint256 amount, bool signed) external watched(address(0)) {
        uint64 id = _overpaid(f);
        amount = 1 + amount % lockbox.excessOf(id);
        if (signed) {
            _credit(id, amount);
        } else {
            uint256 from = refundDesk.sharesFrom(id);
            if (lockbox.excessOf(id) > 0 && _now() < from) vm.warp(from);
            amount = refundDesk.refundShare(id, renter);
        }
        rentBack[id] += amount;
    }

    /// @dev The first facility from `f` on that is closed, with more rent than is attested.
    function _overpaid(uint256 f) private view returns (uint64 id) {
        for (uint256 i = 0; i < FACILITIES; ++i) {
            id = _f(f % FACILITIES + i);
            if (facilities.endingOf(id).closedAt != 0 && lockbox.excessOf(id) > 0) return id;
        }
        revert("of none");
    }

    function mature(uint256 f) external watched(address(0)) {
        _doOne(f, address(facilities), IEndings.mature.selector);
    }

    function noticeUnpaid(uint256 f) external watched(address(0)) {
        _doOne(f, address(facilities), IEndings.noticeUnpaid.selector);
    }

    function noticeDefault(uint256 f, uint256 epoch) external watched(address(0)) {
        // forge-lint: disable-next-line(unsafe-typecast)
        facilities.noticeDefault(_f(f), uint32(epoch % EPOCHS));
    }

    function declareDefault(uint256 f, uint256 epoch) external watched(address(0)) {
        // forge-lint: disable-next-line(unsafe-typecast)
        facilities.declareDefault(_f(f), uint32(epoch % EPOCHS));
    }

    /// @dev The first epoch that nobody stated or published, as early as it may be.
    function letDefault(uint256 f) external watched(address(0)) {
        // Seldom: a facility that ended early does little any more.
        require((f >> 8) % 4 == 0, "not now");
        uint64 id = _ready(f);
        _readyAll();
        _default(id);
    }

    function stop(uint256 f) external watched(address(0)) {
        _doOne(f, address(facilities), IEndings.stop.selector);
    }

    function publish(uint256 f, bytes32 evidenceHash) external watched(address(0)) {
        _publish(_ready(f), evidenceHash);
    }

    function reject(uint256 f, uint256 back) external watched(address(0)) {
        uint64 id = _ready(f);
        uint32 open = statements.opennessOf(id).firstOpen;
        uint32 stated = statements.epochsPosted(id);
        // One of the epochs that stand published and are not stated.
        // forge-lint: disable-next-line(unsafe-typecast)
        _reject(id, stated + uint32(back % (open - stated)));
    }

    function admit(uint256 who, uint256 sends, uint256 receives) external watched(address(0)) {
        // Not eve: she is never admitted.
        _allow(holders[who % (holders.length - 1)], sends % 4 > 0, receives % 4 > 0);
    }

    function pause(uint256 which) external watched(address(0)) {
        if (which % 4 == 0) token.pause();
        else if (which % 4 == 1) token.unpause();
        else if (which % 4 == 2) statements.pause();
        else statements.unpause();
    }

    function turnReceiver(uint256 mode) external watched(address(0)) {
        // Mostly what goes through: it sends back, or claims inside of the callback.
        receiver.set(mode % 3 == 0 ? HostileReceiver.Mode(mode % 5) : HostileReceiver.Mode(3 + mode % 2));
    }

    function turnCoin(uint256 mode) external watched(address(0)) {
        if (mode % 6 < 4) return bad.setMode(HostileStablecoin.Mode(mode % 4));
        bytes memory settleAgain = abi.encodeWithSignature("settle(uint64)", uint64(3));
        if (mode % 6 == 4) bad.reenter(address(lockbox), settleAgain);
        else bad.reenter(address(vault), abi.encodeWithSignature("deposit(uint64,uint256)", uint64(3), 1));
    }

    function donate(uint256 which, uint256 f, uint256 amount) external watched(address(0)) {
        address[4] memory targets = [address(lockbox), address(sale), address(vault), address(token)];
        address coin = _coin(_f(f));
        _mintCoin(coin, targets[which % 4], amount % 1_000);
        donated[targets[which % 4]][coin] += amount % 1_000;
    }

    function pass(uint256 time) external watched(address(0)) {
        if (time % 8 == 0) _readyAll();
        vm.warp(_now() + time % (time % 8 == 0 ? 200_000 : 20_000));
    }
}
