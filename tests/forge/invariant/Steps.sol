// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {Watching} from "./Watching.sol";

/// @title What several actions have in common: the way of business, and choices from random numbers
abstract contract Steps is Watching {
    /// @dev A facility that is sold or minted, funded and delivering, if it can still be. One sale in three misses its
    /// floor: then buyers have refunds to take from there on, and the choice falls on another facility. Whichever it
    /// is, the sale comes first: afterwards its hours are over.
    function _ready(uint256 seed) internal returns (uint64 f) {
        f = _f(seed);
        if (facilities.stateOf(1) == IFacilityRegistry.FacilityState.Offered) {
            if (uint256(keccak256(msg.data)) % 3 == 0) _sellTooFew();
            else _sellSome();
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        if (facilities.stateOf(f) == IFacilityRegistry.FacilityState.Cancelled) f = uint64(2 + seed / FACILITIES % 2);
        if (facilities.stateOf(f) == IFacilityRegistry.FacilityState.Offered) _fund(f);
        if (_now() < START) vm.warp(START);
    }

    /// @dev Every facility that can still be: before time leaps so far that offers expire.
    function _readyAll() internal {
        for (uint256 f = 0; f < FACILITIES; ++f) {
            _ready(f);
        }
    }

    function _epoch(uint64 f, uint256 gross, uint256 available, uint256 rent) internal {
        _payRent(f, rent);
        _post(_next(f, gross, available, bytes32(0), false), gross);
        vm.warp(_now() + CHALLENGE_WINDOW);
        // What is not settled here may be settled late, in parts, or by a distribution.
        if (rent % 3 > 0) lockbox.settle(f);
        _watch(address(0));
    }

    function _sellSome() internal {
        for (uint256 s = 0; s < 2 && _now() < START - 1_000; ++s) {
            uint256 id = _id(1, s);
            if (token.totalSupply(id) == 0) _buy(s == 0 ? ann : bob, id, 8);
        }
        _finalize();
    }

    /// @dev The price of five units or so, of the six that the floor asks for.
    function _sellTooFew() internal {
        if (_now() < START - 1_000) {
            _buy(ann, _id(1, 0), 3);
            _buy(bob, _id(1, 1), 2);
        }
        _finalize();
    }

    function _buy(address buyer, uint256 id, uint256 units) internal {
        if (_now() < START - 90_000) vm.warp(START - 90_000);
        _arm(address(dollar), buyer, address(sale), 1e9);
        vm.prank(buyer);
        sale.buy(id, units, 1e9);
        minted[id] += units;
    }

    function _finalize() internal {
        if (_now() < START - 1_000) vm.warp(START - 1_000);
        // Not in the block of a purchase.
        vm.roll(block.number + 1);
        sale.finalize(1);
    }

    function _fund(uint64 f) internal {
        for (uint256 s = 0; s < _trancheCount(f); ++s) {
            uint256 left = CAP - token.totalSupply(_id(f, s));
            if (left == 0 || f == 1) continue;
            vm.prank(gpuOperator);
            token.mint(s % 2 == 0 ? ann : bob, _id(f, s), left);
            minted[_id(f, s)] += left;
        }
        vm.prank(gpuOperator);
        facilities.fund(f);
    }

    function _payRent(uint64 f, uint256 amount) internal {
        amount = 1 + amount % 50_000_000;
        _arm(_coin(f), renter, address(lockbox), amount);
        vm.prank(renter);
        lockbox.payRent(f, keccak256("lease"), amount);
        rentIn[f] += amount;
    }

    function _some(address holder, uint256 id, uint256 units) internal view returns (uint256) {
        return units % (token.balanceOf(holder, id) + 1);
    }

    /// @dev Anybody shows the one line of a statement for one voucher.
    function _serve(uint256 voucher, Posted memory made) internal {
        uint256[] memory list = new uint256[](1);
        list[0] = voucher;
        desk.serve(list, made.statement, made.line, new bytes32[](0));
    }

    function _leaseOf(address holder) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(holder)));
    }

    /// @dev Somebody who holds units of `id`, if anybody does.
    function _owner(uint256 id, uint256 who) internal view returns (address owner) {
        for (uint256 i = 0; i < holders.length; ++i) {
            owner = _holder(who % holders.length + i);
            if (token.balanceOf(owner, id) > 0) return owner;
        }
    }

    function _holder(uint256 who) internal view returns (address) {
        return holders[who % holders.length];
    }

    function _idOf(uint64 f, uint256 tranche) internal pure returns (uint256) {
        return _id(f, tranche % _trancheCount(f));
    }

    function _idsOf(uint64 f) internal pure returns (uint256[] memory list) {
        list = new uint256[](_trancheCount(f));
        for (uint256 i = 0; i < list.length; ++i) {
            list[i] = _id(f, i);
        }
    }

    function _f(uint256 seed) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(1 + seed % FACILITIES);
    }
}
