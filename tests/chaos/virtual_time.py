"""Virtual time of a chaotic run: the chain's blocks, and every process's clock."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from api.chain.client import ChainClient
from scripts.dev.devchain import DevChain
from tests.chaos.processes import Processes


class VirtualTime:
    """This machine's time and so many seconds. Blocks have the time that they are given."""

    def __init__(
        self, chain: DevChain, client: ChainClient, processes: Processes, *, start_s: int
    ) -> None:
        self._chain, self._client, self._processes = chain, client, processes
        self._ahead_s = start_s - time.time()
        self._mining, self._still = threading.Lock(), threading.Lock()
        # Several blocks may have one second: `tick` moves it on.
        chain.rpc("anvil_setBlockTimestampInterval", 0)

    def now_s(self) -> float:
        """Virtual time."""
        return time.time() + self._ahead_s

    def at(self, instant_s: float) -> None:
        """Go forward to an instant: the chain, and every process's clock."""
        if instant_s <= self.now_s():
            return
        with self._mining:
            self._ahead_s += instant_s - self.now_s()
            self._processes.set_clocks(self._ahead_s)
            self._mine()

    def tick(self) -> None:
        """One more block, of now."""
        with self._mining:
            self._mine()

    def reorg(self, depth: int) -> None:
        """The newest blocks are others, and empty. Nothing else is mined meanwhile: the node would
        lose a block's number."""
        with self._mining:
            self._chain.rpc("evm_setAutomine", False)
            self._chain.rpc("anvil_reorg", depth, [])
            self._chain.rpc("evm_setAutomine", True)
            self._mine()

    def _mine(self) -> None:
        newest_s = self._client.head().time_s
        if (now_s := int(self.now_s())) > newest_s:
            self._chain.rpc("evm_setNextBlockTimestamp", now_s)
        self._chain.rpc("evm_mine")

    @contextmanager
    def ticking(self, every_s: float = 0.25) -> Iterator[None]:
        """A block every so often, as chains have."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.wait(every_s):
                with self._still:
                    self.tick()

        thread = threading.Thread(target=loop)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    @contextmanager
    def still(self) -> Iterator[None]:
        """No block of time alone inside the block: the chain stands still, for who compares."""
        with self._still:
            yield

    def set_clock(self, name: str, off_s: float = 0) -> None:
        """Set one process's clock to virtual time, or so far off it."""
        self._processes.set_clocks(self._ahead_s + off_s, [name])
