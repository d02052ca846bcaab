"""The queue on both databases: fair turns, claims that end, wakes that are never lost."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update

from api.chain.answers import Block
from api.db import work as rows
from api.db.session import reading, transaction
from api.db.tables.work import WorkRow, work
from api.domain.units import FacilityId
from api.epochs.queue import Look, Queue, Told
from api.errors import HeldBack
from tests.factories import DAY_S, START_S, Ledger, device

pytestmark = pytest.mark.both_databases

HEAD = Block(1, bytes(32), bytes(32), START_S)
NOW_S = 1_800_000_000


class Steps:
    """A step that notes whom it was taken of, and does as told."""

    name = "post"

    def __init__(self, *, raising: Exception | None = None) -> None:
        self.taken: list[int] = []
        self.look = Look()
        self.raising = raising

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> None:
        assert head is HEAD

    def one(self, facility_id: FacilityId, _read: None) -> Look:
        self.taken.append(facility_id)
        if self.raising:
            raise self.raising
        return self.look


class Clocked(Queue):
    """A queue whose clock is set."""

    def __init__(self, ledger: Ledger, *, now_s: int = NOW_S) -> None:
        self.at_s = now_s
        super().__init__(ledger.engine, now=lambda: self.at_s)

    def go(self, step: Steps, *, most: int = 1_000, chain_s: int = START_S) -> Told:
        told = Told()
        self.run(step, chain_s=chain_s, told=told, head=lambda: HEAD, most=most)
        return told


def _row(ledger: Ledger, facility_id: int) -> WorkRow:
    with reading(ledger.engine) as connection:
        found = connection.execute(select(work).where(work.c.facility_id == facility_id)).one()
    return WorkRow(**found._mapping)


def _facilities(ledger: Ledger, count: int, *, first: int = 1_000) -> list[FacilityId]:
    return [
        FacilityId(ledger.add_facility(range(first + 4 * i, first + 4 * i + 1)))
        for i in range(count)
    ]


def test_take__one_operator_has_many_due__another_waits_for_one_of_them_at_most(
    ledger: Ledger, tmp_path: Path
) -> None:
    """Also where all of the first's were due long before, in every take."""
    many = _facilities(ledger, 12)
    theirs = [device(i) for i in range(500, 504)]
    other = Ledger(ledger.engine, tmp_path, name="other", device_uuids=theirs)
    queue = Clocked(ledger)
    queue.wake(["post"], many)
    queue.at_s += 60
    queue.wake(["post"], [other.facility_id])

    first = queue.take("post", chain_s=START_S, most=2)
    queue.wake(["post"], [other.facility_id])
    queue.let_go()
    one_by_one = [
        row.facility_id for _ in range(3) for row in queue.take("post", chain_s=START_S, most=1)
    ]

    assert other.facility_id in [row.facility_id for row in first]
    assert other.facility_id in one_by_one[:2]


def test_take__two_workers__have_none_in_common(ledger: Ledger) -> None:
    ids = _facilities(ledger, 6)
    one, two = Clocked(ledger), Clocked(ledger)
    one.wake(["post"], ids)

    first = {row.facility_id for row in one.take("post", chain_s=START_S, most=3)}
    second = {row.facility_id for row in two.take("post", chain_s=START_S, most=6)}

    assert (len(first), len(second), first & second) == (3, 3, set())


def test_take__worker_is_gone__its_claims_end_by_themselves(ledger: Ledger) -> None:
    gone, here = Clocked(ledger), Clocked(ledger)
    gone.wake(["post"], [FacilityId(ledger.facility_id)])
    gone.take("post", chain_s=START_S, most=1)

    early = here.take("post", chain_s=START_S, most=1)
    here.at_s += rows.CLAIM_S + 1

    assert (early, len(here.take("post", chain_s=START_S, most=1))) == ([], 1)


def test_start__process_was_killed__its_claims_end_at_once(ledger: Ledger) -> None:
    """kill -9 leaves claims; whoever starts on the same machine sees that their owner is dead."""
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    queue = Clocked(ledger)
    queue.wake(["post"], [FacilityId(ledger.facility_id)])
    queue.take("post", chain_s=START_S, most=1)
    dead = queue.name.replace(f"/{os.getpid()}/", f"/{child.pid}/")
    with transaction(ledger.engine) as connection:
        connection.execute(update(work).values(claimed_by=dead))

    here = Clocked(ledger)
    before = here.take("post", chain_s=START_S, most=1)
    here.start()

    assert (before, len(here.take("post", chain_s=START_S, most=1))) == ([], 1)


def test_run__woken_while_it_is_looked_at__is_looked_at_again(ledger: Ledger) -> None:
    """A signature that comes in between is not lost: nothing waits for a time it did not know."""
    facility_id = FacilityId(ledger.facility_id)
    queue, other, step = Clocked(ledger), Clocked(ledger), Steps()

    def woken_meanwhile(_id: FacilityId, _read: None) -> Look:
        step.taken.append(facility_id)
        if len(step.taken) == 1:
            other.wake(["post"], [facility_id])
        return Look(from_block_s=rows.NEVER_S) if len(step.taken) == 1 else Look()

    step.one = woken_meanwhile  # type: ignore[method-assign]
    queue.wake(["post"], [facility_id])
    queue.go(step)
    queue.go(step)
    queue.go(step)

    assert step.taken == [facility_id] * 2


def test_run__failure__comes_back_later_each_time_and_says_why(ledger: Ledger) -> None:
    facility_id = FacilityId(ledger.facility_id)
    queue, step = Clocked(ledger), Steps(raising=OSError(28, "No space left on device", "x.csv"))
    queue.wake(["post"], [facility_id])
    pauses = []
    for _ in range(4):
        [failed] = queue.go(step).failed
        pauses.append(_row(ledger, facility_id).next_try_s - queue.at_s)
        assert queue.go(step).failed == []
        queue.at_s += pauses[-1]
    row = _row(ledger, facility_id)

    assert failed.reason == row.reason == "No space left on device: x.csv"
    assert (row.state, row.attempts, row.since_s) == ("failing", 4, NOW_S)
    assert pauses == sorted(pauses)
    assert 1 <= pauses[0] <= 2 < pauses[3] <= 16


def test_run__what_nobody_foresaw__quotes_no_secret_and_is_logged(ledger: Ledger) -> None:
    seen: list[Exception] = []
    queue = Queue(ledger.engine, log=seen.append)
    step = Steps(raising=ValueError("salt 0xdeadbeef"))
    queue.wake(["post"], [FacilityId(ledger.facility_id)])

    queue.run(step, chain_s=START_S, told=Told(), head=lambda: HEAD)

    reason = str(_row(ledger, ledger.facility_id).reason)
    assert "deadbeef" not in reason
    assert reason.startswith("ValueError at test_queue.py:")
    assert [str(error) for error in seen] == ["salt 0xdeadbeef"]


def test_run__clock_was_days_ahead_once__nothing_waits_for_that_time(ledger: Ledger) -> None:
    """ATTACKS 51: a next try, or a claim, that a wrong clock noted holds nothing up."""
    facility_id = FacilityId(ledger.facility_id)
    queue, step = Clocked(ledger), Steps(raising=RuntimeError())
    queue.at_s += 40 * DAY_S
    queue.wake(["post"], [facility_id])
    queue.go(step)
    queue.wake(["settle"], [facility_id])
    queue.take("settle", chain_s=START_S, most=1)

    right = Clocked(ledger)
    step.raising = None
    right.go(step)

    assert step.taken == [facility_id] * 2
    assert len(right.take("settle", chain_s=START_S, most=1)) == 1


def test_run__waits_for_a_block__is_not_looked_at_before(ledger: Ledger) -> None:
    facility_id = FacilityId(ledger.facility_id)
    queue, step = Clocked(ledger), Steps()
    step.look = Look(from_block_s=START_S + 10)
    queue.wake(["post"], [facility_id])
    queue.go(step)
    queue.at_s += DAY_S
    queue.go(step, chain_s=START_S + 9)
    before = list(step.taken)
    queue.go(step, chain_s=START_S + 10)

    assert (len(before), len(step.taken)) == (1, 2)


def test_release__held__goes_on_and_only_then(ledger: Ledger) -> None:
    facility_id = FacilityId(ledger.facility_id)
    queue, step = Clocked(ledger), Steps(raising=HeldBack("ask first"))
    queue.wake(["post"], [facility_id])
    queue.go(step)
    held = _row(ledger, facility_id)
    queue.at_s += DAY_S
    queue.wake(["post"], [facility_id])
    with transaction(ledger.engine) as connection:
        assert rows.retry(connection, None, None, now_s=queue.at_s) == 0
    queue.start()
    queue.go(step)
    with transaction(ledger.engine) as connection:
        assert rows.release(connection, facility_id, now_s=queue.at_s) == 1
    step.raising = None
    queue.go(step)

    assert (held.state, held.reason) == ("held", "ask first")
    assert step.taken == [facility_id] * 2


def test_run__stopped__begins_nothing_more(ledger: Ledger) -> None:
    ids = _facilities(ledger, 5)
    queue, step = Clocked(ledger), Steps()
    queue.wake(["post"], ids)

    def stops(facility_id: FacilityId, _read: None) -> Look:
        step.taken.append(facility_id)
        queue.stop.set()
        return Look()

    step.one = stops  # type: ignore[method-assign]
    queue.go(step)

    assert len(step.taken) == 1
