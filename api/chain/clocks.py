"""The chain's two times, beside this machine's."""

from api.chain.client import ChainClient
from api.chain.finality import ends_of
from api.domain.clocks import Clocks


def read_clocks(client: ChainClient, *, confirmations: int | None, wall_s: int | None) -> Clocks:
    """What the node's blocks say beside this machine's time.

    Args:    confirmations: as in `ends_of`.  wall_s: None where the chain's time is simulated.
    Raises:  ChainUnavailable.
    """
    ends = ends_of(client, confirmations)
    return Clocks(wall_s, ends.head.time_s, ends.final.time_s)
