"""One EVM node over JSON-RPC: bounded waits, pinned reads, sends never repeated blindly."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import requests
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCResponse

from api.chain.signatures import decode_error
from api.domain.json_text import read_json
from api.errors import ChainRejected, ChainUnavailable

READ_ATTEMPTS = 4
_TIMEOUT_S = 30
_PAUSE_S = 0.25
# Calls in one JSON-RPC batch: hosted nodes take 100 and more.
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Block:
    """Head of a block."""

    number: int
    hash: bytes
    parent_hash: bytes
    time_s: int


class RpcError(ChainRejected):
    """The node answered with an error. `context["data"]` holds revert data, if any."""


@dataclass(frozen=True, slots=True)
class EthCall:
    """Calldata for a view function of the contract at an address."""

    to: str
    data: bytes


class _BoundedProvider(HTTPProvider):
    """web3's provider, but for answers that nest without end, which no node owes us."""

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """The node's answer. Raises ValueError."""
        return cast("RPCResponse", read_json(raw_response))


class ChainClient:
    """JSON-RPC client of one endpoint."""

    def __init__(self, rpc_url: str) -> None:
        self.rpc_url = rpc_url
        self._provider = _BoundedProvider(
            rpc_url, request_kwargs={"timeout": _TIMEOUT_S}, exception_retry_configuration=None
        )

    def request(self, method: str, *params: Any, attempts: int = READ_ATTEMPTS) -> Any:
        """One call, repeated on transport faults only.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses.
        """
        params_list = list(params)
        answer = self._send(
            method, lambda: self._provider.make_request(method, params_list), attempts
        )
        if answer.get("error"):
            raise _refusal(method, answer["error"])
        return answer.get("result")

    def _send(self, method: str, send: Callable[[], Any], attempts: int) -> Any:
        for attempt in range(1, attempts + 1):
            try:
                return send()
            except (requests.RequestException, Web3Exception, OSError, ValueError) as error:
                if attempt == attempts:
                    message = f"the chain's RPC endpoint does not answer {method}"
                    raise ChainUnavailable(message, method=method) from error
                time.sleep(_PAUSE_S * attempt)
        raise AssertionError("at least one attempt")

    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return int(self.request("eth_chainId"), 16)

    def block(self, number: int | str = "latest", *, attempts: int = READ_ATTEMPTS) -> Block:
        """A block by number or tag. Raises ChainUnavailable if the node has none."""
        tag = hex(number) if isinstance(number, int) else number
        found = self.request("eth_getBlockByNumber", tag, False, attempts=attempts)
        if found is None:
            raise ChainUnavailable(f"the node has no block {tag}", block=tag)
        return Block(
            int(found["number"], 16),
            bytes.fromhex(found["hash"][2:]),
            bytes.fromhex(found["parentHash"][2:]),
            int(found["timestamp"], 16),
        )

    def call(
        self, calls: Sequence[EthCall], *, block: int, attempts: int = READ_ATTEMPTS
    ) -> list[bytes]:
        """Answers of view functions at one block; several travel in batches.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses one.
        """
        params = [[{"to": c.to, "data": "0x" + c.data.hex()}, hex(block)] for c in calls]
        if len(params) == 1:
            answers = [self.request("eth_call", *params[0], attempts=attempts)]
        else:
            batch = [("eth_call", p) for p in params]
            answers = [
                answer
                for first in range(0, len(batch), _BATCH)
                for answer in self._batch(batch[first : first + _BATCH], attempts)
            ]
        return [_bytes(answer) for answer in answers]

    def _batch(self, batch: list[Any], attempts: int) -> list[Any]:
        """One request of several calls."""
        answers = self._send("eth_call", lambda: self._provider.make_batch_request(batch), attempts)
        if not isinstance(answers, list):
            raise _refusal("batch", answers.get("error"))
        if len(answers) != len(batch):
            raise ChainUnavailable("the chain's RPC endpoint answers a part of a batch only")
        for answer in answers:
            if answer.get("error"):
                raise _refusal("eth_call", answer["error"])
        return [answer.get("result") for answer in answers]

    def code(self, address: str) -> bytes:
        """Runtime bytecode at an address."""
        return bytes.fromhex(self.request("eth_getCode", address, "latest")[2:])

    def nonce(self, address: str, tag: str = "pending") -> int:
        """Next nonce of an account."""
        return int(self.request("eth_getTransactionCount", address, tag), 16)

    def base_fee(self) -> int:
        """Base fee of the newest block, wei per gas."""
        block = self.request("eth_getBlockByNumber", "latest", False)
        return int(block.get("baseFeePerGas", "0x0"), 16)

    def estimate_gas(self, transaction: Mapping[str, Any]) -> int:
        """Gas of a transaction with a margin of a fifth. Raises RpcError with revert data."""
        return int(self.request("eth_estimateGas", dict(transaction)), 16) * 6 // 5

    def send_raw(self, raw: bytes) -> None:
        """Send a signed transaction. A node that knows it already is success."""
        try:
            self.request("eth_sendRawTransaction", "0x" + raw.hex(), attempts=1)
        except RpcError as error:
            known = ("already known", "already imported", "known transaction")
            if not any(text in error.message.lower() for text in known):
                raise

    def receipt(self, tx_hash: bytes) -> dict[str, Any] | None:
        """Receipt of a transaction, or None while it has none."""
        found: dict[str, Any] | None = self.request(
            "eth_getTransactionReceipt", "0x" + tx_hash.hex()
        )
        return found

    def revert_reason(self, tx_hash: bytes) -> str:
        """Why a mined transaction reverted, found by repeating its call.

        On the block before; where that succeeds, on its own block: then something that was mined
        just before it is the reason.
        """
        sent = self.request("eth_getTransactionByHash", "0x" + tx_hash.hex())
        if sent is None or sent["blockNumber"] is None:
            return "unknown: the transaction is gone"
        call = {"from": sent["from"], "to": sent["to"], "data": sent["input"], "gas": sent["gas"]}
        number = int(sent["blockNumber"], 16)
        for block in (number - 1, number):
            try:
                self.request("eth_call", call, hex(block))
            except RpcError as error:
                data = error.context.get("data")
                decoded = decode_error(data) if isinstance(data, str) else None
                return decoded or error.message
        return "unknown: the same call succeeds now"

    def logs_of_block(self, addresses: list[str], block_hash: bytes) -> list[dict[str, Any]]:
        """Logs of contracts in one block. Raises RpcError if the node does not know the block."""
        query = {"address": addresses, "blockHash": "0x" + block_hash.hex()}
        found: list[dict[str, Any]] = self.request("eth_getLogs", query)
        return found

    def logs(
        self, addresses: list[str], first: int, last: int, *, topic: bytes | None = None
    ) -> list[dict[str, Any]]:
        """Logs of contracts in blocks `first` to `last`, halving ranges that the node refuses.

        topic: only logs of this event.
        """
        if first > last:
            return []
        query: dict[str, Any] = {
            "address": addresses,
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        if topic is not None:
            query["topics"] = ["0x" + topic.hex()]
        try:
            found: list[dict[str, Any]] = self.request("eth_getLogs", query)
        except RpcError:
            if first == last:
                raise
            middle = (first + last) // 2
            before = self.logs(addresses, first, middle, topic=topic)
            return before + self.logs(addresses, middle + 1, last, topic=topic)
        return found


def _refusal(method: str, problem: Any) -> RpcError:
    data = problem.get("data") if isinstance(problem, dict) else None
    text = problem.get("message", "") if isinstance(problem, dict) else str(problem)
    return RpcError(f"{method}: {text}", method=method, data=data)


def _bytes(answer: object) -> bytes:
    """Bytes of an answer in hex. Raises ChainRejected."""
    try:
        return bytes.fromhex(str(answer).removeprefix("0x"))
    except ValueError as error:
        raise ChainRejected("eth_call: the node's answer is not hex") from error


def chain_clock(client: ChainClient) -> Callable[[], int]:
    """Clock that follows the newest block, for demos and simulations."""
    return lambda: client.block().time_s
