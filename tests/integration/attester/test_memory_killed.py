"""kill -9 at every call that changes the disk: nothing signed is forgotten, no rival is signed."""

import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.attester.memory import SignedMemory
from tests.integration.attester.dying import BOUND, statement

EPOCHS = 3


@pytest.fixture(scope="module")
def warm() -> Iterator["subprocess.Popen[str]"]:
    """A process that has imported everything, and forks."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.attester.dying"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def _run(warm: "subprocess.Popen[str]", file: Path, tried: int, call: int) -> int:
    """The signal that ended a signer; 0 if it came to its end."""
    assert warm.stdin is not None
    assert warm.stdout is not None
    warm.stdin.write(f"{file} 0 {EPOCHS} {tried} {call}\n")
    warm.stdin.flush()
    return int(warm.stdout.readline())


def _left(file: Path) -> dict[str, set[str]]:
    found = defaultdict(set)
    for line in file.with_name("left").read_text().splitlines():
        what, said = line.split()
        found[what].add(said)
    return found


def test_memory__killed_at_every_call__loses_nothing_and_signs_no_rival(
    warm: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """Each try has other statements, dies one call later, and the last one comes to its end."""
    killed = 0
    for call in range(1, 40):
        folder = tmp_path / str(call)
        folder.mkdir()
        file = folder / "memory"
        ended = _run(warm, file, tried=1, call=call)
        again = _run(warm, file, tried=2, call=999)

        left = _left(file)
        assert again == 0
        assert len(left["exported"]) == 1
        for epoch in map(str, range(EPOCHS)):
            assert len(left[epoch]) <= 1, f"call {call}: two rivals of epoch {epoch} left"
        memory = SignedMemory(file, BOUND)
        for epoch in range(EPOCHS):
            known = {r.hex() for r in memory.rivals(statement(epoch, tried=9))}
            assert left[str(epoch)] <= known, f"call {call}: a signature is forgotten"
            assert len(known) <= 1
        memory.close()
        killed += ended == signal.SIGKILL
        if ended == 0:
            break
    assert killed > 10
    assert ended == 0, "more calls than were tried"


def test_memory__killed_again_and_again__signs_no_rival(
    warm: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    """One file, a death at another call each time."""
    file = tmp_path / "memory"
    for tried in range(1, 25):
        _run(warm, file, tried=tried, call=1 + tried % 9)
    assert _run(warm, file, tried=99, call=999) == 0

    left = _left(file)

    assert {what: len(said) for what, said in left.items()} == {
        **{str(epoch): 1 for epoch in range(EPOCHS) if str(epoch) in left},
        "exported": 1,
    }
