"""`rentroll restore` is killed at each of its steps: nothing runs on a part, and it goes on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

from api.db.copying import is_empty
from api.db.session import open_engine, reading
from tests.integration.rescue.drill import Drill, tree
from tests.world import World

pytestmark = pytest.mark.chain
ROOT = Path(__file__).resolve().parents[3]

# The n-th call of a function is a process's last.
KILLED = """
import importlib, os, signal, sys
room, name, left = sys.argv[1], sys.argv[2], int(sys.argv[3])
module = importlib.import_module(room)
owner, _, attribute = name.rpartition(".")
owner = getattr(module, owner) if owner else module
real = getattr(owner, attribute)
def dying(*a, **k):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*a, **k)
setattr(owner, attribute, dying)
from api.cli.commands import app
app(sys.argv[4:])
"""
# In the order in which a restore comes to them.
STEPS = [
    ("api.rescue.restore", "EvidenceFolder.write", 0),
    ("api.rescue.restore", "EvidenceFolder.write", 7),
    ("api.rescue.databases", "upgrade_within", 0),
    ("api.rescue.restore", "put_rows", 12),
    ("api.rescue.restore", "go_on_counting", 0),
]
OF_A_FILE = [
    ("api.rescue.databases", "_sync", 0),
    ("api.rescue.databases", "_put_in_place", 0),
]


def _command(drill: Drill, *start: str, replace: bool) -> subprocess.CompletedProcess[str]:
    settings = drill.world.settings()
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "RENTROLL_RPC_URL": drill.world.chain.rpc_url,
        "RENTROLL_EVIDENCE_DIR": str(settings.evidence_dir),
        "RENTROLL_DEPLOYMENT_FILE": str(settings.deployment_file),
    }
    more = ["--replace"] if replace else []
    return subprocess.run(
        [sys.executable, *start, "restore", str(drill.folder), *more],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _is_empty(drill: Drill) -> bool:
    url = make_url(drill.world.engine.url)
    if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
        return True
    engine = open_engine(url.render_as_string(hide_password=False))
    with reading(engine) as connection:
        empty = is_empty(connection)
    engine.dispose()
    return empty


@pytest.mark.both_databases
def test_restore__killed_at_each_step__goes_on_when_it_is_run_again(
    world: World, database_kind: str
) -> None:
    """ATTACKS 58"""
    drill = Drill(world)
    drill.live()
    drill.backup()
    twin = drill.undisturbed(1)
    published = tree(world.evidence.root)
    drill.lose_database()
    drill.lose_evidence()

    for room, name, calls in (*STEPS, *(OF_A_FILE if database_kind == "sqlite" else ())):
        killed = _command(drill, "-c", KILLED, room, name, str(calls), replace=False)
        assert killed.returncode == -signal.SIGKILL, (name, killed.stderr)
        assert _is_empty(drill), name
    done = _command(drill, "-m", "api.cli.commands", replace=False)

    assert done.returncode == 0, done.stderr
    assert tree(world.evidence.root) == published
    world.post(1)
    assert tree(world.evidence.root) == twin


def test_restore__killed_between_two_names__leaves_the_old_database_and_goes_on(
    world: World,
) -> None:
    drill = Drill(world)
    drill.live()
    drill.backup()
    twin = drill.undisturbed(1)
    drill.stop()

    killed = _command(
        drill, "-c", KILLED, "api.rescue.databases", "_put_in_place", "0", replace=True
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    database = Path(str(make_url(world.engine.url).database))
    assert not database.exists()
    assert len(list(database.parent.glob(f"{database.name}.before-*"))) == 1
    assert _command(drill, "-m", "api.cli.commands", replace=False).returncode == 0
    world.post(1)
    assert tree(world.evidence.root) == twin
