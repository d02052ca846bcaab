// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAttesterRegistry} from "./IAttesterRegistry.sol";

/// @title Refunds: the way back of rent above what is attested
/// @notice After its closing a facility takes no rent above what is attested, but more may have come before. It goes
/// back by credits that the facility's panel signed, and what no signed credit took in time goes back to all payers,
/// pro rata to what they paid. Nobody chooses who is paid.
interface IRefundDesk {
    /// @notice One credit: a row of `credits.csv` and the account that paid for its lease.
    /// @param facilityId The facility.
    /// @param index Row number, from 0.
    /// @param lease Hash of the lease.
    /// @param payer Account that paid, and is paid back.
    /// @param amount Minor units.
    struct Credit {
        uint64 facilityId;
        uint32 index;
        bytes32 lease;
        address payer;
        uint64 amount;
    }

    /// @notice The panel signed the credits of a facility.
    /// @param facilityId The facility.
    /// @param creditsRoot Merkle root over the credits.
    /// @param attesters The attesters that signed, in ascending order.
    /// @param sharesFrom UTC second from which what they leave goes back pro rata.
    event CreditsApproved(uint64 indexed facilityId, bytes32 creditsRoot, address[] attesters, uint64 sharesFrom);

    /// @notice A credit was paid back; RentRefunded of the lockbox says the same of its money.
    /// @param facilityId The facility.
    /// @param index Row number of the credit.
    /// @param lease Hash of the lease.
    /// @param payer The account that is owed it.
    /// @param amount Minor units.
    event CreditRefunded(
        uint64 indexed facilityId, uint32 indexed index, bytes32 indexed lease, address payer, uint256 amount
    );

    /// @notice A payer got its share of what no signed credit took.
    /// @param facilityId The facility.
    /// @param payer The account that is owed it.
    /// @param paid What it had paid, less earlier refunds, minor units.
    /// @param amount Its share, minor units.
    event ShareRefunded(uint64 indexed facilityId, address indexed payer, uint256 paid, uint256 amount);

    /// @notice Rent goes back only once the facility is closed.
    /// @param facilityId The facility.
    error FacilityNotClosed(uint64 facilityId);

    /// @notice The root must not be zero.
    error CreditsRootZero();

    /// @notice Credits of this facility were approved before; there is one approval.
    /// @param facilityId The facility.
    error CreditsApprovedBefore(uint64 facilityId);

    /// @notice It is too late for signed credits: what is left goes back pro rata.
    /// @param facilityId The facility.
    /// @param until UTC second from which no credit counts.
    error CreditsTooLate(uint64 facilityId, uint64 until);

    /// @notice The credit is not under the approved root, or none is approved.
    /// @param facilityId The facility.
    /// @param index Row number given.
    error CreditUnknown(uint64 facilityId, uint32 index);

    /// @notice The credit was paid back before.
    /// @param facilityId The facility.
    /// @param index Row number of the credit.
    error CreditRefundedBefore(uint64 facilityId, uint32 index);

    /// @notice Signed credits come first: shares open later.
    /// @param facilityId The facility.
    /// @param from UTC second from which they are open.
    error SharesNotOpen(uint64 facilityId, uint64 from);

    /// @notice The payer has no share: it paid nothing, it had its share, or nothing is left.
    /// @param facilityId The facility.
    /// @param payer The account.
    error NoShare(uint64 facilityId, address payer);

    /// @notice Stores the credits that a facility's panel signed: once, within 90 days of the closing. Caller: anybody
    /// who holds the signatures over `creditsDigest`.
    /// @dev Emits CreditsApproved. Reverts with FacilityNotClosed, CreditsTooLate, CreditsRootZero,
    /// CreditsApprovedBefore, or for the signatures as `IAttesterRegistry.checkQuorum` does.
    /// @param facilityId The facility.
    /// @param creditsRoot Root of an OpenZeppelin StandardMerkleTree over
    /// `(uint64 facilityId, uint32 index, bytes32 lease, address payer, uint64 amount)`.
    /// @param attestations Signatures of the panel, in strictly ascending order of attester.
    function approveCredits(
        uint64 facilityId,
        bytes32 creditsRoot,
        IAttesterRegistry.Attestation[] calldata attestations
    ) external;

    /// @notice Credits rent back to a payer, as signed; the payer takes it with `withdraw` of the lockbox. Until shares
    /// open. Caller: anybody.
    /// @dev Emits CreditRefunded. Reverts with CreditsTooLate, CreditUnknown, CreditRefundedBefore, or as
    /// `IRentLockbox.refundExcess` does for an amount above what is left or above what the payer paid.
    /// @param credit The credit.
    /// @param proof Merkle proof of it.
    function refundCredit(Credit calldata credit, bytes32[] calldata proof) external;

    /// @notice Credits a payer's share of what is left, in proportion to what each payer paid less earlier refunds. The
    /// last payer takes what rounding left. From `sharesFrom` on, once for each payer. Caller: anybody.
    /// @dev Emits ShareRefunded. Reverts with FacilityNotClosed, SharesNotOpen or NoShare.
    /// @param facilityId The facility.
    /// @param payer The account that had paid.
    /// @return amount Minor units, rounded down.
    function refundShare(uint64 facilityId, address payer) external returns (uint256 amount);

    /// @notice What attesters sign: EIP-712 type `Credits(uint64 facilityId,bytes32 creditsRoot)`.
    /// @param facilityId The facility.
    /// @param creditsRoot Merkle root over the credits.
    /// @return The digest.
    function creditsDigest(uint64 facilityId, bytes32 creditsRoot) external view returns (bytes32);

    /// @notice The credits that the panel signed.
    /// @param facilityId The facility.
    /// @return Their Merkle root; zero if none is approved.
    function creditsRootOf(uint64 facilityId) external view returns (bytes32);

    /// @notice Whether a credit was paid back.
    /// @param facilityId The facility.
    /// @param index Row number of the credit.
    /// @return True if it was.
    function isRefunded(uint64 facilityId, uint32 index) external view returns (bool);

    /// @notice Whether a payer had its share.
    /// @param facilityId The facility.
    /// @param payer The account.
    /// @return True if it had.
    function hadShare(uint64 facilityId, address payer) external view returns (bool);

    /// @notice From when what is left goes back pro rata: 90 days after the closing, and 30 days after credits were
    /// approved.
    /// @param facilityId The facility.
    /// @return UTC second; 0 until the facility is closed.
    function sharesFrom(uint64 facilityId) external view returns (uint64);
}
