"""How a process is told to stop."""

import signal
import threading


def stop_event() -> threading.Event:
    """Set by SIGTERM or SIGINT: the running step ends, then the process."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
