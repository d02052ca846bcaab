"""Settle: what is attested, final and collected goes down the waterfall."""

from sqlalchemy import Engine, select

from api.chain import calldata
from api.chain.client import ChainClient
from api.chain.deployment import Deployment
from api.db import outbox as outbox_rows
from api.db.session import reading
from api.db.tables.ledger import facilities
from api.epochs.outbox import Intent
from api.ledger.judge import terms_from_bytes


def settleable(engine: Engine, client: ChainClient, deployment: Deployment) -> list[Intent]:
    """Intents for every facility with money to settle, or with its last epochs to count."""
    lockbox, registry = deployment.rent_lockbox, deployment.statement_registry
    block = client.block().number
    with reading(engine) as connection:
        rows = connection.execute(select(facilities.c.facility_id, facilities.c.terms_json)).all()
    intents = []
    for facility_id, document in rows:
        final = client.read("StatementRegistry", registry, "epochsFinal", facility_id, block=block)
        if final == 0:
            continue
        amount = client.read("RentLockbox", lockbox, "settleable", facility_id, block=block)
        book = client.read("RentLockbox", lockbox, "bookOf", facility_id, block=block)
        counts_last = final == terms_from_bytes(document).epoch_count and book[2] < final
        if amount == 0 and not counts_last:
            continue
        with reading(engine) as connection:
            sequence = outbox_rows.settle_sequence(connection, facility_id, final)
        data = calldata.settle(facility_id, final)
        intents.append(Intent("settle", facility_id, final, sequence, lockbox, data))
    return intents
