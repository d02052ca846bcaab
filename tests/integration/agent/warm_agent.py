"""A process that has imported the agent and forks one agent for each line it reads.

A line names a settings file; the answer is a pid. The clock is a file that the test writes, and
sources are polled as fast as they answer: a day of an agent's life then takes seconds.
"""

import os
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.agent import running, sender
from api.agent.settings import read_settings

_PAUSE_S = 0.02


def _quick(settings: Any, spool: Any, clock: Any) -> Any:
    sources = _make_sources(settings, spool, clock)
    sources.workers = [replace(worker, pause_s=_PAUSE_S) for worker in sources.workers]
    return sources


_make_sources = running.make_sources


def _live(settings_file: Path, clock: Path) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = read_settings(settings_file)
    with settings.spool.with_name("log").open("a") as log:
        running.run_agent(
            settings,
            stop,
            now=lambda: int(clock.read_text()),
            log=lambda *a, **k: print(a, k, file=log, flush=True),
        )


def main() -> None:
    """Argument: the file of the clock."""
    clock = Path(sys.argv[1])
    running.make_sources = _quick
    sender._IDLE_PAUSE_S = _PAUSE_S  # type: ignore[misc]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _live(Path(line.strip()), clock)
            os._exit(0)
        print(pid, flush=True)


if __name__ == "__main__":
    main()
