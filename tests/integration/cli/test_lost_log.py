"""A log that lost entries, and commands that give them back: ledger key, copies, giving up."""

from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.commands import app
from scripts.dev.stack import RENTER
from tests.copies import Copies
from tests.factories import HOUR_S
from tests.integration.cli.test_ledger_key import Desk, desk, named
from tests.world import wallet

__all__ = ["desk", "named"]
pytestmark = pytest.mark.chain


def _log(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["log", *arguments])
    assert result.exit_code == code, result.output
    return result


def _attester_key(desk: Desk) -> str:
    """Of an attester on the panel, as the service knows by what it indexed."""
    desk.world.indexer().advance()
    return desk.world.attesters.key_of(desk.world.bound(0).attester)


def _unsigned(desk: Desk, gpu: int) -> None:
    use = desk.world.ledger.usage(gpu, 0, HOUR_S)
    key = {"authorization": f"Bearer {desk.world.ledger.api_key}"}
    answer = desk.world.http.post("/v1/events", json=[use], headers=key)
    assert answer.json()["accepted"] == 1, answer.text


def test_log__that_lost_signed_and_unsigned_entries__has_all_again(
    named: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger key's by its receipts; what nobody signed by an attester's copy of the log."""
    monkeypatch.setenv("RENTROLL_ATTESTER_KEY", _attester_key(named))
    copies, facility = Copies(named.world, tmp_path), named.facility
    copy = tmp_path / "log.jsonl"
    named.signing("sign", facility, named.events(named.price(2, 2_000_000)))
    _log("copy", facility, "--out", str(copy))
    copies.make()
    _unsigned(named, 0)
    named.signing("sign", facility, named.events(named.price(3, 3_000_000), name="more.json"))
    assert "6 entries" in _log("copy", facility, "--out", str(copy)).output
    before = copies.entries()
    copies.restore()

    said = named.signing("give-back", facility, code=1).output
    behind = _log("status", facility, code=1).output
    refused = named.signing("sign", facility, named.events(named.price(4, 1)), code=1).output
    whole = _log("restore", facility, "--from", str(copy)).output

    assert "1 entries were given back; the log has 4" in said
    assert "[[5, 5]]" in said
    assert "It had 6" in behind
    assert "nothing new is written" in refused
    assert "give-back" in refused
    assert "6 entries" in whole
    assert copies.entries() == before
    assert "6 entries" in _log("status", facility).output


def test_log__whose_entry_nobody_has__goes_on_once_it_is_given_up(
    named: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies, facility = Copies(named.world, tmp_path), named.facility
    named.signing("sign", facility, named.events(named.price(2, 2_000_000)))
    copies.make()
    _unsigned(named, 0)
    named.signing("sign", facility, named.events(named.price(3, 3_000_000), name="more.json"))
    copies.restore()
    named.signing("give-back", facility, code=1)
    monkeypatch.setenv("DATABASE_URL", str(named.world.engine.url))

    asked = _log("give-up", facility, code=2).output
    _log("give-up", facility, "--yes")

    assert "repeat with --yes" in asked
    _unsigned(named, 1)
    assert "given up" in _log("status", facility).output


def test_copy__with_a_key_that_has_no_seat__says_so(
    named: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named.world.indexer().advance()
    stranger = wallet(RENTER).address
    monkeypatch.setenv("RENTROLL_ATTESTER_KEY", named.world.attesters.key_of(stranger))
    copy = tmp_path / "log.jsonl"

    said = _log("copy", named.facility, "--out", str(copy), code=1).output

    assert f"403 {stranger} has no seat on panel 1 of facility {named.facility}" in said
    assert not copy.exists()


def test_copy__of_a_log_that_is_another_now__is_not_added_to(
    named: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENTROLL_ATTESTER_KEY", _attester_key(named))
    copies, facility = Copies(named.world, tmp_path), named.facility
    copies.make()
    _unsigned(named, 0)
    copy = tmp_path / "log.jsonl"
    _log("copy", facility, "--out", str(copy))
    kept = copy.read_bytes()
    copies.restore()
    _unsigned(named, 1)
    _unsigned(named, 2)

    said = _log("copy", facility, "--out", str(copy), code=1).output

    assert "does not go on behind it" in said
    assert copy.read_bytes() == kept
