"""The log: each line one object, with level, time and what it is about."""

import json
import logging
from datetime import datetime
from typing import Any

import pytest

from api.telemetry.logs import about, log, log_bug, start_logging


@pytest.fixture(autouse=True)
def restored() -> Any:
    """Logging of the tests as it was."""
    root, ours = logging.getLogger(), logging.getLogger("rentroll")
    before = root.handlers[:], root.level, ours.level
    yield
    root.handlers[:], level, own = before
    root.setLevel(level)
    ours.setLevel(own)


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_log__in_what_it_is_about__names_it_with_time_and_level(
    capsys: pytest.CaptureFixture[str],
) -> None:
    start_logging("worker")

    with about(facility=7), about(epoch=3):
        log("posted", tx="0xab")
    log("idle", warning="nothing is sent")
    log("round", error="the node does not answer")

    posted, idle, failed = _lines(capsys)
    assert posted.pop("time").endswith("Z")
    assert posted == {
        "level": "info", "process": "worker", "step": "posted", "facility": 7, "epoch": 3,
        "tx": "0xab",
    }  # fmt: skip
    assert (idle["level"], idle["warning"]) == ("warning", "nothing is sent")
    assert (failed["level"], failed["error"]) == ("error", "the node does not answer")
    assert "facility" not in idle
    assert datetime.fromisoformat(idle["time"]).tzinfo is not None


@pytest.mark.parametrize(("level", "steps"), [("info", 3), ("warning", 2), ("error", 1)])
def test_log__below_the_level__is_left_out(
    level: str, steps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    start_logging("worker", level)

    log("a")
    log("b", warning="w")
    log("c", error="e")

    assert len(_lines(capsys)) == steps


def test_log__of_a_library__is_a_line_like_ours(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("api")

    logging.getLogger("alembic.runtime").warning("a client\nwent %s", "away")
    logging.getLogger("urllib3").info("said nothing")

    [line] = _lines(capsys)
    assert (line["step"], line["message"]) == ("alembic.runtime", "a client\nwent away")


def test_log_bug__where_it_was_raised__is_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging("worker")
    try:
        raise KeyError("epoch")
    except KeyError as error:
        log_bug("close", error, facility=1)

    [line] = _lines(capsys)
    assert (line["level"], line["facility"], line["error"]) == ("error", 1, "KeyError: 'epoch'")
    assert "test_logs.py" in line["exception"]
