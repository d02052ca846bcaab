"""`rentroll ledger-key`: the operator's own key, against the real service on a real chain."""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.chain import calldata
from api.cli import ledger_key as at_work
from api.cli.commands import app
from api.domain.log.entry import encode_entry
from api.domain.log.receipts import receipt_document, receipt_from
from api.domain.log.requests import key_from
from api.domain.metering.instants import format_instant
from api.ledger.facilities import LogHome
from api.local.key_file import make_key_file, read_key_file
from api.main import create_app
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S, START_S
from tests.integration.agent.signed import log_of, logged
from tests.integration.service import serving
from tests.signing import Author, raw_key
from tests.world import World, send

pytestmark = pytest.mark.chain
Run = Callable[..., Result]


class Desk:
    """The operator's desk: its key's file, and the service over HTTP."""

    def __init__(self, world: World, folder: Path, url: str) -> None:
        self.world, self.folder, self.url = world, folder, url
        self.file = folder / "ledger.key"
        self.public = ""
        self.facility = str(world.facility_id)

    def run(self, *arguments: str, code: int = 0) -> Result:
        """`rentroll ledger-key`, with the operator's API key."""
        result = CliRunner().invoke(app, ["ledger-key", *arguments])
        assert result.exit_code == code, result.output
        return result

    def signing(self, *arguments: str, code: int = 0) -> Result:
        """A command that signs with the key's file."""
        return self.run(*arguments, "--ledger-key", str(self.file), code=code)

    def name(self) -> None:
        """The wallet sends what `name` prints; two blocks make that final."""
        call = json.loads(self.run("name", str(self.file), "--facility", self.facility).stdout)
        send(self.world.client, self.world.operator, call["to"], call["data"])
        self.world.client.request("anvil_mine", "0x3")

    def events(self, *events: Any, name: str = "events.json") -> str:
        """A file of events."""
        path = self.folder / name
        path.write_text(json.dumps(events))
        return str(path)

    def price(self, version: int, price: int) -> dict[str, Any]:
        """A new price of lease-a, from the second hour on."""
        at = format_instant(START_S + HOUR_S)
        prices = [
            {"from": format_instant(START_S), "price": 1_000_000},
            {"from": at, "price": price},
        ]
        return self.world.ledger.terms("lease-a", version, 0, prices=prices)

    def receipts(self) -> list[dict[str, str]]:
        """What the file of receipts has."""
        lines = self.file.with_name("ledger.key.receipts.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def desk(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A desk with a key that nobody named yet."""
    world.at(DAY_S)
    # The chain of the tests lives in another time than this machine.
    monkeypatch.setattr(at_work, "system_clock", world.clock)
    monkeypatch.setenv("RENTROLL_OPERATOR_KEY", world.ledger.api_key)
    application = create_app(world.settings())
    with serving(application) as port:
        url = f"http://127.0.0.1:{port}"
        monkeypatch.setenv("RENTROLL_API_URL", url)
        folder = tmp_path / "desk"
        folder.mkdir()
        made = Desk(world, folder, url)
        said = made.run("init", str(made.file)).output
        made.public = said.splitlines()[1].removeprefix("public key: ")
        yield made
    service_of(application).engine.dispose()
    service_of(application).client.close()


@pytest.fixture
def named(desk: Desk) -> Desk:
    """A desk whose key the operator's address names."""
    desk.name()
    return desk


def _key(folder: Path, name: str = "agent.key") -> str:
    return make_key_file(folder / name)


def test_init__in_a_new_file__makes_a_key_that_its_owner_alone_may_read(desk: Desk) -> None:
    again = desk.run("init", str(desk.file), code=2)

    assert desk.file.stat().st_mode & 0o777 == 0o600
    assert raw_key(read_key_file(desk.file)) == key_from(desk.public)
    assert "is there already" in again.stderr


def test_name__of_a_key__prints_the_wallets_transaction_and_sends_nothing(desk: Desk) -> None:
    before = desk.world.client.head().number

    call = json.loads(desk.run("name", str(desk.file), "--facility", desk.facility).stdout)

    assert call == {
        "to": calldata.checksum(desk.world.deployment.facility_registry),
        "data": calldata.call("FacilityRegistry", "setLedgerKey", key_from(desk.public)),
    }
    assert desk.world.client.head().number == before


@pytest.mark.parametrize(
    ("wrong", "code"), [(["--facility", "99"], 1), (["--api-url", "http://127.0.0.1:1"], 3)]
)
def test_name__where_there_is_no_log__says_so(desk: Desk, wrong: list[str], code: int) -> None:
    given = ["name", str(desk.file), "--facility", desk.facility, *wrong]

    assert "says no log of facility" in desk.run(*given, code=code).stderr


def test_sign__by_a_key_that_the_log_lacks__brings_it_first(named: Desk) -> None:
    named.signing("sign", named.facility, named.events(named.price(2, 3_000_000)))

    [key] = json.loads(named.run("list", named.facility, "--json").stdout)
    assert (key["key"], key["last_entry"]) == (named.public, key["entry"] + 1)


def test_bring__of_a_collectors_key__brings_the_ledger_key_first(named: Desk) -> None:
    agent = _key(named.folder)

    said = named.signing("bring", named.facility, agent, "rack-1").output
    second = named.signing("bring", named.facility, _key(named.folder, "b.key"), "rack-2").output

    log = log_of(named.world.engine, named.world.facility_id)
    newest = logged(named.world.engine, named.world.facility_id)[-3:]
    assert said == f"rack-1 signs from entry {newest[1].entry.number} of log {log} on\n"
    assert second == f"rack-2 signs from entry {newest[2].entry.number} of log {log} on\n"
    assert [receipt_from(r).entry for r in named.receipts()] == [e.entry for e in newest]
    keys = json.loads(named.run("list", named.facility, "--json").stdout)
    assert [(k["key"], k["role"], k["name"]) for k in keys][:2] == [
        (named.public, "ledger", "ledger key"),
        (agent, "collector", "rack-1"),
    ]


def test_bring__before_the_transaction_is_final__says_what_is_missing(desk: Desk) -> None:
    said = desk.signing("bring", desk.facility, _key(desk.folder), "rack-1", code=1)

    assert "setLedgerKey" in said.stderr
    assert "`rentroll ledger-key name`" in said.stderr
    assert desk.receipts() == []


def test_bring__of_a_key_that_begins_with_a_dash__is_no_option(named: Desk) -> None:
    key = "-" + "A" * 42

    named.signing("bring", named.facility, key, "rack-1")
    named.signing("end", named.facility, key)

    keys = json.loads(named.run("list", named.facility, "--json").stdout)
    assert keys[1]["key"] == key
    assert keys[1]["ended"] == keys[1]["entry"] + 1


@pytest.mark.parametrize("key", ["short", "A" * 42 + "B", "A" * 44])
def test_bring__of_what_is_no_key__is_wrong_usage(named: Desk, key: str) -> None:
    named.signing("bring", named.facility, key, "rack-1", code=2)


def test_end__of_a_key__stops_it_for_ever(named: Desk) -> None:
    agent = _key(named.folder)
    named.signing("bring", named.facility, agent, "rack-1")

    said = named.signing("end", named.facility, agent).output

    author = Author(named.world, read_key_file(named.folder / "agent.key"))
    assert author.send().json()["code"] == "key_unknown"
    assert said.startswith(f"{agent} is ended by entry ")
    listed = named.run("list", named.facility).stdout.splitlines()
    assert "ended by entry" in listed[1]
    assert "counts, last used 2026-01-02T" in listed[0]
    twice = named.signing("end", named.facility, agent, code=1)
    assert "none that counts" in twice.stderr
    again = named.signing("bring", named.facility, agent, "rack-1", code=1)
    assert "was one of this log's before" in again.stderr


def test_list__of_a_log_without_keys__says_that_nothing_is_signed(desk: Desk) -> None:
    assert desk.run("list", desk.facility).output == "no key: nothing of this log is signed\n"


def test_sign__of_a_price__is_an_entry_of_the_ledger_key_with_a_receipt(named: Desk) -> None:
    named.signing("bring", named.facility, _key(named.folder), "rack-1")
    price = named.price(2, 3_000_000)

    said = named.signing("sign", named.facility, named.events(price)).output
    again = json.loads(named.signing("sign", named.facility, named.events(price), "--json").stdout)

    entries = logged(named.world.engine, named.world.facility_id)
    first = entries[-2].entry
    assert said == f"{price['id']}  accepted\n"
    assert first.author == key_from(named.public)
    assert named.receipts()[-2]["entry"] == "0x" + encode_entry(first).hex()
    assert [r["status"] for r in again["results"]] == ["duplicate"]


def test_sign__of_an_event_that_is_rejected__says_why_and_exits_with_1(named: Desk) -> None:
    named.signing("bring", named.facility, _key(named.folder), "rack-1")
    wrong = named.world.ledger.usage(9, 0, HOUR_S)

    said = named.signing("sign", named.facility, named.events(wrong), code=1)

    assert f"{wrong['id']}  rejected: device_unknown, " in said.output
    # It is an entry all the same, and there is a receipt of it.
    newest = logged(named.world.engine, named.world.facility_id)[-1]
    assert receipt_from(named.receipts()[-1]).entry == newest.entry


@pytest.mark.parametrize("text", ["{", "[1,", '{"a": 1}\nno'])
def test_sign__of_a_file_that_holds_no_events__says_so(named: Desk, text: str) -> None:
    file = named.folder / "events.json"
    file.write_text(text)

    said = named.signing("sign", named.facility, str(file), code=1)

    assert "no JSON array" in said.stderr


def _sign_in_child(desk: Desk, number: int) -> None:
    event = desk.world.ledger.usage(number % 4, number * HOUR_S, (number + 1) * HOUR_S)
    file = desk.events({**event, "id": f"child-{number}"}, name=f"{number}.json")
    os._exit(0 if desk.signing("sign", desk.facility, file).exit_code == 0 else 1)


def test_sign__by_several_processes_at_once__loses_no_event(named: Desk) -> None:
    """They wait for each other: each request names the one before it."""
    named.signing("bring", named.facility, _key(named.folder), "rack-1")
    fork = multiprocessing.get_context("fork")
    children = [fork.Process(target=_sign_in_child, args=(named, i)) for i in range(4)]

    for child in children:
        child.start()
    for child in children:
        child.join(60)

    assert [child.exitcode for child in children] == [0] * 4
    entries = logged(named.world.engine, named.world.facility_id)[-4:]
    assert [receipt_from(r).entry for r in named.receipts()[-4:]] == [e.entry for e in entries]
    ids = {json.loads(e.body)[0]["id"] for e in entries}
    assert ids == {f"child-{i}" for i in range(4)}


def test_receipts__that_are_lost_or_cut__are_shown_again_by_the_service(named: Desk) -> None:
    named.signing("bring", named.facility, _key(named.folder), "rack-1")
    file = named.file.with_name("ledger.key.receipts.jsonl")
    for kept in (b"", file.read_bytes()[:-9]):
        file.write_bytes(kept)

        named.signing("sign", named.facility, named.events())

        # The newest that was lost is shown by the service, and gone on behind.
        newest = logged(named.world.engine, named.world.facility_id)[-2:]
        assert [receipt_from(r).entry for r in named.receipts()[-2:]] == [e.entry for e in newest]


def test_receipts__that_cannot_be_read__stop_everything(named: Desk) -> None:
    file = named.file.with_name("ledger.key.receipts.jsonl")
    file.write_text("nonsense\n")

    said = named.signing("bring", named.facility, _key(named.folder), "rack-1", code=1)

    assert f"{file} cannot be read" in said.stderr.replace("\n", "")


def test_receipt__of_a_log_with_another_key__stops_everything(named: Desk) -> None:
    """Somebody else answers in the service's place, or it lost its log key."""
    named.signing("bring", named.facility, _key(named.folder), "rack-1")
    file = named.file.with_name("ledger.key.receipts.jsonl")
    newest = receipt_document(receipt_from(named.receipts()[-1]))
    file.write_text(json.dumps({**newest, "signature": "0x" + "00" * 64}) + "\n")

    said = named.signing("sign", named.facility, named.events(), code=1)

    assert "the log's key did not sign it" in said.stderr


def test_log__that_gives_no_receipts__takes_no_signature(named: Desk) -> None:
    named.world.ledger.home = LogHome()
    facility = named.world.ledger.add_facility(range(20, 21))

    said = named.signing("sign", str(facility), named.events(), code=1)

    assert "gives no receipts" in said.stderr


def test_key_file__that_others_may_read__is_refused(named: Desk) -> None:
    named.file.chmod(0o644)

    said = named.signing("bring", named.facility, _key(named.folder), "rack-1", code=2)

    assert "others may read" in said.stderr
