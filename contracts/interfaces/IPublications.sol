// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Published evidence: the gpuOperator's own word on an epoch, before attesters state it
/// @notice An operator whose attesters are silent publishes the hash of its evidence. A published epoch is no default
/// and counts as no missing hours, but earns no proceeds until it is stated. Attesters can reject evidence that is
/// missing or does not recompute.
interface IPublications {
    /// @notice How far a facility's epochs are stated or published, and when something of that was taken back.
    /// @param firstOpen First epoch that is neither stated nor published; all before it are. A statement that was
    /// voided leaves its epoch published.
    /// @param voidedAt UTC second of the last void; 0 if there was none, or 1 if a signed statement was barred before.
    /// @param rejectedAt UTC second of the last rejection; 0 if there was none.
    /// @param rejections Number of rejections so far.
    struct Openness {
        uint32 firstOpen;
        uint40 voidedAt;
        uint40 rejectedAt;
        uint32 rejections;
    }

    /// @notice The gpuOperator published the hash of its evidence of an epoch.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param evidenceHash SHA-256 of the evidence manifest.
    event EvidencePublished(uint64 indexed facilityId, uint32 indexed epoch, bytes32 evidenceHash);

    /// @notice Attesters rejected published evidence: this epoch and all later ones are published no more.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param evidenceHash The hash that stood published.
    /// @param attesters The attesters that refused, in ascending order.
    /// @param publishedBefore Number of leading epochs that were stated or published before.
    event EvidenceRejected(
        uint64 indexed facilityId,
        uint32 indexed epoch,
        bytes32 evidenceHash,
        address[] attesters,
        uint32 publishedBefore
    );

    /// @notice Only the AttesterDesk, which counts refusals, takes a publication back.
    /// @param caller The account that called.
    error NotAttesterDesk(address caller);

    /// @notice Only the facility's gpuOperator publishes its evidence.
    /// @param facilityId The facility.
    /// @param caller The account that called.
    error NotGpuOperator(uint64 facilityId, address caller);

    /// @notice Epochs are published in order, each after the ones before it were stated or published.
    /// @param facilityId The facility.
    /// @param expected Epoch that comes next.
    /// @param actual Epoch given.
    error PublicationOutOfOrder(uint64 facilityId, uint32 expected, uint32 actual);

    /// @notice The hash must not be zero.
    error EvidenceHashZero();

    /// @notice Evidence of this epoch was rejected: it can only be stated now.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    error EpochRejected(uint64 facilityId, uint32 epoch);

    /// @notice The epoch is stated, or not published, or published with another hash: there is nothing to reject.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param published The hash that stands published; zero if none.
    error NothingToReject(uint64 facilityId, uint32 epoch, bytes32 published);

    /// @notice Publishes the hash of the evidence of the next epoch that is neither stated nor published. Only an epoch
    /// that is over, and only before the facility ends. Never paused. Caller: the facility's gpuOperator.
    /// @dev Emits EvidencePublished. Reverts with NotGpuOperator, PublicationOutOfOrder, EvidenceHashZero,
    /// EpochRejected, FacilityNotDelivering, EpochBeyondWindow or EpochNotOver.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param evidenceHash SHA-256 of the evidence manifest.
    function publish(uint64 facilityId, uint32 epoch, bytes32 evidenceHash) external;

    /// @notice Takes back the publication of an epoch and of all later ones: k attesters refused its evidence. The
    /// epoch can then only be stated. Never paused. Caller: the AttesterDesk, see `IAttesterDesk.reject`.
    /// @dev Emits EvidenceRejected. Reverts with NotAttesterDesk or NothingToReject.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @param evidenceHash The hash that stands published; zero for an epoch that only a voided statement left
    /// published.
    /// @param attesters Who refused it, in ascending order.
    function takeBack(uint64 facilityId, uint32 epoch, bytes32 evidenceHash, address[] calldata attesters) external;

    /// @notice How far a facility's epochs are stated or published.
    /// @param facilityId The facility.
    /// @return The first open epoch, and when something was last taken back.
    function opennessOf(uint64 facilityId) external view returns (Openness memory);

    /// @notice Evidence that stands published for an epoch.
    /// @param facilityId The facility.
    /// @param epoch Number of the epoch, from 0.
    /// @return Its hash; zero if none was published, or it was rejected.
    function publishedHashOf(uint64 facilityId, uint32 epoch) external view returns (bytes32);

    /// @notice From when an ended facility takes no statement more: an epoch and a day after its end or its last void,
    /// but at most 30 days more than an epoch and a day after its end, so that nobody can put it off for ever; and not
    /// before its newest statement is final. A matured facility takes none after its end.
    /// @param facilityId The facility.
    /// @return UTC second; 0 while the facility has not ended.
    function statementsEndAt(uint64 facilityId) external view returns (uint64);
}
