"""One EVM node over JSON-RPC: bounded waits, pinned reads, sends never repeated blindly."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar, cast

import requests
from web3 import HTTPProvider
from web3.exceptions import Web3Exception
from web3.types import RPCEndpoint, RPCResponse

from api.chain.answers import (
    Answer,
    Block,
    Log,
    Logged,
    Receipt,
    SentTransaction,
    to_block,
    to_bytes,
    to_logged,
    to_logs,
    to_number,
    to_receipt,
    to_transaction,
)
from api.chain.signatures import decode_error
from api.domain.json_text import read_json
from api.errors import ChainRejected, ChainUnavailable

T = TypeVar("T")

READ_ATTEMPTS = 4
# Seconds for one attempt: a node that hangs must not hold up a worker's round.
_TIMEOUT_S = 30
# Seconds times the attempt's number: a read waits 1.5 s in all before it gives up.
_PAUSE_S = 0.25
# Calls in one JSON-RPC batch: hosted nodes take 100 and more.
_BATCH = 100


class RpcError(ChainRejected):
    """The node answered with an error. `context["data"]` holds revert data, if any."""


@dataclass(frozen=True, slots=True)
class EthCall:
    """Calldata for a view function of the contract at an address."""

    to: str
    data: bytes


class _BoundedProvider(HTTPProvider):
    """web3's provider with our JSON reader, which refuses answers that are nested too deep."""

    @staticmethod
    def decode_rpc_response(raw_response: bytes) -> RPCResponse:
        """The node's answer. Raises ValueError, also for what is no answer of JSON-RPC 2.0."""
        value = read_json(raw_response)
        answers = value if isinstance(value, list) else [value]
        if not all(isinstance(answer, dict) for answer in answers):
            raise ValueError("an answer is no object")
        ids = [answer.get("id") for answer in answers if isinstance(answer, dict)]
        if isinstance(value, list) and not all(type(number) is int for number in ids):
            raise ValueError("an answer of a batch has no id")
        return cast("RPCResponse", value)

    def close(self) -> None:
        """Close the session of each thread: web3 keeps them until its process ends."""
        # A cache of web3's own kind: it has no `values`.
        for _thread, session in self._request_session_manager.session_cache.items():  # noqa: PERF102
            session.close()


class ChainClient:
    """JSON-RPC client of one endpoint."""

    def __init__(self, rpc_url: str) -> None:
        self.rpc_url = rpc_url
        # web3 does not retry: `_send` counts attempts itself, and a transaction is sent only once.
        self._provider = _BoundedProvider(
            rpc_url, request_kwargs={"timeout": _TIMEOUT_S}, exception_retry_configuration=None
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections of all threads; a later call opens new ones."""
        self._provider.close()

    def request(self, method: str, *params: object, attempts: int = READ_ATTEMPTS) -> object:
        """One call, repeated on transport faults only.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses.
        """
        listed = list(params)
        answer: Mapping[str, object] = self._send(
            method, lambda: self._provider.make_request(RPCEndpoint(method), listed), attempts
        )
        return _answered(method, answer)

    def _send(self, method: str, send: Callable[[], T], attempts: int) -> T:
        for attempt in range(1, attempts + 1):
            try:
                return send()
            # ValueError: a proxy's error page, or an answer that was cut short, is no JSON.
            except (requests.RequestException, Web3Exception, OSError, ValueError) as error:
                if attempt == attempts:
                    message = f"the chain's RPC endpoint does not answer {method}"
                    raise ChainUnavailable(message, method=method) from error
                time.sleep(_PAUSE_S * attempt)
        raise AssertionError("at least one attempt")

    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return to_number("eth_chainId", self.request("eth_chainId"))

    def head(self, *, attempts: int = READ_ATTEMPTS) -> Block:
        """The newest block. A caller pins all reads of one answer to its number."""
        return self._block("latest", attempts)

    def block(self, number: int) -> Block:
        """A block by number. Raises ChainUnavailable if the node has none."""
        return self._block(hex(number), READ_ATTEMPTS)

    def finalized(self) -> Block | None:
        """The newest block that the node calls finalized; None where it calls none so.

        Raises:  RpcError from nodes that do not know the tag.
        """
        method = "eth_getBlockByNumber"
        answer = self.request(method, "finalized", False)
        return None if answer is None else to_block(method, answer)

    def _block(self, tag: str, attempts: int) -> Block:
        method = "eth_getBlockByNumber"
        answer = self.request(method, tag, False, attempts=attempts)
        if answer is None:
            raise ChainUnavailable(f"the node has no block {tag}", block=tag)
        return to_block(method, answer)

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
            answers = self.requests("eth_call", params, attempts=attempts)
        return [to_bytes("eth_call", answer) for answer in answers]

    def requests(
        self, method: str, params: Sequence[Sequence[object]], *, attempts: int = READ_ATTEMPTS
    ) -> list[object]:
        """Answers of one method for several parameters; they travel in batches.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses one.
        """
        return [
            answer
            for first in range(0, len(params), _BATCH)
            for answer in self._batch(method, params[first : first + _BATCH], attempts)
        ]

    def _batch(
        self, method: str, params: Sequence[Sequence[object]], attempts: int
    ) -> list[object]:
        """Several calls in one request."""
        batch = [(RPCEndpoint(method), p) for p in params]
        # web3 says that a batch is answered by a list; a node that refuses it answers an object.
        answers = cast(
            "object",
            self._send(method, lambda: self._provider.make_batch_request(batch), attempts),
        )
        if not isinstance(answers, list):
            raise _refusal("batch", answers.get("error") if isinstance(answers, dict) else answers)
        # A node may answer a batch in any order (JSON-RPC 2.0 §6); web3 has sorted answers by id.
        if len(answers) != len(batch):
            raise ChainUnavailable("the chain's RPC endpoint answers a part of a batch only")
        return [_answered(method, answer) for answer in answers]

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Blocks by number, in their order. Raises ChainUnavailable if the node lacks one."""
        method = "eth_getBlockByNumber"
        answers = self.requests(method, [[hex(number), False] for number in numbers])
        if None in answers:
            raise ChainUnavailable(f"the node has no block {numbers[answers.index(None)]}")
        return [to_block(method, answer) for answer in answers]

    def logged(self, tx_hashes: Sequence[bytes]) -> list[Logged | None]:
        """What receipts of transactions say, in their order; None for one that has none."""
        method = "eth_getTransactionReceipt"
        answers = self.requests(method, [["0x" + tx_hash.hex()] for tx_hash in tx_hashes])
        return [to_logged(method, answer) for answer in answers]

    def codes(self, addresses: Sequence[str], *, block: int) -> list[bytes]:
        """Runtime bytecode at addresses, as of a block."""
        answers = self.requests("eth_getCode", [[address, hex(block)] for address in addresses])
        return [to_bytes("eth_getCode", answer) for answer in answers]

    def code(self, address: str) -> bytes:
        """Runtime bytecode at an address."""
        # Not pinned to a block: our contracts are no proxies, so their code never changes.
        return to_bytes("eth_getCode", self.request("eth_getCode", address, "latest"))

    def nonce(self, address: str, tag: str = "pending") -> int:
        """Next nonce of an account."""
        # `pending`: transactions that wait in the node's pool have taken their nonces already.
        method = "eth_getTransactionCount"
        return to_number(method, self.request(method, address, tag))

    def base_fee(self) -> int:
        """Base fee of the newest block, wei per gas; 0 on chains without one."""
        method = "eth_getBlockByNumber"
        block = Answer(method, self.request(method, "latest", False))
        return block.number_or_none("baseFeePerGas") or 0

    def send_raw(self, raw: bytes) -> None:
        """Send a signed transaction. A node that knows it already is success."""
        try:
            self.request("eth_sendRawTransaction", "0x" + raw.hex(), attempts=1)
        except RpcError as error:
            # JSON-RPC has no code for this: each client has words of its own.
            known = ("already known", "already imported", "known transaction")
            if not any(text in error.message.lower() for text in known):
                raise

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Receipt of a transaction, or None while it has none."""
        method = "eth_getTransactionReceipt"
        return to_receipt(method, self.request(method, "0x" + tx_hash.hex()))

    def sent(self, tx_hash: bytes) -> SentTransaction | None:
        """A transaction as it was sent, or None if the node does not know it."""
        method = "eth_getTransactionByHash"
        return to_transaction(method, self.request(method, "0x" + tx_hash.hex()))

    def revert_reason(self, tx_hash: bytes) -> str:
        """Why a mined transaction reverted, found by repeating its call.

        First on the state of the block before. Where the call succeeds there, an earlier
        transaction of its own block made it fail, so the call is repeated on that block.
        """
        sent = self.sent(tx_hash)
        if sent is None or sent.block_number is None:
            return "unknown: the transaction is gone"
        for block in (sent.block_number - 1, sent.block_number):
            try:
                self.request("eth_call", sent.call, hex(block))
            except RpcError as error:
                data = error.context.get("data")
                decoded = decode_error(data) if isinstance(data, str) else None
                return decoded or error.message
        return "unknown: the same call succeeds now"

    def logs_of_block(self, addresses: Sequence[str], block_hash: bytes) -> list[Log]:
        """Logs of contracts in one block. Raises RpcError if the node does not know the block."""
        query = {"address": list(addresses), "blockHash": "0x" + block_hash.hex()}
        return to_logs("eth_getLogs", self.request("eth_getLogs", query))

    def logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        *,
        topic: bytes | None = None,
        indexed: Sequence[Sequence[bytes] | None] = (),
    ) -> list[Log]:
        """Logs of contracts in blocks `first` to `last`, halving ranges that the node refuses.

        topic: only logs of this event.  indexed: and only those whose indexed arguments are one of
        these; None for any.
        """
        if first > last:
            return []
        query: dict[str, object] = {
            "address": list(addresses),
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }
        if topic is not None:
            more = [None if of is None else ["0x" + each.hex() for each in of] for of in indexed]
            query["topics"] = ["0x" + topic.hex(), *more]
        try:
            answer = self.request("eth_getLogs", query)
        except RpcError:
            # Nodes limit blocks or logs of one answer, each with another error: halve on any.
            if first == last:
                raise
            middle = (first + last) // 2
            before = self.logs(addresses, first, middle, topic=topic, indexed=indexed)
            after = self.logs(addresses, middle + 1, last, topic=topic, indexed=indexed)
            return before + after
        return to_logs("eth_getLogs", answer)


def _answered(method: str, answer: Mapping[str, object]) -> object:
    """Result of an answer. Raises RpcError."""
    # Some nodes send `"error": null` beside a result.
    if answer.get("error"):
        raise _refusal(method, answer["error"])
    return answer.get("result")


def _refusal(method: str, problem: object) -> RpcError:
    data = problem.get("data") if isinstance(problem, dict) else None
    text = problem.get("message", "") if isinstance(problem, dict) else str(problem)
    # A node may say anything, at any length.
    return RpcError(f"{method}: {str(text)[:500]}", method=method, data=data)


def chain_clock(client: ChainClient) -> Callable[[], int]:
    """Clock that follows the newest block, for demos and simulations."""
    return lambda: client.head().time_s
