"""The closing statement: late facts, money taken back, a facility that ended early."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from api.db import statements as store
from api.db.session import reading, transaction
from api.db.tables.facilities import facilities
from api.domain.lifecycle import StatementState
from api.domain.metering.usage import LineKind
from api.domain.statements.evidence import LINES_FILE, epoch_folder
from api.domain.units import Epoch, FacilityId
from api.epochs.close import close_due
from api.errors import Conflict
from tests.endings import by_stranger
from tests.factories import DAY_S, GRACE_S, HOUR_S, SEAL_S, START_S, Ledger
from tests.launching import launch
from tests.world import Deployed, World

pytestmark = pytest.mark.chain
DOLLAR = 1_000_000


def _lines(world: World, number: int) -> list[tuple[LineKind, int]]:
    """Kind and charge of each line of a statement."""
    with reading(world.engine) as connection:
        lines = store.lines_of(connection, FacilityId(world.facility_id), Epoch(number))
    return [(line.kind, line.charge_micros) for line in lines]


def _window(world: World) -> None:
    """Three epochs stated, the first with an hour of rent, which is paid."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S, name="first"))
    world.pay(DOLLAR)
    for epoch in range(3):
        world.post(epoch)
    world.round()
    assert world.settled == DOLLAR
    world.at(3 * DAY_S + GRACE_S + 60)


def _shown(world: World) -> list[tuple[int, bool, str]]:
    rows = world.http.get(f"/v1/facilities/{world.facility_id}/statements").json()["statements"]
    return [(row["epoch"], row["closing"], row["state"]) for row in rows]


@pytest.mark.both_databases
def test_closing__late_usage__is_stated_settled_and_verified(world: World) -> None:
    _window(world)
    late = world.ledger.usage(1, 2 * DAY_S, 2 * DAY_S + 2 * HOUR_S)
    assert world.ledger.codes(late) == ["accepted"]
    assert world.reconcile().differences.open_epoch_gpu_seconds == 2 * HOUR_S

    world.post_closing()
    world.pay(2 * DOLLAR)
    world.round()

    closing = world.statement(3)
    assert (closing.epoch_start_s, closing.epoch_end_s) == (
        START_S + 3 * DAY_S,
        START_S + 3 * DAY_S + SEAL_S,
    )
    assert _lines(world, 3) == [(LineKind.LATE, 0), (LineKind.USAGE_DIFFERENCE, 2 * DOLLAR)]
    assert (closing.available_gpu_seconds, closing.billed_gpu_seconds) == (0, 0)
    assert world.posted == 3
    assert world.settled == 3 * DOLLAR
    assert _shown(world)[-1] == (3, True, StatementState.FINAL)
    found = world.reconcile()
    assert found.balanced
    assert found.attested_micros == 3 * DOLLAR
    assert found.differences.open_epoch_gpu_seconds == 0
    assert world.verify().findings == ()
    again = world.ledger.usage(1, 2 * DAY_S + 3 * HOUR_S, 2 * DAY_S + 4 * HOUR_S)
    assert world.ledger.codes(again) == ["facility_closed"]
    by_stranger(world, "FacilityRegistry", "mature", world.facility_id)


def test_closing__void_of_what_is_settled__lowers_what_is_attested_and_nobody_pays_back(
    world: World,
) -> None:
    """The closing states everything, also below zero; what is settled stays paid."""
    _window(world)
    first = world.ledger.usage(0, 0, HOUR_S, name="first")
    late = world.ledger.usage(1, 2 * DAY_S, 2 * DAY_S + HOUR_S // 4)
    assert world.ledger.codes(world.ledger.void(first), late) == ["accepted"] * 2

    world.post_closing()

    assert [charge for _, charge in _lines(world, 3) if charge] == [-3 * DOLLAR // 4]
    assert world.statement(3).gross_revenue_micros == -3 * DOLLAR // 4
    found = world.reconcile()
    assert found.balanced
    assert (found.attested_micros, found.settled_micros) == (DOLLAR // 4, DOLLAR)
    assert found.differences.credited_micros == 3 * DOLLAR // 4
    assert found.differences.awaiting_settlement_micros == 0
    assert world.verify().findings == ()
    # Rent for what is not owed is not settled, and what is unpaid is nothing.
    world.pay(DOLLAR)
    world.round()
    assert world.settled == DOLLAR
    by_stranger(world, "FacilityRegistry", "mature", world.facility_id)
    world.round()
    world.at(6 * DAY_S)
    world.round()
    assert len(world.events("FacilityClosed")) == 1
    assert world.verify().findings == ()


@pytest.fixture
def long_world(engine: Engine, tmp_path: Path, fresh_chain: Deployed) -> Iterator[World]:
    """A facility of eight epochs whose patience is two days."""
    terms = {"window_end_s": START_S + 8 * DAY_S, "patience_s": 2 * DAY_S}
    found = World(engine, tmp_path, fresh_chain, **terms)
    yield found
    found.close()


ENDED_S = 6 * DAY_S + 12 * HOUR_S


def _default(world: World) -> None:
    """The first of eight epochs is stated, none after it; the seventh is cut short by the end."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    world.post(0)
    world.at(4 * DAY_S)
    by_stranger(world, "FacilityRegistry", "noticeDefault", world.facility_id, 1)
    world.at(ENDED_S - 60)
    cut_short = world.ledger.usage(0, 6 * DAY_S, 6 * DAY_S + HOUR_S)
    late = world.ledger.usage(1, 0, HOUR_S)
    assert world.ledger.codes(cut_short, late) == ["accepted"] * 2
    world.round()
    world.at(ENDED_S)
    by_stranger(world, "FacilityRegistry", "declareDefault", world.facility_id, 1)


@pytest.mark.both_databases
def test_closing__of_a_facility_that_ended__has_the_grace_and_no_epoch_cut_short(
    long_world: World,
) -> None:
    world = long_world
    _default(world)
    ended_s = world.now(world.contracts.facility_registry.ending_of(world.facility_id)).ended_at_s
    world.at(ENDED_S + GRACE_S - 60)
    in_grace = world.ledger.usage(2, 0, HOUR_S, name="in grace")
    assert world.ledger.codes(in_grace) == ["accepted"]
    # The service has not heard of the end yet: nothing was indexed since.
    world.chain.set_time(ended_s + GRACE_S)
    too_late = world.ledger.usage(3, 0, HOUR_S)
    assert world.ledger.codes(too_late, world.ledger.void(in_grace)) == ["accepted"] * 2

    world.round()
    world.round()
    assert world.ledger.codes(world.ledger.usage(3, HOUR_S, 2 * HOUR_S)) == ["facility_closed"]
    assert all(v.signed for v in world.attest())
    world.round()

    assert (world.posted, world.statement(6).epoch_end_s) == (6, ended_s + GRACE_S)
    assert world.now(world.contracts.statement_registry.is_closing_posted(world.facility_id))
    assert _lines(world, 6) == [
        (LineKind.LATE, 0),
        (LineKind.LATE, 0),
        (LineKind.USAGE_DIFFERENCE, 2 * DOLLAR),
    ]
    assert [row[:2] for row in _shown(world)][-2:] == [(5, False), (6, True)]
    found = world.reconcile()
    assert found.balanced
    # The hour that was cut short and the one that came too late, less the void that did.
    assert found.differences.open_epoch_gpu_seconds == HOUR_S
    assert world.verify().findings == ()
    world.at(ENDED_S + 4 * DAY_S)
    world.round()
    assert len(world.events("FacilityClosed")) == 1
    assert world.verify().findings == ()


def test_closing__epoch_was_closed_before_the_service_heard_of_the_end__is_taken_back(
    long_world: World,
) -> None:
    world = long_world
    _default(world)
    world.at(7 * DAY_S + GRACE_S)
    # The index is behind: the worker closes the seventh epoch, which the end cut short.
    close_due(world.engine, world.evidence, world.clock())
    assert not _shown(world)[-1][1]
    assert _shown(world)[-1][0] == 6

    world.round()
    world.round()

    assert _shown(world)[-1][:2] == (6, True)
    assert all(v.signed for v in world.attest())
    world.round()
    assert world.now(world.contracts.statement_registry.is_closing_posted(world.facility_id))
    assert world.verify().findings == ()


def test_closing__its_number_has_files_of_the_epoch_cut_short__is_made_all_the_same(
    long_world: World,
) -> None:
    """A crash between evidence and row: nobody can have signed what was never stored."""
    world = long_world
    _default(world)
    folder = epoch_folder(FacilityId(world.facility_id), Epoch(6))
    world.evidence.write(f"{folder}/{LINES_FILE}", b"of the epoch that was cut short")
    world.at(7 * DAY_S)

    world.round()
    world.round()

    assert _shown(world)[-1][:2] == (6, True)
    assert all(v.signed for v in world.attest())


def test_close__evidence_of_one_facility_is_in_the_way__others_are_closed(world: World) -> None:
    other = world.ledger.add_facility(
        range(100, 104), settlement_token=world.deployment.settlement_token
    )
    launch(world, other)
    folder = epoch_folder(FacilityId(world.facility_id), Epoch(0))
    world.evidence.write(f"{folder}/{LINES_FILE}", b"of somebody else")
    world.at_cut_off(0)

    with pytest.raises(Conflict, match="exists with other bytes"):
        close_due(world.engine, world.evidence, world.clock())
    done = world.worker().run_once()

    assert (done.closed, done.failed, done.idle) == (1, True, False)
    (failed,) = done.not_closed
    assert (failed.facility_id, failed.epoch) == (world.facility_id, 0)
    assert "exists with other bytes" in failed.reason
    with reading(world.engine) as connection:
        assert store.statement_row(connection, FacilityId(other), Epoch(0)) is not None


def test_attest__too_early_or_with_another_grace__is_refused(world: World) -> None:
    """What is signed while records still come would leave them out, and bar what has them."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, HOUR_S))
    close_due(world.engine, world.evidence, START_S + DAY_S + GRACE_S)
    world.indexer().advance()

    (early,) = world.attest(0)
    world.at_cut_off(0)
    with transaction(world.engine) as connection:
        connection.execute(update(facilities).values(grace_s=GRACE_S + 1))
    (other,) = world.attest(0)
    with transaction(world.engine) as connection:
        connection.execute(update(facilities).values(grace_s=GRACE_S))
    (in_time,) = world.attest(0)

    assert not early.signed
    assert "takes records until" in str(early.reason)
    assert not other.signed
    assert "grace" in str(other.reason)
    assert in_time.signed


def test_void__of_a_sealed_month__is_refused_and_an_open_one_is_not(ledger: Ledger) -> None:
    facility = ledger.add_facility(range(50, 54), window_end_s=START_S + 45 * DAY_S)
    ledger.facility_id = facility
    ledger.add_lease("lease-a")
    old = ledger.usage(50, 0, HOUR_S)
    ledger.clock = lambda: START_S + DAY_S  # type: ignore[method-assign]
    assert ledger.codes(old) == ["accepted"]
    young = ledger.usage(50, 31 * DAY_S, 31 * DAY_S + HOUR_S)
    ledger.clock = lambda: START_S + 32 * DAY_S  # type: ignore[method-assign]
    assert ledger.codes(young) == ["accepted"]
    ledger.clock = lambda: START_S + 33 * DAY_S  # type: ignore[method-assign]

    assert ledger.codes(ledger.void(old), ledger.void(young)) == ["sealed", "accepted"]


def test_closing__of_an_ended_facility_with_another_end__is_signed_by_nobody(
    long_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attester takes the end from the chain: a service that gives more grace gets no word."""
    world = long_world
    _default(world)
    world.round()
    world.at(7 * DAY_S)
    with monkeypatch.context() as lie:
        ends = {FacilityId(world.facility_id): START_S + ENDED_S + 60}
        for module in ("close", "closing"):
            lie.setattr(f"api.epochs.{module}.ended_at", lambda *_about: ends)
        world.round()

    verdicts = {v.epoch: v for v in world.attest(0)}

    assert not verdicts[Epoch(6)].signed
    assert verdicts[Epoch(5)].signed
