"""ATTACKS 55: whatever goes wrong with one facility, at whichever call, every other one goes on."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from sqlalchemy import delete, select

from api.db.facilities import known_facility_row
from api.db.session import reading, transaction
from api.db.tables.work import work
from api.domain.units import FacilityId
from api.epochs.closing import Close, Pace
from api.epochs.post import Post
from api.epochs.queue import Queue, Told
from api.epochs.settle import Settle
from api.epochs.times import Times
from api.errors import ChainUnavailable, Conflict, DatabaseUnavailable
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.launching import launch
from tests.world import World

pytestmark = pytest.mark.chain

API = str(Path(sys.modules["api.epochs.queue"].__file__ or "").parents[1])
# The queue itself: what fails there is the database's fault, and no facility's.
OURS = ("epochs/queue.py", "epochs/closing.py", "db/work.py", "db/rows.py", "db/session.py")
BAD = FacilityId(987_654)
ERRORS: tuple[Callable[[], Exception], ...] = (
    lambda: RuntimeError("nobody foresaw it"),
    lambda: OSError(28, "No space left on device", "epoch-00000"),
    lambda: Conflict("there are other bytes already"),
    lambda: ChainUnavailable("the node does not answer for it"),
    lambda: DatabaseUnavailable("two writers clashed", reason="clashed"),
    lambda: KeyError("damaged"),
)


def _about_bad(value: object) -> bool:
    if isinstance(value, int):
        return value == BAD
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return any(type(each) is int and each == BAD for each in value)
    return bool(getattr(value, "facility_id", None) == BAD)


def _calls(frame: FrameType) -> bool:
    """Whether a frame begins a function of the service that is about the bad facility."""
    name = frame.f_code.co_filename
    if not name.startswith(API) or name.endswith(OURS):
        return False
    return any(_about_bad(value) for value in frame.f_locals.values())


@contextmanager
def _tracing(on_call: Callable[[CodeType], None]) -> Iterator[None]:
    def trace(frame: FrameType, event: str, _about: object) -> None:
        if event == "call" and _calls(frame):
            on_call(frame.f_code)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def _functions(run: Callable[[], object]) -> list[CodeType]:
    """Every function that is called about the bad facility, in order of its first call."""
    found: dict[CodeType, None] = {}
    with _tracing(lambda code: found.setdefault(code)):
        run()
    return list(found)


def _with_error(run: Callable[[], Any], code: CodeType, error: Exception) -> Any:
    """Run, with an exception instead of the first call of a function about the bad facility."""

    def on_call(called: CodeType) -> None:
        if called is code:
            raise error

    with _tracing(on_call):
        return run()


@pytest.fixture
def world(world: World) -> World:
    """Two facilities that deliver hourly epochs, one of which something is wrong with."""
    world.facility_id = _hourly(world, range(50, 52), None)
    _hourly(world, range(60, 62), BAD)
    world.indexer().advance()
    return world


def _hourly(world: World, devices: range, facility_id: FacilityId | None) -> int:
    made = world.ledger.add_facility(
        devices,
        facility_id=facility_id,
        settlement_token=world.deployment.settlement_token,
        window_end_s=START_S + 8 * DAY_S,
        epoch_length_s=HOUR_S,
    )
    launch(world, made)
    world.ledger.facility_id = made
    world.ledger.add_lease("lease-a")
    return made


def _meter(world: World, facility_id: int, gpu: int) -> None:
    world.ledger.facility_id = facility_id
    assert world.ledger.codes(world.ledger.usage(gpu, 0, HOUR_S)) == ["accepted"]


def _states(world: World) -> dict[int, tuple[str, str | None]]:
    with reading(world.engine) as connection:
        rows = connection.execute(select(work.c.facility_id, work.c.state, work.c.reason))
        return {row.facility_id: (row.state, row.reason) for row in rows}


def _forget(world: World) -> None:
    with transaction(world.engine) as connection:
        connection.execute(delete(work))


def test_close__any_call_for_one_facility_raises__the_other_is_closed(world: World) -> None:
    world.at(8 * DAY_S + GRACE_S)
    queue = Queue(world.engine)
    pace = Pace(at_once=1, ask_above=1_000)
    close = Close(world.engine, world.evidence, queue, pace=pace, on_closed=None)
    seen = Times(world.client, wall=None).look()

    def closed() -> tuple[int, int]:
        with reading(world.engine) as connection:
            rows = [known_facility_row(connection, FacilityId(i)) for i in (BAD, world.facility_id)]
        return rows[0].epochs_closed, rows[1].epochs_closed

    functions = _functions(lambda: close.run(seen, Told()))
    assert len(functions) > 20
    for number, code in enumerate(functions):
        _forget(world)
        bad, good = closed()
        error = ERRORS[number % len(ERRORS)]()
        _with_error(lambda: close.run(seen, Told()), code, error)

        assert closed()[1] == good + 1, code
        if closed()[0] == bad:
            state, reason = _states(world)[BAD]
            assert (state, bool(reason)) == ("failing", True), code


@pytest.mark.parametrize("kind", ["post", "settle"])
def test_step__any_call_for_one_facility_raises__the_others_intents_are_made(
    world: World, kind: str
) -> None:
    world.at(HOUR_S)
    _meter(world, world.facility_id, 50)
    _meter(world, BAD, 60)
    world.at(HOUR_S + GRACE_S)
    world.round()
    world.attest()
    if kind == "settle":
        world.round()
        for facility_id in (BAD, world.facility_id):
            world.facility_id, kept = facility_id, world.facility_id
            world.pay(1_000_000)
            world.facility_id = kept
        world.at(DAY_S)
    step: Any = (
        Post(world.engine, world.contracts, world.evidence)
        if kind == "post"
        else Settle(world.engine, world.contracts)
    )
    ids = [BAD, FacilityId(world.facility_id)]
    queue = Queue(world.engine)

    def run() -> set[int]:
        _forget(world)
        queue.wake([step.name], ids)
        now_s = world.clock()
        intents = queue.run(step, chain_s=now_s, told=Told(), head=world.client.head)
        return {intent.facility_id for intent in intents}

    functions = _functions(run)
    assert run() == set(ids)
    for number, code in enumerate(functions):
        sent = _with_error(run, code, ERRORS[number % len(ERRORS)]())

        assert world.facility_id in sent, code
        if BAD not in sent:
            state, reason = _states(world)[BAD]
            assert (state, bool(reason)) == ("failing", True), code
    assert run() == set(ids)
