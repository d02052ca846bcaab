"""What each of several calls would take alone, asked in one request instead of one for each.

The request creates a contract that makes a child of each call. A child does its call, says in its
refusal whether that succeeded and what it took, and is undone by it: also which storage was touched
before, so each pays for that as if it were alone. No node keeps any of it. For calls that succeed
from anybody: the sender is the child.
"""

from collections.abc import Sequence

from api.chain.client import ChainClient, EthCall, RpcError
from api.chain.gas import Estimate, estimate

_WORD = 32
# A child's answer: whether its call succeeded, and the gas that it took.
_ANSWER = 2 * _WORD
# A node takes 49,152 bytes of such a program (EIP-3860), and some 50,000,000 gas of a request.
_MOST_BYTES, _MOST_CALLS = 45_000, 50
# Below that single questions are as few.
_LEAST = 3
# A transaction's own gas, and that of a byte of calldata: what it is charged, and the least that it
# is (EIP-2028, EIP-7623).
_BASE_GAS = 21_000
_ZERO_GAS, _OTHER_GAS = 4, 16
_ZERO_FLOOR, _OTHER_FLOOR = 10, 40


def estimates(
    client: ChainClient, calls: Sequence[EthCall], *, sender: str, number: int
) -> list[Estimate | None]:
    """Gas of calls on the state of a block, by one request or two; None: ask for it alone.

    The longest is asked for alone too: what the node wants on top, as rollups do for what they pay,
    is added to each.

    Raises:  ChainUnavailable.
    """
    found: list[Estimate | None] = []
    for chunk in _chunks(calls):
        found += _estimated(client, chunk, sender=sender, number=number)
    return found


def _estimated(
    client: ChainClient, calls: Sequence[EthCall], *, sender: str, number: int
) -> list[Estimate | None]:
    nothing: list[Estimate | None] = [None] * len(calls)
    if len(calls) < _LEAST:
        return nothing
    try:
        taken = measured(client, calls, block=number)
    except RpcError:
        return nothing
    passing = [place for place, gas in enumerate(taken) if gas is not None]
    if not passing:
        return nothing
    longest = max(passing, key=lambda place: len(calls[place].data))
    to, data = calls[longest].to, calls[longest].data
    alone = estimate(client, sender=sender, to=to, data=data, number=number)
    if alone.refusal is not None:
        return nothing
    more = max(0, alone.gas - (taken[longest] or 0))
    return [None if gas is None else Estimate(gas + more) for gas in taken]


def measured(client: ChainClient, calls: Sequence[EthCall], *, block: int) -> list[int | None]:
    """Gas that transactions with these calls would take; None for one that would revert.

    No less than what is used in the end: of what a transaction gives back nothing is counted.

    Raises:  ChainUnavailable, RpcError where the node refuses so much, or knows no such request.
    """
    answer = client.construct(_program(calls), block=block)
    if len(answer) != _ANSWER * len(calls):
        raise RpcError(f"eth_call: {len(answer)} bytes for {len(calls)} calls")
    found: list[int | None] = []
    for place, call in enumerate(calls):
        words = answer[_ANSWER * place : _ANSWER * (place + 1)]
        succeeded, gas = (int.from_bytes(words[at : at + _WORD]) for at in (0, _WORD))
        found.append(_whole(call.data, gas) if succeeded == 1 else None)
    return found


def _whole(data: bytes, gas: int) -> int:
    """Gas of a transaction whose call takes so much."""
    zeros = data.count(0)
    others = len(data) - zeros
    charged = gas + zeros * _ZERO_GAS + others * _OTHER_GAS
    return _BASE_GAS + max(charged, zeros * _ZERO_FLOOR + others * _OTHER_FLOOR)


def _chunks(calls: Sequence[EthCall]) -> list[list[EthCall]]:
    chunks: list[list[EthCall]] = []
    size = 0
    for call in calls:
        grown = size + len(_made(0, 0, 0, 0)) + len(_child(call))
        if not chunks or len(chunks[-1]) == _MOST_CALLS or grown > _MOST_BYTES:
            chunks.append([])
            grown -= size
        chunks[-1].append(call)
        size = grown
    return chunks


def _program(calls: Sequence[EthCall]) -> bytes:
    """Code that makes a child of each call, and returns all of their answers."""
    children = [_child(call) for call in calls]
    room = _ANSWER * len(children)
    # Both lengths do not depend on the numbers in them.
    begin = len(children) * len(_made(0, 0, 0, 0)) + len(_returned(0))
    code = b""
    for place, child in enumerate(children):
        code += _made(_ANSWER * place, room, begin, len(child))
        begin += len(child)
    return code + _returned(room) + b"".join(children)


def _made(answer: int, room: int, begin: int, size: int) -> bytes:
    """Code that makes one child in memory from `room` on, and keeps its answer."""
    return bytes.fromhex(
        f"62{size:06x} 62{begin:06x} 62{room:06x} 39"  # codecopy(room, begin, size)
        f"62{size:06x} 62{room:06x} 6000 f0 50"  # create(0, room, size)
        f"3d 6000 62{answer:06x} 3e"  # returndatacopy(answer, 0, returndatasize)
    )


def _returned(room: int) -> bytes:
    return bytes.fromhex(f"62{room:06x} 6000 f3")  # return(0, room)


def _child(call: EthCall) -> bytes:
    """Code that does a call, and reverts with whether it succeeded and the gas that it took."""
    to = int(call.to, 16)

    def code(size: int) -> bytes:
        return bytes.fromhex(
            f"61{size:04x} 80 38 03 80 91 6000 39"  # codecopy(0, size, codesize - size)
            f"5a 90 6000 6000 82 6000 6000 73{to:040x} 5a f1"  # call(gas, to, 0, calldata)
            "5a 83 03 6020 52 6000 52"  # memory: succeeded, gas before less gas after
            "6040 6000 fd"  # revert(0, 64)
        )

    return code(len(code(0))) + call.data
