"""Close on both databases: frozen inputs, same bytes, named corrections, no gap and no repeat."""

import pytest
from sqlalchemy import Engine

from api.db import statements as store
from api.db.chain_store import EventRow
from api.db.rows import insert_record
from api.db.session import reading, transaction
from api.domain.facility import Period
from api.domain.hashing import device_hash
from api.domain.lifecycle import FacilityState
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence import LINES_FILE, epoch_folder
from api.domain.units import Bytes32, Epoch, FacilityId
from api.epochs import close
from api.epochs.close import close_due
from api.ledger.leases import close_lease
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S, Ledger, device
from tests.schema import differences

pytestmark = pytest.mark.both_databases


def _lines(ledger: Ledger, epoch: int) -> list[tuple[LineKind, int, int]]:
    with reading(ledger.engine) as connection:
        lines = store.lines_of(connection, ledger.facility_id, epoch)
    return [(x.kind, x.gpu_seconds, x.charge_micros) for x in lines]


def _close(ledger: Ledger, days: int) -> int:
    ledger.clock.now_s = START_S + days * DAY_S + GRACE_S
    return len(close_due(ledger.engine, ledger.evidence, ledger.clock.now_s))


def test_close__before_the_cut_off__does_nothing(ledger: Ledger) -> None:
    due = close_due(ledger.engine, ledger.evidence, START_S + DAY_S + GRACE_S - 1)

    assert due == []


def test_close__idle_facility__gives_zero_statements_without_gaps(ledger: Ledger) -> None:
    assert _close(ledger, 3) == 3
    assert _close(ledger, 3) == 0

    with reading(ledger.engine) as connection:
        rows = [store.statement_row(connection, ledger.facility_id, e) for e in range(3)]
    assert [r.gross_revenue_micros for r in rows] == [0, 0, 0]
    assert rows[1].previous_statement_hash == rows[0].statement_hash


def test_close__late_usage_and_void__become_lines_of_the_next_epoch(ledger: Ledger) -> None:
    """Invariant 8: each accepted event lands in one line or a named correction."""
    wrong = ledger.usage(0, 0, HOUR_S)
    ledger.codes(wrong, ledger.usage(1, 0, 2 * HOUR_S))
    _close(ledger, 1)

    assert ledger.codes(ledger.usage(2, 0, HOUR_S), ledger.void(wrong)) == ["accepted"] * 2
    _close(ledger, 2)

    # Within a kind, lines are in order of their devices' hashes.
    hours = sorted([(device_hash(device(0)), 1), (device_hash(device(1)), 2)])
    assert _lines(ledger, 0) == [(LineKind.USAGE, n * HOUR_S, n * 1_000_000) for _, n in hours]
    # Together they change nothing of what the lease owes for the first epoch: no difference.
    assert _lines(ledger, 1) == [(LineKind.LATE, 0, 0), (LineKind.VOID, 0, 0)]


def test_close__void_larger_than_revenue__waits_for_later_epochs(ledger: Ledger) -> None:
    """Invariant 4: a statement never takes back what was paid out."""
    wrong = ledger.usage(0, 0, 2 * HOUR_S)
    ledger.ingest(wrong)
    _close(ledger, 1)
    ledger.ingest(ledger.void(wrong), ledger.usage(1, DAY_S, DAY_S + HOUR_S))
    ledger.clock.now_s = START_S + 2 * DAY_S
    ledger.ingest(ledger.usage(1, DAY_S, DAY_S + HOUR_S))
    _close(ledger, 2)
    ledger.clock.now_s = START_S + 3 * DAY_S
    ledger.ingest(ledger.usage(1, 2 * DAY_S, 2 * DAY_S + 3 * HOUR_S))
    _close(ledger, 3)

    assert _lines(ledger, 1) == [
        (LineKind.USAGE, 3_600, 1_000_000),
        (LineKind.VOID, 0, 0),
        (LineKind.USAGE_DIFFERENCE, 0, -1_000_000),
    ]
    assert _lines(ledger, 2) == [
        (LineKind.USAGE, 10_800, 3_000_000),
        (LineKind.USAGE_DIFFERENCE, 0, -1_000_000),
    ]


def test_close__crash_after_evidence__gives_the_same_bytes(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 37: killed between evidence and database, then run again."""
    ledger.ingest(ledger.usage(0, 0, HOUR_S))

    def crash(*_args: object, **_more: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(close.store, "insert_statement", crash)
        with pytest.raises(KeyboardInterrupt):
            _close(ledger, 1)
    path = f"{epoch_folder(ledger.facility_id, 0)}/{LINES_FILE}"
    before = ledger.evidence.read(path)

    # What arrives in between is late, also a lease of the frozen epoch.
    ledger.clock.now_s = START_S + DAY_S
    assert ledger.codes(ledger.usage(1, 0, HOUR_S)) == ["accepted"]
    ledger.add_lease("late")
    assert _close(ledger, 1) == 1

    assert ledger.evidence.read(path) == before
    _close(ledger, 2)
    assert _lines(ledger, 1) == [
        (LineKind.LATE, 0, 0),
        (LineKind.USAGE_DIFFERENCE, 0, 1_000_000),
    ]


def test_migrate__twice__is_the_schema_of_the_tables(engine: Engine) -> None:
    from api.db.migrate import upgrade

    upgrade(engine)

    with engine.connect() as connection:
        assert differences(connection) == []


def test_close_lease__outage_of_it_later_on__counts_for_nothing(ledger: Ledger) -> None:
    """Whatever is known of the time behind its end: a lease owes, and gets, nothing of it."""
    ledger.clock.now_s = START_S + 2 * DAY_S
    used = ledger.usage(1, DAY_S, DAY_S + 2 * HOUR_S)
    out = ledger.outage(0, DAY_S, DAY_S + HOUR_S, lease="lease-a")
    assert ledger.codes(out, used) == ["accepted", "accepted"]
    close = {"clock": ledger.clock}
    named = ledger.engine, ledger.operator_id, ledger.facility_id, "lease-a"

    ended = [close_lease(*named, closed_at_s=START_S + DAY_S + HOUR_S, **close) for _ in range(2)]

    assert ended == [True, False]
    assert _close(ledger, 2) == 2
    assert _lines(ledger, 1) == [(LineKind.USAGE, HOUR_S, 1_000_000)]
    # It was closed by mistake: another end, or none, can follow at any time before the seal.
    assert close_lease(*named, closed_at_s=START_S + DAY_S + 2 * HOUR_S, **close)
    ledger.clock.now_s = START_S + 3 * DAY_S
    _close(ledger, 3)
    assert _lines(ledger, 2) == [
        (LineKind.LATE, 0, 0),
        (LineKind.USAGE_DIFFERENCE, 0, 1_000_000),
    ]


def test_close__facility_that_ended__closes_epochs_that_were_over_and_its_books(
    ledger: Ledger,
) -> None:
    ended = EventRow(
        *(1, 0, 0, START_S + 2 * DAY_S - 1, Bytes32(bytes(32)), "FacilityRegistry"),
        event="FacilityStateChanged",
        facility_id=FacilityId(ledger.facility_id),
        epoch=None,
        token_id=None,
        account=None,
        counterparty=None,
        amount=None,
        extra=int(FacilityState.STOPPED),
        statement_hash=None,
        payload="{}",
    )
    with transaction(ledger.engine) as connection:
        insert_record(connection, ended)

    due = close.due_periods(ledger.engine, START_S + 30 * DAY_S)

    ended_s = START_S + 2 * DAY_S - 1
    books = Period(Epoch(1), START_S + DAY_S, ended_s + GRACE_S, closing=True, ended_at_s=ended_s)
    assert due == [
        (ledger.facility_id, Period(Epoch(0), START_S, START_S + DAY_S)),
        (ledger.facility_id, books),
    ]
    assert due[:1] == close.due_periods(ledger.engine, ended_s + GRACE_S - 1)


def test_close__one_renter_written_in_many_ways__is_all_of_the_revenue(ledger: Ledger) -> None:
    """ATTACKS 47: the number that lenders read first was whatever the operator spelled."""
    for gpu, renter in enumerate(("acme", "Acme ", "ACME.", "acme_")):
        ledger.add_lease(f"lease-{gpu}", renter_ref=renter)
        ledger.ingest(ledger.usage(gpu, 0, HOUR_S, lease=f"lease-{gpu}"))

    _close(ledger, 1)

    with reading(ledger.engine) as connection:
        row = store.statement_row(connection, ledger.facility_id, 0)
    assert (row.gross_revenue_micros, row.top_renter_bps) == (4_000_000, 10_000)
