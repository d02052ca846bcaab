"""`rentroll takeover` is killed at each of its steps: nothing runs on a part, and it goes on."""

import os
import signal
import subprocess
import sys

import pytest

from tests.integration.rescue.drill import tree
from tests.integration.rescue.heir import Heir
from tests.integration.rescue.test_restore_killed import KILLED, ROOT
from tests.world import World

pytestmark = pytest.mark.chain
# In the order in which a takeover comes to them.
STEPS = [
    ("api.rescue.taking", "append_again", 2),
    ("api.rescue.restating", "close_one", 0),
    ("api.rescue.takeover", "put_database", 0),
    ("api.rescue.databases", "upgrade_within", 0),
    ("api.rescue.takeover", "put_rows", 12),
    ("api.rescue.takeover", "go_on_counting", 0),
]
OF_A_FILE = [
    ("api.rescue.databases", "_sync", 0),
    ("api.rescue.databases", "_put_in_place", 0),
]


def _command(heir: Heir, *start: str) -> subprocess.CompletedProcess[str]:
    world = heir.world
    settings = world.settings()
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "RENTROLL_RPC_URL": world.chain.rpc_url,
        "RENTROLL_EVIDENCE_DIR": str(settings.evidence_dir),
        "RENTROLL_DEPLOYMENT_FILE": str(settings.deployment_file),
    }
    more = (str(heir.folder(world.ledger)), "--evidence", str(heir.published))
    return subprocess.run(
        [sys.executable, *start, "takeover", *more],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.both_databases
def test_takeover__killed_at_each_step__goes_on_when_it_is_run_again(
    world: World, database_kind: str
) -> None:
    """ATTACKS 58"""
    heir = Heir(world)
    heir.drill.live()
    heir.pull(world.ledger)
    twin = heir.drill.undisturbed(1)
    published = tree(world.evidence.root)
    heir.lose()

    for room, name, calls in (*STEPS, *(OF_A_FILE if database_kind == "sqlite" else ())):
        killed = _command(heir, "-c", KILLED, room, name, str(calls))
        assert killed.returncode == -signal.SIGKILL, (name, killed.stderr)
        assert heir.database_is_empty(), name
    done = _command(heir, "-m", "api.cli.commands")

    assert done.returncode == 0, done.stderr
    assert "1 statements to the same bytes" in done.stdout
    assert "API keys and sessions" in done.stdout
    assert tree(world.evidence.root) == published
    heir.give_attesters_keys()
    world.post(1)
    assert tree(world.evidence.root) == twin
