"""`rentroll log rotate-key` and `ledger-key log-key`: the log's key is followed by another."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli.commands import app
from api.domain.log.signers import shown_successors
from api.local.key_file import public_key, read_key_file
from tests.integration.cli.test_ledger_key import Desk, desk, named

__all__ = ["desk", "named"]
pytestmark = pytest.mark.chain


@pytest.fixture(autouse=True)
def _where_the_service_is(named: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = named.world.settings()
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("RENTROLL_RPC_URL", settings.rpc_url)
    monkeypatch.setenv("RENTROLL_EVIDENCE_DIR", str(settings.evidence_dir))
    monkeypatch.setenv("RENTROLL_CLOCK", "chain")


def _rotate(desk: Desk, *, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["log", "rotate-key", desk.facility])
    assert result.exit_code == code, result.output
    return result.output


def _files(desk: Desk) -> tuple[str, list[Path]]:
    folder = desk.world.folder
    key = public_key(read_key_file(folder / "log-key.pem"))
    return key, sorted(folder.glob("log-key-*.pem"))


def test_rotate_key__of_a_log__is_followed_by_the_ledger_key(named: Desk) -> None:
    """Its receipts hold over the change; the file of before stays beside the new one."""
    named.signing("sign", named.facility, named.events(named.price(2, 2_000_000)))
    before, _ = _files(named)

    said = _rotate(named)
    named.signing("sign", named.facility, named.events(named.price(3, 3_000_000), name="b.json"))

    now, [kept] = _files(named)
    assert f"names {now}: it signs receipts from here on" in said
    assert public_key(read_key_file(kept)) == before != now
    standing = named.world.http.get(f"/v1/facilities/{named.facility}/log").json()
    assert (standing["log_key"], standing["signs"]) == (before, now)
    assert len(shown_successors(standing)) == 1
    listed = named.run("list", named.facility).output
    assert f"{now}  log" in listed


def test_log_key__that_is_lost__is_named_by_the_ledger_key(named: Desk) -> None:
    """The key of the logs is gone before the ledger key has signed anything there."""
    (named.world.folder / "log-key.pem").unlink()
    said = _rotate(named, code=1)
    key, _ = _files(named)
    assert f"rentroll ledger-key log-key {named.facility} {key}" in " ".join(said.split())

    named.signing("log-key", named.facility, key)
    named.signing("sign", named.facility, named.events(named.price(2, 2_000_000)))

    assert named.world.http.get(f"/v1/facilities/{named.facility}/log").json()["signs"] == key


def test_log_key__that_is_not_lost__is_named_by_nobody_else(named: Desk) -> None:
    """ATTACKS: a stolen ledger key, and a key of its thief or the service's own."""
    own, _ = _files(named)
    thief = named.run("init", str(named.folder / "thief.key")).output.splitlines()[1][12:]

    refused = named.signing("log-key", named.facility, thief, code=1).output
    again = named.signing("log-key", named.facility, own, code=1).output

    assert "this service has not that key" in refused
    assert "names its successor by itself" in again
