"""Ledger keys that operators named on-chain, and when."""

from dataclasses import dataclass

from api.chain.contracts import Contracts
from api.chain.emitted.args import read_log, topic_of
from api.chain.emitted.facility_registry import LedgerKeySet
from api.chain.events import LOG_RANGE, BlockTimes
from api.chain.finality import ends_of
from api.domain.log.authors import NamedKey
from api.domain.units import Address, Bytes32


def named_keys(contracts: Contracts, gpu_operator: str, *, first: int, last: int) -> list[NamedKey]:
    """Keys that an operator named in blocks `first` to `last`, in order.

    Raises:  ChainUnavailable.
    """
    client, registry = contracts.client, contracts.facility_registry.address
    account = bytes.fromhex(gpu_operator[2:]).rjust(32, b"\0")
    times, found = BlockTimes(client), []
    for start in range(first, last + 1, LOG_RANGE):
        until = min(last, start + LOG_RANGE - 1)
        topic = topic_of(LedgerKeySet)
        logs = client.logs([registry], start, until, topic=topic, indexed=[[account]])
        for log in sorted(logs, key=lambda log: (log.block_number, log.log_index)):
            told = read_log(LedgerKeySet, log.topics, log.data)
            found.append(NamedKey(told.ledger_key, times.of(log)))
    return found


@dataclass(frozen=True, slots=True)
class NamedNow:
    """That an operator names a ledger key: times of a final block, and of the newest, in which it
    does."""

    final_s: int
    head_s: int


def named_now(
    contracts: Contracts, gpu_operator: str, key: Bytes32, *, confirmations: int | None
) -> NamedNow | None:
    """Whether an operator names a ledger key now, and did so in a final block: what a
    reorganisation can take back is not written into a log.

    Raises:  ChainUnavailable.
    """
    ends = ends_of(contracts.client, confirmations)
    head, final, start = ends.head, ends.final, contracts.deployment.start_block
    if final.number < start:
        final = contracts.client.block(start)
    asked = contracts.facility_registry.ledger_key_of(Address(gpu_operator))
    if any(asked.at(block=block.number) != key for block in (head, final)):
        return None
    return NamedNow(final.time_s, head.time_s)
