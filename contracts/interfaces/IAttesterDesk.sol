// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignerCharges} from "./ISignerCharges.sol";
import {IStatementRegistry} from "./IStatementRegistry.sol";

/// @title Attesters' duties, refusals and pay
/// @notice A seat of a facility's panel has one duty for each statement: to recompute it, and to sign or to refuse it.
/// Both are paid alike, so that nobody is paid for agreeing. A share of the protocol fee, fixed by the offer, is split
/// over all statements and seats; whoever did a duty is paid its part, whatever others did.
interface IAttesterDesk {
    /// @notice Why evidence is refused. "Not yet" is no reason.
    /// @param None No reason; never valid.
    /// @param NotRecomputed The statement does not follow from the evidence.
    /// @param MemoryContradicted The evidence contradicts what the attester saw before.
    /// @param EvidenceMissing The evidence could not be had a day after its hash stood on-chain.
    /// @param LogForked The log's key signed two entries of one number; the refusal's file has both.
    enum RefusalCode {
        None,
        NotRecomputed,
        MemoryContradicted,
        EvidenceMissing,
        LogForked
    }

    /// @notice A signed refusal of what somebody wants stated, or published, of one epoch.
    /// @param attester The attester.
    /// @param statementHash EIP-712 struct hash of the statement that is refused; zero if none was shown.
    /// @param evidenceHash SHA-256 of its evidence manifest; zero for an epoch that only a void left published.
    /// @param previousStatementHash Hash of the statement before it.
    /// @param rejections Number of the facility's rejections when it was signed.
    /// @param until Last UTC second in which it can take back what is published.
    /// @param code Why.
    /// @param place File and line of the evidence, as left-aligned ASCII; zero if there is no place.
    /// @param signature Signature over `refusalDigest`.
    struct Refusal {
        address attester;
        bytes32 statementHash;
        bytes32 evidenceHash;
        bytes32 previousStatementHash;
        uint32 rejections;
        uint64 until;
        RefusalCode code;
        bytes32 place;
        bytes signature;
    }

    /// @notice An attester refused a statement.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    /// @param statementHash EIP-712 struct hash of the statement; zero if none was shown.
    /// @param evidenceHash SHA-256 of its evidence manifest.
    /// @param previousStatementHash Hash of the statement before it.
    /// @param code Why.
    /// @param place File and line of the evidence, as left-aligned ASCII.
    event StatementRefused(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        address indexed attester,
        bytes32 statementHash,
        bytes32 evidenceHash,
        bytes32 previousStatementHash,
        RefusalCode code,
        bytes32 place
    );

    /// @notice An attester showed its signature over a statement that is posted with those of others, or not posted.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    /// @param statementHash EIP-712 struct hash of the statement.
    event SignatureShown(
        uint64 indexed facilityId, uint32 indexed epoch, address indexed attester, bytes32 statementHash
    );

    /// @notice A seat's duty for a statement was booked for an attester.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    event DutyBooked(uint64 indexed facilityId, uint32 indexed epoch, address indexed attester);

    /// @notice Fees of a facility came from the lockbox and were split.
    /// @param facilityId The facility.
    /// @param token The facility's settlement token.
    /// @param toAttesters Attesters' part, minor units; rounded down on the running total.
    /// @param toTreasury The rest, minor units.
    event FeesSplit(uint64 indexed facilityId, address indexed token, uint256 toAttesters, uint256 toTreasury);

    /// @notice An attester is owed its pay; `withdraw` takes it.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @param amount Minor units.
    /// @param earned All that it earned of this facility so far, minor units.
    event AttesterPaid(uint64 indexed facilityId, address indexed attester, uint256 amount, uint256 earned);

    /// @notice Pay of duties that nobody did went to the treasury.
    /// @param facilityId The facility.
    /// @param amount Minor units.
    event UnearnedReleased(uint64 indexed facilityId, uint256 amount);

    /// @notice The treasury took its part of fees.
    /// @param token The token.
    /// @param to The account that received them.
    /// @param amount Minor units.
    event FeesTaken(address indexed token, address indexed to, uint256 amount);

    /// @notice The statement is not due: its time is not over, or the facility has no statement of that number.
    /// @param facilityId The facility.
    /// @param epoch Number given.
    error StatementNotDue(uint64 facilityId, uint32 epoch);

    /// @notice The statement is final: a verdict on it comes too late.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    error StatementFinal(uint64 facilityId, uint32 epoch);

    /// @notice The statement is not final, or can still come: duties are booked when it is, or at the closing.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    error StatementNotFinal(uint64 facilityId, uint32 epoch);

    /// @notice Another statement of this number is posted.
    /// @param expected Hash of the one that is posted.
    /// @param actual Hash of the one given.
    error StatementNotPosted(bytes32 expected, bytes32 actual);

    /// @notice No refusal was given, or one gives no reason, or names neither a statement nor evidence.
    error RefusalInvalid();

    /// @notice The signature is not a valid one of this attester over this refusal or statement.
    /// @param attester The attester.
    error SignatureInvalid(address attester);

    /// @notice Refusals are given in strictly ascending order of attester.
    /// @param previous Attester before.
    /// @param next Attester that should be higher.
    error AttestersNotAscending(address previous, address next);

    /// @notice Fewer refusals than a rejection takes.
    /// @param refusals Number given.
    /// @param threshold Number needed.
    error QuorumMissing(uint256 refusals, uint256 threshold);

    /// @notice The refusal speaks of other evidence or of a statement, was signed before another rejection of this
    /// facility, or counts no more for a rejection.
    /// @param attester The attester.
    error RefusalStale(address attester);

    /// @notice The duties for this statement were booked before.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    error BookedBefore(uint64 facilityId, uint32 epoch);

    /// @notice The facility is closed, and the time to book duties is over.
    /// @param facilityId The facility.
    /// @param until UTC second from which nothing is booked.
    error DutiesEnded(uint64 facilityId, uint64 until);

    /// @notice Duties of this facility can still be booked, so nothing is unearned yet.
    /// @param facilityId The facility.
    error DutiesOpen(uint64 facilityId);

    /// @notice Books the duties for a statement, once, for those who had a seat when it was posted: who signed it,
    /// posted or shown, and who refused. Only once it is final. Of a number that was never stated, once the facility is
    /// closed: for those who had a seat when it fell due, and refused or showed a signature. Until 90 days after the
    /// closing. Caller: anybody.
    /// @dev Emits DutyBooked. Reverts with BookedBefore, StatementNotFinal, StatementNotDue or DutiesEnded. Whoever
    /// left its slot to another account before is not booked; that takes longer than a statement takes to be final.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement: that of the epoch, or behind the last one for the closing statement.
    function book(uint64 facilityId, uint32 epoch) external;

    /// @notice Shows signatures over a statement that is posted with those of others, or that is due and not posted.
    /// While it is not final, and until the facility is closed. They are charged for a fault as posted ones are,
    /// see `ISignerCharges.chargeShown`. Caller: anybody.
    /// @dev Emits SignatureShown. Reverts with StatementNotPosted, StatementNotDue, StatementFinal, DutiesEnded,
    /// SignatureInvalid, or as `IAttesterRegistry.checkSeat` does for an attester that had no seat either when the
    /// statement was posted.
    /// @param statement The statement.
    /// @param signed Signatures of members of the facility's panel.
    function showSignatures(IStatementRegistry.Statement calldata statement, ISignerCharges.Signed calldata signed)
        external;

    /// @notice Makes refusals of a statement, or of evidence, public. While the statement is not final, and until the
    /// facility is closed. Caller: anybody.
    /// @dev Emits StatementRefused. Reverts with RefusalInvalid, StatementNotDue, StatementFinal, DutiesEnded,
    /// AttestersNotAscending, SignatureInvalid, or as `IAttesterRegistry.checkSeat` does.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param refusals The refusals, in strictly ascending order of attester.
    function refuse(uint64 facilityId, uint32 epoch, Refusal[] calldata refusals) external;

    /// @notice Takes back the publication of an epoch and of all later ones, by refusals of k attesters of the panel:
    /// its evidence is missing, does not recompute, or contradicts what they saw. Codes and places may differ; a
    /// refusal of a statement counts for nothing here.
    /// Caller: anybody who holds the refusals.
    /// @dev Emits StatementRefused and IPublications.EvidenceRejected. Reverts with QuorumMissing,
    /// RefusalStale, or as `refuse` and `IPublications.takeBack` do.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param evidenceHash The hash that stands published; zero for an epoch that only a voided statement left
    /// published.
    /// @param refusals The refusals, in strictly ascending order of attester.
    function reject(uint64 facilityId, uint32 epoch, bytes32 evidenceHash, Refusal[] calldata refusals) external;

    /// @notice Takes a facility's fees out of the lockbox, and splits them. Caller: anybody.
    /// @dev Emits FeesSplit. Reverts with IPayouts.SettlementShort if the token keeps some of it.
    /// @param facilityId The facility.
    /// @return amount Minor units; 0 if the facility owes none.
    function collect(uint64 facilityId) external returns (uint256 amount);

    /// @notice Credits an attester with what it earned of a facility's collected fees and was not paid. The attester
    /// takes it with `withdraw`. Caller: anybody.
    /// @dev Emits AttesterPaid. Reverts with IPayouts.NothingOwed.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @return amount Minor units, rounded down.
    function pay(uint64 facilityId, address attester) external returns (uint256 amount);

    /// @notice Releases the pay of duties that nobody did, of collected fees, to the treasury, from 90 days after the
    /// closing on. Caller: anybody.
    /// @dev Emits UnearnedReleased. Reverts with DutiesOpen or IPayouts.NothingOwed.
    /// @param facilityId The facility.
    /// @return amount Minor units.
    function releaseUnearned(uint64 facilityId) external returns (uint256 amount);

    /// @notice Sends the treasury's part of all fees in one token. Caller: the treasury role.
    /// @dev Emits FeesTaken. Reverts with RecipientInvalid or IPayouts.NothingOwed.
    /// @param token The token.
    /// @param to The account that receives it.
    /// @return amount Minor units.
    function takeFees(address token, address to) external returns (uint256 amount);

    /// @notice What an attester signs to refuse: EIP-712 type `Refusal(uint64 facilityId,uint32 epoch,
    /// bytes32 statementHash,bytes32 evidenceHash,bytes32 previousStatementHash,uint32 rejections,uint64 until,
    /// uint8 code,bytes32 place)`, without blanks after commas.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param refusal The refusal; attester and signature are not read.
    /// @return The digest.
    function refusalDigest(uint64 facilityId, uint32 epoch, Refusal calldata refusal) external view returns (bytes32);

    /// @notice Statements of a facility that are due in all: its epochs, of a facility that ended those that were over
    /// then, and the closing statement.
    /// @param facilityId The facility.
    /// @return The number.
    function statementsDue(uint64 facilityId) external view returns (uint32);

    /// @notice Parts in which duties are counted: every odd number of seats up to 39 divides it.
    /// @return The number.
    function partsPerStatement() external pure returns (uint256);

    /// @notice Whether the duties for a statement are booked.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @return True if they are.
    function isBooked(uint64 facilityId, uint32 epoch) external view returns (bool);

    /// @notice The statement over which an attester showed its signature last.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    /// @return Its EIP-712 struct hash; zero if it showed none.
    function shownBy(uint64 facilityId, uint32 epoch, address attester) external view returns (bytes32);

    /// @notice Whether an attester refused a statement of a number.
    /// @param facilityId The facility.
    /// @param epoch Number of the statement.
    /// @param attester The attester.
    /// @return True if it did.
    function hasRefused(uint64 facilityId, uint32 epoch, address attester) external view returns (bool);

    /// @notice Duties of an attester that are booked: a seat of five adds a fifth of `partsPerStatement` for each.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @return Parts of statements, exact.
    function dutiesOf(uint64 facilityId, address attester) external view returns (uint256);

    /// @notice All that an attester earned of a facility's fees, collected or still in the lockbox.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @return Minor units, rounded down; paid ones too.
    function earnedOf(uint64 facilityId, address attester) external view returns (uint256);

    /// @notice What an attester was paid of a facility's fees so far.
    /// @param facilityId The facility.
    /// @param attester The attester.
    /// @return Minor units.
    function paidTo(uint64 facilityId, address attester) external view returns (uint256);

    /// @notice Fees that came of a facility so far.
    /// @param facilityId The facility.
    /// @return Minor units.
    function feesOf(uint64 facilityId) external view returns (uint256);

    /// @notice Pay of duties that nobody did, which went to the treasury.
    /// @param facilityId The facility.
    /// @return Minor units.
    function releasedOf(uint64 facilityId) external view returns (uint256);

    /// @notice The treasury's part of fees that it did not take.
    /// @param token The token.
    /// @return Minor units.
    function treasuryOwed(address token) external view returns (uint256);
}
