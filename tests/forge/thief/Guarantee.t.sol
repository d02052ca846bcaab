// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IFacilityRegistry} from "../../../contracts/interfaces/IFacilityRegistry.sol";
import {ThiefBase} from "./ThiefBase.sol";

/// @title A promise to seniors, looked for by chance
/// @dev Attesters are honest and awake, every available hour is leased at the rate or above, none is beyond its epoch's
/// promise, and the bond covers all damages and all rent at the rate. Whatever the operator, its renters and its puppet
/// bob do, ann has her coupon, or all promised hours at the rate where they are less. R1, V1 and V2 of
/// docs/reviews/closing-thief.md broke it.
contract GuaranteeTest is ThiefBase {
    function test_thief__bond_covers_all__seniors_have_their_coupon(uint256 seed) public {
        uint256 promised = bound(seed, 500_000, 1_000_000);
        Offer memory offer = _offerOf(Deal(20, 20, 400 * USDC, uint32(promised), 0));
        uint64 coupon = uint64(bound(seed >> 32, 2_000_000, 2_500_000));
        offer.tranches[0] = IFacilityRegistry.TrancheTerms(20, coupon);
        offer.upFrontBps = seed >> 96 & 1 == 0 ? 10_000 : uint16(bound(seed >> 104, 2_000, 10_000));
        _found(offer);
        uint256 stated = (seed >> 72) % 5;
        // Hours that vouchers wait for are not rented out as well: docs/TRUST.md says what happens then.
        uint256 burned = stated > 0 ? 0 : bound(seed >> 64, 0, 20);
        if (burned > 0) _takeDelivery(desk, bob, JUNIOR, burned, "puppet");
        bool paid = seed >> 80 & 1 == 0;
        _stateEpochs(seed, stated, promised, paid);
        _end();
        _close();
        uint256 hours_ = facilities.promisedGpuSeconds(FACILITY, EPOCHS);
        uint256 worth = hours_ * RATE / 3_600;
        uint256 due = 20 * uint256(coupon);
        assertLe(worth < due ? worth : due, _all(SENIOR) + 20, "seniors");
    }

    /// With any bond: a lease more in one statement, that nobody pays, takes nothing from seniors.
    function test_thief__any_dear_lease_never_paid__seniors_get_no_less(uint256 seed) public {
        uint256 start = vm.snapshotState();
        uint256 honest = _withLease(seed, 0);
        vm.revertToState(start);
        uint256 dear = _withLease(seed, (1 + (seed >> 240) % 300) * USDC);
        assertLe(honest, dear + 40, "seniors");
    }

    function _withLease(uint256 seed, uint256 dear) private returns (uint256) {
        previous = bytes32(0);
        // forge-lint: disable-next-line(unsafe-typecast)
        Offer memory offer = _offerOf(Deal(20, uint40((seed >> 200) % 21), bound(seed >> 40, 0, 100) * USDC, 1e6, 0));
        offer.upFrontBps = uint16(bound(seed >> 104, 2_000, 10_000));
        _found(offer);
        uint256 stated = 1 + (seed >> 72) % 4;
        uint256 which = (seed >> 220) % stated;
        for (uint256 e = 0; e < stated; ++e) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 available = bound(seed, 0, 36_000);
            uint256 rent = available * RATE / 3_600;
            if (rent > 0) _pay(rent);
            _post(available, rent + (e == which ? dear : 0));
        }
        _end();
        _close();
        return _all(SENIOR);
    }
}
