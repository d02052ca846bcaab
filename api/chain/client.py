"""One EVM node over JSON-RPC: bounded waits, pinned reads, sends never repeated blindly."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self, TypedDict, TypeVar

from api.chain import checks
from api.chain.answers import Block, Log, Logged, Receipt, SentTransaction
from api.chain.checks import Parse
from api.chain.provider import Provider, ProviderHealth
from api.chain.providers import READ_ATTEMPTS, Expected, Providers
from api.chain.rpc import BlockMissing, RpcError
from api.chain.signatures import decode_error

__all__ = ["READ_ATTEMPTS", "BlockMissing", "ChainClient", "EthCall", "RpcError", "chain_clock"]

T = TypeVar("T")

# Seconds for one call, whatever it tries: a node that hangs must not hold up a worker's round.
DEADLINE_S = 12.0
# Calls in one JSON-RPC batch: hosted nodes take 100 and more.
_BATCH = 100
# Blocks whose hash and provider are remembered, so that what is asked of them later is of one mind.
_PINS = 64


@dataclass(frozen=True, slots=True)
class EthCall:
    """Calldata for a view function of the contract at an address."""

    to: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Pin:
    """Which block a number meant when it was given out, and who gave it."""

    hash: bytes
    provider: Provider


class ClientOptions(TypedDict, total=False):
    """What a client of the chain can be told besides where it is, as in `Providers`."""

    expected: Expected | None
    deadline_s: float
    at_once: int | None
    stop: threading.Event | None


class ChainClient:
    """JSON-RPC client of one chain, by one provider or several."""

    def __init__(
        self,
        rpc_url: str | Sequence[str],
        *,
        expected: Expected | None = None,
        deadline_s: float = DEADLINE_S,
        at_once: int | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Several URLs: in the order of preference; the rest as in `Providers`."""
        urls = [rpc_url] if isinstance(rpc_url, str) else list(rpc_url)
        self.rpc_url = urls[0]
        self._providers = Providers(
            urls, expected=expected, deadline_s=deadline_s, at_once=at_once, stop=stop
        )
        self._pins: OrderedDict[int, _Pin] = OrderedDict()
        self._pinning = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Done with it. Connections are the process's, and end by themselves when idle."""

    def health(self) -> tuple[ProviderHealth, ...]:
        """How each provider does."""
        return self._providers.health()

    def check_again(self) -> None:
        """Before the next call of each provider: that it is still of the chain that is expected."""
        self._providers.check_again()

    def request(self, method: str, *params: object, attempts: int = READ_ATTEMPTS) -> object:
        """One call, repeated on faults of the way only.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses.
        """
        return self._ask(method, params, checks.as_it_is, attempts=attempts)

    def _ask(
        self,
        method: str,
        params: Sequence[object],
        parse: Parse[T],
        *,
        attempts: int = READ_ATTEMPTS,
        block: int | None = None,
        again: bool = False,
    ) -> T:
        """One call. block: what the answer is about: whose provider is asked first.

        again: for a second opinion the last of several providers is.
        """
        return self._ask_all(method, [params], parse, attempts=attempts, block=block, again=again)[
            0
        ]

    def _ask_all(
        self,
        method: str,
        params: Sequence[Sequence[object]],
        parse: Parse[T],
        *,
        attempts: int = READ_ATTEMPTS,
        block: int | None = None,
        again: bool = False,
    ) -> list[T]:
        """Several calls of one method, which travel in batches and stay with one provider."""
        pin = None if block is None else self._pin(block)
        provider, answers = pin.provider if pin else None, list[T]()
        if again:
            provider = self._providers.all[-1]
        for first in range(0, len(params), _BATCH):
            some = params[first : first + _BATCH]
            found, provider = self._providers.ask(
                method, some, parse, attempts=attempts, batch=len(params) > 1, prefer=provider
            )
            answers += found
        if block is None:
            self._remember(answers, provider)
        return answers

    def _remember(self, answers: Sequence[object], provider: Provider | None) -> None:
        """Keep in mind who gave blocks away, and under which hash."""
        with self._pinning:
            for block in answers:
                if isinstance(block, Block) and provider is not None:
                    self._pins[block.number] = _Pin(block.hash, provider)
                    self._pins.move_to_end(block.number)
            while len(self._pins) > _PINS:
                self._pins.popitem(last=False)

    def _pin(self, number: int) -> _Pin | None:
        with self._pinning:
            return self._pins.get(number)

    def _at(
        self,
        method: str,
        params: Sequence[Sequence[object]],
        parse: Parse[T],
        *,
        block: int,
        attempts: int = READ_ATTEMPTS,
    ) -> list[T]:
        """Calls about the state at a block: by the hash under which this client was given it.

        So they are of one chain, whichever provider answers (EIP-1898). Raises BlockMissing if the
        chain has another block there meanwhile: what depends on it begins again.
        """
        pin = self._pin(block)
        if pin is not None and pin.provider.takes_hash:
            tag = {"blockHash": "0x" + pin.hash.hex(), "requireCanonical": True}
            try:
                listed = [[*each, tag] for each in params]
                return self._ask_all(method, listed, parse, attempts=attempts, block=block)
            except BlockMissing:
                with self._pinning:
                    self._pins.pop(block, None)
                raise
            except RpcError as error:
                if not error.params_wrong:
                    raise
                pin.provider.takes_hash = False
        listed = [[*each, hex(block)] for each in params]
        return self._ask_all(method, listed, parse, attempts=attempts, block=block)

    def chain_id(self) -> int:
        """EIP-155 chain id."""
        return self._ask("eth_chainId", [], checks.number)

    def head(self, *, attempts: int = READ_ATTEMPTS) -> Block:
        """The newest block. A caller pins all reads of one answer to its number."""
        return self._block("latest", attempts)

    def block(self, number: int) -> Block:
        """A block by number. Raises BlockMissing if the node has none."""
        return self._block(hex(number), READ_ATTEMPTS)

    def finalized(self) -> Block | None:
        """The newest block that the node calls finalized; None where it calls none so.

        Raises:  RpcError from nodes that do not know the tag.
        """
        return self._ask("eth_getBlockByNumber", ["finalized", False], checks.block_or_none)

    def _block(self, tag: str, attempts: int) -> Block:
        return self._ask("eth_getBlockByNumber", [tag, False], checks.block, attempts=attempts)

    def block_by_hash(self, block_hash: bytes) -> Block:
        """A block by its hash. Raises BlockMissing if the node has none, or has it no more."""
        return self._ask("eth_getBlockByHash", ["0x" + block_hash.hex(), False], checks.block)

    def call(
        self, calls: Sequence[EthCall], *, block: int, attempts: int = READ_ATTEMPTS
    ) -> list[bytes]:
        """Answers of view functions at one block; several travel in batches.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses one.
        """
        params = [[{"to": c.to, "data": "0x" + c.data.hex()}] for c in calls]
        return self._at("eth_call", params, checks.data, block=block, attempts=attempts)

    def construct(self, data: bytes, *, block: int) -> bytes:
        """What the constructor of a contract returns at a block; the contract is never made.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses.
        """
        call = {"data": "0x" + data.hex()}
        return self._at("eth_call", [[call]], checks.data, block=block)[0]

    def requests(
        self, method: str, params: Sequence[Sequence[object]], *, attempts: int = READ_ATTEMPTS
    ) -> list[object]:
        """Answers of one method for several parameters; they travel in batches.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses one.
        """
        return self._ask_all(method, params, checks.as_it_is, attempts=attempts)

    def blocks(self, numbers: Sequence[int]) -> list[Block]:
        """Blocks by number, in their order. Raises BlockMissing if the node lacks one."""
        params = [[hex(number), False] for number in numbers]
        return self._ask_all("eth_getBlockByNumber", params, checks.block)

    def logged(self, tx_hashes: Sequence[bytes]) -> list[Logged | None]:
        """What receipts of transactions say, in their order; None for one that has none."""
        params = [["0x" + tx_hash.hex()] for tx_hash in tx_hashes]
        return self._ask_all("eth_getTransactionReceipt", params, checks.logged)

    def transactions_of(self, block_hash: bytes) -> list[bytes]:
        """Hashes of the transactions of a block, in their order. Raises BlockMissing."""
        params = ["0x" + block_hash.hex(), False]
        return self._ask("eth_getBlockByHash", params, checks.transactions_of)

    def receipts_of_block(self, block_hash: bytes) -> list[Logged]:
        """Receipts of all transactions of a block.

        Raises:  BlockMissing; RpcError of nodes that do not know the method.
        """
        return self._ask(
            "eth_getBlockReceipts", ["0x" + block_hash.hex()], checks.receipts_of_block
        )

    def codes(self, addresses: Sequence[str], *, block: int) -> list[bytes]:
        """Runtime bytecode at addresses, as of a block."""
        params = [[address] for address in addresses]
        return self._at("eth_getCode", params, checks.data, block=block)

    def code(self, address: str) -> bytes:
        """Runtime bytecode at an address."""
        # Not pinned to a block: our contracts are no proxies, so their code never changes.
        return self._ask("eth_getCode", [address, "latest"], checks.data)

    def nonce(self, address: str, tag: str = "pending") -> int:
        """Next nonce of an account."""
        # `pending`: transactions that wait in the node's pool have taken their nonces already.
        return self._ask("eth_getTransactionCount", [address, tag], checks.number)

    def base_fee(self) -> int:
        """Base fee of the newest block, wei per gas; 0 on chains without one."""
        return self.head().base_fee_wei or 0

    def send_raw(self, raw: bytes) -> None:
        """Send a signed transaction, to every provider, once. One that knows it already is success.

        Raises:  RpcError if it is refused, ChainUnavailable if nobody answers: it may have arrived.
        """
        self._providers.send("eth_sendRawTransaction", "0x" + raw.hex(), known=checks.is_known)

    def receipt(self, tx_hash: bytes) -> Receipt | None:
        """Receipt of a transaction, or None while it has none."""
        return self._ask("eth_getTransactionReceipt", ["0x" + tx_hash.hex()], checks.receipt)

    def sent(self, tx_hash: bytes) -> SentTransaction | None:
        """A transaction as it was sent, or None if the node does not know it."""
        return self._ask("eth_getTransactionByHash", ["0x" + tx_hash.hex()], checks.transaction)

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
        """Logs of contracts in one block. Raises BlockMissing if the node does not know it."""
        query = {"address": list(addresses), "blockHash": "0x" + block_hash.hex()}
        return self._ask("eth_getLogs", [query], checks.logs)

    def logs(
        self,
        addresses: Sequence[str],
        first: int,
        last: int,
        *,
        topic: bytes | None = None,
        indexed: Sequence[Sequence[bytes] | None] = (),
        whole: bool = False,
        again: bool = False,
    ) -> list[Log]:
        """Logs of contracts in blocks `first` to `last`, halving ranges that the node refuses.

        topic: only logs of this event.  indexed: and only those whose indexed arguments are one of
        these; None for any.  whole: a range that is refused is the caller's to halve: RpcError.
        again: asks the last of several providers first, for a second opinion.
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
            return self._ask("eth_getLogs", [query], checks.logs, block=last, again=again)
        except RpcError:
            # Nodes limit blocks or logs of one answer, each with another error: halve on any.
            if whole or first == last:
                raise
            middle = (first + last) // 2
            before = self.logs(addresses, first, middle, topic=topic, indexed=indexed)
            after = self.logs(addresses, middle + 1, last, topic=topic, indexed=indexed)
            return before + after


def chain_clock(client: ChainClient) -> Callable[[], int]:
    """Clock that follows the newest block, for demos and simulations."""
    return lambda: client.head().time_s
