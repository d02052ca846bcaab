"""Nodes with faults, as clients of a real node: they lag, limit, disagree, lose replies."""

from typing import Any

from api.chain.answers import Block
from api.chain.client import ChainClient, RpcError
from api.errors import ChainUnavailable


class Fake(ChainClient):
    """A client with faults between it and the node, by overriding `request`."""

    def height(self) -> int:
        """True height of the chain."""
        return int(super().request("eth_blockNumber"), 16)


class Behind(Fake):
    """A node that lags by some blocks."""

    def __init__(self, rpc_url: str, *, lag: int = 0) -> None:
        super().__init__(rpc_url)
        self.lag = lag

    def request(self, method: str, *params: Any, attempts: int = 1) -> Any:
        """Answer as if the last blocks were not there."""
        height = self.height() - self.lag
        if method == "eth_getBlockByNumber":
            if params[0] == "latest":
                params = (hex(height), *params[1:])
            elif int(params[0], 16) > height:
                return None
        if method == "eth_getLogs":
            self._check_logs(params[0], height)
            found = super().request(method, *params, attempts=attempts)
            return [log for log in found if int(log["blockNumber"], 16) <= height]
        return super().request(method, *params, attempts=attempts)

    def _check_logs(self, query: dict[str, Any], height: int) -> None:
        if "blockHash" in query:
            block = super().request("eth_getBlockByHash", query["blockHash"], False)
            if int(block["number"], 16) > height:
                raise RpcError("eth_getLogs: unknown block")


class TwoHeights(Behind):
    """One address, two nodes: blocks come from the tall one, logs from the one that lags."""

    def _block(self, tag: str, attempts: int) -> Block:
        """Block of the node that does not lag."""
        lag, self.lag = self.lag, 0
        try:
            return super()._block(tag, attempts)
        finally:
            self.lag = lag


class Capped(Fake):
    """A node that refuses log queries over more than a few blocks."""

    most, refused = 4, 0

    def request(self, method: str, *params: Any, attempts: int = 1) -> Any:
        """Refuse big ranges."""
        if method == "eth_getLogs" and "fromBlock" in params[0]:
            first, last = (int(params[0][k], 16) for k in ("fromBlock", "toBlock"))
            if last - first + 1 > self.most:
                self.refused += 1
                raise RpcError("eth_getLogs: query returned more than 10000 results")
        return super().request(method, *params, attempts=attempts)


class TallHead(Behind):
    """One address, two nodes: the head comes from the tall one, the rest from one that lags."""

    def head(self, *, attempts: int = 1) -> Block:
        """Head of the node that does not lag."""
        lag, self.lag = self.lag, 0
        try:
            return super().head(attempts=attempts)
        finally:
            self.lag = lag


class LosesReplies(ChainClient):
    """A node that takes transactions and whose answer never arrives."""

    def send_raw(self, raw: bytes) -> None:
        """Send, and lose the reply."""
        super().send_raw(raw)
        raise ChainUnavailable("the reply was lost")
