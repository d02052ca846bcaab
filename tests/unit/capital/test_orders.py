"""Delivery orders: the digest is EIP-712's own, and the line of text says all of an order."""

import json

from eth_account.messages import encode_typed_data

from api.domain.capital.orders import DeliveryOrder, order_digest, order_text
from api.domain.hashing import keccak
from api.domain.units import Address, Bytes32, TrancheId

DESK = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
ORDER = DeliveryOrder(
    holder=Address("0x1003ff39d25F2Ab16dBCc18EcE05a9B6154f65F4"),
    id=TrancheId(0x0701),
    units=3,
    lease=Bytes32(b"\x5a" * 32),
    nonce=2**200 + 1,
    deadline_s=1_800_000_000,
)
FIELDS = ("holder", "id", "units", "lease", "nonce", "deadline")
KINDS = ("address", "uint256", "uint256", "bytes32", "uint256", "uint256")


def test_order_digest__any_wallet_library__signs_the_same() -> None:
    domain = {
        "name": "Rentroll Deliveries",
        "version": "1",
        "chainId": 31_337,
        "verifyingContract": DESK,
    }
    kinds = zip(FIELDS, KINDS, strict=True)
    types = {"DeliveryOrder": [{"name": n, "type": t} for n, t in kinds]}
    values = (ORDER.holder, ORDER.id, ORDER.units, ORDER.lease, ORDER.nonce, ORDER.deadline_s)
    typed = encode_typed_data(domain, types, dict(zip(FIELDS, values, strict=True)))

    digest = keccak(b"\x19" + typed.version + typed.header + typed.body)

    assert order_digest(ORDER, chain_id=31_337, desk=DESK) == digest
    assert order_digest(ORDER, chain_id=1, desk=DESK) != digest


def test_order_text__large_numbers__are_decimal_text() -> None:
    """A browser's JSON would round them."""
    assert json.loads(order_text(ORDER, b"\xab" * 65)) == {
        "holder": ORDER.holder,
        "id": "1793",
        "units": "3",
        "lease": "0x" + "5a" * 32,
        "nonce": str(2**200 + 1),
        "deadline": "1800000000",
        "signature": "0x" + "ab" * 65,
    }
