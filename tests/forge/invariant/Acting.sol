// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "../Base.sol";
import {Ending} from "./Ending.sol";
import {SystemHandler} from "./SystemHandler.sol";
import {UnitActs} from "./UnitActs.sol";

/// @title The world and the one list of what may be done to it: for forge's runner and for our own random histories
abstract contract Acting is Base {
    SystemHandler internal _world;

    function setUp() public {
        _world = new SystemHandler();
        _world.start();
    }

    /// @dev All take words alone, at most five: any calldata of five words is a call.
    function _actions() internal pure returns (bytes4[] memory list) {
        list = new bytes4[](54);
        uint256 n = 0;
        list[n++] = UnitActs.mint.selector;
        list[n++] = UnitActs.buy.selector;
        list[n++] = UnitActs.sell.selector;
        list[n++] = UnitActs.finalize.selector;
        list[n++] = UnitActs.refund.selector;
        list[n++] = UnitActs.cancel.selector;
        list[n++] = UnitActs.expire.selector;
        list[n++] = UnitActs.fund.selector;
        list[n++] = UnitActs.transfer.selector;
        list[n++] = UnitActs.batch.selector;
        list[n++] = UnitActs.spend.selector;
        list[n++] = UnitActs.force.selector;
        list[n++] = UnitActs.freeze.selector;
        list[n++] = UnitActs.takeDelivery.selector;
        list[n++] = UnitActs.serve.selector;
        list[n++] = UnitActs.payVoucher.selector;
        list[n++] = UnitActs.burnExpired.selector;
        list[n++] = UnitActs.claim.selector;
        list[n++] = UnitActs.claimBySig.selector;
        list[n++] = SystemHandler.payRent.selector;
        list[n++] = SystemHandler.post.selector;
        list[n++] = SystemHandler.forge.selector;
        list[n++] = SystemHandler.disorder.selector;
        list[n++] = SystemHandler.challenge.selector;
        list[n++] = SystemHandler.fault.selector;
        list[n++] = Ending.deliver.selector;
        list[n++] = SystemHandler.settle.selector;
        list[n++] = SystemHandler.settleMany.selector;
        list[n++] = SystemHandler.business.selector;
        list[n++] = SystemHandler.season.selector;
        list[n++] = Ending.windUp.selector;
        list[n++] = SystemHandler.depositBond.selector;
        list[n++] = SystemHandler.takeSlashed.selector;
        list[n++] = SystemHandler.close.selector;
        list[n++] = SystemHandler.late.selector;
        list[n++] = SystemHandler.release.selector;
        list[n++] = SystemHandler.withdraw.selector;
        list[n++] = SystemHandler.takeFees.selector;
        list[n++] = SystemHandler.refundExcess.selector;
        list[n++] = SystemHandler.bookDuties.selector;
        list[n++] = SystemHandler.mature.selector;
        list[n++] = SystemHandler.noticeUnpaid.selector;
        list[n++] = SystemHandler.noticeDefault.selector;
        list[n++] = SystemHandler.declareDefault.selector;
        list[n++] = SystemHandler.letDefault.selector;
        list[n++] = SystemHandler.stop.selector;
        list[n++] = SystemHandler.publish.selector;
        list[n++] = SystemHandler.reject.selector;
        list[n++] = SystemHandler.admit.selector;
        list[n++] = SystemHandler.pause.selector;
        list[n++] = SystemHandler.turnReceiver.selector;
        list[n++] = SystemHandler.turnCoin.selector;
        list[n++] = SystemHandler.donate.selector;
        list[n++] = SystemHandler.pass.selector;
        assertEq(n, list.length, "every action is there");
    }
}
