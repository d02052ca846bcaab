"""What systemd is told of a process: that it works, that it still gets on, that it ends.

A unit of `Type=notify` with `WatchdogSec` names a socket in the environment; elsewhere nothing is
told. The words are those of sd_notify(3).
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

Problems = Callable[[], Sequence[str]]
# Between two looks at a process: systemd's clients show its status no older than this.
_EVERY_S = 5.0
_MICROS = 1_000_000


def notify(*lines: str, environment: Mapping[str, str] = os.environ) -> bool:
    """Send lines such as `READY=1` to systemd, and say whether it has asked for any.

    A socket that takes nothing is no reason for a process to fail.
    """
    name = environment.get("NOTIFY_SOCKET", "")
    if not name.startswith(("/", "@")):
        return False
    # `@` is how an abstract socket is written: its name begins with a zero byte.
    address = f"\0{name[1:]}" if name[0] == "@" else name
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(1)
        sender.sendto("\n".join(lines).encode(), address)
    return True


def watchdog_s(environment: Mapping[str, str] = os.environ) -> float | None:
    """Seconds without a sign of life after which systemd ends this process; None: never."""
    of_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    micros = environment.get("WATCHDOG_USEC", "")
    return int(micros) / _MICROS if of_us and micros.isdigit() and int(micros) > 0 else None


def _asked(problems: Problems) -> Sequence[str]:
    try:
        return problems()
    except Exception as error:  # whatever it is, the next look may find it mended
        return [type(error).__name__]


@contextmanager
def supervised(
    *, live: Problems, ready: Problems, environment: Mapping[str, str] = os.environ
) -> Iterator[None]:
    """Tell systemd of this process until the block ends.

    `READY=1` once nothing keeps it from working; signs of life as long as it lives: a process that
    is stuck gives none, and systemd starts it anew.
    """
    if not environment.get("NOTIFY_SOCKET"):
        yield
        return
    limit_s = watchdog_s(environment)
    every_s = _EVERY_S if limit_s is None else min(_EVERY_S, limit_s / 3)
    stop = threading.Event()

    def loop() -> None:
        started = False
        while not stop.is_set():
            stuck, waiting = _asked(live), _asked(ready)
            lines = [f"STATUS={'; '.join([*stuck, *waiting]) or 'works'}"]
            if not started and not stuck and not waiting:
                started = True
                lines.append("READY=1")
            if not stuck:
                lines.append("WATCHDOG=1")
            notify(*lines, environment=environment)
            # Until it works, somebody waits for it.
            stop.wait(every_s if started else min(every_s, 0.5))

    thread = threading.Thread(target=loop, name="systemd", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(1)
        notify("STOPPING=1", "STATUS=ends", environment=environment)
