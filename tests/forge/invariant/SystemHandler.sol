// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IBondVault} from "../../../contracts/interfaces/IBondVault.sol";
import {IEndings} from "../../../contracts/interfaces/IEndings.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {IRentLockbox} from "../../../contracts/interfaces/IRentLockbox.sol";
import {HostileStablecoin} from "../../../contracts/mocks/HostileStablecoin.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {Ending} from "./Ending.sol";

/// @title Every action of everybody, in any order, as time goes on
/// @dev Actions revert where the contracts refuse: the runner goes on, and what was counted is undone with them.
contract SystemHandler is Ending {
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address holder,uint256[] ids,address to,uint256 nonce,uint256 deadline)");

    /// @notice Builds the world; once.
    function start() external {
        require(ids.length == 0, "once");
        _build();
    }

    // --- units come to be --------------------------------------------------------------------------

    function mint(uint256 f, uint256 tranche, uint256 who, uint256 units) external watched(address(0)) {
        uint256 id = _idOf(_f(f), tranche);
        units = 1 + units % CAP;
        vm.prank(gpuOperator);
        token.mint(_holder(who), id, units);
        minted[id] += units;
    }

    function buy(uint256 tranche, uint256 who, uint256 units) external watched(address(0)) {
        _buy(_holder(who), _idOf(1, tranche), 1 + units % CAP);
    }

    function finalize(uint256 dice) external watched(address(0)) {
        // Seldom with too few sold: nothing but refunds comes after.
        require(dice % 4 == 0 || sale.bookOf(1).soldUnits > 5, "not now");
        _finalize();
    }

    function refund(uint256 tranche, uint256 who, uint256 units) external watched(address(0)) {
        uint256 id = _idOf(1, tranche);
        address holder = _owner(id, who);
        units = 1 + units % token.balanceOf(holder, id);
        refunding = true;
        if (units % 2 == 0) {
            vm.prank(holder);
            sale.refund(id, units, holder);
        } else {
            sale.refundTo(holder, id);
        }
        _watch(address(0));
        refunding = false;
    }

    function expire(uint256 f) external watched(address(0)) {
        facilities.expire(_f(f));
    }

    /// @dev A sale that reaches its floor or, seldom, misses it.
    function sell(uint256 dice) external watched(address(0)) {
        if (dice % 4 == 0) _sellTooFew();
        else _sellSome();
    }

    function cancel(uint256 f) external watched(address(0)) {
        // Seldom: a cancelled facility does nothing any more.
        require((f >> 8) % 8 == 0, "not now");
        vm.prank(gpuOperator);
        facilities.cancel(_f(f));
    }

    function fund(uint256 f) external watched(address(0)) {
        _fund(_f(f));
    }

    // --- units move and end ------------------------------------------------------------------------

    function transfer(uint256 f, uint256 tranche, uint256 who, uint256 whom, uint256 units)
        external
        watched(address(0))
    {
        // Now and then of a facility whose units do not move.
        uint256 id = _idOf(f % 8 == 0 ? _f(f >> 8) : _ready(f), tranche);
        address from = _owner(id, who);
        units = _some(from, id, units);
        vm.prank(from);
        token.safeTransferFrom(from, _holder(whom), id, units, "");
    }

    /// @dev The same id twice in one batch (ATTACKS 1), also to oneself (ATTACKS 2).
    function batch(uint256 f, uint256 who, uint256 whom, uint256 first, uint256 second) external watched(address(0)) {
        address from = _holder(who);
        uint256[] memory list = new uint256[](3);
        (list[0], list[1], list[2]) = (_idOf(_f(f), 0), _idOf(_f(f), 1), _idOf(_f(f), 0));
        uint256[] memory units = new uint256[](3);
        (units[0], units[1], units[2]) = (_some(from, list[0], first), _some(from, list[1], second), second % 4);
        vm.prank(from);
        token.safeBatchTransferFrom(from, _holder(whom), list, units, "");
    }

    /// @dev By an approved spender, eligible or not (ATTACKS 16).
    function spend(uint256 f, uint256 who, uint256 by, uint256 whom, uint256 units) external watched(address(0)) {
        (address from, address spender, uint256 id) = (_holder(who), _holder(by), _idOf(_f(f), 0));
        units = _some(from, id, units);
        vm.prank(from);
        token.setApprovalForAll(spender, true);
        vm.prank(spender);
        token.safeTransferFrom(from, _holder(whom), id, units, "");
        if (!token.canSend(spender)) ineligibleMoved = true;
    }

    function force(uint256 f, uint256 who, uint256 whom, uint256 units) external {
        forcing = true;
        this.forceWatched(_idOf(_ready(f), 0), _holder(who), _holder(whom), units);
        forcing = false;
    }

    function forceWatched(uint256 id, address from, address to, uint256 units) external watched(address(0)) {
        require(msg.sender == address(this), "inside");
        token.forcedTransfer(from, to, id, _some(from, id, units));
    }

    function freeze(uint256 f, uint256 who, uint256 units) external watched(address(0)) {
        token.setFrozenTokens(_holder(who), _idOf(_f(f), 0), units % (CAP + 3));
    }

    function takeDelivery(uint256 f, uint256 who, uint256 units) external watched(address(0)) {
        uint256 id = _idOf(_ready(f), 1);
        address holder = _owner(id, who);
        units = 1 + units % token.balanceOf(holder, id);
        _takeDelivery(desk, holder, id, units, _leaseOf(holder));
    }

    /// @dev A voucher and a delivery line of its lease, if there are any, else any line.
    function serve(uint256 f, uint256 voucher, uint256 epoch) external watched(address(0)) {
        uint64 id = _f(f);
        uint256 number = 1 + voucher % desk.voucherCount();
        for (uint256 i = 0; i < EPOCHS; ++i) {
            // forge-lint: disable-next-line(unsafe-typecast)
            Posted memory made = posted[id][uint32((epoch % EPOCHS + i) % EPOCHS)];
            if (i + 1 < EPOCHS && made.line.lease != desk.voucherOf(number).lease) continue;
            return _serve(number, made);
        }
    }

    function payVoucher(uint256 voucher) external watched(address(0)) {
        uint256 count = desk.voucherCount();
        bool done = false;
        for (uint256 i = 0; i < count && !done; ++i) {
            done = _attempt(address(lockbox), abi.encodeCall(lockbox.payVoucher, (1 + (voucher % count + i) % count)));
        }
        require(done, "none");
    }

    /// @dev Of an offer that was withdrawn, now and then here and now after a private placement.
    function burnExpired(uint256 f, uint256 tranche, uint256 who, uint256 units) external watched(address(0)) {
        uint256 id = _idOf(_f(f), tranche);
        if ((f >> 8) % 2 == 0 && facilities.stateOf(_f(f)) == IFacilityRegistry.FacilityState.Offered && _f(f) != 1) {
            this.mint(f, tranche, who, units % 2);
            vm.prank(gpuOperator);
            facilities.cancel(_f(f));
        }
        address holder = _owner(id, who);
        units = 1 + units % token.balanceOf(holder, id);
        vm.prank(holder);
        token.burnExpired(id, units);
    }

    // --- claims --------------------------------------------------------------------------------------

    function claim(uint256 f, uint256 who, uint256 whom) external {
        address holder = _holder(who);
        this.claimWatched(holder, _f(f), _holder(whom), "", 0);
    }

    function claimBySig(uint256 f, uint256 who, uint256 whom, uint256 wrongNonce) external {
        (uint256 key, uint64 id) = (who % 2 == 0 ? ANN_KEY : BOB_KEY, _f(f));
        (address holder, address to) = (vm.addr(key), _holder(whom));
        bytes32 hash = keccak256(abi.encodePacked(_idsOf(id)));
        uint256 nonce = wallets.nonces(holder) + (wrongNonce % 8 == 0 ? 1 : 0);
        bytes32 body = keccak256(abi.encode(CLAIM_TYPEHASH, holder, hash, to, nonce, _now() + 60));
        bytes32 digest = keccak256(abi.encodePacked("\x19\x01", wallets.DOMAIN_SEPARATOR(), body));
        this.claimWatched(holder, id, to, sign(key, digest), _now() + 60);
    }

    function claimWatched(address holder, uint64 f, address to, bytes calldata signature, uint256 deadline)
        external
        watched(holder)
    {
        require(msg.sender == address(this), "inside");
        uint256[] memory list = _idsOf(f);
        uint256 due = 0;
        for (uint256 i = 0; i < list.length; ++i) {
            due += token.claimable(holder, list[i]);
        }
        if (signature.length == 0) vm.prank(holder);
        uint256 paid =
            signature.length == 0 ? token.claim(list, to) : wallets.claimBySig(holder, list, to, deadline, signature);
        if (paid != due) claimWrong = true;
        if (signature.length > 0 && paid > 0) ++seen["claimBySig"];
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

    function takeFees(uint256 f) external watched(address(0)) {
        uint64[] memory list = new uint64[](1);
        list[0] = _f(f);
        lockbox.takeFees(list, address(0xFEE));
    }

    function refundExcess(uint256 f, uint256 amount) external watched(address(0)) {
        uint64 id = _f(f);
        amount = 1 + amount % (lockbox.excessOf(id) + 1);
        lockbox.refundExcess(id, renter, amount);
        rentBack[id] += amount;
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
