"""Previews against the real thing: what is shown is what ingest answers and closing then states."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from api.access.accounts import add_operator
from api.db.facilities import lock_facility
from api.db.session import open_engine, reading, transaction
from api.db.statements import lines_of
from api.db.tables.base import metadata
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.metering.calendar import month_of
from api.domain.metering.usage import RECORDED_KINDS, LineKind
from api.domain.statements.lines import Line
from api.domain.units import Epoch, FacilityId, OperatorId
from api.epochs import books as kept_books
from api.epochs import preview as previews
from api.epochs.books import PreviewBooks
from api.epochs.close import close_due
from api.epochs.preview import Foreseen, Preview, Unforeseen, preview
from api.errors import InvalidInput, NotFound
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import LogHome, NewFacility, register_facility
from api.ledger.ingest import ingest
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, TOKEN, Ledger, device
from tests.ledgers import NAMES, facility
from tests.ledgers import Ledger as RandomLedger

DOLLAR = 1_000_000
OWN = OperatorId(1)
Sums = dict[tuple[LineKind, bytes, int], tuple[int, int]]


def shown(ledger: Ledger, *events: Any, books: PreviewBooks | None = None) -> Preview:
    """The preview of a batch."""
    facility_id = FacilityId(ledger.facility_id)
    return preview(
        ledger.engine,
        books or PreviewBooks(),
        ledger.operator_id,
        facility_id,
        list(events),
        clock=ledger.clock,
    )


def close(ledger: Ledger, epochs: int) -> None:
    """Close the first epochs, at their cut-off."""
    ledger.clock.now_s = START_S + epochs * DAY_S + GRACE_S
    close_due(ledger.engine, ledger.evidence, ledger.clock.now_s)


def rows(engine: Engine) -> dict[str, list[Any]]:
    """Everything that the database holds."""
    with reading(engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


def sums(lines: Iterable[Line]) -> Sums:
    """Charge and seconds of lines by kind, lease and month."""
    found: Sums = {}
    for line in lines:
        key = line.kind, bytes(line.lease), month_of(line.start_s)
        charge, seconds = found.get(key, (0, 0))
        own_s = line.interval_s if line.kind in RECORDED_KINDS else 0
        found[key] = charge + line.charge_micros, seconds + own_s
    return found


# --- the property --------------------------------------------------------------------------------


class Played:
    """A service that is told a random ledger, as its clock goes."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine, self.now_s = engine, 0
        self.evidence = EvidenceFolder(folder)

    def clock(self) -> int:
        return self.now_s

    def tell(self, at_s: int, events: list[object]) -> list[str]:
        self.now_s = at_s
        results = ingest(self.engine, OWN, events, clock=self.clock)
        return [result.code or result.status for result in results]

    def close(self, at_s: int) -> None:
        self.now_s = at_s
        close_due(self.engine, self.evidence, at_s)

    def lines(self, number: int) -> list[Line]:
        with reading(self.engine) as connection:
            return lines_of(connection, FacilityId(7), Epoch(number))


def register(engine: Engine, terms: FacilityTerms) -> None:
    with transaction(engine) as connection:
        add_operator(connection, name="op", address="0x" + "11" * 20, actor="test", now_s=1)
        new = NewFacility(
            facility_id=FacilityId(7),
            name="hall",
            gpu_class=terms.gpu_class,
            site=terms.site,
            window_start_s=terms.window_start_s,
            window_end_s=terms.window_end_s,
            expires_at_s=terms.expires_at_s,
            epoch_length_s=terms.epoch_length_s,
            settlement_token=TOKEN,
            promised_availability_ppm=terms.promised_availability_ppm,
            fee_bps=terms.fee_bps,
            tranches=(TrancheTerms(1),),
            device_uuids=[NAMES[device] for device in terms.devices],
            seal_s=terms.seal_s,
        )
        register_facility(
            connection,
            operator_id=OWN,
            new=new,
            home=LogHome(),
            grace_s=terms.grace_s,
            now_s=terms.window_start_s,
        )


@pytest.mark.parametrize("seed", range(8))
def test_preview__of_random_ledgers__is_what_ingest_answers_and_closing_states(
    seed: int, engine: Engine, tmp_path: Path
) -> None:
    terms = facility()
    register(engine, terms)
    random_ledger, told = RandomLedger(seed, terms), Played(engine, tmp_path / "evidence")
    number, events = _told_until_the_last_events(random_ledger, told, periods=1 + seed % 5)
    before = rows(engine)

    shown = preview(engine, PreviewBooks(), OWN, FacilityId(7), events, clock=told.clock)

    assert rows(engine) == before
    copy = tmp_path / "copy.db"
    with engine.connect() as connection:
        connection.execute(text(f"VACUUM INTO '{copy}'"))
    other = Played(open_engine(f"sqlite:///{copy}"), tmp_path / "other")
    assert [r.code or r.status for r in shown.results] == other.tell(told.now_s, events)
    for foreseen in shown.statements:
        told.close(foreseen.cut_off_s)
        other.close(foreseen.cut_off_s)
        assert _moved(foreseen) == _differing(
            sums(told.lines(foreseen.period.epoch)), sums(other.lines(foreseen.period.epoch))
        )
        assert foreseen.before.charge == _charge(told.lines(foreseen.period.epoch))
        assert foreseen.after.charge == _charge(other.lines(foreseen.period.epoch))
    accepted = any(r.status == "accepted" for r in shown.results)
    assert [f.period.epoch for f in shown.statements][:1] == ([number] if accepted else [])
    other.engine.dispose()


def _told_until_the_last_events(
    random_ledger: RandomLedger, told: Played, *, periods: int
) -> tuple[int, list[object]]:
    """Tell all but the last entries; close all but the last period. Its number, and those."""
    number, sent = 0, 0
    for number in range(periods):
        period = random_ledger.terms.stated_period(Epoch(number), ended_at_s=None, grace_s=600)
        assert period is not None
        random_ledger.fill(period)
        logged = [event for event, _ in random_ledger.sent[sent:]]
        sent = len(random_ledger.sent)
        last = number == periods - 1
        kept = logged[:-6] if last else logged
        for event in kept:
            told.tell(event.recorded_at_s, [event.payload])
        if last:
            told.now_s = max(told.now_s, logged[-1].recorded_at_s)
            return number, [event.payload for event in logged[-6:]]
        told.close(period.over_s + random_ledger.terms.grace_s)
    raise AssertionError


def _charge(lines: list[Line]) -> int:
    return sum(line.charge_micros for line in lines)


def _moved(foreseen: Foreseen) -> dict[tuple[LineKind, bytes, int], tuple[int, int, int, int]]:
    return {
        (m.kind, bytes(m.lease), m.month): (
            *(m.charge_before, m.charge_after, m.seconds_before, m.seconds_after),
        )
        for m in foreseen.moved
    }


def _differing(
    old: Sums, new: Sums
) -> dict[tuple[LineKind, bytes, int], tuple[int, int, int, int]]:
    return {
        key: (a[0], b[0], a[1], b[1])
        for key in old.keys() | new.keys()
        if (a := old.get(key, (0, 0))) != (b := new.get(key, (0, 0)))
    }


# --- by hand -------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_preview__void_of_stated_use__shows_next_statement_and_writes_nothing(
    ledger: Ledger,
) -> None:
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, 10 * HOUR_S)
    assert ledger.codes(used, ledger.usage(1, 0, 4 * HOUR_S)) == ["accepted"] * 2
    close(ledger, 1)
    before = rows(ledger.engine)

    seen = shown(ledger, ledger.void(used))

    assert rows(ledger.engine) == before
    assert [r.status for r in seen.results] == ["accepted"]
    [statement] = seen.statements
    assert (statement.period.epoch, statement.period.start_s) == (1, START_S + DAY_S)
    # Nothing else is told of the second day: it cannot bear what goes back, which waits.
    assert (statement.before.charge, statement.after.charge) == (0, 0)
    assert statement.after.held_back == 10 * DOLLAR
    [void] = statement.moved
    assert (void.kind, void.seconds_before, void.seconds_after) == (LineKind.VOID, 0, 10 * HOUR_S)
    assert seen.names[void.lease] == "lease-a"


def test_preview__void_where_revenue_bears_it__shows_the_difference(ledger: Ledger) -> None:
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, 10 * HOUR_S)
    ledger.codes(used)
    close(ledger, 1)
    ledger.clock.now_s = START_S + 2 * DAY_S
    ledger.codes(ledger.usage(1, DAY_S, 2 * DAY_S))

    [statement] = shown(ledger, ledger.void(used)).statements

    assert (statement.before.charge, statement.after.charge) == (24 * DOLLAR, 14 * DOLLAR)
    assert statement.after.held_back == 0
    assert {m.kind: m.charge_after - m.charge_before for m in statement.moved} == {
        LineKind.VOID: 0,
        LineKind.USAGE_DIFFERENCE: -10 * DOLLAR,
    }


def test_preview__of_a_batch__judges_each_event_by_those_before_it(ledger: Ledger) -> None:
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, HOUR_S)
    ledger.codes(used)
    void = ledger.void(used)
    again = ledger.usage(0, 0, HOUR_S)
    other = {**ledger.usage(0, HOUR_S, 2 * HOUR_S), "id": used["id"]}

    codes = [
        r.code or r.status
        for r in shown(
            ledger, again, void, again, ledger.void(used), void, other, {"id": "x"}
        ).results
    ]

    assert codes == [
        *("overlap", "accepted", "accepted", "already_voided"),
        *("duplicate", "id_conflict", "malformed_event"),
    ]


def test_preview__behind_the_cut_off__is_of_the_statement_after(ledger: Ledger) -> None:
    """Nobody closed the first day yet, but nothing enters it any more."""
    ledger.clock.now_s = START_S + DAY_S
    ledger.codes(ledger.usage(1, 0, HOUR_S))
    ledger.clock.now_s = START_S + DAY_S + GRACE_S

    [statement] = shown(ledger, ledger.usage(0, 0, HOUR_S)).statements

    assert statement.period.epoch == 1
    assert {m.kind for m in statement.moved} == {LineKind.LATE, LineKind.USAGE_DIFFERENCE}
    assert statement.before.charge == 0
    assert statement.after.charge == DOLLAR


def test_preview__of_time_behind_the_next_statement__shows_the_one_that_has_it(
    ledger: Ledger,
) -> None:
    ledger.clock.now_s = START_S + DAY_S + 2_000

    seen = shown(ledger, ledger.usage(0, DAY_S, DAY_S + 1_800))

    assert [(s.period.epoch, len(s.moved)) for s in seen.statements] == [(0, 0), (1, 1)]
    assert seen.waiting == 0


def test_preview__of_a_long_use__says_what_waits(ledger: Ledger, monkeypatch: Any) -> None:
    monkeypatch.setattr(previews, "MOST_STATEMENTS", 1)
    ledger.clock.now_s = START_S + DAY_S + 2_000

    seen = shown(ledger, ledger.usage(0, 0, DAY_S + 1_800))

    assert [s.period.epoch for s in seen.statements] == [0]
    assert seen.waiting == 1


def test_preview__nothing_accepted_or_too_much__states_nothing(
    ledger: Ledger, monkeypatch: Any
) -> None:
    ledger.clock.now_s = START_S + DAY_S
    ledger.codes(ledger.usage(1, 0, HOUR_S))
    nothing = shown(ledger, ledger.void(ledger.usage(0, 0, HOUR_S, name="never sent")))
    # The log has three facts: the terms of two leases, and a use.
    monkeypatch.setattr(previews, "MOST_FACTS", 2)
    too_much = shown(ledger, ledger.usage(0, 0, HOUR_S))

    assert (nothing.unforeseen, nothing.statements) == (Unforeseen.NOTHING_NEW, [])
    assert nothing.results[0].code == "correction_target_unknown"
    assert (too_much.unforeseen, too_much.statements) == (Unforeseen.TOO_MANY_FACTS, [])
    assert too_much.results[0].status == "accepted"


def test_preview__of_long_books__is_made_ready_in_parts(ledger: Ledger, monkeypatch: Any) -> None:
    ledger.clock.now_s = START_S + DAY_S
    ledger.codes(ledger.usage(0, 0, HOUR_S))
    close(ledger, 1)
    ledger.codes(ledger.usage(1, 0, HOUR_S))
    close(ledger, 2)
    event, books = ledger.usage(2, 0, HOUR_S), PreviewBooks()
    expected = shown(ledger, event).statements
    monkeypatch.setattr(previews, "MOST_FACTS", 1)

    first, second = (shown(ledger, event, books=books) for _ in range(2))
    monkeypatch.setattr(kept_books, "PREVIEW_BYTES_OF_ONE", 10)
    never = [shown(ledger, event, books=PreviewBooks()).unforeseen for _ in range(2)]

    assert (first.unforeseen, first.statements) == (Unforeseen.PREPARING, [])
    assert (second.unforeseen, second.statements) == (None, expected)
    # Books too large to be kept would be prepared for ever.
    assert never == [Unforeseen.TOO_MANY_FACTS] * 2


def test_preview__again_behind_another_statement__carries_its_books_on(ledger: Ledger) -> None:
    books = PreviewBooks()
    ledger.clock.now_s = START_S + DAY_S
    used = ledger.usage(0, 0, 10 * HOUR_S)
    ledger.codes(used)
    close(ledger, 1)
    first = shown(ledger, ledger.void(used), books=books)
    ledger.clock.now_s = START_S + 2 * DAY_S
    ledger.codes(ledger.usage(1, DAY_S, 2 * DAY_S))
    close(ledger, 2)
    void = ledger.void(used)

    second = shown(ledger, void, books=books)

    assert [s.period.epoch for s in (*first.statements, *second.statements)] == [1, 2]
    assert second.statements == shown(ledger, void).statements


@pytest.mark.both_databases
def test_preview__while_a_writer_holds_the_facility__waits_for_nobody(ledger: Ledger) -> None:
    ledger.clock.now_s = START_S + DAY_S
    event = ledger.usage(0, 0, HOUR_S)

    with transaction(ledger.engine) as connection:
        lock_facility(connection, FacilityId(ledger.facility_id))
        seen = shown(ledger, event)

    assert [s.after.charge for s in seen.statements] == [DOLLAR]


def test_preview__of_a_facility_of_others_or_of_two__is_refused(
    ledger: Ledger, tmp_path: Path
) -> None:
    other = Ledger(ledger.engine, tmp_path, name="other", device_uuids=[device(9)])
    books, own = PreviewBooks(), FacilityId(ledger.facility_id)

    with pytest.raises(NotFound):
        preview(ledger.engine, books, other.operator_id, own, [], clock=ledger.clock)
    with pytest.raises(InvalidInput, match="event 1 is of another facility"):
        shown(ledger, ledger.usage(0, 0, HOUR_S), other.usage(0, 0, HOUR_S))
