// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {TrancheId} from "../../../contracts/token/TrancheId.sol";
import {Proof} from "./Proof.sol";

/// @title Ids of tranches
contract TrancheIdProofs is Proof {
    /// For every facility and rank: unpacking gives back what was packed, and the id is valid.
    function check_id__packed__unpacks_to_the_same(uint64 facilityId, uint8 seniority) public pure {
        uint256 id = TrancheId.pack(facilityId, seniority);
        (uint64 facility, uint8 rank, bool valid) = TrancheId.unpack(id);
        assert(valid && facility == facilityId && rank == seniority);
        assert(TrancheId.facilityOf(id) == facilityId);
    }

    /// For every word: it is a valid id exactly if packing its parts gives it back, so no tranche has two ids.
    function check_id__any_word__valid_only_if_packed(uint256 id) public pure {
        (uint64 facility, uint8 rank, bool valid) = TrancheId.unpack(id);
        assert(valid == (TrancheId.pack(facility, rank) == id));
    }
}
