"""Real processes of the service for tests, with their log in a file."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

LOCAL = "127.0.0.1"
OURS = (sys.executable, "-m", "api.cli.commands")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as taken:
        taken.bind((LOCAL, 0))
        port: int = taken.getsockname()[1]
    return port


def until(done: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that a process does."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def status_of(url: str) -> int:
    """Status of an answer; 0 while nobody answers."""
    try:
        return httpx.get(url, timeout=5).status_code
    except httpx.TransportError:
        return 0


@contextmanager
def process(
    log: Path, *arguments: str, program: tuple[str, ...] = OURS, **settings: str
) -> Iterator[subprocess.Popen[bytes]]:
    """`rentroll`, or another program, with these arguments until the block ends.

    It runs in the folder of its log, so that it finds nothing of this checkout.
    """
    with log.open("wb") as file:
        started = subprocess.Popen(
            [*program, *arguments],
            cwd=log.parent,
            env=os.environ | settings,
            stderr=file,
        )
    try:
        yield started
    finally:
        started.terminate()
        started.wait(30)
