"""JSON-RPC answers as typed values, checked field by field where they come in."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import NoReturn, TypeVar

from api.domain.hashing import keccak
from api.domain.units import Address, Bytes32
from api.errors import ChainUnavailable

# What `int` and `bytes.fromhex` would take besides (signs, spaces, underscores), no node writes.
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
T = TypeVar("T")

# Of 2,048: with half of them set, one contract in eight seems to have logged that has not.
_MOST_BITS = 1_024


@cache
def bloom_bits(part: bytes) -> int:
    """The bits that an address or a topic of a log sets in a block's Bloom filter."""
    digest = keccak(part)
    places = (int.from_bytes(digest[i : i + 2], "big") % 2_048 for i in (0, 2, 4))
    return sum({1 << place for place in places})


@dataclass(frozen=True, slots=True)
class Block:
    """Head of a block. logs_bloom: None if the node leaves it out."""

    number: int
    hash: bytes
    parent_hash: bytes
    time_s: int
    logs_bloom: bytes | None = None
    # Wei per gas; None on chains without a base fee.
    base_fee_wei: int | None = None

    def may_log(self, *parts: bytes) -> bool:
        """Whether a log of this address and these topics can be in it, by its Bloom filter.

        Source:  Ethereum's yellow paper, 4.4.3: three of 2,048 bits for each part.
        """
        if self.logs_bloom is None or len(self.logs_bloom) != 256:
            return self.logs_bloom is None
        filled = int.from_bytes(self.logs_bloom, "big")
        return all(filled & bits == bits for bits in map(bloom_bits, parts))

    @property
    def bloom_tells(self) -> bool:
        """Whether its Bloom filter says more than that there may be anything.

        Some chains leave it empty for ever; in a block of a thousand logs every bit is set.
        """
        if self.logs_bloom is None or len(self.logs_bloom) != 256:
            return False
        return 0 < int.from_bytes(self.logs_bloom, "big").bit_count() <= _MOST_BITS


@dataclass(frozen=True, slots=True)
class Log:
    """One log as the node sends it. block_time_s, block_hash: None if the node leaves them out."""

    address: Address
    topics: tuple[bytes, ...]
    data: bytes
    block_number: int
    block_time_s: int | None
    log_index: int
    tx_hash: Bytes32
    block_hash: bytes | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """Outcome of a mined transaction. contract_address: what it created, if anything."""

    succeeded: bool
    contract_address: Address | None
    tx_hash: Bytes32
    block_number: int
    block_hash: Bytes32
    gas_used: int


@dataclass(frozen=True, slots=True)
class Logged:
    """What the receipt of a mined transaction says of its logs: of all contracts."""

    succeeded: bool
    tx_hash: Bytes32
    block_number: int
    block_hash: bytes
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A transaction that the node knows. block_number: None while it is not mined.

    call: without `to` if it creates a contract.
    """

    call: dict[str, object]
    block_number: int | None
    tx_hash: Bytes32

    @property
    def data(self) -> bytes:
        """What it calls with."""
        return to_bytes("eth_getTransactionByHash", self.call["data"])

    def data_to(self, address: str) -> bytes | None:
        """What it calls a contract with; None if it calls another one."""
        return self.data if str(self.call.get("to")).lower() == address.lower() else None


class Answer:
    """An object inside an answer, read field by field.

    Raises:  ChainUnavailable, naming a field that is missing or malformed: a node that answers
             like this is as useful as a node that does not answer.
    """

    def __init__(self, method: str, value: object) -> None:
        if not isinstance(value, dict):
            raise ChainUnavailable(f"{method}: the answer is no object", method=method)
        self._method, self._fields = method, value

    def text(self, name: str) -> str:
        """A field of text."""
        value = self._fields.get(name)
        return value if isinstance(value, str) else self._refuse(name)

    def number(self, name: str) -> int:
        """A number, which nodes write in hex."""
        text = self.text(name)
        return int(text, 16) if _QUANTITY.fullmatch(text) else self._refuse(name)

    def true(self, name: str) -> bool:
        """Whether a field that a node may leave out is there and not false."""
        return bool(self._fields.get(name))

    def list(self, name: str) -> list[object]:
        """A list of anything."""
        values = self._fields.get(name)
        return values if isinstance(values, list) else self._refuse(name)

    def has(self, name: str) -> bool:
        """Whether a field that a node may leave out has a value."""
        return self._fields.get(name) is not None

    def number_or_none(self, name: str) -> int | None:
        """A number that a node may leave out."""
        return self.number(name) if self.has(name) else None

    def data(self, name: str) -> bytes:
        """Bytes in hex."""
        return self._bytes(name, self.text(name))

    def data_list(self, name: str) -> tuple[bytes, ...]:
        """A list of bytes in hex."""
        return tuple(self._bytes(name, str(value)) for value in self.list(name))

    def hash(self, name: str) -> Bytes32:
        """32 bytes in hex."""
        found = self.data(name)
        return Bytes32(found) if len(found) == 32 else self._refuse(name)

    def address(self, name: str) -> Address:
        """An address, in lower case."""
        if len(self.data(name)) != 20:
            self._refuse(name)
        return Address(self.text(name).lower())

    def _bytes(self, name: str, text: str) -> bytes:
        return bytes.fromhex(text[2:]) if _DATA.fullmatch(text) else self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        message = f"{self._method}: the answer has no valid {name}"
        raise ChainUnavailable(message, method=self._method, field=name)


def to_block(method: str, value: object) -> Block:
    """Head of a block."""
    answer = Answer(method, value)
    return Block(
        answer.number("number"),
        answer.hash("hash"),
        answer.hash("parentHash"),
        answer.number("timestamp"),
        answer.data("logsBloom") if answer.has("logsBloom") else None,
        answer.number_or_none("baseFeePerGas"),
    )


def to_logs(method: str, value: object) -> list[Log]:
    """Logs of a query."""
    if not isinstance(value, list):
        raise ChainUnavailable(f"{method}: the answer is no list", method=method)
    logs = _Logs(method)
    return [logs.read(log) for log in value]


class _Texts(dict[str, T]):
    """Values of texts, each read once: a thousand logs name few contracts, topics and blocks."""

    def __init__(self, read: Callable[[str], T]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> T:
        value = self[text] = self._read(text)
        return value


class _Logs:
    """Logs of one answer, as `_log` reads them, in a third of the time."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._numbers = _Texts(_to_quantity)
        self._words = _Texts(_to_word)
        self._addresses = _Texts(_to_address)

    def read(self, log: object) -> Log:
        """One log. Raises ChainUnavailable, naming a field."""
        try:
            plain = self._plain(log) if isinstance(log, dict) else None
        except (KeyError, TypeError, ValueError):
            plain = None
        # What is not plain is judged by the one judge of logs, who says what is wrong with it.
        return plain or _log(Answer(self._method, log))

    def _plain(self, log: dict[str, str]) -> Log | None:
        topics, time, block = log["topics"], log.get("blockTimestamp"), log.get("blockHash")
        if log.get("removed") or not isinstance(topics, list):
            return None
        words, numbers = self._words, self._numbers
        return Log(
            self._addresses[log["address"]],
            tuple([words[topic] for topic in topics]),
            _to_data(log["data"]),
            numbers[log["blockNumber"]],
            None if time is None else numbers[time],
            numbers[log["logIndex"]],
            _to_word(log["transactionHash"]),
            None if block is None else words[block],
        )


def _to_data(text: str) -> bytes:
    found = bytes.fromhex(text[2:])
    # Spaces, which `fromhex` takes, would leave fewer bytes.
    if text[:2] != "0x" or len(text) != 2 + 2 * len(found):
        raise ValueError("no data")
    return found


def _to_word(text: str) -> Bytes32:
    found = _to_data(text)
    if len(found) != 32:
        raise ValueError("no 32 bytes")
    return Bytes32(found)


def _to_address(text: str) -> Address:
    if len(_to_data(text)) != 20:
        raise ValueError("no address")
    return Address(text.lower())


def _to_quantity(text: str) -> int:
    if not _QUANTITY.fullmatch(text):
        raise ValueError("no quantity")
    return int(text, 16)


def _log(answer: Answer) -> Log:
    # A log of a block that was undone is in no answer about blocks that stand.
    if answer.true("removed"):
        raise ChainUnavailable("eth_getLogs: the answer has a removed log", field="removed")
    topics = answer.data_list("topics")
    if any(len(topic) != 32 for topic in topics):
        raise ChainUnavailable("eth_getLogs: the answer has no valid topics", field="topics")
    return Log(
        answer.address("address"),
        topics,
        answer.data("data"),
        answer.number("blockNumber"),
        answer.number_or_none("blockTimestamp"),
        answer.number("logIndex"),
        answer.hash("transactionHash"),
        answer.hash("blockHash") if answer.has("blockHash") else None,
    )


def to_receipt(method: str, value: object) -> Receipt | None:
    """A receipt; None while there is none."""
    if value is None:
        return None
    answer = Answer(method, value)
    created = answer.has("contractAddress")
    return Receipt(
        answer.number("status") == 1,
        answer.address("contractAddress") if created else None,
        answer.hash("transactionHash"),
        answer.number("blockNumber"),
        answer.hash("blockHash"),
        answer.number("gasUsed"),
    )


def to_logged(method: str, value: object) -> Logged | None:
    """Logs of a receipt; None while there is none."""
    if value is None:
        return None
    answer = Answer(method, value)
    return Logged(
        answer.number("status") == 1,
        answer.hash("transactionHash"),
        answer.number("blockNumber"),
        answer.hash("blockHash"),
        tuple(_log(Answer(method, log)) for log in answer.list("logs")),
    )


def to_transaction(method: str, value: object) -> SentTransaction | None:
    """A transaction, as a call that repeats it; None if the node does not know it."""
    if value is None:
        return None
    answer = Answer(method, value)
    call: dict[str, object] = {
        "from": answer.text("from"),
        "data": answer.text("input"),
        "gas": answer.text("gas"),
    }
    if answer.has("to"):
        call["to"] = answer.text("to")
    return SentTransaction(call, answer.number_or_none("blockNumber"), answer.hash("hash"))


def to_number(method: str, value: object) -> int:
    """A number in hex."""
    # As a field of an object, so that one class checks every answer and words every refusal.
    return Answer(method, {"result": value}).number("result")


def to_bytes(method: str, value: object) -> bytes:
    """Bytes in hex."""
    return Answer(method, {"result": value}).data("result")
