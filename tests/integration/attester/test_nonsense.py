"""F11: a node or a service that talks nonsense is a line of the log, never an exit or a refusal."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.attester.running import run_attester
from api.attester.shelf import INDEX_FILE
from scripts.dev.stack import ATTESTER_ACCOUNTS
from tests.chain_faults import bad_gateway, error, null
from tests.chain_proxy import ANY, Ask, ChainProxy, Forward, Reply
from tests.factories import DAY_S, HOUR_S
from tests.integration.attester.site import Site, make_site, served
from tests.world import World

pytestmark = pytest.mark.chain
JUNK: list[Any] = [None, {}, [], "", "0x", "0xzz", "0x" + "ff" * 33, -1, True, {"a": 1}, [None]]
METHODS = ("eth_call", "eth_getBlockByNumber", "eth_getLogs")
ANSWERS = [
    (200, b'{"a":1}'),
    (200, b"[{"),
    (200, b'[{"facility_id":1,"epoch":0}]'),
    (200, b'[{"facility_id":1,"epoch":0,"statement_hash":"0xzz"}]'),
    (500, b"<html>no</html>"),
    (502, b""),
    (404, b"null"),
    (200, b"[[" * 9_000),
]


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    """An attester's site, beside a service with usage in its first epoch."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    with served(world) as url:
        yield make_site(world, tmp_path, url, ATTESTER_ACCOUNTS[0])


@contextmanager
def _running(site: Site) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The attester runs on; what it tells."""
    told: list[tuple[str, dict[str, Any]]] = []
    stop = threading.Event()

    def log(step: str, **fields: Any) -> None:
        told.append((step, fields))

    thread = threading.Thread(target=run_attester, args=(site.settings, stop), kwargs={"log": log})
    thread.start()
    try:
        yield told
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()


def _until(told: list[Any], step: str) -> None:
    deadline = time.monotonic() + 120
    while step not in {said for said, _ in told}:
        assert time.monotonic() < deadline, f"no {step!r} among {told}"
        time.sleep(0.02)


def _refusals(site: Site) -> list[str]:
    listed = json.loads((site.settings.refusals.folder / INDEX_FILE).read_text())
    return list(listed["refusals"])


@pytest.mark.parametrize("method", METHODS)
def test_node__answers_junk__is_told_and_nothing_is_signed_or_refused(
    site: Site, method: str
) -> None:
    """Each kind of junk in turn, from some call on: also in the middle of judging."""
    with ChainProxy(site.world.chain.rpc_url) as proxy:
        site.change(f'rpc_url = "{site.world.chain.rpc_url}"', f'rpc_url = "{proxy.url}"')
        site.change("poll_ms = 200", "poll_ms = 50")
        played: list[object] = []

        def junk(ask: Ask, forward: Forward) -> Reply:
            # Two of three are true, so that it comes further.
            played.append(None)
            count = len(played)
            return {"result": JUNK[count // 3 % len(JUNK)]} if count % 3 == 0 else forward(ask)

        with _running(site) as told:
            _until(told, "attester")
            proxy.on(method, junk)
            site.world.at_cut_off(0)
            site.world.round()
            waited = threading.Event()
            while len(played) < 9 * len(JUNK) and "signed" not in {step for step, _ in told}:
                waited.wait(0.02)
            proxy.clear()
            _until(told, "signed")

    assert proxy.faults["junk"]
    assert _refusals(site) == []
    assert [step for step, _ in told if step == "refused"] == []


def test_node__away_when_it_starts__is_waited_for(site: Site) -> None:
    """A machine that comes up before its node, or in the middle of a reorg."""
    site.world.at_cut_off(0)
    site.world.round()
    with ChainProxy(site.world.chain.rpc_url) as proxy:
        site.change(f'rpc_url = "{site.world.chain.rpc_url}"', f'rpc_url = "{proxy.url}"')
        site.change("poll_ms = 200", "poll_ms = 50")
        for fault in (bad_gateway, error(-32001, "Resource not found"), null):
            proxy.on(ANY, fault, times=8)

        with _running(site) as told:
            _until(told, "signed")

    assert "Resource not found" in str(told[:-1])
    assert _refusals(site) == []


def test_service__answers_junk__is_told_and_asked_again(site: Site) -> None:
    """Every answer that was found to end the process, and some more."""
    asked: list[str] = []

    class Far(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = ANSWERS[len(asked) % len(ANSWERS)]
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    far = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Far)
    threading.Thread(target=far.serve_forever, args=(0.05,), daemon=True).start()
    site.change(f'url = "{site.url}"', f'url = "http://127.0.0.1:{far.server_port}"')
    site.change("poll_ms = 200", "poll_ms = 50")
    try:
        with _running(site) as told:
            waited = threading.Event()
            while len([1 for _, fields in told if "error" in fields]) < 5:
                waited.wait(0.02)
    finally:
        far.shutdown()
        far.server_close()

    assert {step for step, _ in told} == {"attester"}
    assert _refusals(site) == []
