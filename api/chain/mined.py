"""What became of transactions: receipts that count only while their block is on the chain."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.chain.answers import Answer, Log, to_block, to_logged, to_number
from api.chain.client import ChainClient, RpcError
from api.domain.units import Bytes32
from api.errors import ChainUnavailable

_RECEIPT, _BLOCK = "eth_getTransactionReceipt", "eth_getBlockByNumber"
_RECEIPTS = "eth_getBlockReceipts"
# So many transactions of ours are in a block on average before all of its receipts are asked for.
_WORTH = 3


@dataclass(frozen=True, slots=True)
class Mined:
    """A receipt. price_wei: paid per gas; 0 where the node leaves it out."""

    succeeded: bool
    block_number: int
    block_hash: Bytes32
    gas_used: int
    price_wei: int
    logs: tuple[Log, ...]


def receipts_of(client: ChainClient, tx_hashes: Sequence[bytes]) -> list[Mined | None]:
    """Receipts as a node gives them, which may be of a fork; None for one that has none."""
    answers = client.requests(_RECEIPT, [["0x" + tx_hash.hex()] for tx_hash in tx_hashes])
    return [_mined(answer, tx_hash) for answer, tx_hash in zip(answers, tx_hashes, strict=True)]


def _mined(value: object, tx_hash: bytes) -> Mined | None:
    logged = to_logged(_RECEIPT, value)
    if logged is None:
        return None
    answer = Answer(_RECEIPT, value)
    # A receipt of something else is no receipt.
    if answer.hash("transactionHash") != tx_hash:
        return None
    return Mined(
        logged.succeeded,
        logged.block_number,
        Bytes32(logged.block_hash),
        answer.number("gasUsed"),
        answer.number_or_none("effectiveGasPrice") or 0,
        logged.logs,
    )


def hashes_at(client: ChainClient, numbers: Sequence[int]) -> dict[int, bytes]:
    """Hashes of blocks by number, of those that the node has."""
    asked = sorted(set(numbers))
    answers = client.requests(_BLOCK, [[hex(number), False] for number in asked])
    found = {}
    for number, answer in zip(asked, answers, strict=True):
        block = None if answer is None else to_block(_BLOCK, answer)
        if block is not None and block.number == number:
            found[number] = block.hash
    return found


def mined_on_chain(
    client: ChainClient, tx_hashes: Sequence[bytes], *, head: int, since: int | None = None
) -> list[Mined | None]:
    """Receipts of which the chain has the very block now, at `head` or below it.

    since: the block after which they were sent, where that is known: many that are in few blocks
    are asked for by block.
    """
    in_blocks: dict[bytes, Mined] = {}
    if since is not None and len(tx_hashes) >= _WORTH * max(1, head - since):
        in_blocks = _in_blocks(client, range(since + 1, head + 1), set(tx_hashes))
    left = [tx_hash for tx_hash in tx_hashes if tx_hash not in in_blocks]
    alone = dict(zip(left, receipts_of(client, left) if left else [], strict=True))
    receipts = [in_blocks.get(tx_hash) or alone.get(tx_hash) for tx_hash in tx_hashes]
    numbers = [r.block_number for r in receipts if r is not None and r.block_number <= head]
    hashes = hashes_at(client, numbers) if numbers else {}
    return [
        r if r is not None and hashes.get(r.block_number) == r.block_hash else None
        for r in receipts
    ]


def _in_blocks(
    client: ChainClient, numbers: Sequence[int], wanted: set[bytes]
) -> dict[bytes, Mined]:
    """Receipts of wanted transactions by hash, of those that are in these blocks.

    What does not come so, whatever the reason, is asked for by itself.
    """
    found: dict[bytes, Mined] = {}
    try:
        for answer in client.requests(_RECEIPTS, [[hex(number)] for number in numbers]):
            for each in answer if isinstance(answer, list) else []:
                tx_hash = _as_hash(each.get("transactionHash") if isinstance(each, dict) else None)
                mined = _mined(each, tx_hash) if tx_hash in wanted else None
                if mined is not None:
                    found[tx_hash] = mined
    except (RpcError, ChainUnavailable):
        return {}
    return found


def _as_hash(named: object) -> bytes:
    """A hash as nodes write it; empty if it is none."""
    try:
        return bytes.fromhex(named.removeprefix("0x")) if isinstance(named, str) else b""
    except ValueError:
        return b""


def nonce_at(client: ChainClient, account: str, number: int) -> int:
    """Transactions of an account up to a block."""
    method = "eth_getTransactionCount"
    return to_number(method, client.request(method, account, hex(number)))


def balance_at(client: ChainClient, account: str, number: int) -> int:
    """What an account can pay gas with at a block, wei."""
    return to_number("eth_getBalance", client.request("eth_getBalance", account, hex(number)))
