// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TrancheId} from "../../../contracts/token/TrancheId.sol";
import {TrancheToken} from "../../../contracts/token/TrancheToken.sol";
import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ITrancheToken} from "../../../contracts/interfaces/ITrancheToken.sol";
import {Accumulator} from "../../../contracts/token/Accumulator.sol";
import {HostileReceiver} from "../../../contracts/mocks/Receivers.sol";
import {TokenFacilityStub} from "../../../contracts/mocks/TokenFacilityStub.sol";
import {Vm} from "../Vm.sol";
import {TokenBase} from "./TokenBase.sol";

/// @dev Every action on one tranche by four actors, one of them a contract that re-enters.
contract TokenHandler {
    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint256 private constant ID = (7 << 8) | 1;

    TrancheToken private immutable _token;
    TokenFacilityStub private immutable _facilities;
    address private immutable _gpuOperator;
    address private immutable _source;
    address private immutable _enforcer;
    address[] public actors;
    uint256 public minted;
    uint256 public received;
    uint256 public paid;
    /// @dev Set when something fell that must never fall.
    bool public broken;

    constructor(
        TrancheToken token,
        TokenFacilityStub facilities,
        address gpuOperator,
        address source,
        address enforcer,
        address[] memory holders
    ) {
        _token = token;
        _facilities = facilities;
        _gpuOperator = gpuOperator;
        _source = source;
        _enforcer = enforcer;
        actors = holders;
    }

    function mint(uint256 who, uint256 units) external {
        units = 1 + units % 100;
        _facilities.setState(7, IFacilityRegistry.FacilityState.Offered);
        vm.prank(_gpuOperator);
        _token.mint(_actor(who), ID, units);
        minted += units;
    }

    function accrue(uint256 amount, uint24 span) external {
        amount %= amount % 8 == 0 ? 1 << 62 : 1e12;
        ITrancheToken.Accrual[] memory accruals = new ITrancheToken.Accrual[](1);
        accruals[0].facilityId = TrancheId.facilityOf(ID);
        accruals[0].span = span % 1e6;
        accruals[0].amounts[ID & 255] = amount;
        vm.prank(_source);
        uint256[] memory flowedOn = _token.accrue(accruals);
        received += flowedOn.length == 0 ? amount : amount - flowedOn[0];
    }

    function move(uint256 who, uint256 whom, uint256 first, uint256 second) external {
        uint256[2] memory before = _earned(who, whom);
        address from = _actor(who);
        uint256 held = _token.balanceOf(from, ID);
        uint256[] memory ids = new uint256[](2);
        (ids[0], ids[1]) = (ID, ID);
        uint256[] memory units = new uint256[](2);
        (units[0], units[1]) = (first % (held + 1), second % (held + 1));
        vm.prank(from);
        _token.safeBatchTransferFrom(from, _actor(whom), ids, units, "");
        _notLess(before, _earned(who, whom));
        uint256 frozen = _token.getFrozenTokens(from, ID);
        if (from != _actor(whom) && units[0] + units[1] > 0) {
            if (_token.balanceOf(from, ID) < frozen) broken = true;
        }
    }

    function send(uint256 who, uint256 whom, uint256 units) external {
        uint256[2] memory before = _earned(who, whom);
        address from = _actor(who);
        units %= _token.balanceOf(from, ID) + 1;
        vm.prank(from);
        _token.safeTransferFrom(from, _actor(whom), ID, units, "");
        _notLess(before, _earned(who, whom));
    }

    function force(uint256 who, uint256 whom, uint256 units) external {
        uint256[2] memory before = _earned(who, whom);
        address from = _actor(who);
        units %= _token.balanceOf(from, ID) + 1;
        vm.prank(_enforcer);
        _token.forcedTransfer(from, _actor(whom), ID, units);
        _notLess(before, _earned(who, whom));
    }

    function freeze(uint256 who, uint256 units) external {
        uint256[2] memory before = _earned(who, who);
        vm.prank(_enforcer);
        _token.setFrozenTokens(_actor(who), ID, units % 200);
        _notLess(before, _earned(who, who));
    }

    function burn(uint256 who, uint256 units, bool delivered) external {
        uint256[2] memory before = _earned(who, who);
        address from = _actor(who);
        units %= _token.balanceOf(from, ID) + 1;
        _facilities.setState(
            7, delivered ? IFacilityRegistry.FacilityState.Funded : IFacilityRegistry.FacilityState.Cancelled
        );
        vm.prank(delivered ? _facilities.deliveryDesk() : from);
        if (delivered) _token.burnForDelivery(from, ID, units);
        else _token.burnExpired(ID, units);
        _notLess(before, _earned(who, who));
    }

    function claim(uint256 who) external {
        uint256[] memory ids = new uint256[](1);
        ids[0] = ID;
        address holder = _actor(who);
        uint256 due = _token.claimable(holder, ID);
        vm.prank(holder);
        uint256 got = _token.claim(ids, holder);
        if (got != due) broken = true;
        paid += got;
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + time % 100_000);
    }

    function _actor(uint256 who) private view returns (address) {
        return actors[who % actors.length];
    }

    function _earned(uint256 who, uint256 whom) private view returns (uint256[2] memory) {
        return [_token.claimable(_actor(who), ID), _token.claimable(_actor(whom), ID)];
    }

    function _notLess(uint256[2] memory before, uint256[2] memory afterwards) private {
        if (afterwards[0] < before[0] || afterwards[1] < before[1]) broken = true;
    }
}

/// @title Invariants 1, 2 and 3 of the token under random sequences (ATTACKS 1-5, 8-10, 17)
contract TokenInvariants is TokenBase {
    TokenHandler private _handler;
    HostileReceiver private _receiver;

    function setUp() public override {
        super.setUp();
        _receiver = new HostileReceiver();
        _receiver.set(HostileReceiver.Mode.SendBack);
        allow(address(_receiver));
        allow(cleo);
        address[] memory holders = new address[](4);
        (holders[0], holders[1], holders[2], holders[3]) = (ann, bob, cleo, address(_receiver));
        _handler = new TokenHandler(token, facilities, gpuOperator, source, enforcer, holders);
    }

    function targetContracts() public view returns (address[] memory list) {
        list = new address[](1);
        list[0] = address(_handler);
    }

    /// @dev One campaign for all: after every step of 64 histories of 64 steps.
    function invariant_all() external view {
        invariant_units__are_conserved();
        invariant_money__is_conserved_to_the_last_bit();
        invariant_claimable__never_falls();
    }

    /// @dev 1: minted = held + delivered + expired (+ refunded).
    function invariant_units__are_conserved() private view {
        uint256 held = 0;
        for (uint256 i = 0; i < 4; ++i) {
            held += token.balanceOf(_handler.actors(i), JUNIOR);
        }
        ITrancheToken.Burned memory burned = token.burnedOf(JUNIOR);
        assertEq(held, token.totalSupply(JUNIOR), "held = supply");
        assertEq(_handler.minted(), held + burned.delivered + burned.expired + burned.refunded, "minted");
    }

    /// @dev 2: balance = received - paid >= owed; owed + pending = received - paid, to the last of 24 fractional bits.
    function invariant_money__is_conserved_to_the_last_bit() private view {
        assertEq(dollar.balanceOf(address(token)), _handler.received() - _handler.paid(), "balance");
        ITrancheToken.Tranche memory tranche = Accumulator.checkpoint(token.trancheOf(JUNIOR), block.timestamp);
        uint256 books = tranche.pendingX24;
        for (uint256 i = 0; i < 4; ++i) {
            ITrancheToken.Position memory position = token.positionOf(_handler.actors(i), JUNIOR);
            books += position.owedX24 + uint256(position.units) * (tranche.accX24 - position.accPaidX24);
        }
        assertEq(books, (_handler.received() - _handler.paid()) << 24, "books");
    }

    /// @dev 3: nobody's claimable falls but by their own claim, and a claim pays exactly what the view said.
    function invariant_claimable__never_falls() private view {
        assertFalse(_handler.broken(), "fell");
    }
}
