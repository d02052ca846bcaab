"""What is final: the one place that says it, for index, outbox, clock and pages alike."""

from dataclasses import dataclass

from api.chain.answers import Block
from api.chain.client import ChainClient, RpcError

# Blocks behind the head that count as final where neither a setting nor the node says more.
DEPTH = 12


@dataclass(frozen=True, slots=True)
class Ends:
    """The newest block of a chain, and the newest that is final: both as of one moment."""

    head: Block
    final: Block

    def is_final(self, number: int) -> bool:
        """Whether no reorg takes a block away any more."""
        return number <= self.final.number


def ends_of(client: ChainClient, confirmations: int | None) -> Ends:
    """The two ends of the chain, as the node says now.

    Args:    confirmations: blocks behind the head that count as final, whatever the node says; None
             = what the node calls `finalized`, and `DEPTH` blocks where it calls nothing so.
    Raises:  ChainUnavailable.
    """
    head = client.head()
    finalized = _finalized(client) if confirmations is None else None
    if finalized is not None:
        # Between the two questions the chain may have moved: nothing above the head is meant.
        return Ends(head, finalized if finalized.number <= head.number else head)
    depth = DEPTH if confirmations is None else confirmations
    # The first block of a chain is final: there is none before it to go back to.
    number = max(0, head.number - depth)
    return Ends(head, head if number == head.number else client.block(number))


def _finalized(client: ChainClient) -> Block | None:
    try:
        return client.finalized()
    except RpcError:
        return None
