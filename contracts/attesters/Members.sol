// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {Signatures} from "../access/Signatures.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";

/// @title Attesters, their periods and their slots
/// @notice Up to 40 accounts at a time. A slot is free again once nobody can be slashed through it.
abstract contract Members is IAttesterRegistry, AccessManaged {
    /// @notice One attester: all that a signature asks of it, in one word.
    /// @param activeFrom First UTC second in which its signatures count.
    /// @param activeUntil UTC second from which they no longer count.
    /// @param number Slot plus 1; 0 for an account without one.
    /// @param bond Its bond, minor units.
    /// @param heldSince UTC second since which the slot is its own.
    struct Member {
        uint40 activeFrom;
        uint40 activeUntil;
        uint8 number;
        uint96 bond;
        uint40 heldSince;
    }

    uint40 internal constant WITHOUT_END = type(uint40).max;
    /// @dev Signers of a statement are 40 bits of its record. A contract attester changes its keys without a new slot.
    uint8 internal constant SLOTS = 40;

    /// @notice The register, and through it the other contracts.
    IFacilityRegistry public immutable facilityRegistry;
    /// @inheritdoc IAttesterRegistry
    uint32 public immutable activationDelay;
    /// @inheritdoc IAttesterRegistry
    uint32 public immutable removalDelay;

    uint8 internal _slotsTaken;
    mapping(address account => Member) internal _members;
    /// @inheritdoc IAttesterRegistry
    mapping(uint8 slot => address) public attesterAt;
    /// @inheritdoc IAttesterRegistry
    mapping(address attester => string) public urlOf;

    /// @notice Sets the register and the delays of changes.
    /// @param facilities The register.
    /// @param activationDelay_ Seconds from granting a membership, or deciding seats, to its effect.
    /// @param removalDelay_ Seconds from deciding a removal to its effect.
    constructor(IFacilityRegistry facilities, uint32 activationDelay_, uint32 removalDelay_) {
        facilityRegistry = facilities;
        activationDelay = activationDelay_;
        removalDelay = removalDelay_;
    }

    /// @inheritdoc IAttesterRegistry
    function setAttester(address attester, bool member) external restricted {
        require(attester != address(0), NotAttester(attester));
        Member memory given = _members[attester];
        if (member) _grant(attester, given);
        else _remove(attester, given);
    }

    /// @inheritdoc IAttesterRegistry
    function setUrl(string calldata url) external {
        require(_members[msg.sender].number > 0, NotAttester(msg.sender));
        urlOf[msg.sender] = url;
        emit AttesterUrlSet(msg.sender, url);
    }

    /// @inheritdoc IAttesterRegistry
    function attesterPeriodOf(address account) external view returns (uint40 activeFrom, uint40 activeUntil) {
        Member memory member = _members[account];
        return (member.activeFrom, member.activeUntil);
    }

    /// @inheritdoc IAttesterRegistry
    function liableUntil(address attester) public view returns (uint64) {
        return _liableUntil(_members[attester]);
    }

    /// @inheritdoc IAttesterRegistry
    function accountsOf(uint40 slots) public view returns (address[] memory accounts) {
        uint256 count = 0;
        for (uint40 left = slots; left > 0; left >>= 1) {
            count += left & 1;
        }
        accounts = new address[](count);
        count = 0;
        for (uint8 slot = 0; slots >> slot > 0; ++slot) {
            if (slots >> slot & 1 == 1) accounts[count++] = attesterAt[slot];
        }
    }

    /// @notice Bit of a member's slot.
    /// @param member The member.
    /// @return The bit; 0 without a slot.
    function _bitOf(Member memory member) internal pure returns (uint40) {
        return member.number == 0 ? 0 : uint40(1) << (member.number - 1);
    }

    /// @notice Whether a membership holds in this block.
    /// @param member The member.
    /// @return True if it does.
    function _isActive(Member memory member) internal view returns (bool) {
        return block.timestamp >= member.activeFrom && block.timestamp < member.activeUntil;
    }

    /// @notice Until when a member can be slashed.
    /// @param member The member.
    /// @return UTC second.
    function _liableUntil(Member memory member) internal view returns (uint64) {
        if (member.activeUntil == 0) return 0;
        if (member.activeUntil == WITHOUT_END) return type(uint64).max;
        return member.activeUntil + facilityRegistry.statementRegistry().challengeWindow();
    }

    /// @notice Checks that accounts that can still be slashed signed a digest, whatever their panel. Reverts with
    /// QuorumMissing, AttestersNotAscending, NotLiable or SignatureInvalid.
    /// @param digest What was signed.
    /// @param attestations Attesters and signatures, in strictly ascending order of attester; at least one.
    /// @return attesters The signers.
    function _checkLiable(bytes32 digest, Attestation[] calldata attestations)
        internal
        view
        returns (address[] memory attesters)
    {
        uint256 count = attestations.length;
        require(count > 0, QuorumMissing(0, 1));
        attesters = new address[](count);
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            address attester = attestations[i].attester;
            require(attester > previous, AttestersNotAscending(previous, attester));
            require(block.timestamp < liableUntil(attester), NotLiable(attester));
            _requireSigned(digest, attestations[i]);
            attesters[i] = attester;
            previous = attester;
        }
    }

    /// @notice Reverts with SignatureInvalid unless an attester signed a digest.
    /// @param digest What was signed.
    /// @param attestation The attester and its signature.
    function _requireSigned(bytes32 digest, Attestation calldata attestation) internal view {
        address attester = attestation.attester;
        require(Signatures.isValid(attester, digest, attestation.signature), SignatureInvalid(attester));
    }

    /// @notice Time of this block and some seconds more.
    /// @param delay Seconds.
    /// @return UTC second.
    function _timeAfter(uint256 delay) internal view returns (uint40) {
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(block.timestamp + delay);
    }

    /// @notice Whether any panel was ever seated: until then changes hold at once.
    /// @return True if one was.
    function _begun() internal view virtual returns (bool);

    /// @notice From when no panel has a seat for a slot. Reverts with AttesterSeated if a panel will keep it.
    /// @param attester Account in the slot.
    /// @param bit The slot's bit.
    /// @return UTC second, at least this block's.
    function _freeFrom(address attester, uint40 bit) internal view virtual returns (uint40);

    /// @notice Grants a membership, or cancels a removal that has not taken effect.
    /// @param attester The account.
    /// @param member Its membership so far.
    function _grant(address attester, Member memory member) private {
        require(member.number == 0 || member.activeUntil != WITHOUT_END, AlreadyAttester(attester));
        if (member.number == 0) {
            member.number = _takeSlot(attester) + 1;
            member.heldSince = _timeAfter(0);
        }
        // A member that has not left yet just stays.
        if (block.timestamp >= member.activeUntil) member.activeFrom = _timeAfter(_begun() ? activationDelay : 0);
        member.activeUntil = WITHOUT_END;
        _setMember(attester, member, true);
    }

    /// @notice Decides the end of a membership: after the delay, and not before its last seat is another's.
    /// @param attester The account.
    /// @param member Its membership so far.
    function _remove(address attester, Member memory member) private {
        require(member.number > 0 && member.activeUntil == WITHOUT_END, NotAttester(attester));
        uint40 until = _timeAfter(removalDelay);
        uint40 freeFrom = _freeFrom(attester, _bitOf(member));
        member.activeUntil = until > freeFrom ? until : freeFrom;
        _setMember(attester, member, false);
    }

    /// @notice Finds a slot: a new one, or that of an account that can no longer be slashed.
    /// @dev A posted statement that is not final was signed by accounts that can still be slashed, so its bits stand
    /// for them. Whose bits a final statement carries is in its event alone.
    /// @param attester The account that takes it.
    /// @return slot The slot.
    function _takeSlot(address attester) private returns (uint8 slot) {
        slot = _slotsTaken;
        if (slot < SLOTS) {
            _slotsTaken = slot + 1;
        } else {
            for (slot = 0; slot < SLOTS; ++slot) {
                if (block.timestamp >= liableUntil(attesterAt[slot])) break;
            }
            require(slot < SLOTS, AttesterSlotsFull(SLOTS));
            address left = attesterAt[slot];
            // Its bond stays its own.
            (_members[left].number, _members[left].activeFrom, _members[left].activeUntil) = (0, 0, 0);
            emit SlotTaken(slot, left, attester);
        }
        attesterAt[slot] = attester;
    }

    /// @notice Stores a membership and emits AttesterSet and AttesterPeriodSet.
    /// @param attester The account.
    /// @param member Its membership.
    /// @param granted Whether it was granted or ended.
    function _setMember(address attester, Member memory member, bool granted) private {
        _members[attester] = member;
        emit AttesterSet(attester, granted);
        emit AttesterPeriodSet(attester, member.activeFrom, member.activeUntil);
    }
}
