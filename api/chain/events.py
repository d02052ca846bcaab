"""Logs of our contracts, decoded into one typed shape."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from api.chain.answers import Log
from api.chain.client import ChainClient
from api.chain.contracts import Contracts
from api.chain.deployment import Deployment
from api.chain.emitted import EVENTS
from api.chain.emitted.args import EventArgs, read_log, topic_of
from api.chain.emitted.facility_registry import FacilityOffered
from api.chain.emitted.pledge_registry import PledgeApproved
from api.chain.emitted.statement_registry import (
    EvidencePublished,
    StatementPosted,
    StatementVoided,
)
from api.chain.emitted.tranche_token import (
    RevenueClaimed,
    RevenueClaimedBatch,
    TransferBatch,
    TransferSingle,
)
from api.domain.lifecycle import void_takes
from api.domain.units import Bytes32, Epoch, FacilityId
from api.errors import ChainUnavailable

# Blocks of one query: hosted nodes take 2,000 and more.
LOG_RANGE = 2_000
# Event by contract and topic.
_BY_TOPIC = {(c, topic_of(event)): event for c, events in EVENTS.items() for event in events}

E = TypeVar("E", bound=EventArgs)
E_co = TypeVar("E_co", bound=EventArgs, covariant=True)


@dataclass(frozen=True, slots=True)
class ChainEvent(Generic[E_co]):
    """One decoded log; addresses are lower-case hex.

    A claim or a transfer of several tranches is one log. Here it becomes one RevenueClaimed or
    TransferSingle event a tranche, numbered by `part`: no reader needs to know of batches.
    """

    block_number: int
    block_time_s: int
    log_index: int
    tx_hash: Bytes32
    contract: str
    args: E_co
    part: int = 0

    @property
    def name(self) -> str:
        """Name of the event."""
        return type(self.args).__name__

    @property
    def place(self) -> tuple[int, int, int]:
        """Order on the chain."""
        return self.block_number, self.log_index, self.part


AnyEvent = ChainEvent[EventArgs]


class Handlers:
    """What to do with events, by their kind."""

    def __init__(self) -> None:
        self._by_kind: dict[type[EventArgs], Callable[[AnyEvent], None]] = {}

    def on(self, kind: type[E], handle: Callable[[ChainEvent[E]], None]) -> "Handlers":
        """Name the one handler of a kind."""
        if kind in self._by_kind:
            raise ValueError(f"{kind.__name__} has a handler already")
        # Sound: `take` looks up the handler by the event's own class.
        self._by_kind[kind] = cast("Callable[[AnyEvent], None]", handle)
        return self

    def take(self, event: AnyEvent) -> None:
        """Handle one event; an event without a handler is ignored."""
        handle = self._by_kind.get(type(event.args))
        if handle is not None:
            handle(event)


class BlockTimes:
    """Times of blocks, read once each."""

    def __init__(self, client: ChainClient) -> None:
        self._client = client
        self._known: dict[int, int] = {}

    def of(self, log: Log) -> int:
        """Time of a log's block."""
        # Many nodes put the time into the log, which saves a request a block.
        if log.block_time_s is not None:
            return log.block_time_s
        if log.block_number not in self._known:
            self._known[log.block_number] = self._client.block(log.block_number).time_s
        return self._known[log.block_number]


def is_known(log: Log, names: Mapping[str, str]) -> bool:
    """Whether a log is an event that we read, of one of our contracts."""
    return bool(log.topics) and (names.get(log.address), log.topics[0]) in _BY_TOPIC


def decode_log(log: Log, names: Mapping[str, str], times: BlockTimes) -> list[AnyEvent]:
    """Events of one log; empty for other contracts. `names`: contract by lower-case address."""
    # Our contracts inherit events that we do not read; an anonymous event has no topic at all.
    contract = names.get(log.address)
    event = _BY_TOPIC.get((contract, log.topics[0])) if contract and log.topics else None
    if contract is None or event is None:
        return []
    return [
        ChainEvent(
            log.block_number, times.of(log), log.log_index, log.tx_hash, contract, args, part
        )
        for part, args in enumerate(_parts(read_log(event, log.topics, log.data)))
    ]


def _parts(args: EventArgs) -> list[EventArgs]:
    """The events that one log stands for."""
    if isinstance(args, RevenueClaimedBatch):
        claims = zip(args.ids, args.amounts_micros, strict=True)
        return [RevenueClaimed(args.holder, args.to, i, amount) for i, amount in claims]
    if isinstance(args, TransferBatch):
        moves = zip(args.ids, args.values, strict=True)
        return [TransferSingle(args.operator, args.from_, args.to, i, n) for i, n in moves]
    return [args]


def contract_names(deployment: Deployment) -> dict[str, str]:
    """Contract name by lower-case address, for those with events."""
    return {deployment.addresses[name].lower(): name for name in EVENTS}


def known_topics(deployment: Deployment) -> list[tuple[str, bytes]]:
    """Every event that we read: lower-case address of its contract, and its topic."""
    return [(deployment.addresses[contract].lower(), topic) for contract, topic in _BY_TOPIC]


def events_of_logs(contracts: Contracts, logs: Iterable[Log]) -> list[AnyEvent]:
    """Decoded events of logs, in order."""
    return _decoded(contracts.client, contract_names(contracts.deployment), logs)


def _decoded(client: ChainClient, names: Mapping[str, str], logs: Iterable[Log]) -> list[AnyEvent]:
    times = BlockTimes(client)
    events = [event for log in logs for event in decode_log(log, names, times)]
    return sorted(events, key=lambda e: e.place)


def events_in(contracts: Contracts, first: int, last: int) -> list[AnyEvent]:
    """Decoded events of blocks `first` to `last`, in order."""
    names = contract_names(contracts.deployment)
    return _decoded(contracts.client, names, contracts.client.logs(list(names), first, last))


def iter_events(contracts: Contracts, *, last: int) -> Iterator[AnyEvent]:
    """All events from deployment to block `last`, in order.

    Raises:  ChainUnavailable if the node's head is below `last`.
    """
    # A node that lags leaves out the blocks it lacks and reports no error: logs would be missing.
    if contracts.client.head().number < last:
        raise ChainUnavailable(f"the node is behind block {last}")
    for first in range(contracts.deployment.start_block, last + 1, LOG_RANGE):
        yield from events_in(contracts, first, min(last, first + LOG_RANGE - 1))


def _only(
    contracts: Contracts, contract: str, event: type[E], *, first: int, last: int
) -> list[ChainEvent[E]]:
    """Events of one kind in blocks `first` to `last`, found without reading the other logs."""
    names = {contracts.deployment.addresses[contract].lower(): contract}
    client, events = contracts.client, list[ChainEvent[E]]()
    for start in range(first, last + 1, LOG_RANGE):
        until = min(last, start + LOG_RANGE - 1)
        logs = client.logs(list(names), start, until, topic=topic_of(event))
        for decoded in _decoded(client, names, logs):
            # Always true by the topic; it tells mypy the class of the arguments.
            if isinstance(decoded.args, event):
                events.append(
                    ChainEvent(
                        decoded.block_number,
                        decoded.block_time_s,
                        decoded.log_index,
                        decoded.tx_hash,
                        contract,
                        decoded.args,
                        decoded.part,
                    )
                )
    return events


@dataclass(frozen=True, slots=True)
class VoidedRange:
    """Epochs `[first, before)` of a facility that a proven fault voided, and where on the chain."""

    facility_id: FacilityId
    first: Epoch
    before: int
    place: tuple[int, int, int]

    def covers(self, posted: StatementPosted, place: tuple[int, int, int]) -> bool:
        """Whether it voided a statement that was posted at a place of the chain."""
        return posted.facility_id == self.facility_id and void_takes(
            posted.epoch,
            first=self.first,
            before=self.before,
            posted_at=place,
            voided_at=self.place,
        )


def voided_ranges(contracts: Contracts, *, last: int) -> list[VoidedRange]:
    """Every voiding up to block `last`: few."""
    start = contracts.deployment.start_block
    events = _only(contracts, "StatementRegistry", StatementVoided, first=start, last=last)
    return [
        VoidedRange(e.args.facility_id, e.args.epoch, e.args.epochs_posted_before, e.place)
        for e in events
    ]


def facility_offers(
    contracts: Contracts, *, first: int, last: int
) -> list[ChainEvent[FacilityOffered]]:
    """FacilityOffered of blocks `first` to `last`, in order: few."""
    return _only(contracts, "FacilityRegistry", FacilityOffered, first=first, last=last)


def posted_statements(
    contracts: Contracts, *, first: int, last: int
) -> list[ChainEvent[StatementPosted]]:
    """StatementPosted of blocks `first` to `last`, in order, also of what was voided since."""
    return _only(contracts, "StatementRegistry", StatementPosted, first=first, last=last)


def publications(
    contracts: Contracts, *, first: int, last: int
) -> list[ChainEvent[EvidencePublished]]:
    """EvidencePublished of blocks `first` to `last`, in order: few."""
    return _only(contracts, "StatementRegistry", EvidencePublished, first=first, last=last)


def pledge_signers(contracts: Contracts, facility_id: FacilityId, *, last: int) -> list[str]:
    """Attesters that signed the approvals of a facility's pledges, up to block `last`."""
    start = contracts.deployment.start_block
    events = _only(contracts, "PledgeRegistry", PledgeApproved, first=start, last=last)
    return [a for e in events if e.args.facility_id == facility_id for a in e.args.attesters]


def voided_epochs(contracts: Contracts, facility_id: int) -> list[int]:
    """Epochs of a facility whose statement a proven fault voided, one entry a fault."""
    ranges = voided_ranges(contracts, last=contracts.client.head().number)
    return [voided.first for voided in ranges if voided.facility_id == facility_id]


def first_log_block(contracts: Contracts) -> int:
    """First block from the deployment's on in which one of the contracts logged anything.

    Steps double, so that a long history is not read for its first log. Without any log it is the
    deployment's own start.
    """
    client, deployment = contracts.client, contracts.deployment
    addresses, head = list(contract_names(deployment)), client.head().number
    first, step = deployment.start_block, 16
    while first <= head:
        logs = client.logs(addresses, first, min(head, first + step - 1))
        if logs:
            return min(log.block_number for log in logs)
        first, step = first + step, step * 2
    return deployment.start_block
