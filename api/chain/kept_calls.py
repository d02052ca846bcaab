"""A client for many readers of one block: what was asked about a block is not asked again."""

import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from typing import Unpack

from api.chain.client import READ_ATTEMPTS, ChainClient, ClientOptions, EthCall
from api.chain.packed import CALLS, ask_packed
from api.chain.rpc import RpcError

# Answers that are kept: some megabytes.
_MOST = 20_000
# So long a number is taken to mean the block that it meant: a reorg is seen soon after.
_FRESH_S = 2.0


class KeptClient(ChainClient):
    """For the HTTP API, whose public routes ask the same of the same block again and again.

    View functions at a block never change their answers. A request that asks for many travels as
    few (`packed`), and what one visitor asked no other asks again until there is another block.
    """

    def __init__(self, rpc_url: str | Sequence[str], **more: Unpack[ClientOptions]) -> None:
        super().__init__(rpc_url, **more)
        self._keeping = threading.Lock()
        self._answers: OrderedDict[tuple[bytes, EthCall], bytes] = OrderedDict()
        self._hashes: OrderedDict[int, tuple[bytes, float]] = OrderedDict()

    def call(
        self, calls: Sequence[EthCall], *, block: int, attempts: int = READ_ATTEMPTS
    ) -> list[bytes]:
        """Answers of view functions at one block, kept ones among them.

        Raises:  ChainUnavailable when the node does not answer, RpcError when it refuses one.
        """
        block_hash = self._hash_of(block, attempts)
        with self._keeping:
            found = {c: self._answers.get((block_hash, c)) for c in calls}
        missing = [call for call, answer in found.items() if answer is None]
        for first in range(0, len(missing), CALLS):
            part = missing[first : first + CALLS]
            answers = self._ask_part(part, block, attempts)
            with self._keeping:
                found |= zip(part, answers, strict=True)
                self._answers |= {(block_hash, c): a for c, a in zip(part, answers, strict=True)}
                while len(self._answers) > _MOST:
                    self._answers.popitem(last=False)
        return [answer for call in calls if (answer := found[call]) is not None]

    def _ask_part(self, calls: Sequence[EthCall], block: int, attempts: int) -> list[bytes]:
        if len(calls) > 1:
            try:
                return ask_packed(self, calls, block)
            except RpcError:
                # Too much for the node, or one of them reverts: one by one it is seen which.
                pass
        return super().call(calls, block=block, attempts=attempts)

    def _hash_of(self, number: int, attempts: int) -> bytes:
        """Hash of a block, as it was a moment ago."""
        with self._keeping:
            known = self._hashes.get(number)
        if known is not None and time.monotonic() - known[1] < _FRESH_S:
            return known[0]
        found = self._block(hex(number), attempts).hash
        with self._keeping:
            self._hashes[number] = (found, time.monotonic())
            while len(self._hashes) > _MOST:
                self._hashes.popitem(last=False)
        return found
