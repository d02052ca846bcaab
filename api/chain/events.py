"""Logs of our contracts, decoded into one typed shape."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from api.chain.abi import Event
from api.chain.client import Block, ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment
from api.chain.event_signatures import EVENTS
from api.domain.lifecycle import void_takes
from api.domain.statements.statement import Statement
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import ChainUnavailable

_RANGE = 2_000
_VOIDED = next(e.topic for e in EVENTS["StatementRegistry"] if e.name == "StatementVoided")
_OFFERED = next(e.topic for e in EVENTS["FacilityRegistry"] if e.name == "FacilityOffered")
_TOPICS: dict[bytes, Event] = {e.topic: e for events in EVENTS.values() for e in events}


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One decoded log. `args` are by Solidity name; addresses are lower-case hex.

    A claim or a transfer of several tranches is one log and here as many RevenueClaimed or
    TransferSingle events, told apart by `part`: nobody downstream needs to know of batches.
    """

    block_number: int
    block_time_s: int
    log_index: int
    tx_hash: bytes
    contract: str
    name: str
    args: dict[str, Any]
    part: int = 0

    @property
    def place(self) -> tuple[int, int, int]:
        """Order on the chain."""
        return self.block_number, self.log_index, self.part


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    return value


def args_json(event: ChainEvent) -> str:
    """Arguments as JSON; big integers as text, so that no reader rounds them."""
    shown = {
        name: str(value) if isinstance(value, int) and abs(value) > 2**53 else _plain(value)
        for name, value in event.args.items()
    }
    return json.dumps(shown, sort_keys=True)


def statement_of(event: ChainEvent) -> Statement:
    """Statement of a StatementPosted event."""
    values = list(event.args["statement"])
    return Statement(
        FacilityId(values[0]),
        Epoch(values[1]),
        *values[2:8],
        *(Bytes32(v) for v in values[8:11]),
        *values[11:],
    )


class BlockTimes:
    """Times of blocks, read once each."""

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._known: dict[int, int] = {}

    def of(self, log: dict[str, Any]) -> int:
        """Time of a log's block; many nodes put it into the log."""
        number = int(log["blockNumber"], 16)
        if "blockTimestamp" in log and log["blockTimestamp"] is not None:
            return int(log["blockTimestamp"], 16)
        if number not in self._known:
            self._known[number] = self._client.block(number).time_s
        return self._known[number]


def decode_log(log: dict[str, Any], names: dict[str, str], times: BlockTimes) -> ChainEvent | None:
    """One log, or None if it is none of ours. `names`: contract by lower-case address."""
    contract = names.get(log["address"].lower())
    topics = [bytes.fromhex(t[2:]) for t in log["topics"]]
    event = _TOPICS.get(topics[0]) if topics else None
    if contract is None or event is None or event not in EVENTS.get(contract, ()):
        return None
    return ChainEvent(
        int(log["blockNumber"], 16),
        times.of(log),
        int(log["logIndex"], 16),
        bytes.fromhex(log["transactionHash"][2:]),
        contract,
        event.name,
        event.decode(topics, bytes.fromhex(log["data"][2:])),
    )


def contract_names(deployment: Deployment) -> dict[str, str]:
    """Contract name by lower-case address, for those with events."""
    return {deployment.addresses[name].lower(): name for name in EVENTS}


def _decoded(
    client: ChainClient, names: dict[str, str], logs: list[dict[str, Any]]
) -> list[ChainEvent]:
    times = BlockTimes(client)
    found = (decode_log(log, names, times) for log in logs)
    events = [event for event in found if event is not None]
    return sorted((part for event in events for part in _parts(event)), key=lambda e: e.place)


# Name of one part of a batch, what all parts share, and the argument that each has of its own.
_BATCHES = {
    "RevenueClaimedBatch": ("RevenueClaimed", ("holder", "to"), "amounts", "amount"),
    "TransferBatch": ("TransferSingle", ("operator", "from", "to"), "values", "value"),
}


def _parts(event: ChainEvent) -> list[ChainEvent]:
    if event.name not in _BATCHES:
        return [event]
    name, shared_names, plural, singular = _BATCHES[event.name]
    shared = {n: event.args[n] for n in shared_names}
    pairs = zip(event.args["ids"], event.args[plural], strict=True)
    return [
        replace(event, name=name, args={**shared, "id": token_id, singular: amount}, part=i)
        for i, (token_id, amount) in enumerate(pairs)
    ]


def events_in(contracts: Contracts, first: int, last: int) -> list[ChainEvent]:
    """Decoded events of blocks `first` to `last`, in order."""
    names = contract_names(contracts.deployment)
    return _decoded(contracts.client, names, contracts.client.logs(list(names), first, last))


def events_of_block(contracts: Contracts, block: Block) -> list[ChainEvent]:
    """Decoded events of one block, in order. Raises RpcError if the node does not know it."""
    names = contract_names(contracts.deployment)
    return _decoded(
        contracts.client, names, contracts.client.logs_of_block(list(names), block.hash)
    )


def iter_events(contracts: Contracts, *, last: int) -> Iterator[ChainEvent]:
    """All events from deployment to block `last`, in order.

    Raises:  ChainUnavailable if the node's head is below `last`.
    """
    if contracts.client.block().number < last:
        raise ChainUnavailable(f"the node is behind block {last}")
    for first in range(contracts.deployment.start_block, last + 1, _RANGE):
        yield from events_in(contracts, first, min(last, first + _RANGE - 1))


@dataclass(frozen=True, slots=True)
class VoidedRange:
    """Epochs `[first, before)` of a facility that a proven fault voided, and when."""

    facility_id: int
    first: int
    before: int
    place: tuple[int, int, int]

    def covers(self, posted: ChainEvent) -> bool:
        """Whether it voided the statement of a StatementPosted event."""
        return posted.args["facilityId"] == self.facility_id and void_takes(
            posted.args["epoch"],
            first=self.first,
            before=self.before,
            posted_at=posted.place,
            voided_at=self.place,
        )


def voided_ranges(contracts: Contracts, *, last: int) -> list[VoidedRange]:
    """Every voiding up to block `last`: few, and found without reading the other logs."""
    names = {contracts.deployment.statement_registry.lower(): "StatementRegistry"}
    found = []
    for first in range(contracts.deployment.start_block, last + 1, _RANGE):
        until = min(last, first + _RANGE - 1)
        logs = contracts.client.logs(list(names), first, until, topic=_VOIDED)
        for event in _decoded(contracts.client, names, logs):
            args = event.args
            found.append(
                VoidedRange(
                    args["facilityId"], args["epoch"], args["epochsPostedBefore"], event.place
                )
            )
    return found


def facility_offers(contracts: Contracts, *, first: int, last: int) -> list[ChainEvent]:
    """FacilityOffered of blocks `first` to `last`, in order: few, and found without the others."""
    names = {contracts.deployment.facility_registry.lower(): "FacilityRegistry"}
    found = []
    for start in range(first, last + 1, _RANGE):
        until = min(last, start + _RANGE - 1)
        logs = contracts.client.logs(list(names), start, until, topic=_OFFERED)
        found += _decoded(contracts.client, names, logs)
    return found


def voided_epochs(contracts: Contracts, facility_id: int) -> list[int]:
    """Epochs of a facility whose statement a proven fault voided, one entry a fault."""
    ranges = voided_ranges(contracts, last=contracts.client.block().number)
    return [voided.first for voided in ranges if voided.facility_id == facility_id]


def first_log_block(contracts: Contracts) -> int:
    """First block from the deployment's on in which one of the contracts logged anything.

    Steps double, so that a long history is not read for its first log. Without any log it is the
    deployment's own start.
    """
    addresses, head = list(contract_names(contracts.deployment)), contracts.client.block().number
    first, step = contracts.deployment.start_block, 16
    while first <= head:
        logs = contracts.client.logs(addresses, first, min(head, first + step - 1))
        if logs:
            return min(int(log["blockNumber"], 16) for log in logs)
        first, step = first + step, step * 2
    return contracts.deployment.start_block
