"""Brownie's questions to its node without what costs more than the answer.

Of the processor time of these tests, half was not the chain's: `requests` read the environment
for proxies at each question, web3 asked for the chain's id before each call, and brownie looked
at the whole stack at each of `chain.sleep`, `mine`, `snapshot` and `revert`.
"""

import gc
import sys
import threading
import time
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

# The node is on this machine: an answer that takes so long does not come.
_TIMEOUT_S = 120
_RECEIPT_S = 10


class _Line:
    """One kept connection to the node, which brownie's threads share."""

    def __init__(self, url: str) -> None:
        self._connection = HTTPConnection(urlsplit(url).netloc, timeout=_TIMEOUT_S)
        self._lock = threading.Lock()

    def ask(self, method: str, body: bytes) -> bytes:
        """The answer to a JSON-RPC request."""
        answer = self._once(body)
        if method == "eth_getTransactionReceipt":
            # anvil knows the sender's new nonce before it has the receipt; brownie, who sees that,
            # thinks that the transaction was dropped.
            deadline_s = time.monotonic() + _RECEIPT_S
            while b'"result":null' in answer and time.monotonic() < deadline_s:
                time.sleep(0.002)
                answer = self._once(body)
        return answer

    def _once(self, body: bytes) -> bytes:
        with self._lock:
            self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return self._connection.getresponse().read()


def make_lean(web3: Any, chain: Any) -> None:
    """Change the clients of a node that brownie has started or joined."""
    web3.provider._make_request = _Line(web3.provider.endpoint_uri).ask
    # No test names another chain, leaves the price of gas open, or gives a name for an address.
    for name in ("validation", "gas_price_strategy", "ens_name_to_address"):
        web3.middleware_onion.remove(name)
    # Whoever calls, brownie shall think that it is its `chain`: it warns otherwise.
    frame = SimpleNamespace(frame=SimpleNamespace(f_locals={"self": chain}))
    rpc: Any = sys.modules["brownie.network.rpc"]
    rpc.inspect = SimpleNamespace(stack=lambda: [frame, frame])
    # Nobody undoes a transaction: no snapshot after each.
    account: Any = sys.modules["brownie.network.account"]
    account.rpc = SimpleNamespace(
        is_active=lambda: False, unlock_account=account.rpc.unlock_account
    )
    # Each revert collects garbage among all that brownie has loaded, where none is.
    gc.collect()
    gc.freeze()
