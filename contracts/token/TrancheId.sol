// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-1155 ids of tranches: `facilityId << 8 | seniority`, without truncation
library TrancheId {
    /// @notice Id of tranche `seniority` of a facility.
    function pack(uint64 facilityId, uint8 seniority) internal pure returns (uint256) {
        return (uint256(facilityId) << 8) | seniority;
    }

    /// @notice Facility and seniority of an id. Ids with bits above the 72nd name no tranche: `valid` is false.
    function unpack(uint256 id) internal pure returns (uint64 facilityId, uint8 seniority, bool valid) {
        valid = id >> 72 == 0;
        // Truncation is meant: `valid` tells whether anything was cut.
        // forge-lint: disable-next-line(unsafe-typecast)
        facilityId = uint64(id >> 8);
        // forge-lint: disable-next-line(unsafe-typecast)
        seniority = uint8(id);
    }

    /// @notice Facility of an id that is known to be valid.
    function facilityOf(uint256 id) internal pure returns (uint64) {
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(id >> 8);
    }
}
