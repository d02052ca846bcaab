// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDeliveryDesk} from "../../contracts/interfaces/IDeliveryDesk.sol";
import {Base} from "./Base.sol";

/// @title Delivery orders, signed by an operator with a key
abstract contract Orders is Base {
    uint256 internal constant OPERATOR_KEY = 0x0AE1;
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant ORDER_TYPEHASH = keccak256(
        "DeliveryOrder(address holder,uint256 id,uint256 units,bytes32 lease,uint256 nonce,uint256 deadline)"
    );

    uint256 private _lastNonce;

    /// @dev An order with the next nonce that counts until the end of time.
    function _order(address holder, uint256 id, uint256 units, bytes32 lease)
        internal
        returns (IDeliveryDesk.DeliveryOrder memory)
    {
        return IDeliveryDesk.DeliveryOrder(holder, id, units, lease, ++_lastNonce, type(uint256).max);
    }

    /// @dev Digest made here, as a wallet makes it: so nothing is called between `expectRevert` and the delivery.
    function _signed(address desk, IDeliveryDesk.DeliveryOrder memory order) internal view returns (bytes memory) {
        bytes32 name = keccak256("Rentroll Deliveries");
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, name, keccak256("1"), block.chainid, desk));
        bytes32 body = keccak256(abi.encode(ORDER_TYPEHASH, order));
        return sign(OPERATOR_KEY, keccak256(abi.encodePacked("\x19\x01", domain, body)));
    }

    /// @dev The operator signs, the holder burns.
    function _takeDelivery(IDeliveryDesk desk, address holder, uint256 id, uint256 units, bytes32 lease)
        internal
        returns (uint256 voucherId)
    {
        IDeliveryDesk.DeliveryOrder memory order = _order(holder, id, units, lease);
        bytes memory signature = _signed(address(desk), order);
        vm.prank(holder);
        return desk.takeDelivery(order, signature);
    }
}
