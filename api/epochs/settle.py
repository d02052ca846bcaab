"""Settle: what is attested, final and collected goes down the waterfall.

Dust waits: whoever pays a millionth again and again must not make the relayer pay each time. It
goes with more, or after the longest wait, or with the last epochs or the closing, which settle all.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from api.chain import calldata
from api.chain.answers import Block
from api.chain.contracts import Contracts
from api.chain.contracts.rent_lockbox import RentBook
from api.chain.packed import packed
from api.db import chain_store
from api.db import outbox as outbox_rows
from api.db.facilities import known_facility_row
from api.db.session import Connection, Engine, reading
from api.db.tables.chain import chain_events
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent
from api.epochs.queue import NOTHING, Look


@dataclass(frozen=True, slots=True)
class Dust:
    """Settlements below `least_micros` wait for more, `longest_s` at most."""

    least_micros: int = 0
    longest_s: int = 0


NO_DUST = Dust()


@dataclass(frozen=True, slots=True)
class _Read:
    """Epochs that are final, what a settlement would pay, and the book, by facility."""

    head: Block
    window_s: int
    books: Mapping[FacilityId, tuple[int, int, RentBook]]


class Settle:
    """The step, for every facility with money to settle, or with its last epochs to count."""

    name = "settle"

    def __init__(self, engine: Engine, contracts: Contracts, dust: Dust = NO_DUST) -> None:
        self._engine, self._contracts, self._dust = engine, contracts, dust

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> _Read:
        """What the contracts say of some facilities, in one request or two."""
        contracts = self._contracts
        lockbox, registry = contracts.rent_lockbox, contracts.statement_registry
        asked = contracts.all_of(
            [
                contracts.together(
                    registry.epochs_final(i), lockbox.settleable_micros(i), lockbox.book_of(i)
                )
                for i in facility_ids
            ]
        )
        window = registry.challenge_window_s()
        answers, window_s = packed(contracts.together(asked, window), block=head.number)
        return _Read(head, window_s, dict(zip(facility_ids, answers, strict=True)))

    def one(self, facility_id: FacilityId, read: _Read) -> Look:
        """The intent of one facility; if there is none, until when there cannot be one."""
        final, amount, book = read.books[facility_id]
        with reading(self._engine) as connection:
            final_s = chain_store.next_final_s(
                connection, facility_id, window_s=read.window_s, now_s=read.head.time_s
            )
            row = known_facility_row(connection, facility_id)
            sequence = outbox_rows.settle_sequence(connection, facility_id, final)
            since_s = _waits_since_s(connection, facility_id)
        all_final = final and final == terms_from_bytes(row.terms_json).epoch_count
        counts_last = all_final and book.settled_epochs < final
        if amount == 0 and not counts_last:
            return NOTHING if final_s is None else Look(from_block_s=final_s)
        if amount < self._dust.least_micros and not counts_last:
            # Without a payment in the index it waits until that has come so far.
            until_s = NOTHING.from_block_s if since_s is None else since_s + self._dust.longest_s
            if read.head.time_s < until_s:
                return Look(from_block_s=until_s if final_s is None else min(final_s, until_s))
        lockbox, data = self._contracts.rent_lockbox.address, calldata.settle(facility_id)
        return Look((Intent("settle", facility_id, Epoch(final), sequence, lockbox, data),))


def _waits_since_s(connection: Connection, facility_id: FacilityId) -> int | None:
    """When a facility was last settled, by the index, or else when its first rent came.

    Not when the oldest unsettled rent came: then each payment of dust could have a settlement of
    its own, a while later.
    """
    e = chain_events.c
    query = select(func.max(e.block_time_s)).where(e.facility_id == facility_id)
    settled = connection.execute(query.where(e.event == "Settled")).scalar()
    if settled is not None:
        return int(settled)
    first = select(func.min(e.block_time_s)).where(e.facility_id == facility_id)
    paid = connection.execute(first.where(e.event == "RentPaid")).scalar()
    return None if paid is None else int(paid)
