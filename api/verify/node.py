"""Verify, before all: which block is verified, and whether the node is at the chain's present."""

from api.chain.answers import Block
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.domain.hashing import word
from api.errors import ChainUnavailable
from api.verify.findings import Finding, Report

# A chain makes a block in seconds; nodes that are behind by more miss statements and voids.
MAX_AGE_S = 600
# Clocks differ. A block far ahead of ours is of a chain whose time is made up.
MAX_AHEAD_S = 900
_PUSH32 = b"\x7f"


def block_to_verify(client: ChainClient, at: int | None) -> Block:
    """The block as of which everything is read: the newest, or the one that was asked for.

    Raises:  ChainUnavailable, also for a block that the node does not have yet.
    """
    newest = client.head()
    if at is None:
        return newest
    if not 0 <= at <= newest.number:
        raise ChainUnavailable(f"the node's newest block is {newest.number}, not yet {at}")
    return client.block(at)


def check_age(head: Block, *, now_s: int, max_age_s: int, report: Report) -> None:
    """Find a node that is behind the chain, or a chain whose time is made up."""
    age_s = now_s - head.time_s
    if age_s > max_age_s:
        message = f"the node's newest block is {age_s} s old, above {max_age_s}: it may be behind"
        message += " (--any-age for a chain whose time is simulated)"
        report(Finding(message, code="head_old", block=head.number))
    elif -age_s > MAX_AHEAD_S:
        message = f"the node's newest block is {-age_s} s ahead of this machine's clock"
        report(Finding(message, code="head_ahead", block=head.number))


def check_still_there(client: ChainClient, head: Block, report: Report) -> None:
    """Find a chain that was reorganised, or a node that fell behind, while it was read."""
    again = client.block(head.number)
    if (again.number, again.hash, again.time_s) != (head.number, head.hash, head.time_s):
        message = f"block {head.number} became another one while it was read: verify again"
        report(Finding(message, code="head_changed", block=head.number))


def check_constants(contracts: Contracts, head: Block, report: Report) -> None:
    """Find constants of contracts that a node answers and their bytecode does not hold.

    Solidity writes an immutable into the code behind PUSH32, wherever it is used.
    """
    statements, attesters = contracts.statement_registry, contracts.attester_registry
    minimum, slash, window_s = contracts.together(
        attesters.minimum_bond_micros(),
        attesters.slash_amount_micros(),
        statements.challenge_window_s(),
    ).at(block=head.number)
    held = (
        (statements.address, "challengeWindow", window_s),
        (attesters.address, "minimumBond", minimum),
        (attesters.address, "slashAmount", slash),
    )
    for address, name, value in held:
        # None of them is 0, which stands in the code for other constants.
        if value == 0 or _PUSH32 + word(value) not in contracts.client.code(address):
            message = f"{address} answers {value} as its {name}, which its code does not hold"
            report(Finding(message, code="constant_wrong", block=head.number))
