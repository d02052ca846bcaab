"""The sender: order, retries byte for byte, refusals, outages of a day, and a clock that is off."""

import hashlib
import zlib
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.agent.clock import AgentClock
from api.agent.events import seen
from api.agent.failures import BodyRefused, NotAdmitted, SpoolFailed, Unreachable
from api.agent.flights import (
    MOST_BYTES,
    MOST_EVENTS,
    Flights,
    Result,
    drop_refused,
    refused,
    send_again,
    send_sent,
)
from api.agent.spool import Spool, append
from tests.factories import DAY_S, HOUR_S, START_S, Clock, device
from tests.unit.agent.desk import (
    SOURCE,
    make_book,
    names,
    open_spool,
    said,
    spooled,
    use,
)
from tests.unit.agent.sending import StandInService, drain, make_sender


class Desk:
    """A spool, a service and a sender between them, on one clock."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(START_S + HOUR_S)
        self.spool = open_spool(folder)
        self.service = StandInService(self.clock)
        self.agent_clock = AgentClock(self.clock)
        self.sender = make_sender(self.spool, self.service, self.agent_clock)
        self.book = make_book(self.spool)

    def tell(self, at_s: int, *uses: Any, **more: Any) -> None:
        """Let the source say something at a time."""
        self.clock.now_s = START_S + at_s
        self.book.take(said(at_s, *uses, **more), now_s=self.agent_clock.billable_s())


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk in a folder of its own."""
    return Desk(tmp_path)


def test_events__that_wait__go_in_order_and_are_kept_as_taken(desk: Desk) -> None:
    desk.tell(400, use("7", 0, 0), use("8", 1, 0, 90))

    drain(desk.sender)

    assert list(desk.service.taken) == names(desk.spool)
    assert desk.spool.depth().waiting == 0
    assert desk.sender.state.sent == 4


def test_body__is_bounded__by_events_and_bytes(desk: Desk) -> None:
    desk.tell(10, *(use(f"{i}-{'j' * 150}", i, 0) for i in range(2_500)))

    drain(desk.sender)

    sizes = [len(orjson.loads(body)) for body in desk.service.bodies]
    assert max(sizes) <= MOST_EVENTS
    assert max(map(len, desk.service.bodies)) <= MOST_BYTES
    assert sum(sizes) == 2_500


def test_try__whose_answer_was_lost__is_repeated_byte_for_byte_after_a_restart(
    desk: Desk, tmp_path: Path
) -> None:
    drain(desk.sender)
    desk.tell(3_610, use("7", 0, 0))
    desk.service.failure = Unreachable("lost")
    assert desk.sender.step() > 0
    desk.tell(3_700, use("7", 0, 0), use("8", 1, 0))
    desk.spool.close()

    spool = open_spool(tmp_path)
    desk.service.failure = None
    drain(make_sender(spool, desk.service, desk.agent_clock))

    first, again, rest = desk.service.bodies
    assert first == again
    assert rest != first
    assert list(desk.service.taken) == names(spool)


def test_flight__is_on_disk_before_it_leaves__and_first_after_a_crash(
    desk: Desk, tmp_path: Path
) -> None:
    desk.tell(10, use("7", 0, 0))
    before = Flights(desk.spool).next(1, log="1", author="bearer")
    desk.tell(400, use("7", 0, 0), use("8", 1, 0))
    desk.spool.close()

    after = Flights(open_spool(tmp_path)).next(1, log="1", author="bearer")

    assert before == after


def test_service__away_for_a_day__gets_everything_once_and_in_order(desk: Desk) -> None:
    desk.service.failure = Unreachable("away")
    jobs = [use(f"{gpu}", gpu, 0) for gpu in range(8)]
    pauses = []
    for at_s in range(0, DAY_S, 300):
        desk.tell(at_s, *jobs)
        pauses.append(desk.sender.step())
    desk.tell(DAY_S, *(use(f"{gpu}", gpu, 0, DAY_S - 60) for gpu in range(8)))

    desk.service.failure = None
    drain(desk.sender)

    assert max(pauses) <= 300
    assert list(desk.service.taken) == names(desk.spool)
    assert sum(e["type"].endswith("ended.v1") for e in desk.service.taken.values()) == 8
    assert desk.sender.state.failure is None


def test_pause__asked_for_by_the_service__is_kept(desk: Desk) -> None:
    desk.tell(10, use("7", 0, 0))
    desk.service.failure = Unreachable("busy", retry_after_s=40)

    assert 40 <= desk.sender.step() <= 42


def test_pauses__of_a_long_outage__double_up_to_five_minutes(desk: Desk) -> None:
    desk.tell(10, use("7", 0, 0))
    desk.service.failure = Unreachable("away")

    pauses = [desk.sender.step() for _ in range(14)]

    assert pauses[:3] == [0.75, 1.5, 3.0]
    assert pauses[-1] == 225.0


def test_key__that_is_not_taken__loses_nothing_and_is_said(desk: Desk) -> None:
    desk.tell(10, use("7", 0, 0))
    desk.sender.step()
    desk.tell(400, use("7", 0, 0))
    desk.service.failure = NotAdmitted("401 revoked")

    assert desk.sender.step() >= 60
    assert "revoked" in str(desk.sender.state.failure)
    assert desk.spool.depth().waiting == 1


def test_body__condemned_as_a_whole__is_cut_down_to_the_event_at_fault(desk: Desk) -> None:
    desk.tell(10, *(use(str(i), i, 0) for i in range(10)))
    send = desk.service.send

    def choosy(flight: Any) -> Any:
        if b'"id":"3/' in flight.body:
            raise BodyRefused("422 poison")
        return send(flight)

    desk.service.send = choosy  # type: ignore[method-assign]
    drain(desk.sender)

    assert len(desk.service.taken) == 9
    [kept] = refused(desk.spool, most=10)
    assert kept.id.startswith("3/")
    assert kept.code == "body_refused"


def test_event__that_is_refused__is_kept_and_the_others_go_on(desk: Desk) -> None:
    desk.service.judge = lambda e: (
        Result("rejected", "lease_unknown", "no lease")
        if e["data"].get("lease") and e["id"].startswith("7/")
        else Result("accepted")
    )
    desk.tell(10, use("7", 0, 0), use("8", 1, 0))
    drain(desk.sender)
    for at_s in (400, 800):
        desk.tell(at_s, use("7", 0, 0), use("8", 1, 0))
    drain(desk.sender)

    [kept] = refused(desk.spool, most=10)
    assert (kept.code, kept.detail) == ("lease_unknown", "no lease")
    # Nothing more is told of it until somebody has looked.
    assert sum(body.count(b'"id":"7/') for body in desk.service.bodies) == 1
    assert len(desk.service.taken) == 3


def test_refused__sent_again__tells_what_is_known_by_then(desk: Desk) -> None:
    desk.service.judge = lambda _e: Result("rejected", "lease_unknown", "no lease")
    desk.tell(10, use("7", 0, 0), use("8", 1, 0))
    drain(desk.sender)
    desk.tell(800, use("7", 0, 0), use("8", 1, 0, 700))
    drain(desk.sender)
    desk.service.judge = lambda _e: Result("accepted")

    again = send_again(desk.spool, now_s=desk.clock.now_s)
    drain(desk.sender)
    desk.tell(1_200, use("7", 0, 0))
    drain(desk.sender)

    assert again == 4
    told = [(e["id"][0], e["type"].split(".")[-2]) for e in desk.service.taken.values()]
    assert told == [
        ("7", "opened"), ("8", "opened"), ("7", "confirmed"), ("8", "ended"), ("7", "confirmed"),
    ]  # fmt: skip
    assert refused(desk.spool, most=10) == []


def test_refused__dropped__is_forgotten(desk: Desk) -> None:
    desk.service.judge = lambda _e: Result("rejected", "overlap", "in use")
    desk.tell(10, use("7", 0, 0, 5))
    drain(desk.sender)

    assert drop_refused(desk.spool) == 2
    assert desk.spool.depth().refused == 0


def test_event__ahead_of_the_service__waits_with_all_that_hangs_on_it(desk: Desk) -> None:
    """A service that starts behind its chain records in the past for a while."""
    reached = {"s": False}
    known: set[str] = set()

    def judge(event: dict[str, Any]) -> Result:
        if not reached["s"]:
            if "lease" in event["data"]:
                return Result("rejected", "in_the_future", "ahead")
            return Result("rejected", "correction_target_unknown", "no such allocation")
        known.add(event["id"])
        return Result("accepted")

    desk.service.judge = judge
    desk.tell(400, use("7", 0, 0))
    assert desk.sender.step() == desk.sender.step() == 15.0
    assert send_sent(desk.spool, since_s=0, now_s=desk.clock.now_s) == 0
    assert "not reached" in str(desk.sender.state.failure)
    assert desk.spool.depth().waiting == 2

    reached["s"] = True
    drain(desk.sender)

    assert desk.spool.depth().waiting == 0
    assert len(known) == 2
    assert desk.sender.state.failure is None


def test_clock__ahead_of_the_service__bills_no_future(desk: Desk) -> None:
    desk.service.ahead_s = -1_000
    desk.sender.step()

    desk.tell(1_600, use("7", 0, 0))

    assert desk.agent_clock.skew_s == -1_000
    assert "1000 s ahead of" in desk.agent_clock.sentence()
    assert spooled(desk.spool)[-1]["data"]["until"] == "2026-01-01T00:10:00Z"


def test_clock__behind_the_service__bills_by_its_own(desk: Desk) -> None:
    desk.service.ahead_s = 1_000
    desk.sender.step()

    assert desk.agent_clock.billable_s() == desk.clock.now_s
    assert "behind" in desk.agent_clock.sentence()


def test_facilities__two_of_them__have_bodies_of_their_own(desk: Desk) -> None:
    desk.tell(10, use("7", 0, 0), use("8", 1, 0))
    with desk.spool.write() as db:
        db.execute("UPDATE events SET facility = 2 WHERE seq = 2")

    drain(desk.sender)

    assert len(desk.service.bodies) == 2


def test_receipts__are_kept_with_their_bodies_and_the_last_is_named_by_the_next(
    desk: Desk,
) -> None:
    flights = Flights(desk.spool)
    bodies = []
    for at_s in (10, 400):
        desk.tell(at_s, use("7", 0, 0))
        flight = flights.next(1, log="1:reg:1", author="key")
        assert flight is not None
        bodies.append((flight.after, flight.body))
        receipt = b"receipt-%d" % at_s
        flights.settle(flight, [Result("accepted")], receipt, now_s=desk.clock.now_s)

    kept = flights.receipts("1:reg:1", "key")
    assert [r.receipt for r in kept] == [b"receipt-10", b"receipt-400"]
    assert [r.body for r in kept] == [body for _, body in bodies]
    assert [after for after, _ in bodies] == [b"", b"receipt-10"]
    with desk.spool.read() as db:
        digest, body = db.execute("SELECT body_sha256, body FROM sent").fetchone()
    assert digest == hashlib.sha256(zlib.decompress(body)).digest()


def test_purge__forgets_what_was_taken__and_keeps_what_waits(desk: Desk) -> None:
    desk.tell(10, use("7", 0, 0, 5))
    drain(desk.sender)
    desk.tell(400, use("8", 1, 0))

    desk.spool.purge(before_s=desk.clock.now_s + 1)

    assert [named[0] for _, named in names(desk.spool)] == ["8", "8"]
    assert 0 < desk.spool.fill() < 0.01


def test_sighting__of_a_device_that_is_not_pledged__is_refused_once_and_not_piled_up(
    desk: Desk,
) -> None:
    desk.service.judge = lambda _e: Result("rejected", "device_unknown", "not pledged")
    event = seen(1, SOURCE, device=device(0), start_s=START_S, end_s=START_S + 60, evidence={})
    with desk.spool.write() as db:
        append(db, [event], now_s=START_S)

    drain(desk.sender)

    assert desk.spool.depth().refused == 0
    assert [p.kind for p in desk.spool.problems(since_s=0)] == ["device_unknown"]


def test_spool__used_by_another_agent__is_refused(desk: Desk, tmp_path: Path) -> None:
    other: Spool = open_spool(tmp_path)

    with desk.spool.alone(), pytest.raises(SpoolFailed, match="another agent"), other.alone():
        pass


def test_service__restored_from_a_copy__gets_what_it_lost_again(desk: Desk) -> None:
    for at_s in (10, 400, 800):
        desk.tell(at_s, use("7", 0, 0), use("8", 1, 0))
        drain(desk.sender)
    before = list(desk.service.taken)
    desk.service.taken.clear()

    again = send_sent(desk.spool, since_s=START_S + 300, now_s=desk.clock.now_s)
    drain(desk.sender)

    assert again == 4
    assert list(desk.service.taken) == before[2:]
    assert send_sent(desk.spool, since_s=START_S + 900, now_s=desk.clock.now_s) == 0


def test_spool__full_of_what_waits__is_emptied_by_sending(tmp_path: Path) -> None:
    """Sources leave the last room to the sender: a full spool would stay full for ever."""
    clock = Clock(START_S + HOUR_S)
    spool = open_spool(tmp_path, most_mib=1)
    service = StandInService(clock)
    book = make_book(spool)
    told = 0

    def tell_for_ever() -> None:
        nonlocal told
        for at_s in count(10):
            uses = [use(f"{at_s}-{i}", i, at_s) for i in range(40)]
            book.take(said(at_s, *uses), now_s=START_S + at_s)
            told += 40

    with pytest.raises(SpoolFailed, match="full"):
        tell_for_ever()

    drain(make_sender(spool, service, AgentClock(clock)))
    more = said(20_000, *(use(f"more-{i}", 1_000 + i, 0, 9) for i in range(40)))
    book.take(more, now_s=START_S + 20_000)

    assert len(service.taken) >= told > 500
    assert spool.depth().waiting == 80
