"""Crash recovery: the database goes away, the process is killed, the process is told to stop."""

import random
import signal
import sqlite3
import time
from pathlib import Path

import psycopg
import pytest

from api.db.session import open_engine
from tests.chain_proxy import ChainProxy
from tests.chaos.postgres import Postgres
from tests.integration.reliability.following import (
    Following,
    assert_true,
    assert_whole,
    following,
    is_at_head,
    newest,
    pay_many,
    slow,
)
from tests.postgres import postgres_only
from tests.world import World

pytestmark = [pytest.mark.chain, pytest.mark.slow]

OUTAGE_S = 10
QUICK = {"RENTROLL_POLL_S": "0.1"}


def _slowly(proxy: ChainProxy) -> None:
    """So that the backfill takes some seconds: a node that takes a tenth of one for each query."""
    proxy.on("eth_getLogs", slow(0.1))


def _third(world: World) -> int:
    return world.client.head().number // 3


@pytest.mark.postgres
def test_database__restarts_in_the_backfill_and_at_the_head__is_indexed_on_once(
    world: World, proxy: ChainProxy, own_postgres: Postgres, tmp_path: Path
) -> None:
    """Nobody starts the process again: it goes on by itself, twice."""
    pay_many(world, 60)
    _slowly(proxy)
    engine = open_engine(own_postgres.url)
    try:
        with following(world, proxy.url, tmp_path, own_postgres.url, **QUICK) as index:
            index.until(lambda: newest_or_none(index, own_postgres) > _third(world))
            own_postgres.stop()
            time.sleep(OUTAGE_S)
            own_postgres.start()
            engine.dispose()
            stopped_at = newest(engine)
            assert stopped_at < world.client.head().number
            index.until(lambda: newest(engine) > stopped_at)
            proxy.clear()
            index.until(lambda: is_at_head(world, engine))
            assert_true(world, engine)

            world.pay(7_000)
            own_postgres.stop()
            world.pay(11_000)
            time.sleep(OUTAGE_S)
            own_postgres.start()
            engine.dispose()
            world.pay(13_000)
            index.until(lambda: is_at_head(world, engine))

            assert_true(world, engine)
            assert index.starts == 1
    finally:
        engine.dispose()


def newest_or_none(index: Following, server: Postgres) -> int:
    """The newest block by a connection that is not kept; -1 while there is no table yet."""
    with psycopg.connect(server.url.replace("+psycopg", "")) as connection:
        found = connection.execute("SELECT to_regclass('chain_blocks')").fetchone()
        if found is None or found[0] is None:
            return -1
        row = connection.execute("SELECT max(number) FROM chain_blocks").fetchone()
    assert index.alive
    return -1 if row is None or row[0] is None else int(row[0])


@pytest.mark.both_databases
def test_kill__at_any_moments_of_the_backfill__no_gap_nothing_twice_nothing_half(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Four kills; at once after each, before it is started again, what is stored is whole."""
    pay_many(world, 60)
    _slowly(proxy)
    dice, seen = random.Random(time.monotonic_ns()), list[int]()
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        for _ in range(4):
            before = newest(world.engine)
            index.until(lambda before=before: newest(world.engine) > before)  # type: ignore[misc]
            time.sleep(dice.random() / 5)
            index.kill()
            seen.append(newest(world.engine))
            assert_whole(world, world.engine)
            index.start()
        assert seen == sorted(seen)
        proxy.clear()
        index.until(lambda: is_at_head(world, world.engine))

    assert_true(world, world.engine)


@postgres_only
def test_kill__in_the_middle_of_a_commit__leaves_nothing_of_it(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Logs and events are written, the block is not: it waits for a lock that we hold."""
    pay_many(world, 20, together=10)
    url = world.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    with psycopg.connect(url) as holder:
        holder.execute("LOCK TABLE chain_blocks IN SHARE MODE")
        with following(world, proxy.url, tmp_path, **QUICK) as index:
            index.until(lambda: _waits_for_a_lock(url))
            index.kill()
            assert newest(world.engine) == -1
            assert_whole(world, world.engine)
            holder.rollback()
            index.start()
            index.until(lambda: is_at_head(world, world.engine))

    assert_true(world, world.engine)


def _waits_for_a_lock(url: str) -> bool:
    query = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'chain_blocks'::regclass"
    )
    with psycopg.connect(url) as connection:
        row = connection.execute(query).fetchone()
    return row is not None and row[0] > 0


def test_kill__while_another_writes__leaves_nothing_of_it(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """The same on SQLite, where there is one writer at a time."""
    pay_many(world, 20, together=10)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        index.until(lambda: proxy.count("eth_chainId") > 0)
        holder = sqlite3.connect(str(world.engine.url.database), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(0.5)
        index.kill()
        holder.execute("ROLLBACK")
        holder.close()
        assert_whole(world, world.engine)
        index.start()
        index.until(lambda: is_at_head(world, world.engine))

    assert_true(world, world.engine)


@pytest.mark.both_databases
def test_stop__in_the_backfill__ends_well_and_its_place_agrees_with_its_rows(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    pay_many(world, 40)
    _slowly(proxy)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        index.until(lambda: newest(world.engine) > _third(world))

        assert index.end(signal.SIGTERM) == 0

        assert newest(world.engine) < world.client.head().number
        assert_whole(world, world.engine)
        proxy.clear()
        index.start()
        index.until(lambda: is_at_head(world, world.engine))
    assert_true(world, world.engine)
