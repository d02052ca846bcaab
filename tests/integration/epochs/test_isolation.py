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
from api.db.leases import known_lease_named
from api.db.session import reading, transaction
from api.db.tables.work import work
from api.domain.facility import DEFAULT_LONG_STOP_S
from api.domain.units import FacilityId, tranche_id
from api.epochs.approve import Approve
from api.epochs.closing import Close, Pace
from api.epochs.finish import Finish
from api.epochs.post import Post
from api.epochs.queue import Queue, Step, Told
from api.epochs.serve import Serve
from api.epochs.settle import Settle
from api.epochs.times import Times
from api.errors import ChainUnavailable, Conflict, DatabaseUnavailable
from scripts.dev.stack import CHALLENGE_WINDOW_S
from tests.endings import by_stranger
from tests.factories import DAY_S, GRACE_S, HOUR_S, SEAL_S, START_S
from tests.launching import launch
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain

API = str(Path(sys.modules["api.epochs.queue"].__file__ or "").parents[1])
# The queue itself: what fails there is the database's fault, and no facility's.
OURS = ("epochs/queue.py", "epochs/closing.py", "db/work.py", "db/rows.py", "db/session.py")
BAD = FacilityId(987_654)
COLLECTIONS = (list, tuple, set, frozenset, dict)
WINDOW_S = 8 * DAY_S
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
    if isinstance(value, COLLECTIONS):
        return any(type(each) is int and each == BAD for each in value)
    return bool(getattr(value, "facility_id", None) == BAD)


def _calls(frame: FrameType) -> bool:
    """Whether a frame begins a function of the service that is about the bad facility."""
    name = frame.f_code.co_filename
    if not name.startswith(API) or name.endswith(OURS):
        return False
    # A loop over one facility may look into a collection of all: that makes it not about each.
    around = frame.f_code.co_freevars
    return any(
        _about_bad(value)
        for each, value in frame.f_locals.items()
        if each not in around or not isinstance(value, COLLECTIONS)
    )


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
def world(world: World, request: pytest.FixtureRequest) -> World:
    """Two facilities of hourly epochs, one of which something is wrong with.

    Both deliver already, unless their pledges are to be approved.
    """
    begin = World.offer if "approve" in request.node.name else launch
    world.facility_id = _hourly(world, range(50, 52), None, begin)
    _hourly(world, range(60, 62), BAD, begin)
    world.indexer().advance()
    return world


def _hourly(
    world: World,
    devices: range,
    facility_id: FacilityId | None,
    begin: Callable[[World, int], object],
) -> int:
    made = world.ledger.add_facility(
        devices,
        facility_id=facility_id,
        settlement_token=world.deployment.settlement_token,
        window_end_s=START_S + WINDOW_S,
        epoch_length_s=HOUR_S,
    )
    begin(world, made)
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
    world.at(WINDOW_S + GRACE_S)
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


def _ids(world: World) -> list[FacilityId]:
    return [BAD, FacilityId(world.facility_id)]


def _approve(world: World) -> Step[Any]:
    """Both pledges wait, and each is signed by enough of the panel."""
    assert all(verdict.signed for verdict in world.attest())
    return Approve(world.engine, world.contracts)


def _post(world: World) -> Step[Any]:
    """One epoch of each is closed and attested."""
    world.at(HOUR_S)
    _meter(world, world.facility_id, 50)
    _meter(world, BAD, 60)
    world.at(HOUR_S + GRACE_S)
    world.round()
    world.attest()
    return Post(world.engine, world.contracts, world.evidence)


def _settle(world: World) -> Step[Any]:
    """The same is posted and final, and rent was paid."""
    _post(world)
    world.round()
    for facility_id in _ids(world):
        world.pay(1_000_000, facility_id=facility_id)
    world.at(DAY_S)
    return Settle(world.engine, world.contracts)


def _order(world: World) -> None:
    """A unit of each is burned for an hour of compute."""
    world.at(60)
    for nonce, facility_id in enumerate(_ids(world), 1):
        with reading(world.engine) as connection:
            lease = known_lease_named(connection, facility_id, "lease-a").lease
        world.take_delivery(HOLDERS[0], tranche_id(facility_id, 0), 1, lease, nonce=nonce)


def _serve(world: World) -> Step[Any]:
    """Each delivered the hour, by a statement that is final."""
    _order(world)
    world.at(2 * HOUR_S)
    for facility_id, gpu in zip(_ids(world), (60, 50), strict=True):
        world.ledger.facility_id = facility_id
        delivery = world.ledger.usage(gpu, HOUR_S, 2 * HOUR_S, kind="delivery")
        assert world.ledger.codes(delivery) == ["accepted"]
    world.at(2 * HOUR_S + GRACE_S)
    world.round()
    world.attest()
    while any(_posted(world, facility_id) < 2 for facility_id in _ids(world)):
        assert world.round().outcomes
    world.at(2 * HOUR_S + GRACE_S + CHALLENGE_WINDOW_S)
    world.indexer().advance()
    return Serve(world.engine, world.contracts)


def _posted(world: World, facility_id: FacilityId) -> int:
    return world.now(world.contracts.statement_registry.epochs_posted(facility_id))


def _finish(world: World) -> Step[Any]:
    """Nobody ended either until its long stop; each has a voucher that nobody served."""
    _order(world)
    world.at(WINDOW_S + SEAL_S + DEFAULT_LONG_STOP_S)
    for facility_id in _ids(world):
        by_stranger(world, "FacilityRegistry", "stop", facility_id)
    world.indexer().advance()
    lockbox = world.contracts.rent_lockbox
    world.chain.set_time(max(world.now(lockbox.closable_from_s(i)) for i in _ids(world)))
    return Finish(world.engine, world.contracts, Serve(world.engine, world.contracts))


READY: dict[str, Callable[[World], Step[Any]]] = {
    "approve": _approve,
    "post": _post,
    "settle": _settle,
    "serve": _serve,
    "finish": _finish,
}


@pytest.mark.parametrize("kind", READY)
def test_step__any_call_for_one_facility_raises__the_others_intents_are_made(
    world: World, kind: str
) -> None:
    step = READY[kind](world)
    ids = _ids(world)
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
