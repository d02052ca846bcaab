"""Answers as values, each held to its question: the same block, transaction, contract, once."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias, TypeVar, cast

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
from api.chain.rpc import BlockMissing, Malformed, RpcError

T = TypeVar("T")


class Asked(NamedTuple):
    """What was asked."""

    method: str
    params: Sequence[object]


# Makes a value of an answer to what was asked. Raises ChainUnavailable.
Parse: TypeAlias = Callable[[object, Asked], T]


def as_it_is(answer: object, _asked: Asked) -> object:
    """Anything."""
    return answer


def number(answer: object, asked: Asked) -> int:
    """A number."""
    return to_number(asked.method, answer)


def data(answer: object, asked: Asked) -> bytes:
    """Bytes that a contract answers, or that it is made of."""
    return to_bytes(asked.method, answer)


def block(answer: object, asked: Asked) -> Block:
    """A block by number, tag or hash. Raises BlockMissing."""
    tag = str(asked.params[0])
    if answer is None:
        raise BlockMissing(f"the node has no block {_readable(tag)}", block=tag)
    found = to_block(asked.method, answer)
    if len(tag) == _HASH_CHARS:
        _same(asked, "hash", tag, "0x" + found.hash.hex())
    elif tag.startswith("0x"):
        _same(asked, "number", int(tag, 16), found.number)
    return found


def transactions_of(answer: object, asked: Asked) -> list[bytes]:
    """Hashes of the transactions of a block. Raises BlockMissing."""
    block(answer, asked)
    return list(Answer(asked.method, answer).data_list("transactions"))


def block_or_none(answer: object, asked: Asked) -> Block | None:
    """A block; None where the node has none."""
    return None if answer is None else block(answer, asked)


def receipt(answer: object, asked: Asked) -> Receipt | None:
    """A receipt of the transaction; None while there is none."""
    found = to_receipt(asked.method, answer)
    return None if found is None else _of_transaction(found, found.tx_hash, asked)


def logged(answer: object, asked: Asked) -> Logged | None:
    """What a receipt of the transaction says; None while there is none."""
    found = to_logged(asked.method, answer)
    return None if found is None else _of_transaction(found, found.tx_hash, asked)


def receipts_of_block(answer: object, asked: Asked) -> list[Logged]:
    """Receipts of all transactions of a block. Raises BlockMissing, Malformed."""
    if answer is None:
        raise BlockMissing("the node has no such block")
    receipts = Answer(asked.method, {"receipts": answer}).list("receipts")
    return [found for each in receipts if (found := to_logged(asked.method, each)) is not None]


def transaction(answer: object, asked: Asked) -> SentTransaction | None:
    """The transaction; None if the node does not know it."""
    found = to_transaction(asked.method, answer)
    return None if found is None else _of_transaction(found, found.tx_hash, asked)


def logs(answer: object, asked: Asked) -> list[Log]:
    """Logs of the contracts and blocks that the query names, each once."""
    query = cast("Mapping[str, object]", asked.params[0])
    found = to_logs(asked.method, answer)
    addresses = {str(each).lower() for each in cast("Sequence[str]", query["address"])}
    block_hash = query.get("blockHash")
    if any(log.address not in addresses for log in found):
        raise Malformed("eth_getLogs: a log is of another contract", field="address")
    if block_hash is None:
        first, last = int(str(query["fromBlock"]), 16), int(str(query["toBlock"]), 16)
        if any(not first <= log.block_number <= last for log in found):
            raise Malformed("eth_getLogs: a log is of no block of the range", field="number")
    elif {log.block_hash for log in found} - {None, bytes.fromhex(str(block_hash)[2:])}:
        raise Malformed("eth_getLogs: a log is of another block", field="blockHash")
    if len({(log.block_number, log.log_index) for log in found}) != len(found):
        raise Malformed("eth_getLogs: a log comes twice", field="logIndex")
    return found


def is_known(error: RpcError) -> bool:
    """Whether a node refuses a transaction because it has it already."""
    # JSON-RPC has no code for this: each client has words of its own.
    known = ("already known", "already imported", "known transaction")
    return any(text in error.message.lower() for text in known)


_HASH_CHARS = 66


def _readable(tag: str) -> str:
    return str(int(tag, 16)) if tag.startswith("0x") and len(tag) < _HASH_CHARS else tag


def _of_transaction(value: T, tx_hash: bytes, asked: Asked) -> T:
    _same(asked, "transaction", asked.params[0], "0x" + tx_hash.hex())
    return value


def _same(asked: Asked, field: str, wanted: object, answered: object) -> None:
    if wanted != answered:
        message = f"{asked.method}: the answer is about another {field}"
        raise Malformed(message, method=asked.method, field=field)
