"""The check of a batch beside its recording: the same answers on the same state, and no trace."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from api.db.facilities import lock_own_facility
from api.db.session import reading, transaction
from api.db.tables.base import metadata
from api.domain.metering.events import DEVICE_REGISTERED, LEASE_CLOSED, LEASE_OPENED
from api.domain.metering.instants import format_instant
from api.domain.metering.items import EventResult
from api.ledger.checking import check
from tests.factories import DAY_S, HOUR_S, START_S, Ledger, device

# Each row: kind, GPU, hour it begins (of the first 26, a day and a bit), hours it lasts, lease,
# and which event that was made before it names, if its kind names one.
_KINDS = [
    "usage", "delivery", "outage", "planned", "kept_out", "seen", "opened", "confirmed", "ended",
    "void", "replace", "adjustment", "terms", "limit", "lease_opened", "lease_closed", "again",
    "otherwise", "registered", "stranger", "unknown", "broken",
]  # fmt: skip
_ROWS = st.tuples(
    st.sampled_from(_KINDS),
    st.integers(0, 4),
    st.integers(-1, 25),
    st.integers(0, 6),
    st.sampled_from(["lease-a", "lease-b", "lease-c"]),
    st.integers(0, 1_000),
)
# Batches, each some hours after the one before.
_HISTORIES = st.lists(
    st.tuples(st.integers(0, 30), st.lists(_ROWS, min_size=1, max_size=8)), min_size=1, max_size=6
)


class _Collector:
    """Makes events of drawn rows, about one facility."""

    def __init__(self, ledger: Ledger, first_gpu: int) -> None:
        self.ledger, self.first_gpu = ledger, first_gpu
        self.sent: list[dict[str, Any]] = []

    def events(self, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
        """A batch. Later events of it may name earlier ones."""
        batch = []
        for row in rows:
            event = self._event(*row)
            batch.append(event)
            if isinstance(event, dict) and "data" in event:
                self.sent.append(event)
        return batch

    def _event(self, kind: str, gpu: int, hour: int, hours: int, lease: str, which: int) -> Any:
        ledger, gpu = self.ledger, self.first_gpu + gpu
        span = hour * HOUR_S, (hour + hours) * HOUR_S
        named = self.sent[which % len(self.sent)] if self.sent else ledger.usage(gpu, *span)
        match kind:
            case "usage":
                return ledger.usage(gpu, *span, lease=lease)
            case "delivery":
                return ledger.usage(gpu, *span, lease=lease, kind="delivery")
            case "outage" | "planned" | "kept_out":
                more = {"planned": {"cause": "planned"}, "kept_out": {"lease": lease}}
                return ledger.outage(gpu, *span, **more.get(kind, {}))
            case "seen":
                return ledger.seen(gpu, *span)
            case "opened":
                return ledger.allocation(gpu, span[0], lease=lease)
            case "confirmed":
                return ledger.confirmed(named, span[1])
            case "ended":
                return ledger.ended(named, span[1])
            case "void":
                return ledger.void(named)
            case "replace":
                return ledger.replace(named, ledger.usage(gpu, *span, lease=lease))
            case "adjustment":
                return ledger.adjustment(lease, which - 500)
            case "terms":
                return ledger.terms(lease, hours, span[0])
            case "limit":
                return ledger.terms(lease, hours, span[0], max_gpus=2)
            case _:
                return self._odd(kind, gpu, span, lease, named)

    def _odd(self, kind: str, gpu: int, span: tuple[int, int], lease: str, named: Any) -> Any:
        """Short forms, what was sent before, and what no log takes."""
        ledger, at = self.ledger, format_instant(START_S + span[0])
        match kind:
            case "lease_opened":
                terms = {"renter_ref": f"renter-of-{lease}", "price_micros_per_gpu_hour": 5}
                data = {"lease_id": lease, "plan": "on_demand", "opened_at": at, **terms}
                return ledger.event(LEASE_OPENED, None, data)
            case "lease_closed":
                return ledger.event(LEASE_CLOSED, None, {"lease_id": lease, "closed_at": at})
            case "again":
                return named
            case "otherwise":
                return {**ledger.usage(gpu, *span), "id": named["id"]}
            case "registered":
                return ledger.event(DEVICE_REGISTERED, None, {"device": device(gpu)})
            case "stranger":
                event = ledger.usage(gpu, *span)
                return {**event, "data": {**event["data"], "facility_id": 999}}
            case "unknown":
                return ledger.event("rentroll.gpu.dreamt.v1", None, {})
            case _:
                return {"id": "x"}


def _everything(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with reading(engine) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def _checked(ledger: Ledger, batch: Sequence[object]) -> list[EventResult]:
    return check(ledger.engine, ledger.operator_id, batch, clock=ledger.clock)


@pytest.mark.both_databases
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(history=_HISTORIES)
def test_check__any_history_of_batches__answers_as_recording_does_and_leaves_no_trace(
    ledger: Ledger, history: list[tuple[int, list[tuple[Any, ...]]]]
) -> None:
    ledger.clock.now_s = START_S + 3 * HOUR_S
    first_gpu = 1_000 + 10 * ledger.facility_id
    ledger.facility_id = ledger.add_facility(range(first_gpu, first_gpu + 4))
    ledger.add_lease("lease-a")
    ledger.add_lease("lease-b", max_gpus=1)
    collector = _Collector(ledger, first_gpu)

    for hours, rows in history:
        ledger.clock.now_s += hours * HOUR_S
        batch = collector.events(rows)
        before = _everything(ledger.engine)
        checked = _checked(ledger, batch)
        after = _everything(ledger.engine)

        assert after == before
        assert checked == ledger.ingest(*batch)


def _each_kind(collector: _Collector) -> list[Any]:
    """An accepted one, or the one answer it can have, of each kind."""
    hour = iter(range(1, 60))
    names = ["usage", "opened", "outage", "planned", "kept_out", "seen", "delivery", "adjustment"]
    batch = [collector._event(name, 0, next(hour) % 24, 1, "lease-a", 0) for name in names]
    used, opened = batch[0], batch[1]
    ledger = collector.ledger
    gpu = collector.first_gpu
    batch += [
        ledger.confirmed(opened, 2 * HOUR_S + 60),
        ledger.ended(opened, 2 * HOUR_S + 30),
        ledger.replace(used, ledger.usage(gpu + 1, 0, HOUR_S)),
        ledger.void(batch[2]),
        ledger.terms("lease-c", 1, 0, max_gpus=1),
        ledger.usage(gpu + 2, 0, HOUR_S, lease="lease-c"),
        ledger.usage(gpu + 3, 0, HOUR_S, lease="lease-c"),
        collector._event("lease_opened", 0, 0, 0, "lease-d", 0),
        collector._event("lease_closed", 0, 20, 0, "lease-a", 0),
        used,
        {**ledger.usage(gpu + 2, 2 * HOUR_S, 3 * HOUR_S), "id": used["id"]},
    ]
    return [*batch, *(collector._event(k, 9, 0, 1, "z", 0) for k in _KINDS[-4:]), "no event"]


@pytest.mark.both_databases
def test_check__one_batch_of_every_kind__is_answered_as_when_it_is_recorded(
    ledger: Ledger,
) -> None:
    batch = _each_kind(_Collector(ledger, 0))

    checked = _checked(ledger, batch)
    recorded = ledger.ingest(*batch)

    assert checked == recorded
    assert [r.code or r.status for r in recorded] == [
        *["accepted"] * 14, "over_capacity", "accepted", "accepted", "duplicate", "id_conflict",
        "pledge_fixed", "facility_unknown", "unknown_type", "malformed_event", "malformed_event",
    ]  # fmt: skip


@pytest.mark.both_databases
def test_check__while_a_writer_holds_the_facility__waits_for_nobody(ledger: Ledger) -> None:
    """It sees what was committed before, and its own locks, if it took any, would hang it."""
    batch = [ledger.usage(0, 0, HOUR_S)]

    with (
        ThreadPoolExecutor(1) as thread,
        transaction(ledger.engine) as connection,
    ):
        lock_own_facility(connection, ledger.operator_id, ledger.facility_id)
        results = thread.submit(_checked, ledger, batch).result(timeout=10)

    assert [result.status for result in results] == ["accepted"]
    assert ledger.codes(*batch) == ["accepted"]


def test_check__clock_that_was_ahead__moves_no_time(ledger: Ledger) -> None:
    ledger.clock.now_s = START_S + 2 * DAY_S
    ahead = _checked(ledger, [ledger.usage(0, 30 * HOUR_S, 31 * HOUR_S)])
    ledger.clock.now_s = START_S + DAY_S

    codes = ledger.codes(ledger.usage(0, 30 * HOUR_S, 31 * HOUR_S))

    assert [result.status for result in ahead] == ["accepted"]
    assert codes == ["in_the_future"]
