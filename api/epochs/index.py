"""Index: follow the chain, notice reorgs by block hash, keep events in a rebuildable table."""

from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.chain.answers import Block
from api.chain.client import RpcError
from api.chain.contracts import Contracts
from api.chain.emitted.args import EventArgs, named, write_payload
from api.chain.emitted.rent_lockbox import FacilityClosed
from api.chain.emitted.statement_registry import StatementPosted
from api.chain.events import LOG_RANGE, AnyEvent, events_in, events_of_block
from api.db import chain_store
from api.db.chain_store import BlockRow, EventRow
from api.db.session import reading, transaction
from api.domain.units import MAX_I64, Bytes32, Epoch, FacilityId, split_tranche_id
from api.errors import ChainUnavailable


@dataclass(frozen=True, slots=True)
class IndexProgress:
    """Where the index stands: newest indexed block, the head, events added, blocks undone."""

    indexed: int
    head: int
    added: int
    rolled_back: int

    @property
    def behind(self) -> int:
        """Blocks still to index."""
        return max(0, self.head - self.indexed)


def final_block(*, indexed: int | None, head: int | None, confirmations: int) -> int | None:
    """Newest indexed block that counts as final; None if there is none.

    Args:    head: newest block of the node; None if it does not answer.
    """
    if indexed is None:
        return None
    # What is indexed was on the chain once: a node that lags does not make it less deep.
    final = min(indexed, max(indexed, head or 0) - confirmations)
    return final if final >= 0 else None


class Indexer:
    """Copies our contracts' events into `chain_events`, up to the head.

    Blocks that are final (`confirmations` behind the head) are read by range. Nearer ones are read
    one by one by their hash: behind one address there may be nodes of different height, and one
    that lags answers a range with the logs that it has, but refuses a hash that it does not know.
    """

    def __init__(self, engine: Engine, contracts: Contracts, *, confirmations: int = 0) -> None:
        self._engine, self._contracts, self._client = engine, contracts, contracts.client
        self._confirmations = confirmations

    def advance(self) -> IndexProgress:
        """Index up to the head, or as far as the node's answers agree with each other."""
        head = self._client.head().number
        final = head - self._confirmations
        indexed, rolled_back = self._common_block(head)
        added = 0
        while indexed < head:
            last = min(final, indexed + LOG_RANGE) if indexed < final else indexed + 1
            found = self._range(first=indexed + 1, last=last) if last <= final else self._near(last)
            if found is None:
                break
            end, events = found
            block = BlockRow(last, Bytes32(end.hash), end.time_s)
            try:
                with transaction(self._engine) as connection:
                    newest = chain_store.last_block(connection)
                    if newest is not None and newest.number != indexed:
                        break
                    chain_store.append_range(connection, [event_row(e) for e in events], block)
            except IntegrityError:
                break
            indexed, added = last, added + len(events)
        return IndexProgress(indexed, head, added, rolled_back)

    def _range(self, *, first: int, last: int) -> tuple[Block, list[AnyEvent]] | None:
        """Events of final blocks; None if the chain changed meanwhile."""
        # The end's hash before and after: two nodes, or a reorg in between, would differ.
        before = self._client.block(last)
        events = events_in(self._contracts, first, last)
        return (before, events) if self._client.block(last).hash == before.hash else None

    def _near(self, number: int) -> tuple[Block, list[AnyEvent]] | None:
        """Events of one block near the head; None if it does not follow what is indexed."""
        try:
            block = self._client.block(number)
            events = events_of_block(self._contracts, block)
        except (ChainUnavailable, RpcError):
            # The node that answered has not come this far: the next round asks again.
            return None
        with reading(self._engine) as connection:
            before = chain_store.block_at_or_below(connection, number - 1)
        if before is None or before.number < number - 1 or before.block_hash == block.parent_hash:
            return block, events
        return None

    def rebuild(self) -> IndexProgress:
        """Drop everything and index again from the deployment's block."""
        with transaction(self._engine) as connection:
            chain_store.drop_above(connection, -1)
        return self.advance()

    def _common_block(self, head: int) -> tuple[int, int]:
        """Newest indexed block that the chain still has; what lies above it is undone."""
        start = self._contracts.deployment.start_block - 1
        with reading(self._engine) as connection:
            newest = chain_store.last_block(connection)
            block = chain_store.block_at_or_below(connection, head)
        if newest is None:
            return start, 0
        if block is None or self._stands(block):
            # A node that lags has no word on newer blocks: only a hash can contradict them.
            return newest.number, 0
        while block is not None and not self._stands(block):
            with reading(self._engine) as connection:
                block = chain_store.block_at_or_below(connection, block.number - 1)
        common = start if block is None else block.number
        with transaction(self._engine) as connection:
            chain_store.drop_above(connection, common)
        return common, newest.number - common

    def _stands(self, block: BlockRow) -> bool:
        return self._client.block(block.number).hash == block.block_hash


# Whose event it is, and its second number: fee, what still streams, where a voiding ends, units.
_ACCOUNTS = ("attester", "holder", "payer", "buyer", "gpuOperator", "from", "wallet")
_AMOUNTS = ("amount", "value", "cost")
_EXTRAS = (
    *("fee", "unvested", "epochsPostedBefore", "publishedBefore", "gpuSeconds", "units", "state"),
    "unearned",
)


class _Named:
    """Arguments of an event by their names in Solidity: the first of some names that is there."""

    def __init__(self, args: EventArgs) -> None:
        self._args = named(args)

    def number(self, *names: str) -> int | None:
        """A number; None also for one that the database has no room for."""
        number = self._first(names)
        return number if isinstance(number, int) and abs(number) <= MAX_I64 else None

    def text(self, *names: str) -> str | None:
        """A number of any size, or an address, as text."""
        value = self._first(names)
        return None if value is None else str(value)

    def hash(self, name: str) -> Bytes32 | None:
        """A hash."""
        value = self._args.get(name)
        return Bytes32(value) if isinstance(value, bytes) else None

    def _first(self, names: tuple[str, ...]) -> object:
        return next((self._args[n] for n in names if n in self._args), None)


def event_row(event: AnyEvent) -> EventRow:
    """Row of `chain_events` for one event."""
    args = _Named(event.args)
    token_id = args.text("id")
    facility_id, epoch = args.number("facilityId"), args.number("epoch", "settledEpochs")
    if args.text("facilityId") is None and token_id is not None:
        owner = split_tranche_id(int(token_id))[0]
        facility_id = owner if owner <= MAX_I64 else None
    amount = args.number(*_AMOUNTS)
    if isinstance(event.args, StatementPosted):
        gross = event.args.statement.gross_revenue_micros
        amount = gross if abs(gross) <= MAX_I64 else None
    elif isinstance(event.args, FacilityClosed):
        shared = event.args.closing.bond_micros + event.args.closing.escrow_micros
        amount = shared if shared <= MAX_I64 else None
    return EventRow(
        block_number=event.block_number,
        log_index=event.log_index,
        part=event.part,
        block_time_s=event.block_time_s,
        tx_hash=event.tx_hash,
        contract=event.contract,
        event=event.name,
        facility_id=None if facility_id is None else FacilityId(facility_id),
        epoch=None if epoch is None else Epoch(epoch),
        token_id=token_id,
        account=args.text(*_ACCOUNTS),
        counterparty=args.text("to"),
        amount=amount,
        extra=args.number(*_EXTRAS),
        statement_hash=args.hash("statementHash"),
        payload=write_payload(event.args),
    )
