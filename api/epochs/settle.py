"""Settle: what is attested, final and collected goes down the waterfall.

Dust waits: whoever pays a millionth again and again must not make the relayer pay each time. It
goes with more, or after the longest wait, or with the last epochs or the closing, which settle all.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, func, select

from api.chain import calldata
from api.chain.contracts import Contracts
from api.db import outbox as outbox_rows
from api.db.session import reading
from api.db.tables.chain import chain_events
from api.db.tables.facilities import facilities
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Epoch, FacilityId
from api.epochs.outbox import Intent


@dataclass(frozen=True, slots=True)
class Dust:
    """Settlements below `least_micros` wait for more, `longest_s` at most."""

    least_micros: int = 0
    longest_s: int = 0


NO_DUST = Dust()


def settleable(engine: Engine, contracts: Contracts, dust: Dust = NO_DUST) -> list[Intent]:
    """Intents for every facility with money to settle, or with its last epochs to count."""
    lockbox, registry = contracts.rent_lockbox, contracts.statement_registry
    head = contracts.client.head()
    block = head.number
    with reading(engine) as connection:
        rows = connection.execute(select(facilities.c.facility_id, facilities.c.terms_json)).all()
    intents = []
    for facility_id, document in rows:
        final = registry.epochs_final(facility_id).at(block=block)
        if final == 0:
            continue
        amount, book = contracts.together(
            lockbox.settleable_micros(facility_id), lockbox.book_of(facility_id)
        ).at(block=block)
        counts_last = final == terms_from_bytes(document).epoch_count
        last_to_count = counts_last and book.settled_epochs < final
        if amount == 0 and not last_to_count:
            continue
        with reading(engine) as connection:
            if amount < dust.least_micros and not last_to_count:
                since_s = _waits_since_s(connection, facility_id)
                # Without a payment in the index it waits until that has come so far.
                if since_s is None or head.time_s - since_s < dust.longest_s:
                    continue
            sequence = outbox_rows.settle_sequence(connection, facility_id, final)
        data = calldata.settle(facility_id)
        intents.append(Intent("settle", facility_id, Epoch(final), sequence, lockbox.address, data))
    return intents


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
