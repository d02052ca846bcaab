// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IAttesterRegistry} from "../interfaces/IAttesterRegistry.sol";
import {IFacilityRegistry} from "../interfaces/IFacilityRegistry.sol";
import {IRefundDesk} from "../interfaces/IRefundDesk.sol";
import {IRentLockbox} from "../interfaces/IRentLockbox.sol";

/// @title Refund desk
/// @notice Says to whom the lockbox gives back rent above what is attested. Holds no money and has no role.
contract RefundDesk is IRefundDesk, EIP712("Rentroll Refunds", "1") {
    using BitMaps for BitMaps.BitMap;

    /// @notice Refunds of one facility.
    /// @param creditsRoot Root over the signed credits; zero if there are none.
    /// @param approvedAt UTC second of their approval.
    /// @param base What payers paid that had no share yet, less earlier refunds, minor units.
    /// @param sharing Whether a share was given: only then `base` counts.
    /// @param refunded Rows of the credits that were paid back.
    /// @param had Payers that had their share.
    struct Refunds {
        bytes32 creditsRoot;
        uint40 approvedAt;
        uint64 base;
        bool sharing;
        BitMaps.BitMap refunded;
        mapping(address payer => bool) had;
    }

    bytes32 private constant CREDITS_TYPEHASH = keccak256("Credits(uint64 facilityId,bytes32 creditsRoot)");
    /// @dev From the closing to the end of approvals.
    uint256 private constant SIGNING = 90 days;
    /// @dev From an approval to the end of its credits: anybody can bring them.
    uint256 private constant CLAIMING = 30 days;

    /// @notice The register, and through it the lockbox and the panels' signatures.
    IFacilityRegistry public immutable facilityRegistry;
    mapping(uint64 facilityId => Refunds) private _refunds;

    /// @notice Deploys the desk.
    /// @param facilities The register, and through it the lockbox and the panels' signatures.
    constructor(IFacilityRegistry facilities) {
        facilityRegistry = facilities;
    }

    /// @inheritdoc IRefundDesk
    function approveCredits(
        uint64 facilityId,
        bytes32 creditsRoot,
        IAttesterRegistry.Attestation[] calldata attestations
    ) external {
        uint256 until = _closedAt(facilityId) + SIGNING;
        // Times of blocks.
        // forge-lint: disable-next-line(unsafe-typecast)
        require(block.timestamp < until, CreditsTooLate(facilityId, uint64(until)));
        Refunds storage refunds = _refunds[facilityId];
        require(creditsRoot != bytes32(0), CreditsRootZero());
        require(refunds.creditsRoot == bytes32(0), CreditsApprovedBefore(facilityId));
        uint8 panel = facilityRegistry.epochTermsOf(facilityId).panel;
        bytes32 digest = creditsDigest(facilityId, creditsRoot);
        (address[] memory attesters,) = facilityRegistry.attesterRegistry().checkQuorum(panel, digest, attestations);
        refunds.creditsRoot = creditsRoot;
        refunds.approvedAt = uint40(block.timestamp);
        emit CreditsApproved(facilityId, creditsRoot, attesters, sharesFrom(facilityId));
    }

    /// @inheritdoc IRefundDesk
    function refundCredit(Credit calldata credit, bytes32[] calldata proof) external {
        uint64 facilityId = credit.facilityId;
        Refunds storage refunds = _refunds[facilityId];
        bytes32 root = refunds.creditsRoot;
        // As OpenZeppelin's StandardMerkleTree makes leaves.
        bytes32 leaf = keccak256(bytes.concat(keccak256(abi.encode(credit))));
        bool known = root != bytes32(0) && MerkleProof.verifyCalldata(proof, root, leaf);
        require(known, CreditUnknown(facilityId, credit.index));
        uint64 until = sharesFrom(facilityId);
        require(block.timestamp < until, CreditsTooLate(facilityId, until));
        bool before = refunds.refunded.get(credit.index);
        require(!before, CreditRefundedBefore(facilityId, credit.index));
        refunds.refunded.set(credit.index);
        emit CreditRefunded(facilityId, credit.index, credit.lease, credit.payer, credit.amount);
        facilityRegistry.rentLockbox().refundExcess(facilityId, credit.payer, credit.amount);
    }

    /// @inheritdoc IRefundDesk
    function refundShare(uint64 facilityId, address payer) external returns (uint256 amount) {
        _closedAt(facilityId);
        uint64 from = sharesFrom(facilityId);
        require(block.timestamp >= from, SharesNotOpen(facilityId, from));
        Refunds storage refunds = _refunds[facilityId];
        IRentLockbox lockbox = facilityRegistry.rentLockbox();
        uint256 paid = refunds.had[payer] ? 0 : lockbox.paidBy(facilityId, payer);
        // All that payers paid, less refunds: the sum of `paidBy`. While rent is in excess nobody can pay more.
        uint256 base = refunds.sharing ? refunds.base : lockbox.bookOf(facilityId).collected;
        uint256 excess = lockbox.excessOf(facilityId);
        require(paid > 0 && excess > 0, NoShare(facilityId, payer));
        amount = Math.mulDiv(excess, paid, base);
        refunds.had[payer] = true;
        refunds.sharing = true;
        // What is collected has 64 bits.
        // forge-lint: disable-next-line(unsafe-typecast)
        refunds.base = uint64(base - paid);
        emit ShareRefunded(facilityId, payer, paid, amount);
        if (amount > 0) lockbox.refundExcess(facilityId, payer, amount);
    }

    /// @inheritdoc IRefundDesk
    function creditsDigest(uint64 facilityId, bytes32 creditsRoot) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(CREDITS_TYPEHASH, facilityId, creditsRoot)));
    }

    /// @inheritdoc IRefundDesk
    function creditsRootOf(uint64 facilityId) external view returns (bytes32) {
        return _refunds[facilityId].creditsRoot;
    }

    /// @inheritdoc IRefundDesk
    function isRefunded(uint64 facilityId, uint32 index) external view returns (bool) {
        return _refunds[facilityId].refunded.get(index);
    }

    /// @inheritdoc IRefundDesk
    function hadShare(uint64 facilityId, address payer) external view returns (bool) {
        return _refunds[facilityId].had[payer];
    }

    /// @inheritdoc IRefundDesk
    function sharesFrom(uint64 facilityId) public view returns (uint64) {
        uint256 closedAt = facilityRegistry.endingOf(facilityId).closedAt;
        if (closedAt == 0) return 0;
        uint256 approvedAt = _refunds[facilityId].approvedAt;
        uint256 claimed = approvedAt == 0 ? 0 : approvedAt + CLAIMING;
        // Times of blocks.
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(Math.max(closedAt + SIGNING, claimed));
    }

    /// @notice When a facility was closed. Reverts with FacilityNotClosed.
    /// @param facilityId The facility.
    /// @return closedAt UTC second.
    function _closedAt(uint64 facilityId) private view returns (uint256 closedAt) {
        closedAt = facilityRegistry.endingOf(facilityId).closedAt;
        require(closedAt != 0, FacilityNotClosed(facilityId));
    }
}
