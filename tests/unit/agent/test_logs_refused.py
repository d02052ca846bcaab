"""What a log that refuses the agent, or lies to it, does to events: they wait."""

from pathlib import Path
from typing import Any

import pytest

from api.agent.clock import AgentClock
from api.agent.failures import Behind, LogRefused, NotAdmitted
from api.agent.flights import Flight
from api.agent.health import health_of
from api.agent.sender import Sender
from api.agent.transport import Answered
from api.domain.log.entry import EntryKind
from api.domain.log.receipts import pack_receipt
from api.domain.units import ZERO32
from tests.factories import START_S, Clock
from tests.unit.agent.desk import make_book, open_spool, said, use
from tests.unit.agent.sending import StandInService, drain, make_sender
from tests.unit.agent.signed_log import Signing


class Desk:
    """Two facilities with an event each, of which the first one's log is told what to do."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock(START_S + 10)
        self.spool = open_spool(folder)
        self.service = StandInService(self.clock)
        self.failure: Exception | None = None
        make_book(self.spool).take(said(10, use("7", 0, 0), use("8", 1, 0)), now_s=START_S + 10)
        with self.spool.write() as db:
            db.execute("UPDATE events SET facility = 2 WHERE seq = 2")
        self.sender: Sender = make_sender(self.spool, self.service, AgentClock(self.clock))
        self._send = self.service.send
        self.service.send = self.send  # type: ignore[method-assign]

    def send(self, flight: Flight) -> Answered:
        """Facility 1 fails as it is told."""
        if self.failure is not None and flight.facility == 1:
            raise self.failure
        return self._send(flight)

    def waiting(self) -> list[int]:
        """Facilities of events that wait."""
        with self.spool.read() as db:
            query = "SELECT facility FROM events WHERE state = 'waits' ORDER BY seq"
            return [row[0] for row in db.execute(query)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk in a folder of its own."""
    return Desk(tmp_path)


@pytest.mark.parametrize("failure", [NotAdmitted("401 key_unknown"), LogRefused("rewritten")])
def test_log__that_refuses__holds_up_no_other_and_condemns_nothing(
    desk: Desk, failure: Exception
) -> None:
    desk.failure = failure

    assert desk.sender.step() >= 60
    assert drain(desk.sender) == 1

    assert desk.waiting() == [1]
    assert desk.spool.depth().refused == 0
    assert desk.sender.state.failure is not None
    assert failure.message in desk.sender.state.failure  # type: ignore[attr-defined]

    desk.failure = None
    drain(desk.sender)

    assert desk.waiting() == []
    assert desk.sender.state.failure is None


def test_logs__that_all_refuse__are_asked_in_turn(desk: Desk) -> None:
    asked = []

    def refuse(flight: Flight) -> Answered:
        asked.append(flight.facility)
        raise NotAdmitted("401 key_unknown")

    desk.service.send = refuse  # type: ignore[method-assign]
    for _ in range(4):
        assert desk.sender.step() >= 60

    assert asked == [1, 2, 1, 2]


def test_refused_log__of_which_nothing_waits__is_no_failure_any_more(desk: Desk) -> None:
    desk.failure = NotAdmitted("401 key_unknown")
    desk.sender.step()
    with desk.spool.write() as db:
        db.execute("DELETE FROM events WHERE facility = 1")

    drain(desk.sender)

    assert desk.sender.state.failure is None


def test_answer__that_names_another_receipt__is_gone_on_behind(desk: Desk) -> None:
    """And health shows that receipt, for as long as it is the newest."""
    signing = Signing(desk.spool)
    receipt = pack_receipt(signing.log.take(b"key", ZERO32, kind=EntryKind.KEY, at_s=1_000))
    sent: list[bytes] = []
    send = desk.service.send

    def behind(flight: Flight) -> Answered:
        sent.append(flight.after)
        if not flight.after:
            raise Behind("409 after_wrong", receipt)
        return send(flight)

    desk.service.send = behind  # type: ignore[method-assign]
    drain(desk.sender)

    assert sent == [b"", receipt, b"", receipt]
    assert desk.waiting() == []
    assert (
        _health(desk)["sender"]["receipts"]
        == [{"log": str(signing.log.name), "entry": 1, "recorded_at_s": 1_000}] * 2
    )


def test_answer__that_names_another_receipt_each_time__is_asked_for_with_pauses(
    desk: Desk,
) -> None:
    """A service that never has enough does not keep the agent at it."""
    receipt = pack_receipt(
        Signing(desk.spool).log.take(b"key", ZERO32, kind=EntryKind.KEY, at_s=1_000)
    )

    def behind(_flight: Flight) -> Answered:
        raise Behind("409 after_wrong", receipt)

    desk.service.send = behind  # type: ignore[method-assign]

    assert [desk.sender.step() for _ in range(3)] == [0.0, 1.0, 1.0]


@pytest.mark.parametrize("off_s", [0, 121])
def test_health__of_a_receipt_off_our_clock__fails(desk: Desk, off_s: int) -> None:
    desk.sender.state.receipts_off_s = off_s

    shown = _health(desk)

    assert shown["status"] == ("failing" if off_s else "ok")
    assert shown["sender"]["receipts_off_s"] == off_s
    assert shown["sender"]["author"] == "bearer"


def _health(desk: Desk) -> Any:
    return health_of(
        name="n1",
        clock=AgentClock(desk.clock),
        spool=desk.spool,
        sender=desk.sender.state,
        author="bearer",
        workers=[],
        skew_warning_s=30,
    )
