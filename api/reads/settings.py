"""What never changes of a deployment and clients must know: read from the chain once."""

import time
from dataclasses import dataclass
from threading import Lock

from api.chain.contracts import Contracts
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

_TURN_S = 0.5
_AGAIN_S = 2.0


@dataclass(frozen=True, slots=True)
class ChainFacts:
    """Constants of the contracts; None while no node answered yet."""

    symbol: str | None = None
    name: str | None = None
    decimals: int | None = None
    challenge_window_s: int | None = None
    minimum_bond_micros: int | None = None


class FactReader:
    """Reads the facts at the first call that reaches the chain, and keeps them."""

    def __init__(self, contracts: Contracts | None) -> None:
        self._contracts = contracts
        self._facts: ChainFacts | None = None
        self._lock = Lock()
        self._again_at = 0.0

    def read(self) -> ChainFacts:
        """Facts of the deployment; all None without a deployment or a node that answers."""
        if self._contracts is None:
            return ChainFacts()
        if self._facts is not None:
            return self._facts
        # One request asks; those that come meanwhile wait a little for its answer, and after a
        # node that did not give one nobody asks for a while: pages do without these facts.
        if time.monotonic() >= self._again_at and self._lock.acquire(timeout=_TURN_S):
            try:
                if self._facts is None and time.monotonic() >= self._again_at:
                    self._facts = _ask(self._contracts)
                    self._again_at = time.monotonic() + _AGAIN_S
            finally:
                self._lock.release()
        return self._facts or ChainFacts()


def _ask(contracts: Contracts) -> ChainFacts | None:
    token, registry = contracts.settlement_token, contracts.statement_registry
    call = contracts.together(
        contracts.together(token.symbol(), token.full_name(), token.decimals()),
        registry.challenge_window_s(),
        contracts.attester_registry.minimum_bond_micros(),
    )
    try:
        # One attempt: every page asks for this first, and must not wait for a node that is down.
        head = contracts.client.head(attempts=1)
        words, window_s, minimum = call.at(block=head.number, attempts=1)
    except (ChainUnavailable, ChainRejected):
        return None
    symbol, name, decimals = words
    return ChainFacts(symbol, name, decimals, window_s, minimum)
