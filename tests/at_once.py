"""A client of a node that mines at once: what was sent is mined when `send_raw` ends."""

import time

from api.chain.client import ChainClient
from api.domain.hashing import keccak

_PATIENCE_S = 10.0


class AtOnce(ChainClient):
    """The node mines a moment after it answers; under load that is seen."""

    def send_raw(self, raw: bytes) -> None:
        """Send, and wait for the block that the node makes of it, if it makes one."""
        super().send_raw(raw)
        if not self.request("anvil_getAutomine"):
            return
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            waiting = self.request("txpool_status")
            ready = int(waiting["pending"], 16) if isinstance(waiting, dict) else 0
            # What waits for a lower nonce, or costs more than it offers, is not mined.
            if ready == 0 or self.receipt(keccak(raw)) is not None:
                return
            time.sleep(0.002)
