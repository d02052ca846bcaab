"""An agent that signs, against the real service on a real chain: its receipts name each other."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from api.agent.failures import NotAdmitted
from api.agent.flights import Flight
from api.agent.receipts import kept_receipts
from api.agent.transport import Answered
from api.cli.commands import app as cli
from api.domain.log.entry import entry_hash
from api.domain.units import ZERO32
from tests.factories import DAY_S
from tests.integration.agent.signed import logged, made_key
from tests.integration.agent.signed_site import Agent, Site

pytestmark = pytest.mark.chain
AWAY = "http://127.0.0.1:1"


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


def test_agent__whose_key_is_brought__sends_and_its_statement_verifies(signed_site: Site) -> None:
    """Attesters recompute every signature; the statement rests on signed entries alone."""
    signed_site.bring()
    with signed_site.agent() as agent:
        agent.spool_uses(0, 1)
        assert agent.drain() is None
        agent.spool_uses(2)
        assert agent.drain() is None
        receipts = kept_receipts(agent.spool)

    assert signed_site.entries() == [["0/0", "0/1"], ["0/2"]]
    newest = logged(signed_site.world.engine, signed_site.world.facility_id)[-2:]
    assert [r.entry for r in receipts[-2:]] == [e.entry for e in newest]
    assert newest[1].request is not None
    assert newest[1].request.after == entry_hash(newest[0].entry)
    signed_site.world.post(0)
    report = signed_site.world.verify()
    assert report.ok, report.findings


def test_agent__whose_key_is_not_brought__keeps_everything_until_it_is(signed_site: Site) -> None:
    with signed_site.agent() as agent:
        agent.spool_uses(0)
        failure = agent.drain()
        assert agent.spool.depth().refused == 0

        signed_site.bring()
        again = agent.drain()

    assert failure is not None
    assert "key_unknown" in failure
    assert again is None
    assert signed_site.entries() == [["0/0"]]


def test_agent__started_again__goes_on_behind_its_last_receipt(signed_site: Site) -> None:
    signed_site.bring()
    for hour in range(3):
        with signed_site.agent() as agent:
            agent.spool_uses(hour)
            assert agent.drain() is None

    assert signed_site.entries() == [["0/0"], ["0/1"], ["0/2"]]


def test_agent__whose_spool_is_lost__is_shown_the_receipt_and_goes_on(signed_site: Site) -> None:
    signed_site.bring()
    with signed_site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
    (signed_site.folder / "spool.db").unlink()

    with signed_site.agent() as agent:
        agent.spool_uses(0, 1)
        assert agent.drain() is None
        found = [r.entry.number for r in kept_receipts(agent.spool)]

    assert signed_site.entries() == [["0/0"], ["0/0", "0/1"]]
    assert signed_site.billed() == ["0/0", "0/1"]
    # The one that was lost, which the service showed, and the new one.
    assert len(found) == 2


@pytest.mark.parametrize("arrives", [False, True])
def test_agent__that_ends_in_mid_flight__has_the_same_entry_again(
    signed_site: Site, arrives: bool
) -> None:
    signed_site.bring()
    with signed_site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        agent.spool_uses(1)
        with _lost(agent, arrives=arrives):
            agent.drain()

    with signed_site.agent() as agent:
        agent.spool_uses(2)
        assert agent.drain() is None
        newest = kept_receipts(agent.spool)[-3:]

    assert signed_site.entries() == [["0/0"], ["0/1"], ["0/2"]]
    entries = logged(signed_site.world.engine, signed_site.world.facility_id)[-3:]
    assert [r.entry for r in newest] == [e.entry for e in entries]


@pytest.mark.parametrize("arrives", [False, True])
def test_key__rotated_while_a_body_is_under_way__loses_and_doubles_nothing(
    signed_site: Site, arrives: bool
) -> None:
    """The old key is ended first: the worst order that there is."""
    signed_site.bring()
    with signed_site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        agent.spool_uses(1)
        with _lost(agent, arrives=arrives):
            agent.drain()
        signed_site.end()
        agent.spool_uses(2)
        ended = agent.drain()
        assert agent.spool.depth().refused == 0

    made_key(signed_site.folder / "agent.key")
    with signed_site.agent() as agent:
        unknown = agent.drain()
        signed_site.bring()
        assert agent.drain() is None
        assert agent.spool.depth().waiting == 0

    assert ended is not None
    assert "was ended by entry" in ended
    assert unknown is not None
    assert "none of this log's" in unknown
    assert signed_site.billed() == ["0/0", "0/1", "0/2"]
    # What arrived before its key was ended has its receipt; the new key sends the rest.
    assert signed_site.entries() == [
        ["0/0"],
        *([["0/1"], ["0/2"]] if arrives else [["0/1", "0/2"]]),
    ]
    signed_site.world.post(0)
    report = signed_site.world.verify()
    assert report.ok, report.findings


def test_service__away_for_an_hour__gets_all_in_order(signed_site: Site) -> None:
    signed_site.bring()
    for minute in range(0, 60, 10):
        signed_site.world.at(DAY_S + minute * 60)
        with signed_site.agent(url=AWAY) as agent:
            agent.spool_uses(minute // 10)
            assert "no answer" in str(agent.drain())
    with signed_site.agent() as agent:
        assert agent.drain() is None

    assert signed_site.entries() == [[f"0/{hour}" for hour in range(6)]]


def test_log__whose_key_is_another_later__gets_nothing_more(signed_site: Site) -> None:
    """The service's log key was replaced, or somebody else answers in its place."""
    signed_site.bring()
    with signed_site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
    with signed_site.agent() as agent, agent.spool.write() as db:
        said = db.execute("SELECT said FROM logs").fetchone()[0]
        document = json.loads(said)
        document["log_key"] = signed_site.operator.text
        db.execute("UPDATE logs SET said = ?", (json.dumps(document).encode(),))
    with signed_site.agent() as agent:
        agent.spool_uses(1)
        failure = agent.drain()

        assert failure is not None
        assert "which does not lead to it" in failure
        assert agent.spool.depth().waiting == 1


def test_bearer_key__of_an_agent__still_sends_unsigned(signed_site: Site) -> None:
    (signed_site.folder / "api.key").write_text(signed_site.world.ledger.api_key)
    (signed_site.folder / "api.key").chmod(0o600)
    with signed_site.agent(more='api_key_file = "api.key"\n') as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        assert kept_receipts(agent.spool) == []

    newest = logged(signed_site.world.engine, signed_site.world.facility_id)[-1]
    assert newest.entry.author == ZERO32


def test_check__of_a_key__says_what_the_log_says_of_it(signed_site: Site) -> None:
    def keys() -> list[tuple[str, str]]:
        path = str(signed_site.write(signed_site.url))
        said = CliRunner().invoke(cli, ["agent", "check", "--settings", path, "--json"])
        return [(f["level"], f["message"]) for f in json.loads(said.stdout) if f["name"] == "key"]

    [(before, why)] = keys()
    signed_site.bring()
    [(after, _)] = keys()
    signed_site.end()
    [(ended, because)] = keys()

    assert (before, after, ended) == ("fail", "ok", "fail")
    assert "none of this log's" in why
    assert "was ended" in because
