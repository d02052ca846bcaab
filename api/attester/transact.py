"""Sending one transaction from a key in a file, and waiting for what becomes of it."""

import time
from dataclasses import dataclass

from api.chain.answers import to_number
from api.chain.client import ChainClient
from api.chain.signer import Signer, Transaction, sign_transaction
from api.errors import ChainRejected, ChainUnavailable

_PRIORITY_FEE_WEI = 1_000_000_000
# A fee war, or a node that lies about the base fee, must not empty the account: 1,000 gwei.
_MAX_FEE_WEI = 1_000 * 10**9
_MOST_GAS = 16_000_000
_PAUSE_S, _PATIENCE_S = 1.0, 180.0


@dataclass(frozen=True, slots=True)
class Sent:
    """A mined transaction."""

    tx_hash: bytes
    succeeded: bool


@dataclass(frozen=True, slots=True)
class Prepared:
    """A signed transaction. gas: its limit."""

    raw: bytes
    tx_hash: bytes
    gas: int


def prepare(client: ChainClient, signer: Signer, *, to: str, data: str) -> Prepared:
    """Sign a call, as the chain would take it now. Nothing is sent.

    Raises:  ChainRejected if the chain would not take it, ChainUnavailable.
    """
    call = {"from": signer.address, "to": to, "data": data}
    gas = to_number("eth_estimateGas", client.request("eth_estimateGas", call)) * 5 // 4
    if gas > _MOST_GAS:
        raise ChainRejected(f"it would take {gas} gas")
    raw, tx_hash = sign_transaction(
        signer,
        Transaction(
            chain_id=client.chain_id(),
            nonce=client.nonce(signer.address),
            to=to,
            data=bytes.fromhex(data.removeprefix("0x")),
            gas=gas,
            max_fee_wei=min(2 * client.base_fee() + _PRIORITY_FEE_WEI, _MAX_FEE_WEI),
            priority_fee_wei=_PRIORITY_FEE_WEI,
        ),
    )
    return Prepared(raw, tx_hash, gas)


def send_call(client: ChainClient, signer: Signer, *, to: str, data: str) -> Sent:
    """Send a call and wait until it is mined.

    Raises:  ChainRejected if the chain would not take it, ChainUnavailable; of a transaction that
             is not mined in time too, with its hash.
    """
    ready = prepare(client, signer, to=to, data=data)
    client.send_raw(ready.raw)
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        receipt = client.receipt(ready.tx_hash)
        if receipt is not None:
            return Sent(ready.tx_hash, receipt.succeeded)
        time.sleep(_PAUSE_S)
    named = f"transaction 0x{ready.tx_hash.hex()}"
    raise ChainUnavailable(f"{named} is not mined after {_PATIENCE_S:.0f} s")
