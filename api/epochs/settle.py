"""Settle: what is attested, final and collected goes down the waterfall."""

from sqlalchemy import Engine, select

from api.chain import calldata
from api.chain.contracts import Contracts
from api.db import outbox as outbox_rows
from api.db.session import reading
from api.db.tables.facilities import facilities
from api.domain.statements.evidence_reader import terms_from_bytes
from api.domain.units import Epoch
from api.epochs.outbox import Intent


def settleable(engine: Engine, contracts: Contracts) -> list[Intent]:
    """Intents for every facility with money to settle, or with its last epochs to count."""
    lockbox, registry = contracts.rent_lockbox, contracts.statement_registry
    block = contracts.client.head().number
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
        if amount == 0 and not (counts_last and book.settled_epochs < final):
            continue
        with reading(engine) as connection:
            sequence = outbox_rows.settle_sequence(connection, facility_id, final)
        data = calldata.settle(facility_id)
        intents.append(Intent("settle", facility_id, Epoch(final), sequence, lockbox.address, data))
    return intents
