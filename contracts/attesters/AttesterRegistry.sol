// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IWalletDesk} from "../interfaces/IWalletDesk.sol";
import {AttesterBonds} from "./AttesterBonds.sol";
import {Members} from "./Members.sol";
import {Panels} from "./Panels.sol";
import {SignerCharges} from "./SignerCharges.sol";

/// @title Attesters, and the quorum over a digest
/// @notice Whoever needs signatures of attesters asks here. Has no pause: nothing of it can stop an ending.
contract AttesterRegistry is Panels, SignerCharges {
    /// @notice Deploys an empty registry.
    /// @param authority AccessManager that holds the roles.
    /// @param facilities The register, and through it the StatementRegistry.
    /// @param token Token of the bonds.
    /// @param minimumBond_ Least bond of an attester whose signatures count, minor units.
    /// @param slashAmount_ What a faulty statement costs each signer, minor units.
    /// @param activationDelay_ Seconds before a new attester counts, and before new seats hold.
    /// @param removalDelay_ Seconds before a removed attester no longer counts.
    /// @param wallets The contract that is told who acts.
    constructor(
        address authority,
        IFacilityRegistry facilities,
        IERC20 token,
        uint96 minimumBond_,
        uint96 slashAmount_,
        uint32 activationDelay_,
        uint32 removalDelay_,
        IWalletDesk wallets
    )
        AccessManaged(authority)
        Members(facilities, activationDelay_, removalDelay_)
        AttesterBonds(token, minimumBond_, slashAmount_, wallets)
    {}

    /// @inheritdoc IAttesterRegistry
    function checkQuorum(uint8 panel, bytes32 digest, Attestation[] calldata attestations)
        external
        view
        returns (address[] memory attesters, uint40 signers)
    {
        (uint40 seats, uint256 needed) = _seatsOf(panel);
        require(needed > 0 && attestations.length >= needed, QuorumMissing(attestations.length, needed));
        attesters = new address[](attestations.length);
        address previous = address(0);
        for (uint256 i = 0; i < attestations.length; ++i) {
            address attester = attestations[i].attester;
            require(attester > previous, AttestersNotAscending(previous, attester));
            signers |= _seatOf(attester, seats, panel);
            _requireSigned(digest, attestations[i]);
            attesters[i] = attester;
            previous = attester;
        }
    }

    /// @inheritdoc IAttesterRegistry
    function checkSeat(uint8 panel, address attester) external view {
        (uint40 seats,) = _seatsOf(panel);
        _seatOf(attester, seats, panel);
    }

    /// @inheritdoc IAttesterRegistry
    function isAttester(address account) public view returns (bool) {
        Member memory member = _members[account];
        return _isActive(member) && member.bond >= minimumBond;
    }

    /// @inheritdoc IAttesterRegistry
    function attesterCount() external view returns (uint8 count) {
        for (uint8 slot = 0; slot < _slotsTaken; ++slot) {
            if (isAttester(attesterAt[slot])) ++count;
        }
    }

    /// @notice Seat of an attester whose signatures count. Reverts with NotAttester, NotOnPanel or BondBelowMinimum.
    /// @param attester The attester.
    /// @param seats Slots of the panel, one bit each.
    /// @param panel Number of the panel.
    /// @return bit Its slot.
    function _seatOf(address attester, uint40 seats, uint8 panel) private view returns (uint40 bit) {
        Member memory member = _members[attester];
        require(_isActive(member), NotAttester(attester));
        bit = _bitOf(member);
        require(seats & bit != 0, NotOnPanel(attester, panel));
        require(member.bond >= minimumBond, BondBelowMinimum(attester, member.bond, minimumBond));
    }
}
