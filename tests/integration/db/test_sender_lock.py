"""One process at a time sends with a key, and a crash frees it."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine

from api.db.sender_lock import sender_lock
from api.db.session import open_engine

pytestmark = pytest.mark.both_databases

ONE, OTHER = "0x" + "aB" * 20, "0x" + "cd" * 20
_HOLD = """
import sys, time
from api.db.sender_lock import sender_lock
from api.db.session import open_engine
with sender_lock(open_engine(sys.argv[1]), sys.argv[2]) as held:
    print(held, flush=True)
    time.sleep(600)
"""


def _url(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=False)


def test_lock__held__is_refused_to_others_by_any_spelling_and_free_after(engine: Engine) -> None:
    other_engine = open_engine(_url(engine))
    with sender_lock(engine, ONE) as first:
        with sender_lock(other_engine, ONE.lower()) as second, sender_lock(engine, OTHER) as apart:
            assert (first, second, apart) == (True, False, True)
        with sender_lock(engine, ONE) as again:
            assert again is False
    with sender_lock(other_engine, ONE) as after:
        assert after is True
    other_engine.dispose()


def test_lock__error_inside__is_let_go(engine: Engine) -> None:
    with pytest.raises(KeyError), sender_lock(engine, ONE):
        raise KeyError
    with sender_lock(engine, ONE) as held:
        assert held


def test_lock__process_is_killed__is_let_go(engine: Engine) -> None:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", _HOLD, _url(engine), ONE]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "True"
        with sender_lock(engine, ONE) as refused:
            assert refused is False
        process.kill()
        process.wait()

    # PostgreSQL notices a moment later that nobody is there: on a busy machine some seconds.
    for _ in range(1_500):
        with sender_lock(engine, ONE) as held:
            if held:
                return
        time.sleep(0.02)
    pytest.fail("it is held by nobody")
