"""`rentroll attester` as it is run: init, check, run, and moving its memory."""

import json
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete
from typer.testing import CliRunner

from api.attester import serving
from api.attester.running import run_attester
from api.attester.settings import KeystoreSettings, read_settings
from api.attester.shelf import RefusalShelf
from api.attester.wiring import open_attester
from api.chain import calldata
from api.cli.commands import app
from api.db.session import transaction
from api.db.tables.chain import chain_events
from api.errors import Misconfigured
from api.local.settings_table import SettingsWrong
from scripts.dev.stack import ATTESTER_ACCOUNTS, MINIMUM_BOND, RENTER
from tests.factories import DAY_S, HOUR_S
from tests.integration.attester.site import Site, logged, make_site, served, spare_port
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    """The first attester's site, beside a service with one closed epoch."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.at_cut_off(0)
    world.round()
    with served(world) as url:
        yield make_site(world, tmp_path, url, ATTESTER_ACCOUNTS[0])


def _bond(world: World, account: str) -> None:
    token, registry = world.deployment.settlement_token, world.deployment.attester_registry
    for to, data in (
        (token, calldata.call("SettlementToken", "mint", account, MINIMUM_BOND)),
        (token, calldata.call("SettlementToken", "approve", registry, MINIMUM_BOND)),
        (registry, calldata.call("AttesterRegistry", "depositBond", account, MINIMUM_BOND)),
    ):
        send(world.client, account, to, data)


# --- init ----------------------------------------------------------------------------------------


def test_init__empty_folder__makes_settings_and_keystore_for_the_owner_alone(
    tmp_path: Path,
) -> None:
    registry = "0x" + "Ab" * 20
    where = ["attester", "init", str(tmp_path / "site")]
    more = ["--url", "https://a.example", "--rpc", "https://n.example", "--registry", registry]

    result = CliRunner().invoke(app, [*where, *more])
    again = CliRunner().invoke(app, where)

    settings = read_settings(tmp_path / "site" / "attester.toml")
    assert result.exit_code == 0, result.output
    assert isinstance(settings.key, KeystoreSettings)
    assert settings.service.url == "https://a.example"
    assert settings.chain.rpc_urls == ("https://n.example",)
    assert settings.chain.registry.lower() == registry.lower()
    names = ["attester.json", "attester.password", "attester.toml"]
    found = sorted((tmp_path / "site").iterdir())
    assert [path.name for path in found] == names
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert (again.exit_code, "not written over" in again.stderr) == (2, True)
    address = next(line for line in result.stdout.splitlines() if line.startswith("address"))
    assert (
        json.loads((tmp_path / "site" / names[0]).read_text())["address"].lower() in address.lower()
    )


def test_init__without_key__makes_settings_alone(tmp_path: Path) -> None:
    CliRunner().invoke(app, ["attester", "init", str(tmp_path), "--no-key"])

    assert [path.name for path in tmp_path.iterdir()] == ["attester.toml"]


# --- check ---------------------------------------------------------------------------------------


def test_check__all_is_well__says_so_in_plain_words(site: Site) -> None:
    account = site.world.bound(0).attester

    found = site.findings()

    panel = site.world.now(
        site.world.contracts.facility_registry.epoch_terms_of(site.world.facility_id)  # type: ignore[arg-type]
    ).panel
    assert found["key"] == ("ok", f"it signs for {account}")
    assert found["service"] == ("ok", f"{site.url} answers; 1 statements are not signed yet")
    assert found["API key"][0] == found["node"][0] == found["contracts"][0] == "ok"
    assert found["seat"][1].startswith(f"panel {panel}, 2 of 3 sign: facilities")
    assert found["counts"] == ("ok", f"signatures of {account} count")
    shown = f"the service shows those of facilities {site.world.facility_id}"
    assert found["logs"] == ("ok", shown)
    assert "will be made" in found["memory"][1]
    assert found["refusals"][1] == "no URL on-chain: nobody finds them"
    assert site.command("check").exit_code == 0
    assert not site.settings.memory.exists()


def test_check__everything_is_wrong__says_what(site: Site, tmp_path: Path) -> None:
    site.change("simulated_time = true", "simulated_time = false")
    (tmp_path / "attester.api-key").write_text("rr_at_nobody")
    (tmp_path / "attester.key").write_text(wallet(RENTER).key.hex())

    found = site.findings()

    account = wallet(RENTER).address
    assert found["API key"][0] == found["clock"][0] == "fail"
    assert "seat" not in found
    assert found["counts"] == ("warn", f"{account} sits on no panel")
    assert site.command("check").exit_code == 1


def test_check__key_of_another_account__says_whose_it_is(site: Site, tmp_path: Path) -> None:
    other = site.world.bound(1).attester
    (tmp_path / "attester.api-key").write_text(site.world.attesters.key_of(other))

    found = site.findings()

    own = site.world.bound(0).attester
    assert found["API key"][0] == "fail"
    assert f"403 this API key speaks for {other}, not for {own}" in found["API key"][1]
    assert site.command("check").exit_code == 1


def test_check__no_seat__says_that_no_log_is_shown(site: Site, tmp_path: Path) -> None:
    """Both by the chain, and by the service where the chain would have it otherwise."""
    with transaction(site.world.engine) as connection:
        connection.execute(delete(chain_events).where(chain_events.c.event == "PanelSet"))
    behind = site.findings()["logs"]
    unseated = make_site(site.world, tmp_path, site.url, RENTER, name="unseated")

    found = unseated.findings()

    facility, account = site.world.facility_id, wallet(RENTER).address
    assert behind[0] == "warn"
    assert f"no seat on panel 1 of facility {facility}" in behind[1]
    assert found["API key"] == ("ok", "the service takes it for this account")
    assert found["logs"][1] == f"{account} sits on no facility's panel: the service shows it no log"


@pytest.mark.parametrize(
    ("old", "new", "name", "message"),
    [
        ("url = ", 'url = "http://127.0.0.1:9" #', "service", "does not answer"),
        ("rpc_url = ", 'rpc_url = "http://127.0.0.1:9" #', "node", "does not answer"),
        ("registry = ", f'registry = "0x{"ab" * 20}" #', "contracts", "no StatementRegistry"),
        ('kind = "raw"', 'kind = "raw" #', "key", "chmod 600"),
    ],
)
def test_check__one_thing_is_wrong__is_named(
    site: Site, tmp_path: Path, old: str, new: str, name: str, message: str
) -> None:
    site.change(f"\n{old}", f"\n{new}")
    if name == "key":
        (tmp_path / "attester.key").chmod(0o644)

    level, said = site.findings()[name]

    assert level == "fail"
    assert message in said


def test_check__memory_of_another_or_held__is_told(site: Site, tmp_path: Path) -> None:
    with open_attester(site.settings):
        held = site.findings()["memory"]
    free = site.findings()["memory"]
    other = make_site(site.world, tmp_path, site.url, ATTESTER_ACCOUNTS[1], name="other")
    other.change("other.jsonl", "attester.jsonl")

    assert (held[0], "a process holds it" in held[1]) == ("warn", True)
    assert (free[0], "nobody holds it" in free[1]) == ("ok", True)
    level, said = other.findings()["memory"]
    assert level == "fail"
    assert f"memory of {site.world.bound(0).attester}" in said


def test_check__url_on_chain__is_asked_for_its_list(site: Site) -> None:
    world, port = site.world, spare_port()
    account, registry = world.bound(0).attester, world.deployment.attester_registry
    site.change("port = 0", f"port = {port}")

    def set_url(url: str) -> None:
        send(world.client, account, registry, calldata.call("AttesterRegistry", "setUrl", url))

    found = {}
    for name, url in (("none", "gopher://x"), ("away", f"http://127.0.0.1:{port}/")):
        set_url(url)
        found[name] = site.findings()["refusals"]
    stop = threading.Event()
    thread = threading.Thread(
        target=run_attester, args=(site.settings, stop), kwargs={"log": lambda *_, **__: None}
    )
    thread.start()
    while found.get("there", ("", ""))[0] != "ok":
        found["there"] = site.findings()["refusals"]
        assert thread.is_alive()
    stop.set()
    thread.join()

    assert "no URL of the web" in found["none"][1]
    assert "does not answer" in found["away"][1]
    assert found["there"][1].endswith("shows them")


# --- run -----------------------------------------------------------------------------------------


def test_run__once__signs_and_says_so_by_its_exit_code(site: Site) -> None:
    first, second = site.command("run", "--once"), site.command("run", "--once")

    assert first.exit_code == 0, first.output
    signed = [line for line in logged(first) if line["step"] == "signed"]
    assert [(line["facility"], line["epoch"], line["level"]) for line in signed] == [
        (site.world.facility_id, 0, "info")
    ]
    assert (second.exit_code, logged(second)) == (0, [])
    assert list(site.world.signatures(0)) == [site.world.bound(0).attester]


def test_run__statement_does_not_hold__is_refused_once_and_served(site: Site) -> None:
    world, port = site.world, spare_port()
    lines = f"facility-{world.facility_id}/epoch-00000/lines.csv"
    world.evidence.replace(lines, world.evidence.read(lines) + b"x\n")
    site.change("port = 0", f"port = {port}")
    site.change("poll_ms = 200", "poll_ms = 50")
    stop, told = threading.Event(), []

    def log(step: str, **fields: Any) -> None:
        told.append((step, fields))

    thread = threading.Thread(target=run_attester, args=(site.settings, stop), kwargs={"log": log})
    thread.start()
    while not any(step == "refused" for step, _ in told):
        assert thread.is_alive(), told
    url = f"http://127.0.0.1:{port}"
    [name] = httpx.get(url).json()["refusals"]
    said = httpx.get(f"{url}/{name}").json()
    outside = [
        httpx.get(f"{url}/{path}").status_code
        for path in ("../attester.key", "%2e%2e/attester.key", f"{name}x", "attester.jsonl")
    ]
    head = httpx.head(f"{url}/index.json")
    posted = httpx.post(f"{url}/index.json").status_code
    stop.wait(0.5)
    stop.set()
    thread.join()

    assert said["statement_hash"].startswith("0x")
    assert said["code"] == "not_recomputed"
    assert outside == [404] * 4
    assert (head.status_code, head.content, posted) == (200, b"", 501)
    assert [step for step, _ in told].count("refused") == 1


def test_run__what_keeps_signatures_from_counting__is_told(site: Site, tmp_path: Path) -> None:
    stranger = make_site(site.world, tmp_path, site.url, RENTER, name="stranger")
    _bond(site.world, wallet(RENTER).address)

    told = [line["warning"] for line in logged(stranger.command("run", "--once"))]

    account = wallet(RENTER).address
    assert told == [
        f"{account} is no active member of the attester set",
        f"{account} sits on no panel",
    ]


def test_run__cannot_begin__says_why_by_its_exit_code(site: Site, tmp_path: Path) -> None:
    with (
        open_attester(site.settings),
        pytest.raises(Misconfigured, match="another process"),
        open_attester(site.settings),
    ):
        pass
    (tmp_path / "attester.key").chmod(0o640)
    readable = site.command("run", "--once")
    (tmp_path / "attester.key").chmod(0o600)
    site.change("rpc_url = ", 'rpc_url = "http://127.0.0.1:9" #')
    away = site.command("run", "--once")
    site.change("[attester]", "[attestor]")
    misspelt = site.command("run", "--once")

    assert (readable.exit_code, "chmod 600" in readable.stderr) == (2, True)
    assert (away.exit_code, "does not answer" in away.stderr) == (3, True)
    assert (misspelt.exit_code, "attestor: no such setting" in misspelt.stderr) == (2, True)


# --- moving --------------------------------------------------------------------------------------


def test_memory__exported_and_imported__goes_on_there_and_nowhere_else(
    site: Site, tmp_path: Path
) -> None:
    world = site.world
    site.command("run", "--once")
    there = make_site(world, tmp_path, site.url, ATTESTER_ACCOUNTS[0], name="there")
    moved = tmp_path / "moved"

    out = site.command("memory", "export", str(moved))
    into = there.command("memory", "import", str(moved))
    over = site.command("memory", "export", str(moved))
    stopped, checked = site.command("run", "--once"), site.findings()["memory"]
    world.ledger.ingest(world.ledger.usage(0, DAY_S, DAY_S + HOUR_S))
    world.at_cut_off(1)
    world.round()
    goes_on = there.command("run", "--once")

    assert out.exit_code == into.exit_code == goes_on.exit_code == 0, into.output
    assert f"facilities in the memory of {moved}: {world.facility_id}" in into.stdout
    assert (stopped.exit_code, "signs no more" in stopped.stderr) == (1, True)
    assert checked[0] == "fail"
    assert over.exit_code == 2
    assert stat.S_IMODE(moved.stat().st_mode) == 0o600
    assert [line["epoch"] for line in logged(goes_on) if line["step"] == "signed"] == [1]


def test_memory__two_that_signed_apart__are_joined_by_the_log_of_the_service(
    site: Site, tmp_path: Path
) -> None:
    """One signed over the log's first entry, the other over two: the service's log leads on."""
    world = site.world
    site.command("run", "--once")
    world.ledger.ingest(world.ledger.usage(0, DAY_S, DAY_S + HOUR_S))
    world.at_cut_off(1)
    world.round()
    apart = make_site(world, tmp_path, site.url, ATTESTER_ACCOUNTS[0], name="apart")
    apart.command("run", "--once")
    moved = tmp_path / "moved"
    apart.command("memory", "export", str(moved))

    joined = site.command("memory", "import", str(moved))

    assert joined.exit_code == 0, joined.output
    ends = [line for line in site.settings.memory.read_text().splitlines() if "log_size" in line]
    assert len(ends) == 2


def test_serving__connections_that_say_nothing__are_bounded_and_let_others_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving._Handler, "timeout", 0.3)
    RefusalShelf(tmp_path)
    port = spare_port()
    with serving.serving_refusals(tmp_path, host="127.0.0.1", port=port):
        silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        turned_away = [each for each in silent if _closed_at_once(each)]
        answer = httpx.get(f"http://127.0.0.1:{port}/index.json")
        for each in silent:
            each.close()
        with (
            pytest.raises(SettingsWrong, match="cannot be used"),
            serving.serving_refusals(tmp_path, host="127.0.0.1", port=port),
        ):
            pass

    assert len(turned_away) >= 40 - 32
    assert answer.json() == {"format": 1, "refusals": []}


def _closed_at_once(connection: socket.socket) -> bool:
    connection.settimeout(5)
    return connection.recv(1) == b""
