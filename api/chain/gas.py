"""What gas costs now, and what a call would take or why it would revert: before it is signed."""

from dataclasses import dataclass
from statistics import median_low

from api.chain.answers import Answer, to_number
from api.chain.client import ChainClient, RpcError
from api.chain.signatures import decode_error
from api.domain.fees import Prices
from api.errors import ChainUnavailable

# Blocks that are looked at, and which tip of each counts: half of their gas paid less.
_BLOCKS, _PERCENTILE = 20, 50
_WOULD_FAIL = ("revert", "invalid opcode", "out of gas", "gas required exceeds", "stack")


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call would do at a block: the gas that it takes, or the reason that it reverts."""

    gas: int
    refusal: str | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """Prices now, and the gas that a block has room for."""

    prices: Prices
    block_gas: int


def read_market(client: ChainClient, number: int) -> Market:
    """What gas costs as of a block. Raises ChainUnavailable."""
    method = "eth_getBlockByNumber"
    block = Answer(method, client.request(method, hex(number), False))
    base_fee, block_gas = block.number_or_none("baseFeePerGas"), block.number("gasLimit")
    if base_fee is None:
        price = to_number("eth_gasPrice", client.request("eth_gasPrice"))
        return Market(Prices(None, price), block_gas)
    return Market(_history(client, number, base_fee), block_gas)


def _history(client: ChainClient, number: int, base_fee: int) -> Prices:
    """Base fee of the next block, and the middle of the tips that recent blocks took."""
    method = "eth_feeHistory"
    try:
        answer = client.request(method, hex(_BLOCKS), hex(number), [_PERCENTILE])
        history = Answer(method, answer)
        fees = [to_number(method, fee) for fee in history.list("baseFeePerGas")]
        paid = history.list("reward") if history.has("reward") else []
        tips = [to_number(method, of[0]) for of in paid if isinstance(of, list) and of]
    except RpcError:
        fees, tips = [], []
    # The last is that of the block after `number`. Blocks without transactions say 0.
    tips = [tip for tip in tips if tip]
    next_fee = max([base_fee, *fees[-1:]])
    return Prices(next_fee, median_low(tips) if tips else _suggested(client))


def _suggested(client: ChainClient) -> int:
    method = "eth_maxPriorityFeePerGas"
    try:
        return to_number(method, client.request(method))
    except RpcError:
        return 0


def estimate(client: ChainClient, *, sender: str, to: str, data: bytes, number: int) -> Estimate:
    """Simulate a call on the state of a block: `eth_estimateGas` runs it as `eth_call` does.

    Raises:  ChainUnavailable, also where the node refuses for another reason than a revert.
    """
    call = {"from": sender, "to": to, "data": "0x" + data.hex()}
    method = "eth_estimateGas"
    try:
        return Estimate(to_number(method, client.request(method, call, hex(number))))
    except RpcError as error:
        reason = refusal_of(error)
        if reason is None:
            message = f"the node does not simulate a call: {error.message}"
            raise ChainUnavailable(message, method=method) from error
        return Estimate(0, reason)


def refusal_of(error: RpcError) -> str | None:
    """Why a call would revert, in words; None if the node says something else."""
    data = error.context.get("data")
    if isinstance(data, str) and data not in ("", "0x"):
        return decode_error(data) or error.message
    return error.message if any(w in error.message.lower() for w in _WOULD_FAIL) else None
