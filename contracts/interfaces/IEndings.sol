// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title How a facility ends: notices, default, maturity and long stop
/// @notice Every ending is anybody's to call. It moves no money: `IRentLockbox.close` does, later and once.
interface IEndings {
    /// @notice How far a facility is towards its end; all zero before it is funded. Times are UTC seconds.
    /// @param fundedAt When it was funded.
    /// @param endedAt When it matured, defaulted or was stopped; 0 before.
    /// @param closedAt When bond and unearned proceeds went to who is entitled to them; 0 before.
    /// @param unpaidNoticedAt When notice was given that attested revenue is unpaid; 0 before.
    struct Ending {
        uint40 fundedAt;
        uint40 endedAt;
        uint40 closedAt;
        uint40 unpaidNoticedAt;
    }

    /// @notice Somebody gave notice that an epoch is overdue. Unless it is stated or published in time, anybody may
    /// declare the default.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @param caller The account that called.
    /// @param cureUntil UTC second from which the default may be declared if the epoch is still open.
    event DefaultNoticed(uint64 indexed facilityId, uint32 indexed epoch, address indexed caller, uint64 cureUntil);

    /// @notice A facility defaulted: an epoch stayed open after notice and cure.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @param caller The account that called.
    event DefaultDeclared(uint64 indexed facilityId, uint32 indexed epoch, address indexed caller);

    /// @notice Somebody gave notice that everything is attested and final, and part of it is unpaid.
    /// @param facilityId The facility.
    /// @param amount Minor units attested and not paid.
    /// @param maturesFrom UTC second from which the facility may mature all the same.
    event UnpaidNoticed(uint64 indexed facilityId, uint256 amount, uint64 maturesFrom);

    /// @notice A facility matured although part of its attested revenue was not paid by renters. The bond pays it as
    /// far as it goes; a renter that pays later still pays rent.
    /// @param facilityId The facility.
    /// @param amount Minor units not paid.
    event ReceivableWrittenOff(uint64 indexed facilityId, uint256 amount);

    /// @notice The facility cannot mature yet: an epoch is not final, or attested revenue is unpaid and 90 days after a
    /// notice of that (`noticeUnpaid`) are not over.
    /// @param facilityId The facility.
    error NotMature(uint64 facilityId);

    /// @notice The epoch is stated or published, so nobody waits for it; or the window does not have it.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    error EpochNotOpen(uint64 facilityId, uint32 epoch);

    /// @notice The epoch is not overdue yet: patience runs from the latest of the epoch's end, the funding and the last
    /// void.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @param overdueFrom UTC second from which notice may be given.
    error EpochNotOverdue(uint64 facilityId, uint32 epoch, uint256 overdueFrom);

    /// @notice Notice of this epoch was given already and still counts.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @param noticedAt UTC second of the notice.
    error DefaultNoticedBefore(uint64 facilityId, uint32 epoch, uint64 noticedAt);

    /// @notice No notice of this epoch counts: none was given, or a void or a rejection came after it. Call
    /// `noticeDefault`.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    error DefaultNotNoticed(uint64 facilityId, uint32 epoch);

    /// @notice The epoch may still be stated or published.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @param cureUntil UTC second from which the default may be declared.
    error CureRunning(uint64 facilityId, uint32 epoch, uint256 cureUntil);

    /// @notice There is nothing to give notice of: an epoch is not final, everything is paid, or notice was given.
    /// @param facilityId The facility.
    error NothingUnpaid(uint64 facilityId);

    /// @notice The long stop is still to come.
    /// @param facilityId The facility.
    /// @param stopsFrom UTC second from which anybody may stop the facility.
    error LongStopAhead(uint64 facilityId, uint256 stopsFrom);

    /// @notice Only the RentLockbox closes facilities.
    /// @param caller The account that called.
    error NotRentLockbox(address caller);

    /// @notice Ends a facility whose every epoch is final and paid. What streams streams on; `IRentLockbox.close`
    /// then pays out bond and proceeds. Attested revenue that no renter paid keeps a facility open until 90 days after
    /// `noticeUnpaid`, so that an insolvent renter cannot lock bond and sale proceeds for ever. Caller: anybody.
    /// @dev Emits FacilityStateChanged(Matured), ReceivableWrittenOff if something is unpaid. Reverts with
    /// FacilityStateWrong or NotMature.
    /// @param facilityId The facility.
    function mature(uint64 facilityId) external;

    /// @notice Gives notice, once, that every epoch is final and part of the attested revenue is unpaid.
    /// Caller: anybody.
    /// @dev Emits UnpaidNoticed. Reverts with FacilityStateWrong or NothingUnpaid.
    /// @param facilityId The facility.
    function noticeUnpaid(uint64 facilityId) external;

    /// @notice Gives notice of an epoch that is over for longer than the patience and neither stated nor published. The
    /// first notice of an epoch counts, so that nobody can start its cure anew; after a void or a rejection a new one
    /// is needed. Caller: anybody.
    /// @dev Emits DefaultNoticed. Reverts with FacilityStateWrong, EpochNotOpen, EpochNotOverdue or
    /// DefaultNoticedBefore.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    function noticeDefault(uint64 facilityId, uint32 epoch) external;

    /// @notice Ends a delivering facility: an epoch of which notice was given is still neither stated nor published an
    /// epoch and a day later. What streams streams on; `IRentLockbox.close` then pays out bond and proceeds. Caller:
    /// anybody.
    /// @dev Emits DefaultDeclared and FacilityStateChanged(Defaulted). Reverts with FacilityStateWrong, EpochNotOpen,
    /// DefaultNotNoticed or CureRunning.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    function declareDefault(uint64 facilityId, uint32 epoch) external;

    /// @notice Ends a funded facility that nobody ended until `longStopSeconds` after `windowEnd`, whatever is missing,
    /// so that no sum is locked for ever. Caller: anybody.
    /// @dev Emits FacilityStateChanged(Stopped). Reverts with FacilityStateWrong or LongStopAhead.
    /// @param facilityId The facility.
    function stop(uint64 facilityId) external;

    /// @notice Notes that an ended facility is closed. Caller: the RentLockbox, which checks when that may be.
    /// @dev Reverts with NotRentLockbox.
    /// @param facilityId The facility.
    function markClosed(uint64 facilityId) external;

    /// @notice When a facility was funded, ended and closed.
    /// @param facilityId The facility.
    /// @return The times; all zero before it is funded.
    function endingOf(uint64 facilityId) external view returns (Ending memory);

    /// @notice When notice of an overdue epoch was given.
    /// @param facilityId The facility.
    /// @param epoch The epoch.
    /// @return UTC second; 0 if it was not.
    function defaultNoticedAt(uint64 facilityId, uint32 epoch) external view returns (uint64);
}
