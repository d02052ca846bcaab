"""Agents of a log whose key is followed by another."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.agent.receipts import kept_receipts
from api.cli.commands import app as cli
from api.cli.log_wiring import rotate_key
from api.domain.log.keys import successor_body
from api.domain.log.requests import key_text
from api.domain.units import Bytes32
from api.local.log_keys import LogKeyFiles
from api.verify.receipt_files import read_receipts
from tests.integration.agent.signed_site import Site

pytestmark = pytest.mark.chain


def test_agent__of_a_log_that_gets_another_key__goes_on_by_itself(
    signed_site: Site, tmp_path: Path
) -> None:
    """It follows from the key that it knew; what it keeps is proof of both."""
    site, out = signed_site, tmp_path / "receipts"
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        rotate_key(site.world.settings(), site.world.facility_id)
        agent.spool_uses(1)
        assert agent.drain() is None
    with site.agent() as agent:  # a process that knows of it from the spool alone
        agent.spool_uses(2)
        assert agent.drain() is None
        assert len(kept_receipts(agent.spool)) >= 3

    settings = str(site.write(site.url))
    done = CliRunner().invoke(cli, ["agent", "receipts", "--settings", settings, "--out", str(out)])

    assert done.exit_code == 0, done.output
    assert len(list(out.glob("*-keys.json"))) == 1
    site.world.post(0)
    report = site.world.verify(receipts=read_receipts(out))
    assert [f.sentence() for f in report.findings] == []


def test_agent__of_a_log_whose_key_was_lost__asks_for_a_persons_word(signed_site: Site) -> None:
    """It asks no chain who the operator's ledger key is."""
    site = signed_site
    site.bring()
    with site.agent() as agent:
        agent.spool_uses(0)
        assert agent.drain() is None
        (site.world.folder / "log-key.pem").unlink()
        new = Bytes32(LogKeyFiles(site.world.folder / "log-key.pem").public)
        body = successor_body(new)
        assert site.operator.post("/v1/log/successor", body, bearer=True).status_code == 200
        agent.spool_uses(1)
        failure = agent.drain()

    assert failure is not None
    assert f"names {key_text(new)} for the log" in failure
    with site.agent(more=f'log_key = "{key_text(new)}"\n') as agent:
        assert agent.drain() is None
    assert site.billed() == ["0/0", "0/1"]
    assert json.loads(site.world.http.get("/v1/facilities/1/log").content)["signs"] == key_text(new)
