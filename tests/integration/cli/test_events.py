"""`rentroll events` against the real service: looked at, shown first, done."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.cli.commands import app
from api.epochs import preview as previews
from api.epochs.close import close_due
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, Ledger, device
from tests.integration.service import change_service, make_app, serving

Run = Callable[..., Result]


@pytest.fixture
def run(
    database_url: str, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    """Runs `rentroll events` about the ledger's facility, with its operator's key."""
    application = make_app(database_url, tmp_path)
    change_service(application, clock=ledger.clock)
    monkeypatch.setenv("RENTROLL_OPERATOR_KEY", ledger.api_key)
    ledger.clock.now_s = START_S + DAY_S
    with serving(application) as port:

        def call(
            command: str, *arguments: str, code: int = 0, answer: str = "", facility: int = 0
        ) -> Result:
            about = ["events", command, str(facility or ledger.facility_id), *arguments]
            url = ["--api-url", f"http://127.0.0.1:{port}"]
            result = CliRunner().invoke(app, [*about, *url], input=answer)
            assert result.exit_code == code, result.output
            return result

        yield call


def _listed(run: Run, *wanted: str) -> list[tuple[str, str]]:
    found = json.loads(run("list", *wanted, "--json").stdout)
    return [(event["id"], event["state"]) for event in found]


def test_events__void__shows_what_it_changes_and_asks(run: Run, ledger: Ledger) -> None:
    used = ledger.usage(0, 0, 10 * HOUR_S, name="used")
    ledger.codes(used, ledger.usage(1, 0, 14 * HOUR_S, name="kept"))

    declined = run("void", "used", "--reason", "wrong card", answer="n\n", code=1)
    before = _listed(run, "--device", device(0))
    done = run("void", "used", answer="y\n")

    assert "sum: 24.000000 -> 14.000000" in declined.output
    assert "usage of lease-a, 2026-01: 24.000000 -> 14.000000; 86400 -> 50400 s" in declined.output
    assert "As if these events were recorded now" in declined.output
    assert before == [("used", "stands")]
    assert "done" in done.output
    assert _listed(run, "--device", device(0)) == [("used", "voided")]
    again = run("void", "used", "--yes", code=1)
    assert "rejected: already_voided: this event is already voided" in again.output
    shown = run("show", "used").output
    assert 'state: "voided"' in shown
    assert '"gpu_seconds": 36000' in shown
    assert "2 events" in run("list", "--kind", "usage").output


def test_events__as_json__only_shows_until_it_is_told_yes(run: Run, ledger: Ledger) -> None:
    credit = ("adjust", "lease-a", "--back", "1500000", "--reason", "goodwill", "--json")

    shown = json.loads(run(*credit).stdout)
    none = _listed(run, "--kind", "adjustment")
    done = json.loads(run(*credit, "--yes").stdout)

    assert shown["done"] is None
    [statement] = shown["preview"]["statements"]
    # Nothing else is told: what goes back waits.
    assert statement["after"]["held_back_micros"] == 1_500_000
    assert none == []
    assert done["done"]["accepted"] == 1
    assert len(_listed(run, "--kind", "adjustment")) == 1


def test_events__wrong_price_outage_and_replacement__are_put_right(
    run: Run, ledger: Ledger, tmp_path: Path
) -> None:
    used = ledger.usage(0, 0, 10 * HOUR_S, name="used")
    ledger.codes(used)
    start, end = "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z"

    price = run("price", "lease-a", "250000", start, "--yes").output
    out = run("outage", device(0), start, end, "--cause", "planned", "--yes").output
    data = {k: v for k, v in ledger.usage(1, 0, HOUR_S)["data"].items() if k != "facility_id"}
    file = tmp_path / "instead.json"
    file.write_text(json.dumps(data))
    replaced = run("replace", "used", str(file), "--yes").output

    assert "sum: 10.000000 -> 2.500000" in price
    assert "sum: 2.500000 -> 2.000000" in out
    assert "sum: 2.000000 -> 0.250000" in replaced
    ledger.clock.now_s += GRACE_S
    [closed] = close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
    assert closed.statement.gross_revenue_micros == 250_000


def test_events__file_with_one_that_is_refused__sends_none(
    run: Run, ledger: Ledger, tmp_path: Path
) -> None:
    file = tmp_path / "events.json"
    good, bad = ledger.usage(0, 0, HOUR_S), ledger.usage(1, 0, HOUR_S, lease="nobody")
    file.write_text(json.dumps([good, bad]))

    preview = run("preview", str(file), code=1).output
    sent = run("send", str(file), "--yes", code=1).output

    assert "event 0: accepted" in preview
    assert "event 1: rejected: lease_unknown: no lease 'nobody'" in sent
    assert _listed(run, "--kind", "usage") == []
    alone = run("send", "-", "--yes", answer=json.dumps(good)).output
    assert alone.splitlines()[-1] == "done"
    assert _listed(run, "--kind", "usage") == [(good["id"], "stands")]


def test_events__long_books__are_asked_for_until_they_are_ready(
    run: Run, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger.codes(ledger.usage(0, 0, HOUR_S, name="used"))
    for day in (1, 2):
        ledger.clock.now_s = START_S + day * DAY_S + GRACE_S
        close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)
        ledger.codes(ledger.usage(0, day * DAY_S, day * DAY_S + HOUR_S))
    monkeypatch.setattr(previews, "MOST_FACTS", 1)

    shown = run("void", "used", answer="n\n", code=1).output

    assert "statement 2, 2026-01-03T00:00:00Z to 2026-01-04T00:00:00Z:" in shown


def test_events__what_cannot_be__is_said_with_an_exit_code(run: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")

    assert "no event 'never' was accepted" in run("show", "never", code=1).output
    assert "404 no facility 99 of yours" in run("list", facility=99, code=1).output
    assert "the file is no JSON" in run("preview", str(broken), code=1).output
    assert "cannot be read" in run("send", str(tmp_path / "none"), code=1).output
    assert "at most seven days" in run("list", "--from", "2026-01-01T00:00:00Z", code=1).output
    wrong: Any = run("adjust", "lease-a", "--reason", "x", code=2)
    assert "--back and --charge" in wrong.output
