// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {Ending} from "./Ending.sol";

/// @title What is done with units: they come to be, move, end, and their holders claim
abstract contract UnitActs is Ending {
    bytes32 private constant CLAIM_TYPEHASH =
        keccak256("Claim(address holder,uint256[] ids,address to,uint256 nonce,uint256 deadline)");

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
}
