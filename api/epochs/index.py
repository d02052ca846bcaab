"""Index: follow the chain, keep its logs and events, notice reorgs, halt where the chain lies."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from api.chain.answers import Block, Log
from api.chain.contracts import Contracts
from api.chain.events import LOG_RANGE, BlockTimes, events_of_logs
from api.chain.finality import Ends, ends_of
from api.chain.provider import Rest
from api.chain.providers import WrongChain
from api.chain.rpc import BlockMissing, RpcError
from api.clock import Clock, system_clock
from api.db import chain_store, index_store
from api.db.chain_store import BlockRow
from api.db.index_store import IndexState
from api.db.session import reading, transaction
from api.domain.units import Bytes32
from api.epochs.index_checks import Checks
from api.epochs.index_ranges import Ranges
from api.epochs.index_reading import BlockLogs, log_row
from api.epochs.index_rows import event_row
from api.epochs.index_state import Station, halted
from api.errors import ChainUnavailable, IndexHalted

_log = logging.getLogger(__name__)


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


class Indexer:
    """Copies our contracts' logs and events into the database, up to the head.

    Blocks that are final are read by range. Nearer ones are read one by one by their hash: behind
    one address there may be nodes of different height, and one that lags answers a range with the
    logs that it has, but refuses a hash that it does not know.
    """

    def __init__(
        self,
        engine: Engine,
        contracts: Contracts,
        *,
        confirmations: int | None = 0,
        stop: threading.Event | None = None,
        wall: Clock = system_clock,
    ) -> None:
        """confirmations: as in `ends_of`.  stop: once set, `advance` ends after its request."""
        self._engine, self._contracts, self._client = engine, contracts, contracts.client
        self._confirmations = confirmations
        self._stop = stop or threading.Event()
        self._station = Station(engine, contracts.deployment, wall)
        self._logs = BlockLogs(contracts)
        self._checks = Checks(engine, contracts, self._logs)
        self._ranges: Ranges | None = None
        # After answers that cannot be believed it asks less and less often.
        self._rest = Rest()

    @property
    def stopped(self) -> bool:
        """Whether it was told to stop."""
        return self._stop.is_set()

    def advance(self, *, on_progress: Callable[[int, int], None] | None = None) -> IndexProgress:
        """Index up to the head, or as far as the node's answers agree with each other.

        Raises:  IndexHalted when the chain is another one, or took back what was final;
                 ChainUnavailable. The state of the index says why, and since when.
        """
        state = self._station.read()
        if self._rest.left_s():
            return IndexProgress(self._newest(), state.head, 0, 0)
        try:
            progress = self._advance(on_progress)
        except IndexHalted as error:
            self._station.tell("halted", error.message)
            raise
        except WrongChain as error:
            self._station.tell("halted", error.message)
            raise halted(error.message) from error
        except (ChainUnavailable, RpcError) as error:
            self._station.tell("waiting", error.message)
            self._rest.failed()
            raise
        return progress

    def _advance(self, on_progress: Callable[[int, int], None] | None) -> IndexProgress:
        ends = ends_of(self._client, self._confirmations)
        state = self._station.identify(self._client, ends)
        head = ends.head.number
        indexed, rolled_back = self._common_block(state, head)
        added, trouble = 0, None
        while indexed < head and not self._stop.is_set():
            try:
                step = self._step(indexed, ends)
            except BlockMissing as error:
                # The node that answered has not come this far: the next round asks again.
                trouble = error.message
                break
            except (ChainUnavailable, RpcError) as error:
                trouble = error.message
                self._rest.failed()
                break
            if step is None:
                break
            indexed, events = step
            added += events
            self._rest.answered()
            if on_progress is not None:
                on_progress(indexed - self._before, head - self._before)
        self._finish(ends, indexed, trouble)
        return IndexProgress(indexed, head, added, rolled_back)

    def _finish(self, ends: Ends, indexed: int, trouble: str | None) -> None:
        """Say how it stands, look again at what became final, count now and then."""
        known = None if self._ranges is None else self._ranges.known
        with reading(self._engine) as connection:
            final = chain_store.block_at_or_below(connection, ends.final.number)
        self._station.reached(ends, final, log_range=known)
        if ends.head.number < indexed:
            trouble = f"the node is at block {ends.head.number}, the index at {indexed}: it lags"
        if trouble is not None:
            self._station.tell("waiting", trouble)
        elif indexed < ends.head.number:
            self._station.tell("catching_up", None)
        elif not self._stop.is_set():
            wrong = self._checks.run(self._station)
            self._station.tell("following" if wrong is None else "incomplete", wrong)

    def look_again(self) -> None:
        """Look a second time at all final blocks that were looked at once, however few they are."""
        self._checks.look_again(self._station)

    def _step(self, indexed: int, ends: Ends) -> tuple[int, int] | None:
        """Read and store what follows; the newest block and its events, None if it does not follow.

        Raises:  ChainUnavailable, RpcError.
        """
        if indexed < ends.final.number:
            last, block, logs = self._range(indexed + 1, ends.final.number)
        else:
            last = indexed + 1
            near = self._client.block(last)
            with reading(self._engine) as connection:
                before = chain_store.block_at(connection, last - 1)
            if before is not None and before.block_hash != near.parent_hash:
                # A reorg while it was read: the next round goes back.
                return None
            block, logs = near, self._logs.of_block(near)
        return self._store(indexed, logs, BlockRow(last, Bytes32(block.hash), block.time_s))

    def _range(self, first: int, final: int) -> tuple[int, Block, list[Log]]:
        """Final blocks from `first` on, as many as nodes take at a time."""
        if self._ranges is None:
            known = self._station.read().log_range
            self._ranges = Ranges(known, most=LOG_RANGE)
        while True:
            last = min(final, first + self._ranges.next() - 1)
            try:
                block, logs = self._logs.of_range(first, last)
            except RpcError:
                # Nodes limit blocks or logs of one answer, each with another error: halve on any.
                self._ranges.refuse(last - first + 1)
                if first == last or self._stop.is_set():
                    raise
                continue
            self._ranges.took(last - first + 1)
            return last, block, logs

    def _store(self, indexed: int, logs: Sequence[Log], block: BlockRow) -> tuple[int, int] | None:
        """Store logs and events up to a block; None if another process was quicker."""
        times = BlockTimes(self._client)
        rows = [log_row(log, times.of(log)) for log in logs]
        events = [event_row(event) for event in events_of_logs(self._contracts, logs)]
        try:
            with transaction(self._engine) as connection:
                newest = chain_store.last_block(connection)
                if newest is not None and newest.number != indexed:
                    return None
                index_store.insert_logs(connection, rows)
                chain_store.append_range(connection, events, block)
        except IntegrityError:
            _log.warning("another process indexed block %d meanwhile", block.number)
            return None
        return block.number, len(events)

    def rebuild(self) -> IndexProgress:
        """Drop everything and index again from the deployment's block."""
        with transaction(self._engine) as connection:
            index_store.forget(connection)
        self._ranges = None
        return self.advance()

    def _newest(self) -> int:
        with reading(self._engine) as connection:
            newest = chain_store.last_block(connection)
        return self._before if newest is None else newest.number

    @property
    def _before(self) -> int:
        """The block before the deployment's."""
        return self._contracts.deployment.start_block - 1

    def _common_block(self, state: IndexState, head: int) -> tuple[int, int]:
        """Newest indexed block that the chain still has; what lies above it is undone.

        Raises:  IndexHalted if that would be below a final one.
        """
        with reading(self._engine) as connection:
            newest = chain_store.last_block(connection)
            block = chain_store.block_at_or_below(connection, head)
        if newest is None:
            return self._before, 0
        if block is None or self._stands(block):
            # A node that lags has no word on newer blocks: only a hash can contradict them.
            return newest.number, 0
        while block is not None and not self._stands(block):
            if block.number <= state.final_number:
                raise halted(
                    f"block {block.number} was final as 0x{block.block_hash.hex()[:16]}…, and the"
                    " chain has another one there: nothing was taken back"
                )
            with reading(self._engine) as connection:
                block = chain_store.block_at_or_below(connection, block.number - 1)
        common = max(self._before if block is None else block.number, state.final_number)
        with transaction(self._engine) as connection:
            chain_store.drop_above(connection, common)
            index_store.drop_logs_above(connection, common)
            if state.final_hash is not None and (block is None or block.number < common):
                time_s = self._client.block(common).time_s
                chain_store.append_range(connection, [], BlockRow(common, state.final_hash, time_s))
        _log.warning("a reorg took %d blocks back, to block %d", newest.number - common, common)
        return common, newest.number - common

    def _stands(self, block: BlockRow) -> bool:
        return self._client.block(block.number).hash == block.block_hash


def state_of(engine: Engine) -> IndexState | None:
    """How the index stands, for who only looks; None before it first did anything."""
    with reading(engine) as connection:
        return index_store.index_state_row(connection)
