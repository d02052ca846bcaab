// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Attesters: the accounts whose signatures make a statement count
/// @notice Each attester is a member for a period. A membership begins `activationDelay` seconds after it is granted
/// and ends `removalDelay` seconds after its removal is decided, so that everybody sees a change before it takes
/// effect. Until the threshold is first set, no statement can be posted and memberships begin at once. At every moment,
/// now or scheduled, at least `threshold` members are active. Times are UTC seconds.
interface IAttesterSet {
    /// @notice One attester's signature over a statement.
    /// @param attester Account that recomputed the statement: an externally owned account or an ERC-1271 contract.
    /// @param signature Its signature over the statement's EIP-712 digest.
    struct Attestation {
        address attester;
        bytes signature;
    }

    /// @notice A membership was granted or its end was decided. AttesterPeriodSet, emitted with it, says from when.
    /// @param attester The account.
    /// @param member True for a grant, false for a removal.
    event AttesterSet(address indexed attester, bool member);

    /// @notice The period of an attester changed: its signatures count while `activeFrom <= block time < activeUntil`.
    /// @param attester The account.
    /// @param activeFrom First second in which its signatures count, UTC seconds.
    /// @param activeUntil Second from which they no longer count, UTC seconds; the largest uint40 if no end is set.
    event AttesterPeriodSet(address indexed attester, uint40 activeFrom, uint40 activeUntil);

    /// @notice The number of signatures that a statement needs changes.
    /// @param threshold Signatures needed.
    /// @param from UTC second from which that holds.
    event ThresholdSet(uint8 threshold, uint40 from);

    /// @notice The statement carries fewer signatures than the threshold, or no threshold was ever set (0). Collect
    /// more signatures and post again.
    /// @param signatures Number of signatures given.
    /// @param threshold Number needed; 0 if governance never set one.
    error QuorumMissing(uint256 signatures, uint256 threshold);

    /// @notice Attestations must be in strictly ascending order of attester, which also rules out one attester twice.
    /// Sort them and post again.
    /// @param previous The attester before.
    /// @param next The attester that does not come after it.
    error AttestersNotAscending(address previous, address next);

    /// @notice The account is no active member: when posting, drop its signature; when removing, its removal is already
    /// decided or it never was a member. Also raised for the zero address.
    /// @param account The account.
    error NotAttester(address account);

    /// @notice The account is a member already and its removal is not decided: there is nothing to grant.
    /// @param account The account.
    error AlreadyAttester(address account);

    /// @notice All slots are taken. A slot is never given to a second account, because old statements refer to it. A
    /// contract attester can change its keys without a new slot.
    /// @dev All slots are taken. A slot is never given to a second account: old statements refer to it.
    /// @param slots Number of slots in the life of a registry.
    error AttesterSlotsFull(uint256 slots);

    /// @notice The signature is not the attester's over this statement's digest. Check chain, registry address and
    /// every field of the statement.
    /// @param attester The account named in the attestation.
    error SignatureInvalid(address attester);

    /// @notice The threshold must be at least 1 and at most the number of members that stay active; a removal must
    /// leave that many.
    /// @dev `attesters` is the number of members that would stay active.
    /// @param threshold The threshold asked for, or the one in force when a member is removed.
    /// @param attesters Number of members that would stay active.
    error ThresholdOutOfRange(uint256 threshold, uint256 attesters);

    /// @notice Grants a membership or decides its end. A grant to a member whose removal is decided cancels the
    /// removal. Caller: the governance role.
    /// @dev Emits AttesterSet and AttesterPeriodSet. Reverts with NotAttester, AlreadyAttester, AttesterSlotsFull, or
    /// with ThresholdOutOfRange if fewer than `threshold` members would stay active at any time.
    /// @param attester The account.
    /// @param member True to grant, false to remove.
    function setAttester(address attester, bool member) external;

    /// @notice Sets the number of signatures that a statement needs, from 1 to the number of active members whose
    /// removal is not decided. The first one holds at once; every other one waits `activationDelay`, so that nobody
    /// lowers it and posts in one block. A later call takes the place of one that waits. Caller: the governance role.
    /// @dev Emits ThresholdSet. Reverts with ThresholdOutOfRange.
    /// @param newThreshold Signatures needed.
    function setThreshold(uint8 newThreshold) external;

    /// @notice Whether signatures of `account` count now.
    /// @param account The account.
    /// @return Whether its signatures count in this block.
    function isAttester(address account) external view returns (bool);

    /// @notice Number of accounts whose signatures count now.
    /// @return Number of active members in this block.
    function attesterCount() external view returns (uint8);

    /// @notice Number of signatures that a statement needs; 0 until it is set.
    /// @return Number of signatures.
    function threshold() external view returns (uint8);

    /// @notice Period of an account's membership, see AttesterPeriodSet. Both are 0 if it never was a member.
    /// @param account The account.
    /// @return activeFrom First second in which its signatures count, UTC seconds.
    /// @return activeUntil Second from which they no longer count, UTC seconds.
    function attesterPeriodOf(address account) external view returns (uint40 activeFrom, uint40 activeUntil);

    /// @notice Account in a slot. Bit `slot` of a statement's signers stands for this account.
    /// @param slot Number of the slot, from 0.
    /// @return The account; zero if the slot is free.
    function attesterAt(uint8 slot) external view returns (address);

    /// @notice Time from granting a membership to its first active second.
    /// @return Seconds.
    function activationDelay() external view returns (uint32);

    /// @notice Time from deciding a removal to the end of the membership.
    /// @return Seconds.
    function removalDelay() external view returns (uint32);
}
