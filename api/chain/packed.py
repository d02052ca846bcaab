"""Many view functions in one `eth_call`, without a contract of ours on the chain.

The call creates a contract whose constructor asks each function in turn and returns all answers as
if they were its code. No node keeps any of it. One request of a node's quota is so worth eighty.
"""

from collections.abc import Sequence
from typing import TypeVar

from api.chain.client import ChainClient, EthCall, RpcError
from api.chain.contracts.call import Call

T = TypeVar("T")

# A contract's code has 24,576 bytes at most (EIP-170): answers of ours take 300 at most on average.
CALLS = 80
_WORD = 32
# Words of memory from `in` on are the calls: address, length, calldata. Behind them, from `out` on,
# the answers: whether it succeeded, length, data. On the stack, from the top: in, out, end.


def _assembled() -> bytes:
    copy_calls = "61{size:04x} 80 38 03 80 91 6000 39"  # codecopy(0, size, codesize - size)
    begin = "80 6000"  # out = end; in = 0
    loop = "5b 82 81 10 60{body:02x} 57"  # while in < end
    finish = "50 81 90 03 90 f3"  # return(end, out - end)
    ask = "5b 6000 6000 82 6020 01 51 83 6040 01 84 51 5a fa"  # staticcall(gas, to, calldata)
    store = "82 52 3d 82 6020 01 52 3d 6000 83 6040 01 3e"  # success, length, data
    step = "80 6020 01 51 01 6040 01 90 3d 01 6040 01 90 60{loop:02x} 56"
    parts = [copy_calls, begin, loop, finish, ask, store, step]

    def code(**places: int) -> list[bytes]:
        return [bytes.fromhex(part.format(**places)) for part in parts]

    lengths = [len(part) for part in code(size=0, body=0, loop=0)]
    places = {"size": sum(lengths), "loop": sum(lengths[:2]), "body": sum(lengths[:4])}
    return b"".join(code(**places))


_PROGRAM = _assembled()


def packed(call: Call[T], *, block: int) -> T:
    """The answer of a call of many functions, read with few requests.

    Raises:  as `Call.at`.
    """
    client, asked = call.client, call.asked
    chunks = [asked[first : first + CALLS] for first in range(0, len(asked), CALLS)]
    return call.parse([answer for chunk in chunks for answer in _chunk(client, chunk, block)])


def _chunk(client: ChainClient, calls: Sequence[EthCall], block: int) -> list[bytes]:
    if len(calls) > 1:
        try:
            return ask_packed(client, calls, block)
        except RpcError:
            # Too much for the node, or one of them reverts: one by one it is seen which.
            pass
    return client.call(calls, block=block)


def ask_packed(client: ChainClient, calls: Sequence[EthCall], block: int) -> list[bytes]:
    """Answers of up to `CALLS` functions by one request.

    Raises:  as `ChainClient.call`; RpcError too if one of them fails, or it is too much at once.
    """
    words = b"".join(
        int(call.to, 16).to_bytes(_WORD) + len(call.data).to_bytes(_WORD) + call.data
        for call in calls
    )
    answer = client.construct(_PROGRAM + words, block=block)
    answers, place = [], 0
    for _ in calls:
        succeeded = int.from_bytes(answer[place : place + _WORD])
        place += _WORD
        length = int.from_bytes(answer[place : place + _WORD])
        place += _WORD
        answers.append(answer[place : place + length])
        place += length
        if not succeeded or place > len(answer):
            raise RpcError("eth_call: one of several calls failed")
    return answers
