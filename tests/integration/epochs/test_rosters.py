"""What ledger, reconciliation and console make of a card that was replaced."""

from typing import Any

import pytest
from sqlalchemy import event

from api.domain.hashing import device_hash
from api.ledger import rosters
from api.routes.service import service_of
from tests.factories import DAY_S, START_S, device
from tests.replacing import NEW, OLD, auth, console_devices, replaced, sent_unheard
from tests.world import World

pytestmark = pytest.mark.chain

HOUR_S, MINUTE_S = 3_600, 60


@pytest.mark.both_databases
def test_reconcile__time_that_counts_for_nothing__is_unbilled(world: World) -> None:
    """Taken before the service heard of the approval; in statements it is nobody's time."""
    ledger = world.ledger
    world.at(HOUR_S)
    sent_unheard(world)
    world.at(DAY_S + 50 * MINUTE_S)
    over = ledger.usage(0, DAY_S - HOUR_S, DAY_S + 10 * MINUTE_S)
    dark = ledger.outage(0, DAY_S + 20 * MINUTE_S, DAY_S + 30 * MINUTE_S)
    behind = ledger.usage(0, DAY_S + 10 * MINUTE_S, DAY_S + 30 * MINUTE_S)
    delivered = ledger.usage(0, DAY_S + 30 * MINUTE_S, DAY_S + 45 * MINUTE_S, kind="delivery")
    heard_late = ledger.codes(
        over, dark, behind, delivered, ledger.usage(1, DAY_S, DAY_S + MINUTE_S)
    )
    world.indexer().advance()
    seen = []

    def look() -> None:
        found = world.reconcile()
        differences = found.differences
        apart = (differences.open_epoch_gpu_seconds, differences.unbilled_gpu_seconds)
        minutes = [s // MINUTE_S for s in (found.metered_gpu_seconds, *apart)]
        seen.append((found.mismatches, *minutes))

    look()
    world.post(0)
    look()
    world.at_cut_off(1)
    world.post(1)
    look()
    assert ledger.codes(ledger.void(behind)) == ["accepted"]
    look()
    world.at_cut_off(2)
    world.post(2)
    look()

    assert heard_late == ["accepted"] * 5
    assert seen == [
        ((), 106, 106, 0),
        ((), 106, 46, 0),
        ((), 106, 0, 45),
        # That one of them is taken back is in no statement yet.
        ((), 86, -20, 45),
        ((), 86, 0, 25),
    ]
    assert world.verify().findings == ()


@pytest.mark.both_databases
def test_ingest__after_replacements__reads_the_devices_of_each_pledge_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A document names every device: batches read it when the chain has a new one, and no more."""
    ledger = world.ledger
    monkeypatch.setattr(rosters, "_ROSTERS", rosters._Rosters())
    world.at(HOUR_S)
    read = _documents_read(world)

    def batches(gpu: int, since_s: int) -> list[str]:
        spans = [(since_s + 60 * i, since_s + 60 * (i + 1)) for i in range(5)]
        return [code for span in spans for code in ledger.codes(ledger.usage(gpu, *span))]

    replaced(world)
    answers = batches(1, 0)
    first = len(read)
    replaced(world, old=device(1), new=device(51), from_epoch=2)
    world.at(2 * DAY_S + HOUR_S)
    answers += batches(50, DAY_S) + batches(51, 2 * DAY_S) + batches(0, 0)

    assert answers == ["accepted"] * 20
    assert (first, len(read)) == (1, 2)


def _documents_read(world: World) -> list[str]:
    """Statements that read pledges' documents, from now on."""
    read: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT") and "replacements.document" in statement:
            read.append(statement)

    for engine in (world.engine, service_of(world.app).engine):
        event.listen(engine, "before_cursor_execute", note)
    return read


def _console(world: World, rest: str = "") -> Any:
    path = f"/v1/console/facilities/{world.facility_id}{rest}" if rest else "/v1/console"
    answer = world.http.get(path, headers=auth(world))
    assert answer.status_code == 200, answer.text
    return answer.json()


def _metering(world: World) -> dict[str, tuple[Any, ...]]:
    """How the two cards stand: pledge, lag, records, gaps, their seconds, out of service."""
    fields = ("pledge", "lag_s", "records", "gaps", "gap_seconds", "outage_seconds")
    rows = {row["uuid"]: row for row in console_devices(world)}
    return {uuid: tuple(rows[uuid][f] for f in fields) for uuid in (OLD, NEW) if uuid in rows}


@pytest.mark.both_databases
def test_console__card_replaced__shows_each_for_its_own_epochs(world: World) -> None:
    """Old: silent for three hours, used, out, and silent in its last. New: silent for half one."""
    ledger = world.ledger
    world.at(HOUR_S)
    replaced(world)
    before = _metering(world)
    world.at(DAY_S + 50 * MINUTE_S)
    ledger.codes(
        ledger.usage(0, 3 * HOUR_S, 22 * HOUR_S), ledger.outage(0, 22 * HOUR_S, 23 * HOUR_S)
    )
    ledger.codes(ledger.usage(50, DAY_S + 30 * MINUTE_S, DAY_S + 40 * MINUTE_S))
    seen = [_metering(world)]
    tasks = _console(world)["tasks"]
    world.post(0)
    world.at(DAY_S + 8 * HOUR_S)
    world.indexer().advance()
    late = _console(world)["tasks"]
    seen.append(_metering(world))
    times = f"from_s={START_S}&to_s={START_S + 2 * DAY_S}"
    found = _console(world, f"/events?{times}")["events"]

    assert before == {OLD: ("pledged", None, 0, 0, 0, 0), NEW: ("to_come", None, 0, 0, 0, 0)}
    old = ("gone", None, 1, 2, 4 * HOUR_S, HOUR_S)
    assert seen[0] == {OLD: old, NEW: ("pledged", 10 * MINUTE_S, 1, 1, 30 * MINUTE_S, 0)}
    lag_s = 8 * HOUR_S - 40 * MINUTE_S
    assert seen[1] == {OLD: old, NEW: ("pledged", lag_s, 1, 1, 30 * MINUTE_S, 0)}
    gaps = {t["device"][2:]: t["epoch"] for t in tasks if t["kind"] == "metering_gap"}
    assert gaps == {device_hash(OLD).hex(): 0, device_hash(NEW).hex(): 1}
    # The first epoch is closed: its gaps are no task any more.
    gaps = {t["device"][2:]: t["epoch"] for t in late if t["kind"] == "metering_gap"}
    assert gaps == {device_hash(NEW).hex(): 1}
    (silent,) = [t for t in late if t["kind"] == "metering_silent"]
    assert silent["due_at_s"] == START_S + DAY_S + 40 * MINUTE_S + 2 * HOUR_S
    assert [each["payload"]["data"]["device"] for each in found] == [NEW, OLD, OLD]


@pytest.mark.both_databases
def test_console__records_that_count_for_nothing__fill_no_gap(world: World) -> None:
    """Told before the service heard of the approval, over the end of the card's last epoch."""
    ledger = world.ledger
    world.at(HOUR_S)
    sent_unheard(world)
    world.at(DAY_S + 50 * MINUTE_S)
    over = ledger.usage(0, DAY_S - HOUR_S, DAY_S + 10 * MINUTE_S)
    behind = ledger.usage(0, DAY_S + 10 * MINUTE_S, DAY_S + 30 * MINUTE_S)
    ledger.codes(over, behind, ledger.usage(0, 0, HOUR_S))
    world.indexer().advance()

    shown = console_devices(world)

    by_uuid = {row["uuid"]: row for row in shown}
    row = by_uuid[OLD]
    assert (row["records"], row["gap_seconds"]) == (2, 22 * HOUR_S)
    assert row["last_event_end_s"] == START_S + DAY_S
    assert by_uuid[NEW]["pledge"] == "pledged"


@pytest.mark.both_databases
def test_console__facility_silent_since_its_new_card__says_since_when(world: World) -> None:
    """In the open epoch nothing was told yet: the newest record is the new card's."""
    ledger = world.ledger
    world.at(HOUR_S)
    replaced(world)
    world.at(DAY_S + 2 * HOUR_S)
    ledger.codes(ledger.usage(50, DAY_S, DAY_S + HOUR_S))
    world.post(1)
    world.at(2 * DAY_S + 2 * HOUR_S)
    world.indexer().advance()

    (silent,) = [t for t in _console(world)["tasks"] if t["kind"] == "metering_silent"]

    assert silent["due_at_s"] == START_S + DAY_S + 3 * HOUR_S
