"""Making the index anew: from the logs that are kept, without asking a node, or from the chain."""

from collections.abc import Callable

from sqlalchemy import Engine

from api.chain.contracts import Contracts
from api.chain.events import events_of_logs
from api.db import index_store
from api.db.bulk import insert_many
from api.db.session import reading, transaction
from api.epochs.index import Indexer
from api.epochs.index_reading import to_log
from api.epochs.index_rows import event_row

# Logs that are decoded and stored at a time: some megabytes.
_PART = 5_000
# How much is done, and of how much.
OnProgress = Callable[[int, int], None]


def decode_again(engine: Engine, contracts: Contracts, on_progress: OnProgress) -> int:
    """Events of all kept logs, in place of those that were there; how many logs there are.

    One transaction: who reads meanwhile sees the old events. No node is asked.
    """
    done = 0
    with transaction(engine) as connection:
        total = index_store.count_logs(connection)
        index_store.drop_events(connection)
        for rows in index_store.logs_in_parts(connection, _PART):
            events = events_of_logs(contracts, [to_log(row) for row in rows])
            insert_many(connection, [event_row(event) for event in events])
            done += len(rows)
            on_progress(done, total)
    return done


def read_again(engine: Engine, indexer: Indexer, on_progress: OnProgress) -> int:
    """Forget everything and read the chain from the deployment on; the block that is reached.

    Raises:  ChainUnavailable, IndexHalted; what was read until then stays, and the worker goes on.
    """
    with transaction(engine) as connection:
        index_store.forget(connection)
    while True:
        before = _newest(engine)
        progress = indexer.advance(on_progress=on_progress)
        if not progress.behind or indexer.stopped:
            break
        if _newest(engine) == before:
            # The node is not so far, or did not answer as it should: its state says which.
            break
    if not progress.behind:
        indexer.look_again()
    return progress.indexed


def _newest(engine: Engine) -> int:
    with reading(engine) as connection:
        newest = index_store.newest_number(connection)
    return -1 if newest is None else newest
