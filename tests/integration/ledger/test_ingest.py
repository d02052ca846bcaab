"""Ingest on both databases: every event answered on its own, nothing lost, nothing twice."""

import threading
from typing import Any

import pytest
from sqlalchemy import func, select

from api.db.session import reading
from api.db.tables.ledger import FactKind, event_conflicts, facts, meter_events
from tests.factories import DAY_S, GRACE_S, HOUR_S, SEAL_S, START_S, Ledger, device

pytestmark = pytest.mark.both_databases


def _count(ledger: Ledger, table: Any, *which: Any) -> int:
    with reading(ledger.engine) as connection:
        query = select(func.count()).select_from(table).where(*which)
        return int(connection.execute(query).scalar_one())


def _uses(ledger: Ledger) -> int:
    """Number of uses that the log has, voided or not."""
    return _count(ledger, facts, facts.c.kind == FactKind.USAGE.value)


def test_ingest__same_body_twice__is_all_duplicates(ledger: Ledger) -> None:
    """ATTACKS 30."""
    batch = [ledger.usage(0, 0, HOUR_S), ledger.usage(1, 0, HOUR_S)]

    first, second = ledger.codes(*batch), ledger.codes(*batch)

    assert first == ["accepted", "accepted"]
    assert second == ["duplicate", "duplicate"]
    # Two leases were opened before.
    assert (_uses(ledger), _count(ledger, meter_events)) == (2, 4)


@pytest.mark.parametrize(
    "name", ['"],["', "\\", "\\u0041", "{,}", "é\U0001f0a1", "1", "null", "'--"]
)
def test_ingest__odd_names__are_known_again(ledger: Ledger, name: str) -> None:
    """Identities are looked up in a text that the database takes apart."""
    events = [{**ledger.usage(0, 0, HOUR_S, name=name), "source": name}]
    # What would be taken for the first, or the first for it, if a text were read as anything else.
    events += [{**ledger.usage(1, 0, HOUR_S, name="A"), "source": name}]

    assert ledger.codes(*events) == ["accepted"] * 2
    assert ledger.codes(*events) == ["duplicate"] * 2


def test_ingest__bad_events_in_a_batch__keep_the_others(ledger: Ledger) -> None:
    """ATTACKS 31, 33: each bad event has its code; the good ones around it are recorded."""
    hour = (0, HOUR_S)
    cases: list[tuple[Any, str]] = [
        (ledger.usage(0, *hour), "accepted"),
        (ledger.usage(0, 10, 20), "overlap"),
        (ledger.usage(9, *hour), "device_unknown"),
        (ledger.usage(1, *hour, gpu_seconds=1), "checksum_mismatch"),
        (ledger.usage(1, *hour, gpu_seconds=float("nan")), "malformed_event"),
        (ledger.usage(1, *hour, gpu_seconds=True), "malformed_event"),
        (ledger.usage(1, *hour, gpu_seconds="3600"), "malformed_event"),
        (ledger.usage(1, *hour, energy_joules=9_223_372_036_854_775_794), "number_out_of_range"),
        (ledger.usage(1, 2 * DAY_S, 2 * DAY_S + 60), "in_the_future"),
        (ledger.usage(1, -60, 60), "outside_window"),
        (ledger.usage(1, 60, 60, gpu_seconds=0), "interval_empty"),
        (ledger.usage(1, *hour, start="2026-01-01T00:00:00"), "invalid_time"),
        (ledger.usage(1, *hour, start="2026-01-01T00:00:60Z"), "invalid_time"),
        (ledger.usage(1, *hour, start=1_767_225_600), "invalid_time"),
        (ledger.usage(1, *hour, lease="nobody"), "lease_unknown"),
        (ledger.usage(1, *hour, gpu_class="TPU"), "gpu_class_mismatch"),
        (ledger.usage(1, *hour, facility_id=99), "facility_unknown"),
        (ledger.usage(1, *hour, surprise=1), "unknown_field"),
        ({**ledger.usage(1, *hour), "type": "x"}, "unknown_type"),
        ("nonsense", "malformed_event"),
        (ledger.usage(1, *hour, lease="lease-b"), "accepted"),
        (ledger.usage(2, *hour, lease="lease-b"), "over_capacity"),
        (ledger.usage(2, *hour, start="2026-01-01T08:00:00+08:00"), "accepted"),
    ]

    codes = ledger.codes(*(event for event, _ in cases))

    assert codes == [code for _, code in cases]
    assert _uses(ledger) == 3


def test_ingest__same_id_other_payload__is_a_conflict_and_kept(ledger: Ledger) -> None:
    one = ledger.usage(0, 0, HOUR_S, name="same")
    other = ledger.usage(1, 0, HOUR_S, name="same")

    in_one_batch = ledger.codes(one, other)
    later = ledger.codes(other)

    assert in_one_batch == ["accepted", "id_conflict"]
    assert later == ["id_conflict"]
    assert _count(ledger, event_conflicts) == 1
    assert _uses(ledger) == 1


def test_ingest__same_facts_in_other_words__is_a_duplicate(ledger: Ledger) -> None:
    """Two attempts of one collector differ by trace, time and what it measured meanwhile."""
    first = ledger.usage(0, 0, HOUR_S, name="same")
    east = {"start": "2026-01-01T08:00:00+08:00", "end": "2026-01-01T09:00:00+08:00"}
    again = ledger.usage(0, 0, HOUR_S, name="same", utilization_ppm=7, energy_joules=9, **east)
    traced = {**first, "traceparent": "00-2", "time": "2026-01-01T05:00:00Z"}

    in_one_batch = ledger.codes(first, again)
    later = ledger.codes(traced, again, first)

    assert in_one_batch == ["accepted", "duplicate"]
    assert later == ["duplicate"] * 3
    assert _count(ledger, event_conflicts) == 0


def test_ingest__outage_told_late__is_taken_and_beats_usage(ledger: Ledger) -> None:
    """A month is open until its seal, whatever epoch was closed meanwhile."""
    ledger.codes(ledger.usage(0, 0, HOUR_S))
    ledger.clock.now_s = START_S + DAY_S + GRACE_S

    codes = ledger.codes(ledger.outage(0, 0, HOUR_S), ledger.usage(0, HOUR_S, 2 * HOUR_S))

    assert codes == ["accepted", "accepted"]


def test_ingest__what_is_refused__takes_no_time_of_a_device(ledger: Ledger) -> None:
    """ATTACKS 31."""
    codes = ledger.codes(
        ledger.usage(0, 0, HOUR_S, lease="nobody"),
        ledger.usage(0, 0, HOUR_S),
        ledger.outage(1, 0, HOUR_S, lease="nobody"),
        ledger.outage(1, 0, HOUR_S),
    )

    assert codes == ["lease_unknown", "accepted", "lease_unknown", "accepted"]


def test_correction__of_a_delivery__works_until_it_is_stated(ledger: Ledger) -> None:
    """A delivery line may have served a voucher: nothing takes that back, in time or late."""
    first, second = (ledger.usage(i, 0, HOUR_S, kind="delivery") for i in (0, 1))
    ledger.codes(first, second)
    soon = ledger.codes(ledger.void(first))
    ledger.clock.now_s = START_S + DAY_S + GRACE_S
    late = ledger.usage(0, 0, HOUR_S, kind="delivery")

    codes = ledger.codes(ledger.void(second), late, ledger.void(late), late)

    assert soon == ["accepted"]
    assert codes == ["not_correctable", "accepted", "accepted", "duplicate"]


def test_ingest__outages__overlap_usage_but_no_other_outage_and_no_delivery(
    ledger: Ledger,
) -> None:
    codes = ledger.codes(
        ledger.outage(0, 0, HOUR_S),
        ledger.usage(0, 10, 20),
        ledger.outage(0, 5, 6),
        ledger.usage(1, 0, HOUR_S, kind="delivery"),
        ledger.outage(1, 10, 20),
        ledger.usage(0, 30, 40, kind="delivery"),
    )

    assert codes == [
        "accepted", "accepted", "outage_overlap", "accepted", "outage_overlap", "outage_overlap",
    ]  # fmt: skip


def test_ingest__usage_over_three_epochs__is_one_event(ledger: Ledger) -> None:
    ledger.clock.now_s = START_S + 3 * DAY_S

    codes = ledger.codes(
        ledger.usage(0, HOUR_S, 3 * DAY_S - HOUR_S), ledger.usage(0, 2 * DAY_S, 2 * DAY_S + 5)
    )

    assert codes == ["accepted", "overlap"]


def test_ingest__month_sealed__takes_only_adjustments(ledger: Ledger) -> None:
    """The closing statement seals the only month; up to its cut everything is taken."""
    sealed_s = START_S + 3 * DAY_S + SEAL_S + GRACE_S
    ledger.clock.now_s = sealed_s - 1
    assert ledger.codes(ledger.usage(0, 0, HOUR_S, name="last")) == ["accepted"]
    ledger.clock.now_s = sealed_s

    codes = ledger.codes(ledger.usage(1, 0, HOUR_S), ledger.adjustment("lease-a", -5))

    assert codes == ["facility_closed", "facility_closed"]


def test_ingest__clock_jumps_and_nothing_is_recorded__moves_no_time(ledger: Ledger) -> None:
    """ATTACKS 51: one request at a wrong time was enough to refuse every event for ever."""
    ledger.clock.now_s = START_S + 400 * DAY_S
    assert ledger.codes(ledger.usage(0, 0, HOUR_S)) == ["facility_closed"]
    ledger.clock.now_s = START_S + DAY_S

    assert ledger.codes(ledger.usage(0, 0, HOUR_S)) == ["accepted"]


def test_allocation__opened_confirmed_ended__lasts_as_long_as_was_told(ledger: Ledger) -> None:
    opened = ledger.allocation(0, 0)
    codes = ledger.codes(
        opened,
        ledger.confirmed(opened, HOUR_S),
        ledger.usage(0, HOUR_S - 1, HOUR_S + 60),
        ledger.confirmed(opened, HOUR_S // 2),
        ledger.usage(0, 2 * HOUR_S, 3 * HOUR_S),
        ledger.confirmed(opened, 4 * HOUR_S),
        ledger.ended(opened, HOUR_S - 60),
        ledger.confirmed(opened, 2 * HOUR_S),
        ledger.usage(0, HOUR_S - 60, HOUR_S),
        ledger.confirmed(ledger.usage(3, 0, 1), 5),
    )
    later = ledger.codes(ledger.void(opened), ledger.usage(0, 0, HOUR_S - 60))

    assert codes == [
        "accepted", "accepted", "overlap", "accepted", "accepted", "overlap",
        "accepted", "allocation_ended", "accepted", "correction_target_unknown",
    ]  # fmt: skip
    assert later == ["accepted", "accepted"]


def test_correction__replacement__stands_instead_or_nothing_changes(ledger: Ledger) -> None:
    wrong = ledger.usage(0, 0, HOUR_S)
    other = ledger.usage(1, 0, HOUR_S)
    ledger.codes(wrong, other)

    codes = ledger.codes(
        ledger.replace(wrong, ledger.usage(1, 0, 60)),
        ledger.usage(0, 0, 60),
        ledger.replace(wrong, ledger.usage(0, 60, 2 * HOUR_S)),
        ledger.usage(0, 0, 60),
        ledger.usage(0, HOUR_S, HOUR_S + 60),
    )

    assert codes == ["overlap", "overlap", "accepted", "accepted", "overlap"]


def test_correction__twice_of_a_correction_or_unknown__is_rejected(ledger: Ledger) -> None:
    """ATTACKS 34."""
    target = ledger.usage(0, 0, HOUR_S)
    void = ledger.void(target)

    codes = ledger.codes(
        target, void, ledger.void(target), ledger.void(void), ledger.void(ledger.usage(3, 0, 60))
    )
    again = ledger.codes(ledger.usage(0, 0, HOUR_S))

    assert codes == [
        "accepted", "accepted", "already_voided", "not_correctable", "correction_target_unknown",
    ]  # fmt: skip
    assert again == ["accepted"]


def test_ingest__long_record_before_voided_ones__still_blocks_its_device(ledger: Ledger) -> None:
    """ATTACKS 31: only the last record before a batch is looked at; voided ones do not count."""
    long = ledger.usage(0, 0, 10 * HOUR_S)
    ledger.codes(long)
    wrong = ledger.usage(0, 11 * HOUR_S, 12 * HOUR_S)
    ledger.codes(wrong, ledger.usage(0, 13 * HOUR_S, 14 * HOUR_S), ledger.void(wrong))

    inside = ledger.codes(ledger.usage(0, 9 * HOUR_S, 10 * HOUR_S))
    freed = ledger.codes(ledger.usage(0, 11 * HOUR_S, 13 * HOUR_S))
    ledger.codes(ledger.void(long))

    assert (inside, freed) == (["overlap"], ["accepted"])
    assert ledger.codes(ledger.usage(0, HOUR_S, 2 * HOUR_S)) == ["accepted"]


def test_ingest__lease_at_its_limit__counts_earlier_batches_on_other_devices(
    ledger: Ledger,
) -> None:
    ledger.codes(ledger.usage(0, 0, 10 * HOUR_S, lease="lease-b"))

    codes = ledger.codes(
        ledger.usage(1, 9 * HOUR_S, 11 * HOUR_S, lease="lease-b"),
        ledger.usage(1, 10 * HOUR_S, 11 * HOUR_S, lease="lease-b"),
    )

    assert codes == ["over_capacity", "accepted"]


def test_ingest__same_id_of_another_source__is_another_event(ledger: Ledger) -> None:
    one = ledger.usage(0, 0, HOUR_S, name="same")
    other = {**ledger.usage(1, 0, HOUR_S, name="same"), "source": 'collector/"2"\\ :é'}

    assert ledger.codes(one, other) == ["accepted", "accepted"]
    assert ledger.codes(other, one) == ["duplicate", "duplicate"]


def test_correction__of_another_operator__is_unknown(ledger: Ledger, tmp_path) -> None:  # type: ignore[no-untyped-def]
    """ATTACKS 34, 38."""
    target = ledger.usage(0, 0, HOUR_S)
    ledger.ingest(target)
    with pytest.raises(Exception, match="pledged"):
        Ledger(ledger.engine, tmp_path, name="rival")


def test_ingest__two_requests_at_once__record_each_event_once(ledger: Ledger) -> None:
    """ATTACKS 30, 37."""
    batch = [ledger.usage(i % 4, HOUR_S * (i // 4), HOUR_S * (i // 4 + 1)) for i in range(40)]
    answers: list[list[str]] = []
    start = threading.Barrier(4)

    def work() -> None:
        start.wait()
        answers.append(ledger.codes(*batch))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for index in range(40):
        assert sorted(a[index] for a in answers) == ["accepted"] + ["duplicate"] * 3
    assert _uses(ledger) == 40


def test_lease_and_device_events__work_or_are_rejected_by_name(ledger: Ledger) -> None:
    opened = ledger.event(
        "rentroll.lease.opened.v1",
        None,
        {
            "lease_id": "lease-c",
            "renter_ref": "r",
            "plan": "spot",
            "opened_at": "2026-01-01T00:00:00Z",
            "price_micros_per_gpu_hour": 5,
        },
    )
    closed = ledger.event(
        "rentroll.lease.closed.v1",
        None,
        {"lease_id": "lease-c", "closed_at": "2026-01-01T02:00:00Z"},
    )
    joined = ledger.event("rentroll.device.registered.v1", None, {"device": device(77)})

    codes = ledger.codes(
        ledger.usage(3, 0, 60, lease="lease-c"),
        opened,
        ledger.usage(3, 0, 60, lease="lease-c"),
        closed,
        ledger.usage(3, 7_200, 7_260, lease="lease-c"),
        joined,
    )

    assert codes == [
        "lease_unknown", "accepted", "accepted", "accepted", "lease_not_open", "pledge_fixed",
    ]  # fmt: skip
