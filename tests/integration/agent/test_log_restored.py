"""A service whose database was restored from an older copy, and agents that give back its log."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from api.main import create_app
from api.routes.service import service_of
from tests.copies import Copies
from tests.integration.agent.signed import made_key
from tests.integration.agent.signed_site import Agent, Site
from tests.integration.service import serving
from tests.signing import Author, collector_of

pytestmark = pytest.mark.chain


class SiteCopies(Copies):
    """Copies of a site's database."""

    def __init__(self, site: Site, folder: Path) -> None:
        super().__init__(site.world, folder)
        self.site = site


@pytest.fixture
def copies(signed_site: Site, tmp_path: Path) -> SiteCopies:
    """A site whose agent's key is brought."""
    signed_site.bring()
    return SiteCopies(signed_site, tmp_path)


@contextmanager
def restored(site: Site) -> Iterator[str]:
    """Another process of the service, which begins with the database as it is; its URL."""
    app = create_app(site.world.settings())
    with serving(app) as port:
        yield f"http://127.0.0.1:{port}"
    service_of(app).engine.dispose()
    service_of(app).client.close()


def _send(agent: Agent, *hours: int) -> None:
    for hour in hours:
        agent.spool_uses(hour)
        assert agent.drain() is None


def test_agent__of_a_log_that_lost_entries__gives_them_back_and_goes_on(copies: SiteCopies) -> None:
    """The same bytes, seconds and hashes; what is new comes behind them."""
    site = copies.site
    with site.agent() as agent:
        _send(agent, 0)
        copies.make()
        _send(agent, 1, 2, 3)
    before = copies.entries()
    copies.restore()

    with restored(site) as url, site.agent(url=url) as agent:
        agent.spool_uses(4)
        assert agent.drain() is None
        assert agent.sender.state.given_back == 3

    assert copies.entries()[: len(before)] == before
    assert len(copies.entries()) == len(before) + 1
    assert site.entries() == [[f"0/{hour}"] for hour in range(5)]
    assert site.billed() == [f"0/{hour}" for hour in range(5)]


def test_agent__whose_key_the_log_lost_too__shows_how_far_it_has_to_come(
    copies: SiteCopies,
) -> None:
    """The key's entry is the ledger key's to give back; until then nothing new is written."""
    site = copies.site
    made_key(site.folder / "agent.key")
    copies.make()
    site.bring()
    with site.agent() as agent:
        _send(agent, 0)
    before = copies.entries()
    copies.restore()

    with restored(site) as url, site.agent(url=url) as agent:
        agent.spool_uses(1)
        said = agent.drain()

    number = len(before) - 1
    assert said is not None
    assert f"missing are {number} to {number}" in said
    assert copies.entries() == before[: number - 1]
    refused = site.operator.bring(Author(site.world))
    assert refused.status_code == 503, refused.text
    assert refused.json()["code"] == "log_behind"
    assert refused.json()["missing"] == [[number, number]]


def test_authors__of_a_log_that_lost_entries_of_both__fill_each_others_gaps(
    copies: SiteCopies,
) -> None:
    site = copies.site
    other = collector_of(site.operator, name="rack-2")
    with site.agent() as agent:
        copies.make()
        _send(agent, 0)
        assert other.taken(site.world.ledger.usage(1, 0, 3600, name="x")) == ["accepted"]
        _send(agent, 1)
    before = copies.entries()
    copies.restore()

    with restored(site) as url, site.agent(url=url) as agent:
        agent.spool_uses(2)
        waits = agent.drain()
        number = len(before) - 1
        assert waits is not None
        assert f"missing are {number} to {number}" in waits
        other.give_back(0)
        assert agent.drain() is None

    assert copies.entries()[: len(before)] == before
    assert site.billed() == ["0/0", "x", "0/1", "0/2"]


def test_epoch__closed_after_all_is_given_back__is_what_it_would_have_been(
    copies: SiteCopies,
) -> None:
    """And attesters, who saw more of the log before, sign it."""
    site = copies.site
    with site.agent() as agent:
        _send(agent, 0)
        copies.make()
        _send(agent, 1, 2)
    site.world.at_cut_off(0)
    site.world.round()
    first = site.world.statement(0)
    copies.restore()

    with restored(site) as url, site.agent(url=url) as agent:
        agent.spool_uses(3)
        assert agent.drain() is None
    site.world.post(0)

    assert site.world.statement(0) == first
    report = site.world.verify()
    assert report.ok, report.findings


def test_log__that_went_on_without_its_entries__is_shown_to_be_forked(copies: SiteCopies) -> None:
    """Nobody merges two entries of one number; both are public, each with a signature."""
    site = copies.site
    with site.agent() as agent:
        copies.make()
        _send(agent, 0)
    copies.restore()
    number = len(copies.entries()) + 1
    other = collector_of(site.operator, name="rack-2")
    assert other.taken(site.world.ledger.usage(1, 0, 3600)) == ["accepted"]

    with restored(site) as url, site.agent(url=url) as agent:
        agent.spool_uses(1)
        said = agent.drain()
        assert agent.spool.depth().waiting == 1

    assert said is not None
    assert "log_forked" in said
    public = site.world.http.get(f"/v1/facilities/{site.world.facility_id}/log").json()
    assert [fork["number"] for fork in public["forks"]] == [number]
    assert public["due"] == 0
    assert json.dumps(public["missing"]) == "[]"
