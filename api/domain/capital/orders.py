"""Delivery orders: what a gpuOperator signs (EIP-712) so that a holder may burn units."""

import json
from dataclasses import dataclass

from api.domain.eip712 import domain_separator, typed_digest
from api.domain.hashing import keccak, word
from api.domain.units import Address, Bytes32, TrancheId

DOMAIN_NAME = "Rentroll Deliveries"
DOMAIN_VERSION = "1"
# Same order and types as `IDeliveryDesk.DeliveryOrder`.
ORDER_TYPE = (
    "DeliveryOrder(address holder,uint256 id,uint256 units,bytes32 lease,uint256 nonce,"
    "uint256 deadline)"
)
_ORDER_TYPEHASH = keccak(ORDER_TYPE.encode())


@dataclass(frozen=True, slots=True)
class DeliveryOrder:
    """Fields as in `IDeliveryDesk.DeliveryOrder`. deadline_s: last UTC second that counts."""

    holder: Address
    id: TrancheId
    units: int
    lease: Bytes32
    nonce: int
    deadline_s: int


def order_digest(order: DeliveryOrder, *, chain_id: int, desk: str) -> Bytes32:
    """Digest that the gpuOperator signs; `DeliveryDesk.orderDigest` gives the same."""
    body = keccak(
        _ORDER_TYPEHASH
        + word(int(order.holder, 16))
        + word(order.id)
        + word(order.units)
        + order.lease
        + word(order.nonce)
        + word(order.deadline_s)
    )
    separator = domain_separator(
        name=DOMAIN_NAME, version=DOMAIN_VERSION, chain_id=chain_id, contract=desk
    )
    return typed_digest(body, separator=separator)


def order_text(order: DeliveryOrder, signature: bytes) -> str:
    """One line that a holder pastes into the portfolio; `web/src/chain/order.ts` reads it."""
    fields = {
        "holder": order.holder,
        "id": str(order.id),
        "units": str(order.units),
        "lease": "0x" + order.lease.hex(),
        "nonce": str(order.nonce),
        "deadline": str(order.deadline_s),
        "signature": "0x" + signature.hex(),
    }
    return json.dumps(fields, separators=(",", ":"))
