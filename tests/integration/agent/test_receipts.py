"""`rentroll agent receipts`: receipts as documents, and held to the log that is published."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.agent.receipts import kept_receipts
from api.agent.spool import Spool
from api.cli.commands import app
from api.domain.log.entry import entry_hash
from api.domain.log.receipts import Receipt, pack_receipt, receipt_from
from api.domain.log.signers import receipt_bytes
from api.domain.statements.evidence import BATCHES_FILE, FACILITY_FILE
from api.local.key_file import load_or_make_key
from api.verify.receipt_files import read_receipts
from tests.factories import DAY_S, HOUR_S
from tests.integration.agent.signed import log_of, logged
from tests.integration.agent.signed_site import Site

pytestmark = pytest.mark.chain


def _receipts(site: Site, *arguments: str) -> Result:
    settings = str(site.write(site.url))
    return CliRunner().invoke(app, ["agent", "receipts", "--settings", settings, *arguments])


def _check(site: Site) -> tuple[int, dict[str, Any]]:
    result = _receipts(site, "--check", "--json")
    return result.exit_code, json.loads(result.stdout)


@pytest.fixture
def told(signed_site: Site) -> Site:
    """A site with two entries before the cut-off of the first epoch."""
    signed_site.bring()
    with signed_site.agent() as agent:
        for hour in range(2):
            agent.spool_uses(hour)
            assert agent.drain() is None
    return signed_site


def _send_more(site: Site, hour: int) -> None:
    with site.agent() as agent:
        agent.spool_uses(hour)
        assert agent.drain() is None


def test_receipts__written_out__are_what_the_service_answered(told: Site, tmp_path: Path) -> None:
    out = tmp_path / "out" / "receipts"

    result = _receipts(told, "--out", str(out))
    listed = _receipts(told)

    assert result.output == f"3 receipts in {out}\n"
    files = [json.loads(file.read_bytes()) for file in sorted(out.iterdir())]
    read = [receipt_from(document) for document in files]
    entries = logged(told.world.engine, told.world.facility_id)
    assert [r.entry for r in read] == [e.entry for e in entries[-3:]]
    assert json.loads(_receipts(told, "--json").stdout) == files
    assert len(listed.stdout.splitlines()) == 3
    assert f"log {log_of(told.world.engine, told.world.facility_id)}" in listed.stdout


def test_receipts__written_out__are_what_verify_reads(told: Site, tmp_path: Path) -> None:
    """Those of an agent and of a ledger key, by chain and evidence alone."""
    told.world.post(0)
    _receipts(told, "--out", str(tmp_path / "out"))

    report = told.world.verify(receipts=read_receipts(tmp_path / "out"))

    assert report.ok, report.findings

    _forge(told, lambda r: replace(r, entry=replace(r.entry, recorded_at_s=7)))
    _receipts(told, "--out", str(tmp_path / "forged"))
    forged = read_receipts(tmp_path / "forged")
    report = told.world.verify(receipts=forged)
    assert not report.ok, report


def test_receipts__of_an_epoch_that_is_not_stated__wait(told: Site) -> None:
    code, said = _check(told)

    assert (code, said["found"], said["waiting"], said["findings"]) == (0, 0, 3, [])
    assert "wait for the next" in _receipts(told, "--check").stdout


def test_receipts__of_a_log_that_has_them__are_found(told: Site) -> None:
    told.world.post(0)
    told.world.at(2 * DAY_S)
    _send_more(told, 30)

    code, said = _check(told)

    assert (code, said["found"], said["waiting"]) == (0, 3, 1)
    assert "3 receipts are in the published log" in _receipts(told, "--check").stdout


def _forge(site: Site, change: Callable[[Receipt], Receipt]) -> None:
    """The newest receipt is another one: what the agent has after the service rewrote its log."""
    spool = Spool(site.folder / "spool.db", most_mib=64)
    forged = change(kept_receipts(spool)[-1])
    key = load_or_make_key(site.world.folder / "log-key.pem")
    forged = replace(forged, signature=key.sign(receipt_bytes(forged.entry)))
    with spool.write() as db:
        db.execute("UPDATE ends SET receipt = ?", (pack_receipt(forged),))
    spool.close()


def test_receipt__that_differs_from_the_published_entry__is_found(told: Site) -> None:
    told.world.post(0)
    _forge(told, lambda r: replace(r, entry=replace(r.entry, recorded_at_s=7)))

    code, said = _check(told)

    [finding] = said["findings"]
    newest = logged(told.world.engine, told.world.facility_id)[-1].entry
    assert code == 1
    assert finding["name"] == f"entry {newest.number} of log {newest.log}"
    assert entry_hash(newest).hex() in finding["message"]
    assert "two logs" in finding["message"]


@pytest.mark.parametrize(("recorded_s", "word"), [(0, "leave it out"), (3 * DAY_S, "was cut")])
def test_receipt__that_the_log_does_not_have__is_found(
    told: Site, recorded_s: int, word: str
) -> None:
    """Left out of statements that are published, or of a log that is shorter than the receipt."""
    told.world.post(0)
    told.world.post(1)
    began_s = told.world.clock() - 2 * DAY_S - HOUR_S
    _forge(
        told,
        lambda r: replace(r, entry=replace(r.entry, number=99, recorded_at_s=began_s + recorded_s)),
    )

    code, said = _check(told)

    [finding] = said["findings"]
    assert code == 1
    assert "entry 99 of" in finding["name"]
    assert word in finding["message"]


def test_receipt__of_the_second_of_the_last_published_entry__is_left_out_at_once(
    told: Site,
) -> None:
    """A cut parts no second: the statement has the one, and not the other."""
    told.world.post(0)
    _forge(told, lambda r: replace(r, entry=replace(r.entry, number=99)))

    code, said = _check(told)

    assert (code, len(said["findings"])) == (1, 1)
    assert "leave it out" in said["findings"][0]["message"]


def test_evidence__that_is_no_log__is_found(told: Site) -> None:
    told.world.post(0)
    root = told.world.evidence.root / f"facility-{told.world.facility_id}"
    published = root / "epoch-00000" / BATCHES_FILE
    lines = published.read_bytes().splitlines(keepends=True)
    published.write_bytes(b"".join(lines[1:]))

    code, said = _check(told)

    assert code == 1
    assert "line 1" in said["findings"][0]["message"]

    (root / FACILITY_FILE).unlink()
    code, said = _check(told)
    assert code == 1
    assert "shows nothing of facility" in said["findings"][0]["message"]


def test_receipts__in_two_ways_at_once__are_wrong_usage(told: Site, tmp_path: Path) -> None:
    assert _receipts(told, "--check", "--out", str(tmp_path)).exit_code == 2


def test_receipts__into_a_folder_that_is_a_file__say_so(told: Site, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()

    result = _receipts(told, "--out", str(file / "below"))

    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_receipts__of_a_service_that_is_away__are_not_judged(told: Site) -> None:
    settings = str(told.write("http://127.0.0.1:1"))

    result = CliRunner().invoke(app, ["agent", "receipts", "--settings", settings, "--check"])

    assert result.exit_code == 1
    assert "no answer" in result.stderr
