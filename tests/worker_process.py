"""`rentroll worker` or another as a process beside a world, and the lines of its log."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from scripts.dev.devchain import ROOT
from scripts.dev.stack import RELAYER
from tests.world import World, wallet

# The bound of the public check; a test does not measure it, it fails beyond it.
STOPS_WITHIN_S = 15
# Whatever the machine does besides: a fault that is never noticed ends in this.
PATIENCE_S = 90
_MAIN = ("-m", "api.cli.commands")
WORKER, INDEX = (*_MAIN, "worker"), (*_MAIN, "index")
# A worker that is cut off as soon as it is told to stop: as another is in the middle of a step that
# takes longer than its ten seconds.
CUT_OFF = (
    "-c",
    "from api.cli import commands, stopping; stopping.STOP_WITHIN_S = 0.0; commands.main()",
    "worker",
)


class Running:
    """The process, and the lines of its log."""

    def __init__(
        self,
        world: World,
        rpc_url: str,
        database_url: str,
        folder: Path,
        arguments: Sequence[str],
        *,
        reads: bool,
        **settings: str,
    ) -> None:
        key = folder / "relayer.key"
        key.touch(mode=0o600)
        key.write_text(wallet(RELAYER).key.hex())
        self.lines: list[str] = []
        self._said = threading.Condition()
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database_url,
                "RENTROLL_RPC_URL": rpc_url,
                "RENTROLL_DEPLOYMENT_FILE": str(world.deployed.deployment_file),
                "RENTROLL_EVIDENCE_DIR": str(world.evidence.root),
                "RENTROLL_CLOCK": "chain",
                "RENTROLL_CONFIRMATIONS": "0",
                "RENTROLL_POLL_S": "0.1",
                "RENTROLL_MONITOR_PORT": "0",
                "RENTROLL_RELAYER_KEY_FILE": str(key),
                **settings,
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        if reads:
            self._reader.start()

    def close(self) -> None:
        """End the process, if it has not ended."""
        self.process.kill()
        self.process.wait()
        if self._reader.ident is None:
            self._reader.start()
        self._reader.join()

    def fill_log(self) -> None:
        """Leave no room in the pipe of its log, which nobody reads."""
        pipe = os.open(f"/proc/{self.process.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
        with suppress(BlockingIOError):
            while True:
                os.write(pipe, b"\n")
        os.close(pipe)

    def _read(self) -> None:
        with self.process.stderr as log:  # type: ignore[union-attr]
            self._keep(log)

    def _keep(self, log: IO[str]) -> None:
        for line in log:
            with self._said:
                self.lines.append(line)
                self._said.notify_all()

    def until(self, holds: Callable[[], bool], *, pause_s: float = 0.1) -> None:
        """Wait until something holds, looked at in short pauses while the process lives."""
        with self._said:
            for _ in range(round(PATIENCE_S / pause_s)):
                assert self.process.poll() is None, self.lines[-5:]
                if holds():
                    return
                self._said.wait(pause_s)
        raise AssertionError(self.lines[-5:])

    def until_said(self, text: str) -> None:
        """Wait for a line of the log."""
        self.until(lambda: any(text in line for line in self.lines))


@contextmanager
def running(
    world: World,
    rpc_url: str,
    folder: Path,
    database_url: str = "",
    *,
    arguments: Sequence[str] = WORKER,
    reads: bool = True,
    **settings: str,
) -> Iterator[Running]:
    """A process, killed at the end.

    Args:    arguments: of Python.  reads: whether its log is read while it runs.
             settings: more of its environment.
    """
    url = database_url or world.engine.url.render_as_string(hide_password=False)
    found = Running(world, rpc_url, url, folder, arguments, reads=reads, **settings)
    try:
        yield found
    finally:
        found.close()
