"""`rentroll queue`: what could not be done, tried again at once, and let go by a person."""

import json

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli import queue_wiring
from api.cli.commands import app
from api.db import work
from api.db.session import transaction
from api.db.tables.work import WorkRow
from api.domain.units import FacilityId
from api.epochs.queue import Look, Queue
from api.errors import HeldBack
from tests.factories import START_S, Ledger
from tests.queues import note

NOW_S = START_S + 100
pytestmark = pytest.mark.both_databases


@pytest.fixture
def admin(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """The service's database, as `rentroll` finds it, and its machine's clock."""
    monkeypatch.setenv("DATABASE_URL", ledger.engine.url.render_as_string(hide_password=False))
    monkeypatch.setattr(queue_wiring, "system_clock", lambda: NOW_S)
    return ledger


def _run(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["queue", *arguments])
    assert result.exit_code == code, result.output
    return result


def _due(ledger: Ledger, step: str, *, at_s: int = NOW_S) -> list[WorkRow]:
    """What a worker could take of a step."""
    return Queue(ledger.engine, now=lambda: at_s).take(step, chain_s=at_s, most=9)


def _trouble(ledger: Ledger) -> None:
    """One step each that is held, fails, waits, and is being done; and one of the service."""
    engine, facility = ledger.engine, ledger.facility_id
    note(engine, facility, "close", HeldBack("ask \x1b[31mfirst"), now_s=NOW_S)
    note(engine, facility, "post", OSError(28, "No space left on device", "x"), now_s=NOW_S)
    note(engine, facility, "settle", Look(waits="rent to come"), now_s=NOW_S)
    note(engine, facility, "serve", None, now_s=NOW_S)
    with transaction(engine) as connection:
        work.note_service(connection, "index", reason="no node", attempts=2, now_s=NOW_S)


def test_list__of_every_state__tells_people_and_machines_the_same(admin: Ledger) -> None:
    _trouble(admin)

    told = _run("list", code=1).stdout.splitlines()
    rows = json.loads(_run("list", "--json", code=1).stdout)
    of_one = json.loads(_run("list", "--json", "--facility", str(admin.facility_id), code=1).stdout)

    by_step = {row["step"]: row for row in rows}
    facility = f"facility {admin.facility_id}"
    assert told[0] == f"held     close    of {facility} since 2026-01-01T00:01:40Z, tried 1 times"
    assert told[1] == "         ask \\x1b[31mfirst"
    assert any(line.startswith("failing  index    of the service since") for line in told)
    assert any("failing  post" in line and "next try 2026-01-01T00:01:4" in line for line in told)
    assert {step: row["state"] for step, row in by_step.items()} == {
        "close": "held", "post": "failing", "index": "failing", "settle": "waiting",
        "serve": "running",
    }  # fmt: skip
    assert by_step["settle"]["reason"] == "rent to come"
    assert (by_step["close"]["next_try"], by_step["index"]["facility_id"]) == (None, None)
    assert {row["step"] for row in of_one} == {"close", "post", "settle", "serve"}


def test_list__nothing_wrong__says_so_with_exit_code_0(admin: Ledger) -> None:
    """What waits in the normal course is nothing wrong."""
    assert _run("list").stdout == "nothing fails, waits or is held\n"
    note(admin.engine, admin.facility_id, "settle", Look(waits="rent to come"), now_s=NOW_S)

    assert "rent to come" in _run("list").stdout


def test_queue__no_such_facility__is_named_and_changes_nothing(admin: Ledger) -> None:
    """Of a facility that is not there, everything would look well."""
    _trouble(admin)
    before = _run("list", "--json", code=1).stdout

    for arguments in (["list", "--facility", "999"], ["retry", "--facility", "999"],
                      ["release", "999"]):  # fmt: skip
        result = _run(*arguments, code=1)
        assert (result.stdout, result.stderr) == ("", "error: no facility 999\n")
    for arguments in (["release", "0"], ["release", "x"], ["retry", "--step", "clse"], ["release"]):
        _run(*arguments, code=2)
    assert _run("list", "--json", code=1).stdout == before


def test_retry__fails_or_waits__is_due_at_once_and_nothing_else(admin: Ledger) -> None:
    """What is held waits for a release; what the service does for itself is its worker's."""
    _trouble(admin)
    before = _due(admin, "post") + _due(admin, "settle")

    one = _run("retry", "--step", "settle").stdout
    settle, post = _due(admin, "settle"), _due(admin, "post")
    rest = _run("retry", "--facility", str(admin.facility_id), "--step", "post").stdout

    assert (before, post) == ([], [])
    assert (one, len(settle)) == ("1 steps are due now\n", 1)
    assert (rest, len(_due(admin, "post"))) == ("1 steps are due now\n", 1)
    assert _due(admin, "close") == []


def test_retry__of_all__leaves_out_what_is_held_and_the_service(admin: Ledger) -> None:
    _trouble(admin)

    assert _run("retry").stdout == "2 steps are due now\n"


def test_release__held__goes_on_as_released_and_is_told_no_more(admin: Ledger) -> None:
    """The worker learns that a person said so; a second time there is nothing to let go."""
    note(admin.engine, admin.facility_id, "close", HeldBack("ask first"), now_s=NOW_S)
    other = admin.add_facility(range(8, 9))
    note(admin.engine, other, "close", HeldBack("ask first"), now_s=NOW_S)
    before = _due(admin, "close", at_s=NOW_S + 10**6)

    said = _run("release", str(admin.facility_id)).stdout
    told = json.loads(_run("list", "--json", code=1).stdout)
    again = _run("release", str(admin.facility_id), code=1).stdout

    assert said == f"1 steps of facility {admin.facility_id} go on\n"
    assert again == "nothing was held\n"
    assert [(row["facility_id"], row["state"]) for row in told] == [(other, "held")]
    assert before == []
    assert [(r.facility_id, r.released) for r in _due(admin, "close")] == [
        (FacilityId(admin.facility_id), True)
    ]
