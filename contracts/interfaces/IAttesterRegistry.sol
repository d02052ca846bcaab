// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Attesters: who they are, what they stand to lose, and whose signatures count for which facility
/// @notice An attester is a member for a period, has a bond, and sits on panels. A panel has exactly 2k - 1 seats and
/// needs k signatures, so that fewer than k can neither sign nor block alone. Every facility is given a panel with its
/// offer; the gpuOperator does not choose it. Every change of members and panels waits, so that everybody sees it
/// before it takes effect; only the first panel of all holds at once. Times are UTC seconds.
interface IAttesterRegistry {
    /// @notice One attester's signature over a statement, a rejection or a pledge.
    /// @param attester Account that checked it: an externally owned account or an ERC-1271 contract.
    /// @param signature Its signature over the EIP-712 digest.
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

    /// @notice A slot went from an account that left to a new member.
    /// @param slot Number of the slot, from 0.
    /// @param left The account that had it.
    /// @param attester The account that has it now.
    event SlotTaken(uint8 indexed slot, address indexed left, address indexed attester);

    /// @notice An attester says where its verdicts and refusals are found.
    /// @param attester The attester.
    /// @param url The address; empty for none.
    event AttesterUrlSet(address indexed attester, string url);

    /// @notice The seats of a panel change.
    /// @param panel Number of the panel, from 1.
    /// @param attesters Accounts in its seats, 2 x `threshold` - 1, in ascending order.
    /// @param threshold Signatures needed.
    /// @param from UTC second from which that holds.
    event PanelSet(uint8 indexed panel, address[] attesters, uint8 threshold, uint40 from);

    /// @notice Offers from now on are given another panel.
    /// @param panel Number of the panel, from 1.
    event OfferPanelSet(uint8 indexed panel);

    /// @notice An attester's bond grew.
    /// @param attester The attester.
    /// @param payer The account that paid.
    /// @param amount Minor units of the bond token.
    /// @param bond The bond now, minor units.
    event AttesterBondDeposited(address indexed attester, address indexed payer, uint256 amount, uint256 bond);

    /// @notice An attester that has left took its bond back.
    /// @param attester The attester.
    /// @param to The account that received it.
    /// @param amount Minor units of the bond token.
    event AttesterBondWithdrawn(address indexed attester, address indexed to, uint256 amount);

    /// @notice An attester lost bond for a faulty statement or for two statements of one epoch. Half is owed to the
    /// challenger (`withdraw`), the rest to the treasury (`takeSlashed`).
    /// @param attester The attester.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement that it signed.
    /// @param challenger The account that proved the fault.
    /// @param amount Taken from the bond, minor units; 0 if the bond is spent.
    /// @param challengerAmount Owed to the challenger.
    event AttesterSlashed(
        address indexed attester,
        uint64 indexed facilityId,
        bytes32 indexed statementHash,
        address challenger,
        uint256 amount,
        uint256 challengerAmount
    );

    /// @notice The treasury took what attesters lost.
    /// @param to The account that received it.
    /// @param amount Minor units of the bond token.
    event SlashedTaken(address indexed to, uint256 amount);

    /// @notice Fewer signatures than the panel needs, or the facility has no panel (0). Collect more and send again.
    /// @param signatures Number of signatures given.
    /// @param threshold Number needed; 0 if there is no panel.
    error QuorumMissing(uint256 signatures, uint256 threshold);

    /// @notice Attestations must be in strictly ascending order of attester, which also rules out one attester twice.
    /// Sort them and send again.
    /// @param previous The attester before.
    /// @param next The attester that does not come after it.
    error AttestersNotAscending(address previous, address next);

    /// @notice The account is no active member: drop its signature. When removing: its removal is already decided, or
    /// it never was a member. Also raised for the zero address.
    /// @param account The account.
    error NotAttester(address account);

    /// @notice The attester has no seat on the facility's panel: its signature does not count there.
    /// @param account The account.
    /// @param panel Number of the panel.
    error NotOnPanel(address account, uint8 panel);

    /// @notice The attester's bond is below the minimum, so its signatures do not count. Deposit the rest.
    /// @param account The account.
    /// @param bond Its bond, minor units.
    /// @param minimum The least bond, minor units.
    error BondBelowMinimum(address account, uint256 bond, uint256 minimum);

    /// @notice The signature is not the attester's over this digest. Check chain, contract and every field.
    /// @param attester The account named in the attestation.
    error SignatureInvalid(address attester);

    /// @notice The account is a member already and its removal is not decided: there is nothing to grant.
    /// @param account The account.
    error AlreadyAttester(address account);

    /// @notice All slots are taken by members, or by accounts that left less than a challenge window ago.
    /// @param slots Number of slots.
    error AttesterSlotsFull(uint256 slots);

    /// @notice The attester has a seat: give the seat to another member first.
    /// @param attester The attester.
    /// @param panel Number of a panel on which it sits.
    error AttesterSeated(address attester, uint8 panel);

    /// @notice A member of the panel leaves before the new seats would hold. Cancel its removal first.
    /// @param attester The member.
    /// @param activeUntil UTC second from which its signatures no longer count.
    error AttesterLeaves(address attester, uint40 activeUntil);

    /// @notice A panel has an odd number of seats: 2k - 1 for k signatures.
    /// @param seats Number of accounts given.
    error SeatsNotOdd(uint256 seats);

    /// @notice No such panel. Panels are numbered from 1 without gaps.
    /// @param panel The number given.
    /// @param panels Number of panels.
    error PanelUnknown(uint8 panel, uint8 panels);

    /// @notice The panel's first seats do not hold yet.
    /// @param panel Number of the panel.
    /// @param from UTC second from which they do.
    error PanelNotInForce(uint8 panel, uint40 from);

    /// @notice Every panel that can exist does.
    /// @param panels Number of panels.
    error PanelsFull(uint256 panels);

    /// @notice The least bond must cover a fault, and a fault must cost something.
    /// @param minimumBond Least bond, minor units.
    /// @param slashAmount Cost of a fault, minor units.
    error BondTermsInvalid(uint256 minimumBond, uint256 slashAmount);

    /// @notice Only the StatementRegistry slashes.
    /// @param caller The caller.
    error NotStatementRegistry(address caller);

    /// @notice The attester can still be slashed: it is a member, or left less than a challenge window ago.
    /// @param attester The attester.
    /// @param liableUntil UTC second from which it cannot; the largest uint64 while its membership has no end.
    error AttesterLiable(address attester, uint64 liableUntil);

    /// @notice Nothing that can still be charged: the account never was a member, or left a challenge window ago.
    /// @param attester The account.
    error NotLiable(address attester);

    /// @notice Grants a membership or decides its end. A grant to a member whose removal is decided cancels the
    /// removal. Caller: the governance role.
    /// @dev Emits AttesterSet and AttesterPeriodSet. Reverts with NotAttester, AlreadyAttester, AttesterSlotsFull, or
    /// AttesterSeated.
    /// @param attester The account.
    /// @param member True to grant, false to remove.
    function setAttester(address attester, bool member) external;

    /// @notice Gives the seats of a panel to members, or creates the next panel. Waits `activationDelay`, except for
    /// the first panel of all; a later call takes the place of one that waits. Caller: the governance role.
    /// @dev Emits PanelSet. Reverts with PanelUnknown, PanelsFull, SeatsNotOdd, AttestersNotAscending, NotAttester or
    /// AttesterLeaves.
    /// @param panel Number of the panel, from 1; one more than there are creates it.
    /// @param attesters 2k - 1 members whose removal is not decided, in ascending order.
    function setPanel(uint8 panel, address[] calldata attesters) external;

    /// @notice Names the panel that offers are given from now on. Caller: the governance role.
    /// @dev Emits OfferPanelSet. Reverts with PanelUnknown or PanelNotInForce.
    /// @param panel Number of the panel.
    function setOfferPanel(uint8 panel) external;

    /// @notice Says where the caller's verdicts and refusals are found, so that nobody can suppress what it publishes.
    /// Caller: a member.
    /// @dev Emits AttesterUrlSet. Reverts with NotAttester.
    /// @param url The address; empty for none.
    function setUrl(string calldata url) external;

    /// @notice Pays into an attester's bond. Signatures count from `minimumBond` on. Caller: anybody.
    /// @dev Emits AttesterBondDeposited. Reverts with AmountZero or SettlementShort.
    /// @param attester The attester.
    /// @param amount Minor units of the bond token.
    function depositBond(address attester, uint256 amount) external;

    /// @notice Takes the caller's bond once it can no longer be slashed. Caller: an attester that left.
    /// @dev Emits AttesterBondWithdrawn. Reverts with AttesterLiable, NothingOwed or RecipientInvalid.
    /// @param to Who receives it.
    /// @return amount Minor units paid.
    function withdrawBond(address to) external returns (uint256 amount);

    /// @notice Takes `slashAmount`, or what is left, from each attester's bond; each pays once for a statement.
    /// Caller: the StatementRegistry.
    /// @dev Emits AttesterSlashed for each one that was not charged for this statement before. Moves no tokens.
    /// @param facilityId The facility.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param attesters Its signers.
    /// @param challenger The account that proved the fault.
    /// @return charged Number of attesters that were not charged for this statement before.
    function slash(uint64 facilityId, bytes32 statementHash, address[] calldata attesters, address challenger)
        external
        returns (uint256 charged);

    /// @notice Takes what attesters lost and challengers did not get. Caller: the treasury role.
    /// @dev Emits SlashedTaken. Reverts with NothingOwed or RecipientInvalid.
    /// @param to Who receives it.
    /// @return amount Minor units of the bond token.
    function takeSlashed(address to) external returns (uint256 amount);

    /// @notice Checks the signatures of a panel over a digest.
    /// @dev Reverts with QuorumMissing, AttestersNotAscending, NotAttester, NotOnPanel, BondBelowMinimum or
    /// SignatureInvalid.
    /// @param panel Number of the panel.
    /// @param digest What was signed.
    /// @param attestations Attesters and signatures, in strictly ascending order of attester.
    /// @return attesters The signers.
    /// @return signers Their slots, one bit each.
    function checkQuorum(uint8 panel, bytes32 digest, Attestation[] calldata attestations)
        external
        view
        returns (address[] memory attesters, uint40 signers);

    /// @notice Panel that an offer is given now. Reverts with PanelUnknown while there is none.
    /// @return Number of the panel.
    function offerPanel() external view returns (uint8);

    /// @notice Number of panels.
    /// @return The number.
    function panelCount() external view returns (uint8);

    /// @notice Seats of a panel in this block. Reverts with PanelUnknown.
    /// @param panel Number of the panel.
    /// @return attesters Accounts in its seats, in order of slot.
    /// @return threshold Signatures needed.
    function panelOf(uint8 panel) external view returns (address[] memory attesters, uint8 threshold);

    /// @notice Checks that an attester's word counts now: a member, on the panel, with its bond. Reverts with
    /// NotAttester, NotOnPanel or BondBelowMinimum.
    /// @param panel Number of the panel.
    /// @param attester The account.
    function checkSeat(uint8 panel, address attester) external view;

    /// @notice Seats of a panel at a time that is over.
    /// @param panel Number of the panel.
    /// @param time UTC second.
    /// @return seats Slots of the members, one bit each; none before the first seats held.
    /// @return threshold Signatures needed then.
    function seatsAt(uint8 panel, uint256 time) external view returns (uint40 seats, uint8 threshold);

    /// @notice Whether an account had a seat at a time: in the slot that it still holds.
    /// @param panel Number of the panel.
    /// @param attester The account.
    /// @param time UTC second.
    /// @return True if it had.
    function wasSeated(uint8 panel, address attester, uint256 time) external view returns (bool);

    /// @notice Whether signatures of an account count in this block: an active member with the least bond.
    /// @param account The account.
    /// @return True if they do.
    function isAttester(address account) external view returns (bool);

    /// @notice Number of accounts whose signatures count in this block.
    /// @return The number.
    function attesterCount() external view returns (uint8);

    /// @notice Period of an account's membership, see AttesterPeriodSet. Both are 0 if it never was a member.
    /// @param account The account.
    /// @return activeFrom First second in which its signatures count, UTC seconds.
    /// @return activeUntil Second from which they no longer count, UTC seconds.
    function attesterPeriodOf(address account) external view returns (uint40 activeFrom, uint40 activeUntil);

    /// @notice Until when an attester can be slashed for what it signed: the end of its membership and a challenge
    /// window more.
    /// @param attester The account.
    /// @return UTC second; 0 if it is no member, the largest uint64 while its membership has no end.
    function liableUntil(address attester) external view returns (uint64);

    /// @notice Account in a slot. Bit `slot` of a statement's signers stands for this account.
    /// @param slot Number of the slot, from 0.
    /// @return The account; zero if the slot was never taken.
    function attesterAt(uint8 slot) external view returns (address);

    /// @notice Accounts of some slots, in order of slot.
    /// @param slots The slots, one bit each.
    /// @return The accounts.
    function accountsOf(uint40 slots) external view returns (address[] memory);

    /// @notice An attester's bond.
    /// @param attester The attester.
    /// @return Minor units of the bond token.
    function bondOf(address attester) external view returns (uint256);

    /// @notice Where an attester's verdicts and refusals are found.
    /// @param attester The attester.
    /// @return The address; empty for none.
    function urlOf(address attester) external view returns (string memory);

    /// @notice Whether an attester was charged for a statement.
    /// @param statementHash EIP-712 struct hash of the statement.
    /// @param attester The attester.
    /// @return True if it was.
    function isCharged(bytes32 statementHash, address attester) external view returns (bool);

    /// @notice What attesters lost and the treasury has not taken, minor units of the bond token.
    /// @return The amount.
    function slashedForTreasury() external view returns (uint256);

    /// @notice Least bond of an attester whose signatures count. Fixed for ever.
    /// @return Minor units of the bond token.
    function minimumBond() external view returns (uint96);

    /// @notice What a faulty statement costs each of its signers. Fixed for ever, so that no fault is priced
    /// afterwards.
    /// @return Minor units of the bond token.
    function slashAmount() external view returns (uint96);

    /// @notice Time from granting a membership, or deciding the seats of a panel, to its effect.
    /// @return Seconds.
    function activationDelay() external view returns (uint32);

    /// @notice Time from deciding a removal to the end of the membership.
    /// @return Seconds.
    function removalDelay() external view returns (uint32);
}
