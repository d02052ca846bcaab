// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Authority} from "../../contracts/access/Authority.sol";
import {AttesterDesk} from "../../contracts/attesters/AttesterDesk.sol";
import {AttesterRegistry} from "../../contracts/attesters/AttesterRegistry.sol";
import {PledgeRegistry} from "../../contracts/facility/PledgeRegistry.sol";
import {IAttesterDesk} from "../../contracts/interfaces/IAttesterDesk.sol";
import {IAttesterRegistry} from "../../contracts/interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../../contracts/interfaces/IFacilityRegistry.sol";
import {IWalletDesk} from "../../contracts/interfaces/IWalletDesk.sol";
import {RefundDesk} from "../../contracts/money/RefundDesk.sol";
import {MockStablecoin} from "../../contracts/mocks/MockStablecoin.sol";
import {Base} from "./Base.sol";

/// @title Three attesters with bonds (keys 1, 2, 3 in order of address) on one panel, of whom two must sign
abstract contract Attested is Base {
    /// @dev A fault costs as much as the least bond; each attester begins with five of it.
    uint96 internal constant SLASH = 1_000;
    uint256 internal constant ATTESTER_BOND = 5_000;

    AttesterRegistry public attesters;
    PledgeRegistry public pledges;
    AttesterDesk public attesterDesk;
    RefundDesk public refundDesk;
    /// @dev In ascending order of address.
    uint256[] internal attesterKeys;

    /// @dev `coin` mints to anybody. Changes wait `activation` and `removal` seconds once the panel sits.
    function _appoint(
        Authority authority,
        IFacilityRegistry facilities,
        address coin,
        uint32 activation,
        uint32 removal,
        IWalletDesk desk
    ) internal {
        attesters = new AttesterRegistry(
            address(authority), facilities, IERC20(coin), SLASH, SLASH, activation, removal, desk
        );
        pledges = new PledgeRegistry(facilities);
        attesterDesk = new AttesterDesk(address(authority), facilities, desk);
        refundDesk = new RefundDesk(facilities);
        attesterKeys = _inOrder(3, 1);
    }

    /// @dev Once the other contracts are linked: members, their bonds, and their seats.
    function _seat() internal {
        for (uint256 i = 0; i < attesterKeys.length; ++i) {
            _join(vm.addr(attesterKeys[i]));
        }
        attesters.setPanel(1, _addressesOf(attesterKeys));
    }

    function _join(address attester) internal {
        attesters.setAttester(attester, true);
        _bondAttester(attester, ATTESTER_BOND);
    }

    function _bondAttester(address attester, uint256 amount) internal {
        MockStablecoin coin = MockStablecoin(address(attesters.bondToken()));
        coin.mint(address(this), amount);
        coin.approve(address(attesters), amount);
        attesters.depositBond(attester, amount);
    }

    /// @dev Two attesters approve the pledge of an offer, as its terms name it.
    function _approve(uint64 facilityId) internal {
        bytes32 root = attesters.facilityRegistry().termsOf(facilityId).pledgeRoot;
        pledges.approve(facilityId, _signed(pledges.pledgeDigest(facilityId, root, 0)));
    }

    /// @dev Two signatures of the panel.
    function _signed(bytes32 digest) internal view returns (IAttesterRegistry.Attestation[] memory) {
        return _signedBy(digest, attesterKeys, 2);
    }

    function _signedBy(bytes32 digest, uint256[] memory keys, uint256 count)
        internal
        pure
        returns (IAttesterRegistry.Attestation[] memory attestations)
    {
        attestations = new IAttesterRegistry.Attestation[](count);
        for (uint256 i = 0; i < count; ++i) {
            attestations[i] = IAttesterRegistry.Attestation(vm.addr(keys[i]), sign(keys[i], digest));
        }
    }

    /// @dev Refusals of two of the panel: they do not recompute what stands published.
    function _refusals(uint64 facilityId, uint32 epoch, bytes32 evidenceHash)
        internal
        view
        returns (IAttesterDesk.Refusal[] memory refusals)
    {
        refusals = new IAttesterDesk.Refusal[](2);
        for (uint256 i = 0; i < 2; ++i) {
            refusals[i] = _refusal(facilityId, epoch, evidenceHash, attesterKeys[i]);
        }
    }

    function _refusal(uint64 facilityId, uint32 epoch, bytes32 evidenceHash, uint256 key)
        internal
        view
        returns (IAttesterDesk.Refusal memory refusal)
    {
        uint32 rejections = attesters.facilityRegistry().statementRegistry().opennessOf(facilityId).rejections;
        refusal = IAttesterDesk.Refusal({
            attester: vm.addr(key),
            statementHash: 0,
            evidenceHash: evidenceHash,
            previousStatementHash: 0,
            rejections: rejections,
            until: type(uint64).max,
            code: IAttesterDesk.RefusalCode.NotRecomputed,
            place: "lines.csv:1",
            signature: ""
        });
        refusal.signature = sign(key, attesterDesk.refusalDigest(facilityId, epoch, refusal));
    }

    /// @dev `count` keys from `first` on, in ascending order of address.
    function _inOrder(uint256 count, uint256 first) internal pure returns (uint256[] memory keys) {
        keys = new uint256[](count);
        for (uint256 i = 0; i < count; ++i) {
            keys[i] = first + i;
            for (uint256 j = i; j > 0 && vm.addr(keys[j]) < vm.addr(keys[j - 1]); --j) {
                (keys[j], keys[j - 1]) = (keys[j - 1], keys[j]);
            }
        }
    }

    function _addressesOf(uint256[] memory keys) internal pure returns (address[] memory accounts) {
        accounts = new address[](keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            accounts[i] = vm.addr(keys[i]);
        }
    }
}
