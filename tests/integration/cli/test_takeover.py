"""`rentroll takeover` as a person runs it."""

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.commands import app
from tests.integration.rescue.heir import Heir
from tests.integration.service import NO_CHAIN
from tests.world import World

pytestmark = pytest.mark.chain


@pytest.fixture
def heir(world: World, monkeypatch: pytest.MonkeyPatch) -> Heir:
    """A service that is lost, and the settings of its successor."""
    found, settings = Heir(world), world.settings()
    found.drill.live()
    found.pull(world.ledger)
    found.lose()
    monkeypatch.setenv("DATABASE_URL", settings.database_url)
    monkeypatch.setenv("RENTROLL_RPC_URL", world.chain.rpc_url)
    monkeypatch.setenv("RENTROLL_EVIDENCE_DIR", str(settings.evidence_dir))
    monkeypatch.setenv("RENTROLL_DEPLOYMENT_FILE", str(settings.deployment_file))
    return found


def _run(heir: Heir, *more: str, code: int = 0) -> Result:
    escrow = str(heir.folder(heir.world.ledger))
    arguments = ["takeover", escrow, "--evidence", str(heir.published), *more]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == code, result.output
    return result


def test_takeover__dry_run__says_what_can_be_taken_over_and_keeps_nothing(heir: Heir) -> None:
    document = json.loads(_run(heir, "--dry-run", "--json").stdout)
    said = _run(heir, "--dry-run").output

    (row,) = document["facilities"]
    assert (row["operator"], row["statements"], row["said"]) == ("op", 1, [])
    assert document["dry_run"] is True
    assert "1 statements to the same bytes" in said
    assert "nothing was kept" in said
    assert heir.is_empty()


def test_takeover__without_what_it_needs__says_what_to_bring(
    heir: Heir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENTROLL_RPC_URL", NO_CHAIN)
    assert _run(heir, code=3).stderr
    monkeypatch.setenv("RENTROLL_RPC_URL", heir.world.chain.rpc_url)
    monkeypatch.setenv("RENTROLL_DEPLOYMENT_FILE", str(tmp_path / "nowhere.json"))

    assert "there is no deployment record" in _run(heir, code=1).stderr
    assert heir.is_empty()


def test_takeover__of_all__says_what_does_not_come_back(heir: Heir) -> None:
    said = _run(heir).output

    assert "facility 1 (operator 1, op): 4 entries, 1 statements to the same bytes" in said
    assert "API keys and sessions" in said
    assert "rentroll worker" in said
    assert not heir.is_empty()
