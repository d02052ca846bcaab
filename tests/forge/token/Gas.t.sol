// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MockStablecoin} from "../../../contracts/mocks/MockStablecoin.sol";
import {TokenBase} from "./TokenBase.sol";

/// @title Gas of whole transactions (21,000 and calldata included), against the goals of docs/BENCHMARKS.md
contract GasTest is TokenBase {
    uint256[] private _ids;
    uint256[] private _ones;

    /// @dev Ten ids over five facilities of one settlement token, both parties hold, all of them stream.
    function setUp() public override {
        super.setUp();
        for (uint64 f = 20; f < 25; ++f) {
            offer(f, dollar);
            for (uint256 s = 0; s < 2; ++s) {
                uint256 id = (uint256(f) << 8) | s;
                _ids.push(id);
                _ones.push(1);
                mint(ann, id, 1_000);
                mint(bob, id, 1_000);
                accrue(id, 1_000_000_007, 7 days);
            }
        }
        dollar.mint(ann, 1);
        vm.warp(block.timestamp + 1 days);
        vm.prank(ann);
        token.claim(_ids, ann);
        accrue(_ids[0], 1_000_000_007, 7 days);
        vm.warp(block.timestamp + 1 days);
    }

    function test_transfer__both_hold__within_goal() public {
        vm.prank(ann);
        token.safeTransferFrom(ann, bob, _ids[0], 10, "");
        assertLe(vm.snapshotGasLastCall("token", "transfer, both hold"), 49_000, "transfer");
    }

    function test_batch__ten_ids__within_goal() public {
        vm.prank(ann);
        token.safeBatchTransferFrom(ann, bob, _ids, _ones, "");
        assertLe(vm.snapshotGasLastCall("token", "batch of ten"), 187_000, "batch");
    }

    function test_claim__one_id__within_goal() public {
        uint256[] memory ids = one(_ids[0]);
        vm.prank(ann);
        token.claim(ids, ann);
        assertLe(vm.snapshotGasLastCall("token", "claim one"), 55_000, "claim one");
    }

    function test_claim__ten_ids__within_goal() public {
        vm.prank(ann);
        token.claim(_ids, ann);
        assertLe(vm.snapshotGasLastCall("token", "claim ten"), 136_000, "claim ten");
    }
}
