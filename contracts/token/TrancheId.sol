// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-1155 ids of tranches
/// @notice An id is `facilityId << 8 | seniority`; nothing is cut off.
library TrancheId {
    /// @notice Id of a tranche.
    /// @param facilityId The facility.
    /// @param seniority Rank of the tranche, from 0.
    /// @return The id.
    function pack(uint64 facilityId, uint8 seniority) internal pure returns (uint256) {
        return (uint256(facilityId) << 8) | seniority;
    }

    /// @notice Facility and rank of an id.
    /// @param id The id.
    /// @return facilityId The facility.
    /// @return seniority Rank of the tranche.
    /// @return valid False if the id has bits above the 72nd and so names no tranche.
    function unpack(uint256 id) internal pure returns (uint64 facilityId, uint8 seniority, bool valid) {
        valid = id >> 72 == 0;
        // Truncation is meant: `valid` tells whether anything was cut.
        // forge-lint: disable-next-line(unsafe-typecast)
        facilityId = uint64(id >> 8);
        // forge-lint: disable-next-line(unsafe-typecast)
        seniority = uint8(id);
    }

    /// @notice Facility of an id that is known to be valid.
    /// @param id The id.
    /// @return The facility.
    function facilityOf(uint256 id) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(id >> 8);
    }
}
