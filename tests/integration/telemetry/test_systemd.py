"""What systemd is told, over a real socket: ready once it works, alive while it lives."""

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.telemetry.pulse import Pulse
from api.telemetry.systemd import notify, supervised, watchdog_s
from tests.integration.telemetry.processes import free_port, process
from tests.world import World


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """The end of the socket that systemd holds."""
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(30)
        yield listening


def _told(manager: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in manager.recv(4096).decode().split("\n"))


def _until(manager: socket.socket, name: str) -> dict[str, str]:
    while name not in (told := _told(manager)):
        pass
    return told


def test_supervised__not_ready_yet__says_why_and_then_ready(manager: socket.socket) -> None:
    problems = ["the database is of another version"]
    pulse = Pulse(600)
    environment = {"NOTIFY_SOCKET": manager.getsockname()}

    with supervised(live=pulse.problems, ready=lambda: problems, environment=environment):
        first = _told(manager)
        problems.clear()
        ready = _until(manager, "READY")
    last = _until(manager, "STOPPING")

    assert first == {"STATUS": "the database is of another version", "WATCHDOG": "1"}
    assert ready == {"STATUS": "works", "READY": "1", "WATCHDOG": "1"}
    assert last == {"STATUS": "ends", "STOPPING": "1"}


def test_supervised__loop_that_stands_still__gives_no_sign_of_life(manager: socket.socket) -> None:
    now = [0.0]
    pulse = Pulse(10, clock=lambda: now[0])
    environment = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "60000"}

    with supervised(live=pulse.problems, ready=tuple, environment=environment):
        _until(manager, "READY")
        now[0] = 11
        while "WATCHDOG" in _told(manager):
            pass
        stuck = _told(manager)
        pulse.beat()
        again = _until(manager, "WATCHDOG")

    assert stuck == {"STATUS": "no round has ended for 11 s"}
    assert "READY" not in again


def test_supervised__probe_that_raises__is_a_stuck_process_and_no_dead_thread(
    manager: socket.socket,
) -> None:
    broken = [True]

    def live() -> list[str]:
        if broken[0]:
            raise ZeroDivisionError
        return []

    environment = {"NOTIFY_SOCKET": manager.getsockname()}
    with supervised(live=live, ready=tuple, environment=environment):
        first = _told(manager)
        broken[0] = False
        _until(manager, "READY")

    assert first == {"STATUS": "ZeroDivisionError"}


def test_notify__abstract_socket__is_reached() -> None:
    name = f"rentroll-test-{os.getpid()}-{os.urandom(4).hex()}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(10)

        assert notify("READY=1", environment={"NOTIFY_SOCKET": f"@{name}"})
        assert manager.recv(100) == b"READY=1"


def test_notify__without_systemd_or_with_a_socket_gone__harms_nobody(tmp_path: Path) -> None:
    assert not notify("READY=1", environment={})
    assert not notify("READY=1", environment={"NOTIFY_SOCKET": "elsewhere"})
    assert notify("READY=1", environment={"NOTIFY_SOCKET": str(tmp_path / "none")})


def test_watchdog__of_another_process_or_none__is_not_ours() -> None:
    ours = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}

    assert watchdog_s(ours) == 30
    assert watchdog_s({"WATCHDOG_USEC": "30000000"}) == 30
    assert watchdog_s(ours | {"WATCHDOG_PID": "1"}) is None
    assert watchdog_s({"WATCHDOG_USEC": "0"}) is None
    assert watchdog_s({}) is None


@pytest.mark.chain
@pytest.mark.parametrize("verb", ["serve", "worker"])
def test_process__started_by_systemd__says_that_it_works_and_lives(
    verb: str, manager: socket.socket, world: World, around: dict[str, str], tmp_path: Path
) -> None:
    settings = around | {
        "NOTIFY_SOCKET": manager.getsockname(),
        "WATCHDOG_USEC": "3000000",
        "RENTROLL_PORT": str(free_port()),
    }

    with process(tmp_path / "log", verb, **settings):
        _until(manager, "READY")
        alive = [_until(manager, "WATCHDOG") for _ in range(2)]

    assert alive == [{"STATUS": "works", "WATCHDOG": "1"}] * 2
