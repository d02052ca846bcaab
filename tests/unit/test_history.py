"""Commits say what they do, in a subject of 60 characters; none is unfinished work."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Older history is what it is.
SINCE = "d1865c74db66"
MOST_CHARACTERS = 60
_UNFINISHED = re.compile(r'^(?:Revert ")?(?:temp|wip)\b', re.IGNORECASE)


def _commits() -> list[str]:
    """Subjects of all commits since then, without merges."""
    command = ["git", "log", "--no-merges", "--format=%s", f"{SINCE}..HEAD"]
    log = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if log.returncode != 0:
        pytest.skip("no history here: an archive, or a shallow clone")
    return log.stdout.splitlines()


def test_subjects__since_the_rule__are_short_and_of_finished_work() -> None:
    commits = _commits()

    assert [s for s in commits if _UNFINISHED.match(s)] == []
    assert [s for s in commits if len(s) > MOST_CHARACTERS] == []


@pytest.mark.parametrize("subject", ["temp: x", "wip routes", 'Revert "temp: x"', "WIP"])
def test_pattern__unfinished_work__is_seen(subject: str) -> None:
    assert _UNFINISHED.match(subject)


@pytest.mark.parametrize("subject", ["template: x", 'Revert "api: x"', "api: no temp files"])
def test_pattern__finished_work__is_left_alone(subject: str) -> None:
    assert not _UNFINISHED.match(subject)
