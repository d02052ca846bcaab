"""What never changes of a deployment and clients must know: read from the chain once."""

from dataclasses import dataclass
from threading import Lock

from api.chain.client import ChainClient, Read
from api.chain.deployment import Deployment
from api.errors import ChainRejected, ChainUnavailable

# Chain ids and their currencies, from https://chainid.network (2026-11).
CHAINS: dict[int, tuple[str | None, str]] = {
    1: ("Ethereum", "ETH"),
    10: ("OP Mainnet", "ETH"),
    137: ("Polygon", "POL"),
    8453: ("Base", "ETH"),
    42161: ("Arbitrum One", "ETH"),
    31337: ("Local chain", "ETH"),
    84532: ("Base Sepolia", "ETH"),
    11155111: ("Sepolia", "ETH"),
}


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Constants of the contracts; None while no node answered yet."""

    symbol: str | None = None
    name: str | None = None
    decimals: int | None = None
    challenge_window_s: int | None = None


class FactReader:
    """Reads the facts at the first call that reaches the chain, and keeps them."""

    def __init__(self, client: ChainClient, deployment: Deployment | None) -> None:
        self._client, self._deployment = client, deployment
        self._facts: ChainFacts | None = None
        self._lock = Lock()

    def read(self) -> ChainFacts:
        """Facts of the deployment; all None without a deployment or a node that answers."""
        if self._deployment is None:
            return ChainFacts()
        with self._lock:
            if self._facts is None:
                self._facts = self._ask(self._deployment)
            return self._facts or ChainFacts()

    def _ask(self, deployment: Deployment) -> ChainFacts | None:
        token, registry = deployment.settlement_token, deployment.statement_registry
        names = ("symbol", "name", "decimals")
        reads = [Read("SettlementToken", token, name) for name in names]
        reads.append(Read("StatementRegistry", registry, "challengeWindow"))
        try:
            return ChainFacts(*self._client.read_many(reads, attempts=1))
        except (ChainUnavailable, ChainRejected):
            return None
