"""An agent that signs, against the real service on a real chain: its receipts name each other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from api.agent.clock import AgentClock
from api.agent.events import NewEvent
from api.agent.failures import NotAdmitted
from api.agent.flights import Flight, Flights
from api.agent.receipts import kept_receipts
from api.agent.sender import Sender
from api.agent.settings import read_settings
from api.agent.spool import Spool, append
from api.agent.transport import Answered
from api.agent.wiring import make_signer, make_transport
from api.cli.commands import app as cli
from api.domain.log.answers import ACCEPTED
from api.domain.log.entry import EntryKind, entry_hash
from api.domain.log.logged import LoggedEntry, events_of
from api.domain.units import ZERO32
from api.local.key_file import read_key_file
from api.main import create_app
from api.routes.service import service_of
from tests.factories import DAY_S, HOUR_S
from tests.integration.agent.signed import logged, made_key
from tests.integration.service import serving
from tests.signing import Author, signing_operator
from tests.world import World

pytestmark = pytest.mark.chain
AWAY = "http://127.0.0.1:1"


class Site:
    """An agent's folder beside a world whose service answers on a port."""

    def __init__(self, world: World, application: FastAPI, url: str, folder: Path) -> None:
        folder.mkdir()
        self.world, self.application, self.url, self.folder = world, application, url, folder
        self.key = made_key(folder / "agent.key")
        self.operator = signing_operator(world)
        self.write(url)

    def write(self, url: str, more: str = "") -> Path:
        """The settings file."""
        path = self.folder / "agent.toml"
        path.write_text(
            f'[agent]\nname = "n1"\nspool = "spool.db"\n[service]\nurl = "{url}"\n'
            f"facility = {self.world.facility_id}\n{more}"
        )
        return path

    def bring(self) -> None:
        """The operator's ledger key brings the agent's key."""
        agent = Author(self.world, read_key_file(self.folder / "agent.key"))
        assert self.operator.bring(agent).status_code == 200

    def end(self) -> None:
        """The operator ends the agent's key."""
        agent = Author(self.world, read_key_file(self.folder / "agent.key"))
        assert self.operator.end(agent).status_code == 200

    @contextmanager
    def agent(self, url: str | None = None, more: str = "") -> Iterator["Agent"]:
        """An agent like a fresh process."""
        settings = read_settings(self.write(url or self.url, more))
        clock = AgentClock(self.world.clock)
        spool = Spool(settings.spool, most_mib=settings.spool_mib)
        signer = make_signer(settings, spool, clock)
        transport = make_transport(settings, signer)
        try:
            sender = Sender(Flights(spool), transport, signer, clock, chance=lambda: 0.5)
            yield Agent(self, spool, sender)
        finally:
            transport.close()
            spool.close()

    def entries(self) -> list[list[str]]:
        """Ids of the events of each entry that an agent signed, in the log's order."""
        return [[event["id"] for event in _events(entry)] for entry in self._signed()]

    def billed(self) -> list[str]:
        """Ids of all uses that the log took of agents."""
        return [
            event["id"]
            for entry in self._signed()
            for event, answer in zip(_events(entry), entry.answers, strict=True)
            if answer == ACCEPTED
        ]

    def _signed(self) -> list[LoggedEntry]:
        entries = logged(self.world.engine, self.world.facility_id)
        return [e for e in entries if e.entry.kind is EntryKind.BATCH and e.entry.author != ZERO32]


def _events(entry: LoggedEntry) -> list[dict[str, Any]]:
    return list(events_of(entry.body, entry.entry.author))  # type: ignore[arg-type]


class Agent:
    """A sender on the site's spool."""

    def __init__(self, site: Site, spool: Spool, sender: Sender) -> None:
        self.site, self.spool, self.sender = site, spool, sender

    def spool_uses(self, *hours: int, gpu: int = 0) -> None:
        """Uses of an hour each wait to be sent."""
        ledger, facility = self.site.world.ledger, self.site.world.facility_id
        new = []
        for hour in hours:
            event = ledger.usage(gpu, hour * HOUR_S, (hour + 1) * HOUR_S, name=f"{gpu}/{hour}")
            new.append(NewEvent(facility, "n1", event["id"], "", json.dumps(event).encode()))
        with self.spool.write() as db:
            assert append(db, new, now_s=self.site.world.clock()) == len(hours)

    def drain(self) -> str | None:
        """Send until it wants to wait; returns what fails then."""
        for _ in range(50):
            if self.sender.step():
                return self.sender.state.failure
        raise AssertionError("the sender never rests")


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[Site]:
    """A site whose agent's key is not brought yet."""
    world.at(DAY_S)
    application = create_app(world.settings())
    with serving(application) as port:
        yield Site(world, application, f"http://127.0.0.1:{port}", tmp_path / "agent")
    service_of(application).engine.dispose()
    service_of(application).client.close()


@contextmanager
def _lost(agent: Agent, *, arrives: bool) -> Iterator[None]:
    """Answers are lost on their way back, or requests on their way there."""
    transport = agent.sender._transport
    send = transport.send

    def lose(flight: Flight) -> Answered:
        if arrives:
            send(flight)
        raise NotAdmitted("lost")

    transport.send = lose  # type: ignore[method-assign]
    yield
    transport.send = send  # type: ignore[method-assign]


def test_agent__whose_key_is_brought__sends_and_its_statement_verifies(site: Site) -> None:
    """Attesters recompute every signature; the statement rests on signed entries alone."""
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0, 1)
        assert agent.drain() is None
        agent.spool_uses(2)
        assert agent.drain() is None
        receipts = kept_receipts(agent.spool)

    assert site.entries() == [["0/0", "0/1"], ["0/2"]]
    newest = logged(site.world.engine, site.world.facility_id)[-2:]
    assert [r.entry for r in receipts[-2:]] == [e.entry for e in newest]
    assert newest[1].request is not None
    assert newest[1].request.after == entry_hash(newest[0].entry)
    site.world.post(0)
    report = site.world.verify()
    assert report.ok, report.findings


def test_agent__whose_key_is_not_brought__keeps_everything_until_it_is(site: Site) -> None:
    with site.agent() as agent:
        agent.spool_uses(0)
        failure = agent.drain()
        assert agent.spool.depth().refused == 0

        site.bring()
        again = agent.drain()

    assert failure is not None
    assert "key_unknown" in failure
    assert again is None
    assert site.entries() == [["0/0"]]


def test_agent__started_again__goes_on_behind_its_last_receipt(site: Site) -> None:
    site.bring()
    for hour in range(3):
        with site.agent() as agent:
            agent.spool_uses(hour)
            assert agent.drain() is None

    assert site.entries() == [["0/0"], ["0/1"], ["0/2"]]


def test_agent__whose_spool_is_lost__is_shown_the_receipt_and_goes_on(site: Site) -> None:
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
    (site.folder / "spool.db").unlink()

    with site.agent() as agent:
        agent.spool_uses(0, 1)
        assert agent.drain() is None
        found = [r.entry.number for r in kept_receipts(agent.spool)]

    assert site.entries() == [["0/0"], ["0/0", "0/1"]]
    assert site.billed() == ["0/0", "0/1"]
    # The one that was lost, which the service showed, and the new one.
    assert len(found) == 2


@pytest.mark.parametrize("arrives", [False, True])
def test_agent__that_ends_in_mid_flight__has_the_same_entry_again(
    site: Site, arrives: bool
) -> None:
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        agent.spool_uses(1)
        with _lost(agent, arrives=arrives):
            agent.drain()

    with site.agent() as agent:
        agent.spool_uses(2)
        assert agent.drain() is None
        newest = kept_receipts(agent.spool)[-3:]

    assert site.entries() == [["0/0"], ["0/1"], ["0/2"]]
    entries = logged(site.world.engine, site.world.facility_id)[-3:]
    assert [r.entry for r in newest] == [e.entry for e in entries]


@pytest.mark.parametrize("arrives", [False, True])
def test_key__rotated_while_a_body_is_under_way__loses_and_doubles_nothing(
    site: Site, arrives: bool
) -> None:
    """The old key is ended first: the worst order that there is."""
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        agent.spool_uses(1)
        with _lost(agent, arrives=arrives):
            agent.drain()
        site.end()
        agent.spool_uses(2)
        ended = agent.drain()
        assert agent.spool.depth().refused == 0

    made_key(site.folder / "agent.key")
    with site.agent() as agent:
        unknown = agent.drain()
        site.bring()
        assert agent.drain() is None
        assert agent.spool.depth().waiting == 0

    assert ended is not None
    assert "was ended by entry" in ended
    assert unknown is not None
    assert "none of this log's" in unknown
    assert site.billed() == ["0/0", "0/1", "0/2"]
    # What arrived before its key was ended has its receipt; the new key sends the rest.
    assert site.entries() == [["0/0"], *([["0/1"], ["0/2"]] if arrives else [["0/1", "0/2"]])]
    site.world.post(0)
    report = site.world.verify()
    assert report.ok, report.findings


def test_service__away_for_an_hour__gets_all_in_order(site: Site) -> None:
    site.bring()
    for minute in range(0, 60, 10):
        site.world.at(DAY_S + minute * 60)
        with site.agent(url=AWAY) as agent:
            agent.spool_uses(minute // 10)
            assert "no answer" in str(agent.drain())
    with site.agent() as agent:
        assert agent.drain() is None

    assert site.entries() == [[f"0/{hour}" for hour in range(6)]]


def test_log__whose_key_is_another_later__gets_nothing_more(site: Site) -> None:
    """The service's log key was replaced, or somebody else answers in its place."""
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
    with site.agent() as agent, agent.spool.write() as db:
        said = db.execute("SELECT said FROM logs").fetchone()[0]
        document = json.loads(said)
        document["log_key"] = site.operator.text
        db.execute("UPDATE logs SET said = ?", (json.dumps(document).encode(),))
    with site.agent() as agent:
        agent.spool_uses(1)
        failure = agent.drain()

        assert failure is not None
        assert "the log's key did not sign it" in failure
        assert agent.spool.depth().waiting == 1


def test_bearer_key__of_an_agent__still_sends_unsigned(site: Site) -> None:
    (site.folder / "api.key").write_text(site.world.ledger.api_key)
    (site.folder / "api.key").chmod(0o600)
    with site.agent(more='api_key_file = "api.key"\n') as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        assert kept_receipts(agent.spool) == []

    newest = logged(site.world.engine, site.world.facility_id)[-1]
    assert newest.entry.author == ZERO32


def test_check__of_a_key__says_what_the_log_says_of_it(site: Site) -> None:
    def keys() -> list[tuple[str, str]]:
        path = str(site.write(site.url))
        said = CliRunner().invoke(cli, ["agent", "check", "--settings", path, "--json"])
        return [(f["level"], f["message"]) for f in json.loads(said.stdout) if f["name"] == "key"]

    [(before, why)] = keys()
    site.bring()
    [(after, _)] = keys()
    site.end()
    [(ended, because)] = keys()

    assert (before, after, ended) == ("fail", "ok", "fail")
    assert "none of this log's" in why
    assert "was ended" in because
