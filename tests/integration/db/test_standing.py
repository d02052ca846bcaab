"""What SQL says stands is what the judge says, in any history, on both databases."""

import random
from typing import Any

from sqlalchemy import Engine, delete, insert, select

from api.db.session import reading, transaction
from api.db.standing import progress_of, standing_posts, stands
from api.db.tables.chain import chain_events

FACILITY = 7
HISTORIES = 40


def _event(place: int, name: str, epoch: int, **values: Any) -> dict[str, Any]:
    # Two logs a block: their order inside a block counts too.
    return {
        "block_number": place // 2,
        "log_index": place % 2,
        "part": 0,
        "block_time_s": place,
        "tx_hash": bytes(32),
        "contract": "StatementRegistry",
        "event": name,
        "facility_id": FACILITY,
        "epoch": epoch,
        "extra": None,
        "statement_hash": None,
        "payload": "{}",
        **values,
    }


def _history(seed: int) -> list[dict[str, Any]]:
    """Postings in order, voided from some epoch on now and then, and posted again."""
    rng = random.Random(seed)
    posted, rows = 0, []
    for place in range(rng.randrange(1, 30)):
        if posted and rng.random() < 0.3:
            first = rng.randrange(posted)
            rows.append(_event(place, "StatementVoided", first, extra=posted))
            posted = first
        else:
            rows.append(_event(place, "StatementPosted", posted, statement_hash=rng.randbytes(32)))
            posted += 1
    return rows


def test_stands__random_histories__sql_and_replay_agree(engine: Engine) -> None:
    for seed in range(HISTORIES):
        with transaction(engine) as connection:
            connection.execute(delete(chain_events))
            connection.execute(insert(chain_events), _history(seed))

        with reading(engine) as connection:
            replayed = progress_of(connection, FACILITY)
            posts = standing_posts(connection, FACILITY)
            query = select(chain_events.c.epoch).where(stands(chain_events.c))
            epochs = sorted(connection.execute(query).scalars())

        hashes = {epoch: post.statement_hash for epoch, post in posts.items()}
        assert hashes == {e: post.statement_hash for e, post in replayed.standing.items()}
        assert epochs == sorted(hashes) == list(range(len(hashes)))
