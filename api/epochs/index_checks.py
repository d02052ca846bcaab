"""Whether the index is whole: a second look at final blocks, and sums against the contracts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Engine, func, select

from api.chain.answers import Block, Log
from api.chain.contracts import Contracts
from api.chain.events import BlockTimes, events_of_logs
from api.chain.packed import packed
from api.chain.rpc import RpcError
from api.db import chain_store, index_store
from api.db import event_columns as e
from api.db.bulk import insert_many
from api.db.index_store import LogRow
from api.db.session import Connection, reading, transaction
from api.db.standing import progress_of
from api.domain.units import FacilityId
from api.epochs.index_reading import BlockLogs, log_row
from api.epochs.index_rows import event_row
from api.epochs.index_state import Station, halted
from api.errors import ChainUnavailable

# Blocks that became final since the last second look before there is another, and its most.
_LOOK_AFTER = 50
_LOOK_MOST = 500
# Blocks between two counts against the contracts.
_COUNT_EVERY = 300
_MISSING = "; run `rentroll reindex --from-chain`"
_log = logging.getLogger(__name__)


class Checks:
    """Second looks and counts. They cost, for each final block, one more query of logs in a long
    range, and its header where it was not read by itself; for each facility two view functions,
    eighty a request, every few hundred blocks.
    """

    def __init__(self, engine: Engine, contracts: Contracts, logs: BlockLogs) -> None:
        self._engine, self._contracts, self._logs = engine, contracts, logs
        self._client = contracts.client

    def run(self, station: Station) -> str | None:
        """One part of a second look, and a count when it is time; what does not add up.

        Raises:  IndexHalted where what was stored is not on the chain.
        """
        state = station.read()
        if state.final_number - state.looked_number >= _LOOK_AFTER:
            self._look(station)
        with reading(self._engine) as connection:
            newest = chain_store.last_block(connection)
        due = newest is not None and newest.number >= state.counted_number + _COUNT_EVERY
        if newest is not None and (due or state.miscounted is not None):
            self._count(station, newest.number)
        return station.read().miscounted

    def look_again(self, station: Station) -> None:
        """The second look at all that is final, and a count."""
        while station.read().looked_number < station.read().final_number:
            before = station.read().looked_number
            self._look(station)
            if station.read().looked_number == before:
                break
        with reading(self._engine) as connection:
            newest = chain_store.last_block(connection)
        if newest is not None:
            self._count(station, newest.number)

    def _look(self, station: Station) -> None:
        state = station.read()
        first = max(state.looked_number + 1, self._contracts.deployment.start_block)
        last = min(state.final_number, first + min(_LOOK_MOST, state.log_range) - 1)
        if first > last:
            return
        try:
            found = self._seen_again(first=first, last=last)
        except (ChainUnavailable, RpcError) as error:
            _log.warning("the second look at blocks %d to %d: %s", first, last, error.message)
            return
        with reading(self._engine) as connection:
            kept = index_store.logs_between(connection, first, last)
        times = BlockTimes(self._client)
        seen = [log_row(log, times.of(log)) for log in found]
        if seen != kept:
            self._differ(found, seen=seen, kept=kept)
        station.change(looked_number=last)

    def _differ(
        self, found: Sequence[Log], *, seen: Sequence[LogRow], kept: Sequence[LogRow]
    ) -> None:
        """Add what was left out before. Raises IndexHalted where what was stored is not true."""
        stored, rows = ({row.place: row for row in some} for some in (kept, seen))
        changed = [place for place, row in rows.items() if stored.get(place, row) != row]
        gone = sorted({place[0] for place in stored.keys() - rows.keys()})
        for number in gone:
            self._require_on_chain(number, [row for p, row in stored.items() if p[0] == number])
        if changed:
            raise halted(f"block {changed[0][0]} has other logs than those that were stored")
        missing = [log for log in found if (log.block_number, log.log_index) not in stored]
        if missing:
            self._add(missing, [rows[log.block_number, log.log_index] for log in missing])

    def _seen_again(self, *, first: int, last: int) -> list[Log]:
        """Logs of a range by another provider, and by headers of blocks that were not read alone.

        Raises:  ChainUnavailable, RpcError.
        """
        _end, logs = self._logs.of_range(first, last, again=True)
        with reading(self._engine) as connection:
            alone = index_store.block_numbers(connection, first, last)
        numbers = [number for number in range(first, last + 1) if number not in alone]
        by_block: dict[int, list[Log]] = {}
        for log in logs:
            by_block.setdefault(log.block_number, []).append(log)
        for block in self._client.blocks(numbers):
            if self._logs.claims_more(block, by_block.get(block.number, [])):
                by_block[block.number] = self._true(block)
        return [log for number in sorted(by_block) for log in by_block[number]]

    def _true(self, block: Block) -> list[Log]:
        return self._logs.by_receipts(block)

    def _require_on_chain(self, number: int, stored: Sequence[LogRow]) -> None:
        """That logs which a second look lacks are on the chain. Raises IndexHalted."""
        try:
            true = self._logs.by_receipts(self._client.block(number))
        except (ChainUnavailable, RpcError) as error:
            _log.warning("whether block %d has its logs: %s", number, error.message)
            return
        places = {(log.block_number, log.log_index) for log in true}
        if any(row.place not in places for row in stored):
            raise halted(f"block {number} has not the logs that were stored")

    def _add(self, logs: Sequence[Log], rows: Sequence[LogRow]) -> None:
        """Store what was left out before."""
        events = [event_row(event) for event in events_of_logs(self._contracts, logs)]
        with transaction(self._engine) as connection:
            index_store.insert_logs(connection, rows)
            insert_many(connection, events)
        blocks = sorted({row.block_number for row in rows})
        _log.warning(
            "the node had left out %d logs of blocks %s: they are added", len(rows), blocks[:10]
        )

    def _count(self, station: Station, number: int) -> None:
        """Compare sums of the index with what the contracts say at its newest block."""
        with reading(self._engine) as connection:
            ids = _offered(connection)
            counted = [_sums(connection, facility_id, number) for facility_id in ids]
        registry, lockbox = self._contracts.statement_registry, self._contracts.rent_lockbox
        together = self._contracts.together
        calls = [together(registry.epochs_posted(i), lockbox.book_of(i)) for i in ids]
        try:
            said = packed(self._contracts.all_of(calls), block=number)
        except (ChainUnavailable, RpcError) as error:
            _log.warning("counting at block %d: %s", number, error.message)
            return
        wrong = [
            f"facility {facility_id}: {name} is {told} at block {number}, the index has {has}"
            for facility_id, (posted, book), sums in zip(ids, said, counted, strict=True)
            for name, told, has in (
                ("number of statements", posted, sums.posted(posted)),
                ("rent collected, micros", book.collected_micros, sums.collected),
                ("rent settled, micros", book.settled_micros, sums.settled),
            )
            if has is not None and told != has
        ]
        first = f"{wrong[0]}{_MISSING}" if wrong else None
        station.change(counted_number=number, miscounted=first)


def _offered(connection: Connection) -> list[FacilityId]:
    query = select(e.facility_id).where(e.event == "FacilityOffered", e.facility_id.is_not(None))
    return sorted(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the index says of a facility. settled: None once it is closed: the bond pays, too."""

    standing: int
    collected: int
    settled: int | None

    def posted(self, told: int) -> int:
        """Statements of epochs; the contract does not count the closing one among them."""
        return told if self.standing == told + 1 else self.standing


def _sums(connection: Connection, facility_id: FacilityId, number: int) -> _Sums:
    """What the index says of a facility up to a block."""
    query = select(e.event, func.sum(e.all_columns.amount)).where(
        e.facility_id == facility_id,
        e.event.in_(("RentPaid", "RentRefunded", "Settled")),
        e.block_number <= number,
    )
    rows = connection.execute(query.group_by(e.event)).all()
    money = {event: int(amount or 0) for event, amount in rows}
    closed = chain_store.is_closed(connection, facility_id)
    return _Sums(
        standing=progress_of(connection, facility_id).posted,
        collected=money.get("RentPaid", 0) - money.get("RentRefunded", 0),
        settled=None if closed else money.get("Settled", 0),
    )
