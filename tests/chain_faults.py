"""Faults that nodes, and what stands before them, really have: for `ChainProxy.on`.

Each is a `Fault`, or makes one. Those that name a method are for that method; the others for any.
"""

import copy
import random
import threading
from collections.abc import Callable
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from api.domain.hashing import keccak
from tests.chain_proxy import Ask, Cut, Fault, Forward, Reply, WholeAnswer


def error(code: int, message: str, data: str | None = None) -> Fault:
    """The node refuses."""
    refusal = {"code": code, "message": message} | ({} if data is None else {"data": data})

    def refuses(_ask: Ask, _forward: Forward) -> Reply:
        return {"error": refusal}

    return refuses


def result(value: Any) -> Fault:
    """The node gives this, whatever is asked."""

    def gives(_ask: Ask, _forward: Forward) -> Reply:
        return {"result": value}

    return gives


def changed(change: Callable[[Any], Any]) -> Fault:
    """The true result, altered."""

    def alters(ask: Ask, forward: Forward) -> Reply:
        reply = forward(ask)
        if reply.get("result") is None:
            return reply
        return {"result": change(copy.deepcopy(reply["result"]))}

    return alters


def sometimes(share: float, fault: Fault, *, seed: int = 1) -> Fault:
    """A fault by chance, from a seed."""
    dice, lock = random.Random(seed), threading.Lock()

    def by_chance(ask: Ask, forward: Forward) -> Reply:
        with lock:
            hit = dice.random() < share
        return fault(ask, forward) if hit else forward(ask)

    return by_chance


# --- answers of the HTTP server, or none -------------------------------------------------------


def http(status: int, body: bytes = b"<html>bad gateway</html>", **headers: str) -> Fault:
    """What a gateway says in the node's place."""

    def gateway(_ask: Ask, _forward: Forward) -> Reply:
        raise WholeAnswer(status, body, **headers)

    return gateway


bad_gateway = http(502)
html = http(200, b"<html>please log in</html>", Content_Type="text/html")


def too_many(retry_after: str = "1") -> Fault:
    """429 with Retry-After."""
    return http(429, b'{"error":"slow down"}', Retry_After=retry_after)


def cut(_ask: Ask, _forward: Forward) -> Reply:
    """The connection ends without an answer."""
    raise Cut


def truncated(_ask: Ask, _forward: Forward) -> Reply:
    """The answer ends in its middle."""
    raise Cut(0.5)


def stall(ask: Ask, _forward: Forward) -> Reply:
    """No answer at all until the proxy is cleared or closed."""
    ask.proxy.released.wait()
    raise Cut


def lost(ask: Ask, forward: Forward) -> Reply:
    """The node does it, the answer never arrives."""
    forward(ask)
    raise Cut


# --- limits ------------------------------------------------------------------------------------

rate_limited = error(-32005, "daily request count exceeded, request rate limited")


def range_cap(blocks: int, *, code: int = -32602) -> Fault:
    """eth_getLogs: refuses ranges of more blocks."""

    def capped(ask: Ask, forward: Forward) -> Reply:
        query = ask.params[0]
        if "fromBlock" not in query:
            return forward(ask)
        if int(query["toBlock"], 16) - int(query["fromBlock"], 16) + 1 > blocks:
            return {"error": {"code": code, "message": f"block range exceeds {blocks}"}}
        return forward(ask)

    return capped


# --- answers that are empty, double or wrong -----------------------------------------------------

null = result(None)
# eth_getLogs: the node has the block and not yet, or no longer, its logs.
empty = result([])
duplicate_logs = changed(lambda logs: logs + logs[-1:])
short_logs = changed(lambda logs: logs[:-1])


def with_logs(**fields: Any) -> Fault:
    """eth_getLogs: these fields in every log."""
    return changed(lambda logs: [log | fields for log in logs])


foreign_logs = with_logs(address="0x" + "f0" * 20)
removed_logs = with_logs(removed=True)
logs_of_another_block = with_logs(blockHash="0x" + "ab" * 32)


def with_fields(**fields: Any) -> Fault:
    """An object (block, receipt, transaction): these fields in it."""
    return changed(lambda value: value | fields)


# --- a node that is behind ------------------------------------------------------------------------


def behind(blocks: int) -> Fault:
    """ANY: a node that lacks the newest blocks: heads, receipts, nonces, state and logs."""

    def lags(ask: Ask, forward: Forward) -> Reply:
        head = int(ask.node("eth_blockNumber"), 16) - blocks
        return _at(ask, head, forward)

    return lags


def stuck(height: int) -> Fault:
    """ANY: a node that has stopped at a height."""

    def stopped(ask: Ask, forward: Forward) -> Reply:
        return _at(ask, height, forward)

    return stopped


_TAGS = ("latest", "pending", "safe", "finalized")
_STATE = {"eth_call": 1, "eth_getTransactionCount": 1, "eth_getCode": 1, "eth_getBalance": 1}
_UNKNOWN: Reply = {"error": {"code": -32000, "message": "header not found"}}


def _at(ask: Ask, head: int, forward: Forward) -> Reply:
    """The answer of a node whose newest block is `head`."""
    method, params = ask.method, list(ask.params)
    if method == "eth_blockNumber":
        return {"result": hex(head)}
    if method == "eth_getBlockByNumber":
        if params[0] in _TAGS:
            params[0] = hex(min(head, int(ask.node(method, params[0], False)["number"], 16)))
        elif int(params[0], 16) > head:
            return {"result": None}
    elif method in _STATE and len(params) > _STATE[method]:
        tag = params[_STATE[method]]
        if tag in _TAGS:
            params[_STATE[method]] = hex(head)
        elif _height(ask, tag) > head:
            return _UNKNOWN
    elif method == "eth_getLogs" and "blockHash" in params[0]:
        if _height(ask, {"blockHash": params[0]["blockHash"]}) > head:
            return _UNKNOWN
    elif method == "eth_getLogs":
        last = min(head, int(params[0]["toBlock"], 16))
        if last < int(params[0]["fromBlock"], 16):
            return {"result": []}
        params[0] = params[0] | {"toBlock": hex(last)}
    reply = forward(Ask(method, params, ask.proxy))
    mined = reply.get("result")
    if method == "eth_getTransactionReceipt" and mined and int(mined["blockNumber"], 16) > head:
        return {"result": None}
    return reply


def _height(ask: Ask, tag: Any) -> int:
    """Height of a block by number, or by hash as in EIP-1898."""
    if not isinstance(tag, dict):
        return int(tag, 16)
    block = ask.node("eth_getBlockByHash", tag["blockHash"], False)
    return 2**63 if block is None else int(block["number"], 16)


stale_receipt = null


def old_nonce(transactions: int) -> Fault:
    """eth_getTransactionCount: of a node that lacks the newest transactions."""
    return changed(lambda count: hex(max(0, int(count, 16) - transactions)))


# --- sending -------------------------------------------------------------------------------------


def hash_of(ask: Ask) -> str:
    """Hash of the transaction that is sent."""
    return "0x" + keccak(HexBytes(ask.params[0])).hex()


def dropped_send(ask: Ask, _forward: Forward) -> Reply:
    """eth_sendRawTransaction: taken, and thrown away."""
    return {"result": hash_of(ask)}


def _fees(ask: Ask) -> tuple[str, int, int, int]:
    """Sender, nonce, highest fee and tip of what is sent (EIP-1559)."""
    tx = TypedTransaction.from_bytes(HexBytes(ask.params[0])).as_dict()
    nonce = tx["nonce"]
    number = int.from_bytes(nonce, "big") if isinstance(nonce, bytes) else int(nonce)
    sender = str(Account.recover_transaction(ask.params[0]))
    return sender, number, int(tx["maxFeePerGas"]), int(tx["maxPriorityFeePerGas"])


def ten_percent() -> Fault:
    """eth_sendRawTransaction: what replaces must pay a tenth more, in fee and in tip."""
    waiting: dict[tuple[str, int], tuple[int, int, str]] = {}

    def underpriced(ask: Ask, forward: Forward) -> Reply:
        sender, nonce, fee, tip = _fees(ask)
        old = waiting.get((sender, nonce))
        new = (fee, tip, hash_of(ask))
        if old and old[2] != new[2] and (fee * 10 < old[0] * 11 or tip * 10 < old[1] * 11):
            return {"error": {"code": -32000, "message": "replacement transaction underpriced"}}
        waiting[sender, nonce] = new
        return forward(ask)

    return underpriced


def tip_floor(wei: int) -> Fault:
    """eth_sendRawTransaction: a network with a least tip."""

    def underpriced(ask: Ask, forward: Forward) -> Reply:
        _sender, _nonce, _fee, tip = _fees(ask)
        if tip < wei:
            text = f"transaction underpriced: gas tip cap {tip}, minimum needed {wei}"
            return {"error": {"code": -32000, "message": text}}
        return forward(ask)

    return underpriced
