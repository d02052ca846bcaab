"""The attester's process as those who run it see it: probes, metrics, systemd, and its nodes."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.attester.identity import KeptIdentity
from api.attester.settings import read_settings
from api.errors import Misconfigured
from api.local.settings_table import SettingsWrong
from scripts.dev.devchain import dev_chain
from scripts.dev.stack import ATTESTER_ACCOUNTS, RELAYER
from tests.chain_faults import cut
from tests.chain_proxy import ANY, Ask, ChainProxy, Forward, Reply
from tests.factories import DAY_S, HOUR_S
from tests.integration.attester.site import Site, make_site, served, spare_port
from tests.integration.telemetry.processes import LOCAL, process, status_of, until
from tests.world import World, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    """An attester's site, beside a service with one closed epoch."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.round()
    with served(world) as url:
        yield make_site(world, tmp_path, url, ATTESTER_ACCOUNTS[0])


class _Running:
    """A real process, its log, and where it is asked."""

    def __init__(self, log: Path, port: int) -> None:
        self._log, self.base = log, f"http://{LOCAL}:{port}"

    def epochs(self, step: str) -> list[object]:
        """Epochs of the lines of one step."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [line.get("epoch") for line in lines if line["step"] == step]

    def said(self) -> str:
        """All of its log."""
        return self._log.read_text()

    def problems(self) -> str:
        """What keeps it from working, as `/readyz` says it."""
        return "; ".join(httpx.get(f"{self.base}/readyz", timeout=5).json()["problems"])

    def number(self, name: str, *labels: str) -> float | None:
        """One number of its metrics."""
        text = httpx.get(f"{self.base}/metrics", timeout=5).text
        families = text_string_to_metric_families(text)
        found = {(s.name, *s.labels.values()): s.value for f in families for s in f.samples}
        return found.get((f"rentroll_{name}", *labels))


@contextmanager
def _run(site: Site, **settings: str) -> Iterator[_Running]:
    port, log = spare_port(), site.folder / "attester.log"
    if "[metrics]" not in site.file.read_text():
        site.file.write_text(site.file.read_text() + "[metrics]\nport = 0\n")
    text = site.file.read_text()
    head, _, _ = text.partition("[metrics]")
    site.file.write_text(f"{head}[metrics]\nport = {port}\n")
    with process(log, "attester", "run", "--settings", str(site.file), **settings) as started:
        yield _Running(log, port)
        assert started.poll() is None


def _next_epoch(world: World) -> None:
    world.ledger.ingest(world.ledger.usage(0, DAY_S, DAY_S + HOUR_S))
    world.at_cut_off(1)
    world.round()


def test_process__signing__is_alive_ready_and_counted(site: Site, tmp_path: Path) -> None:
    gas, facility = tmp_path / "gas.key", str(site.world.facility_id)
    gas.touch(mode=0o600)
    gas.write_text(wallet(RELAYER).key.hex())
    site.change("[refusals]\n", f'[refusals]\ngas_key_file = "{gas}"\n')

    with _run(site) as running:
        until(lambda: running.epochs("signed") == [0])
        # They are read every fifteen seconds, first before anything was signed.
        until(lambda: running.number("attester_memory_bytes") is not None)
        name = "attester_newest_signature_timestamp_seconds"
        until(lambda: running.number(name, facility) is not None)
        assert status_of(f"{running.base}/livez") == status_of(f"{running.base}/readyz") == 200
        assert (running.number("attester_memory_bytes") or 0) > 100
        assert running.number("attester_log_entries_unsigned", facility) == 0
        assert running.number("attester_unsigned_seconds", facility) is None
        assert running.number("attester_failing_steps") == 0
        assert running.number("rpc_up", f"1 ({LOCAL})") == 1
        balance = running.number("attester_balance_wei", wallet(RELAYER).address)

    assert (balance or 0) > 10**18


def test_process__by_systemd__says_that_it_works_and_lives(site: Site, tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        told: list[str] = []
        systemd = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "3000000"}

        with _run(site, **systemd):
            while told.count("WATCHDOG=1") < 3 or "READY=1" not in told:
                told += manager.recv(4_096).decode().split("\n")

    assert "STATUS=works" in told


def test_process__node_of_another_chain_behind_its_url__signs_nothing_and_says_why(
    site: Site,
) -> None:
    """While it runs, without a lost connection; and for a process that starts there."""
    world = site.world
    with ChainProxy(world.chain.rpc_url) as proxy, dev_chain(timestamp_s=1_000_000_000) as other:
        other.rpc("anvil_mine", hex(world.client.head().number + 50))
        site.change(f'rpc_url = "{world.chain.rpc_url}"', f'rpc_url = "{proxy.url}"')
        with _run(site) as running:
            until(lambda: running.epochs("signed") == [0])
            proxy.target = other.rpc_url
            _next_epoch(world)
            until(lambda: "has another chain: its block" in running.problems())
            assert status_of(f"{running.base}/livez") == 200
            assert running.epochs("signed") == [0]
        with _run(site) as again:
            until(lambda: status_of(f"{again.base}/readyz") == 503)
            until(lambda: "has another chain: its block" in again.problems())
            assert again.epochs("signed") == []
            assert "has another chain" in again.said()
            proxy.target = world.chain.rpc_url
            until(lambda: again.epochs("signed") == [1])
            until(lambda: status_of(f"{again.base}/readyz") == 200)


def test_process__node_of_a_chain_with_the_same_contracts__signs_nothing(site: Site) -> None:
    """All of its answers are as they should be, but for the block where the contracts began."""
    world = site.world
    with ChainProxy(world.chain.rpc_url) as proxy:
        site.change(f'rpc_url = "{world.chain.rpc_url}"', f'rpc_url = "{proxy.url}"')
        with _run(site) as running:
            until(lambda: running.epochs("signed") == [0])
            known = json.loads((site.folder / "attester-chain.json").read_text())

            def other(ask: Ask, forward: Forward) -> Reply:
                reply = forward(ask)
                return {"result": reply["result"] | {"hash": "0x" + "ab" * 32}}

            anchor = [hex(known["block"]), False]
            proxy.on("eth_getBlockByNumber", other, when=lambda ask: ask.params == anchor)
            _next_epoch(world)
            until(lambda: "has another chain" in running.problems())
            for _ in range(20):
                assert running.epochs("signed") == [0]
                time.sleep(0.1)
            proxy.clear()
            until(lambda: running.epochs("signed") == [0, 1])


def test_process__two_nodes__goes_on_by_the_other(site: Site) -> None:
    """The first breaks off, and then comes back as another chain's."""
    world = site.world
    with ChainProxy(world.chain.rpc_url) as proxy, dev_chain(timestamp_s=1_000_000_000) as other:
        other.rpc("anvil_mine", hex(world.client.head().number + 50))
        both = f'rpc_url = "{proxy.url}, {world.chain.rpc_url}"'
        site.change(f'rpc_url = "{world.chain.rpc_url}"', both)
        with _run(site) as running:
            until(lambda: running.epochs("signed") == [0])
            with proxy.during(ANY, cut):
                _next_epoch(world)
                until(lambda: running.epochs("signed") == [0, 1])
            proxy.target = other.rpc_url
            world.ledger.ingest(world.ledger.usage(0, 2 * DAY_S, 2 * DAY_S + HOUR_S))
            world.at_cut_off(2)
            world.round()
            until(lambda: running.epochs("signed") == [0, 1, 2])


def test_process__service_away__is_alive_and_not_ready(site: Site) -> None:
    site.change(f'url = "{site.url}"', f'url = "http://{LOCAL}:9"')

    with _run(site) as running:
        until(lambda: status_of(f"{running.base}/livez") == 200)
        until(lambda: "does not answer" in running.problems())

        assert status_of(f"{running.base}/readyz") == 503


def test_metrics__not_asked_for__are_nowhere(site: Site) -> None:
    assert site.settings.metrics.port == 0


def test_settings__several_nodes__are_read_in_their_order(site: Site) -> None:
    site.change("rpc_url = ", 'rpc_url = "https://a.example/, http://b.example" #')

    assert site.settings.chain.rpc_urls == ("https://a.example", "http://b.example")
    for wrong in ("https://a.example, b.example", ",", ""):
        site.change(next(line for line in site.file.read_text().splitlines() if "rpc_url" in line),
                    f'rpc_url = "{wrong}"')  # fmt: skip
        with pytest.raises(SettingsWrong, match="rpc_url"):
            read_settings(site.file)


def test_identity__damaged__is_said_and_of_another_registry_is_none(tmp_path: Path) -> None:
    file, registry = tmp_path / "chain.json", "0x" + "ab" * 20
    said = {"registry": registry, "chain_id": 5, "block": 7, "block_hash": "0x" + "01" * 32}
    file.write_text(json.dumps(said))
    known = KeptIdentity(file, registry.upper().replace("X", "x")).expected()
    other = KeptIdentity(file, "0x" + "cd" * 20).expected()

    assert known is not None
    assert (known.chain_id, known.anchor) == (5, (7, bytes([1]) * 32))
    assert other is None
    for damaged in ("", "{", "[]", '{"registry": 1}', json.dumps(said | {"block_hash": "0x01"})):
        file.write_text(damaged)
        with pytest.raises(Misconfigured, match="damaged"):
            KeptIdentity(file, registry)
