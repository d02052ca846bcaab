"""Legal values that have stopped indexers: stored as they are, or refused loudly."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode

from api.chain.calldata import call
from api.chain.emitted.args import read_payload, topic_of
from api.chain.emitted.rent_lockbox import RentPaid
from api.chain.emitted.tranche_token import TransferSingle
from api.db import chain_store
from api.db.chain_store import EventRow
from api.db.session import reading
from scripts.dev.stack import ATTESTER_ACCOUNTS
from tests import chain_faults
from tests.chain_proxy import ChainProxy
from tests.integration.reliability.following import (
    assert_true,
    assert_whole,
    following,
    is_at_head,
    logs_of,
    newest,
)
from tests.world import World, send, wallet

pytestmark = [pytest.mark.chain, pytest.mark.slow]

QUICK = {"RENTROLL_POLL_S": "0.1"}
MOST = 2**256 - 1
HIGH = 0xFFFFFFE2


def _set_url(world: World, raw: bytes) -> None:
    """An attester names any bytes as its URL."""
    selector = call("AttesterRegistry", "setUrl", "")[:10]
    data = selector + encode(["bytes"], [raw]).hex()
    account = wallet(ATTESTER_ACCOUNTS[0]).address
    send(world.client, account, world.deployment.attester_registry, data)


# What an attester names as its URL, and what the index shows of it.
TEXTS = {
    b"": "",
    b"https://a\0b.example": "https://a\0b.example",
    b"https://\xff\xfe.example": "https://\ufffd\ufffd.example",
    '\U0001f600\t\n"\\'.encode(): '\U0001f600\t\n"\\',
}


@pytest.mark.both_databases
def test_text__that_a_contract_takes__is_stored_and_nothing_waits_behind_it(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """Empty, with a NUL byte, no UTF-8, and with what JSON must escape."""
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        for raw in TEXTS:
            _set_url(world, raw)
        world.pay(7)
        index.until(lambda: is_at_head(world, world.engine))

    named = _named(world, "AttesterUrlSet")
    assert [json.loads(row.payload)["url"] for row in named] == list(TEXTS.values())
    assert_true(world, world.engine)


def _named(world: World, name: str) -> list[EventRow]:
    with reading(world.engine) as connection:
        return chain_store.events_named(connection, name)


def _in_logs(
    kind: type[Any], change: Callable[[dict[str, Any]], dict[str, Any]]
) -> chain_faults.Fault:
    """Logs of one kind altered, wherever the node gives them."""
    topic = "0x" + topic_of(kind).hex()
    return chain_faults.changed(
        lambda logs: [change(log) if log["topics"][0] == topic else log for log in logs]
    )


@pytest.mark.both_databases
def test_log_index__near_the_ceiling_of_32_bits__is_stored_as_it_is(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """As some providers number logs of their own making. A proxy gives them: no chain does."""
    world.pay(7)
    proxy.on("eth_getLogs", _in_logs(RentPaid, lambda log: log | {"logIndex": hex(HIGH)}))
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        world.pay(8)
        index.until(lambda: is_at_head(world, world.engine))
        assert index.alive

    assert [e.log_index for e in world.events("RentPaid")] == [HIGH, HIGH]
    assert [row[1] for row in logs_of(world.engine)].count(HIGH) == 2


def test_amount__of_256_bits__is_the_same_to_the_last(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    """No unit of ours reaches it: a proxy writes it into what the node says of a transfer."""
    word = f"{MOST:064x}"
    change = _in_logs(TransferSingle, lambda log: log | {"data": log["data"][:-64] + word})
    proxy.on("eth_getLogs", change)
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        world.pay(8)
        index.until(lambda: is_at_head(world, world.engine))
        assert index.alive

    moved = _named(world, "TransferSingle")
    assert moved
    assert {read_payload(TransferSingle, row.payload).value for row in moved} == {MOST}
    # Too big for the column that sums are made of: empty there, and never rounded.
    assert {row.amount for row in moved} == {None}


def test_blocks__five_hundred_without_a_log__are_passed(
    world: World, proxy: ChainProxy, tmp_path: Path
) -> None:
    with following(world, proxy.url, tmp_path, **QUICK) as index:
        index.until(lambda: is_at_head(world, world.engine))
        before = newest(world.engine)
        world.chain.rpc("anvil_mine", hex(500))
        world.pay(9)
        index.until(lambda: is_at_head(world, world.engine))

    assert newest(world.engine) > before + 500
    assert_whole(world, world.engine)
