// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {TimedPause} from "../access/TimedPause.sol";
import {IAttesterSet} from "../interfaces/IAttesterSet.sol";
import {ITimedPause} from "../interfaces/ITimedPause.sol";

/// @title Attesters, their periods, and the quorum over a digest
/// @notice Up to 40 accounts in the life of the contract; each has a slot for good.
/// @dev The threshold shares a storage slot with the end of a pause: posting reads both at the price of one.
abstract contract Attesters is TimedPause, IAttesterSet {
    /// @notice Membership of one account.
    /// @param activeFrom First UTC second in which its signatures count.
    /// @param activeUntil UTC second from which they no longer count.
    /// @param number Slot plus 1; 0 for an account that never was a member.
    struct Member {
        uint40 activeFrom;
        uint40 activeUntil;
        uint8 number;
    }

    uint40 private constant WITHOUT_END = type(uint40).max;
    /// @dev Signers of a statement are 40 bits of its record. A contract attester changes its keys without a new slot.
    uint8 private constant SLOTS = 40;

    /// @inheritdoc IAttesterSet
    uint32 public immutable activationDelay;
    /// @inheritdoc IAttesterSet
    uint32 public immutable removalDelay;

    uint40 private _pausedUntil;
    uint8 private _threshold;
    uint8 private _nextThreshold;
    uint40 private _nextFrom;
    uint8 private _slotsTaken;
    mapping(address account => Member) private _members;
    /// @inheritdoc IAttesterSet
    mapping(uint8 slot => address) public attesterAt;

    /// @notice Sets the delays of changes.
    /// @param activationDelay_ Seconds from granting a membership to its begin.
    /// @param removalDelay_ Seconds from deciding a removal to its effect.
    constructor(uint32 activationDelay_, uint32 removalDelay_) {
        activationDelay = activationDelay_;
        removalDelay = removalDelay_;
    }

    /// @inheritdoc IAttesterSet
    function setAttester(address attester, bool member) external restricted {
        require(attester != address(0), NotAttester(attester));
        Member memory period = _members[attester];
        if (member) _grant(attester, period);
        else _end(attester, period);
    }

    /// @inheritdoc IAttesterSet
    function setThreshold(uint8 newThreshold) external restricted {
        uint256 lasting = _lastingAt(block.timestamp);
        require(newThreshold > 0 && newThreshold <= lasting, ThresholdOutOfRange(newThreshold, lasting));
        uint8 current = threshold();
        uint40 from = _timeAfter(current == 0 ? 0 : activationDelay);
        (_threshold, _nextThreshold, _nextFrom) = (current, newThreshold, from);
        emit ThresholdSet(newThreshold, from);
    }

    /// @inheritdoc IAttesterSet
    function threshold() public view returns (uint8) {
        return block.timestamp < _nextFrom ? _threshold : _nextThreshold;
    }

    /// @inheritdoc ITimedPause
    function pausedUntil() public view override returns (uint256) {
        return _pausedUntil;
    }

    /// @inheritdoc IAttesterSet
    function isAttester(address account) external view returns (bool) {
        return _isActive(_members[account]);
    }

    /// @inheritdoc IAttesterSet
    function attesterCount() external view returns (uint8 count) {
        for (uint8 slot = 0; slot < _slotsTaken; ++slot) {
            if (_isActive(_members[attesterAt[slot]])) ++count;
        }
    }

    /// @inheritdoc IAttesterSet
    function attesterPeriodOf(address account) public view returns (uint40 activeFrom, uint40 activeUntil) {
        Member memory period = _members[account];
        return (period.activeFrom, period.activeUntil);
    }

    /// @notice Checks the signatures over a digest. Reverts with QuorumMissing, AttestersNotAscending, NotAttester or
    /// SignatureInvalid.
    /// @dev Strictly ascending attesters make every signer count once, also in [A, B, A].
    /// @param digest What was signed.
    /// @param attestations Attesters and their signatures.
    /// @return attesters The signers.
    /// @return signers Their slots, one bit each.
    function _checkQuorum(bytes32 digest, Attestation[] calldata attestations)
        internal
        view
        returns (address[] memory attesters, uint40 signers)
    {
        uint256 count = attestations.length;
        uint256 needed = threshold();
        require(needed > 0 && count >= needed, QuorumMissing(count, needed));
        attesters = new address[](count);
        address previous = address(0);
        for (uint256 i = 0; i < count; ++i) {
            Attestation calldata attestation = attestations[i];
            address attester = attestation.attester;
            require(attester > previous, AttestersNotAscending(previous, attester));
            Member memory period = _members[attester];
            require(_isActive(period), NotAttester(attester));
            require(_signed(attester, digest, attestation.signature), SignatureInvalid(attester));
            attesters[i] = attester;
            signers |= uint40(1) << (period.number - 1);
            previous = attester;
        }
    }

    /// @notice Stores when a pause ends.
    /// @param until UTC second; 0 for now.
    function _setPausedUntil(uint256 until) internal override {
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        _pausedUntil = uint40(until);
    }

    /// @notice Accounts of some slots.
    /// @dev Accounts of the bits of `signers`, in order of slot.
    /// @param signers The slots, one bit each.
    /// @return accounts The accounts, in order of slot.
    function _accountsOf(uint40 signers) internal view returns (address[] memory accounts) {
        uint256 count = 0;
        for (uint40 left = signers; left > 0; left >>= 1) {
            count += left & 1;
        }
        accounts = new address[](count);
        count = 0;
        for (uint8 slot = 0; signers >> slot > 0; ++slot) {
            if (signers >> slot & 1 == 1) accounts[count++] = attesterAt[slot];
        }
    }

    /// @notice Grants a membership, or cancels a removal that has not taken effect.
    /// @param attester The account.
    /// @param period Its membership so far.
    function _grant(address attester, Member memory period) private {
        require(period.number == 0 || period.activeUntil != WITHOUT_END, AlreadyAttester(attester));
        if (period.number == 0) {
            require(_slotsTaken < SLOTS, AttesterSlotsFull(SLOTS));
            attesterAt[_slotsTaken] = attester;
            period.number = ++_slotsTaken;
        }
        // A member that has not left yet just stays.
        if (block.timestamp >= period.activeUntil) {
            period.activeFrom = _timeAfter(threshold() == 0 ? 0 : activationDelay);
        }
        period.activeUntil = WITHOUT_END;
        _setPeriod(attester, period, true);
    }

    /// @notice Decides the end of a membership. Reverts with ThresholdOutOfRange if too few members would stay.
    /// @param attester The account.
    /// @param period Its membership so far.
    function _end(address attester, Member memory period) private {
        require(period.number > 0 && period.activeUntil == WITHOUT_END, NotAttester(attester));
        period.activeUntil = _timeAfter(removalDelay);
        _setPeriod(attester, period, false);
        uint256 lasting = _lastingAt(period.activeUntil);
        // One that waits counts as well.
        uint8 needed = threshold();
        if (_nextThreshold > needed) needed = _nextThreshold;
        require(lasting >= needed, ThresholdOutOfRange(needed, lasting));
    }

    /// @notice Stores a membership and emits AttesterSet and AttesterPeriodSet.
    /// @param attester The account.
    /// @param period Its membership.
    /// @param member Whether it was granted or ended.
    function _setPeriod(address attester, Member memory period, bool member) private {
        _members[attester] = period;
        emit AttesterSet(attester, member);
        emit AttesterPeriodSet(attester, period.activeFrom, period.activeUntil);
    }

    /// @notice Time of this block and some seconds more.
    /// @param delay Seconds.
    /// @return UTC second.
    function _timeAfter(uint32 delay) internal view returns (uint40) {
        // 40 bits of seconds last 34,000 years.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint40(block.timestamp + delay);
    }

    /// @notice Whether signatures count in this block.
    /// @param period The membership.
    /// @return True if they do.
    function _isActive(Member memory period) private view returns (bool) {
        return block.timestamp >= period.activeFrom && block.timestamp < period.activeUntil;
    }

    /// @notice Members that are active at a time and have no end: the least that are active at any later time. Reads at
    /// most 40.
    /// @dev Members active at `time` and without an end: the least that are active at any later time. At most 40.
    /// @param time UTC second.
    /// @return count Their number.
    function _lastingAt(uint256 time) private view returns (uint256 count) {
        for (uint8 slot = 0; slot < _slotsTaken; ++slot) {
            Member memory period = _members[attesterAt[slot]];
            if (period.activeFrom <= time && period.activeUntil == WITHOUT_END) ++count;
        }
    }

    /// @notice Whether an attester signed a digest.
    /// @dev ECDSA first: an externally owned account with delegated code (EIP-7702) still signs with its key. ECDSA
    /// refuses high `s` and 64-byte signatures, so such a signature has one form.
    /// @param attester The account.
    /// @param digest What was signed.
    /// @param signature The signature.
    /// @return True if it did.
    function _signed(address attester, bytes32 digest, bytes calldata signature) private view returns (bool) {
        (address recovered, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && recovered == attester) return true;
        if (attester.code.length == 0) return false;
        return SignatureChecker.isValidERC1271SignatureNowCalldata(attester, digest, signature);
    }
}
