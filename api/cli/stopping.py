"""How a process is told to stop, and that it does within a bound."""

import os
import signal
import threading
import time

from api.cli.output import EXIT_UNREACHABLE
from api.telemetry.logs import log

# A signal is obeyed within so many seconds, whatever hangs. Every step may be cut off: what the
# next process finds half done, it does again or finishes.
STOP_WITHIN_S = 10.0
# That it was cut off is told in so many seconds, or not at all.
_SAYS_S = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def stop_event() -> threading.Event:
    """Set by SIGTERM or SIGINT: the running step ends, then the process.

    A handler runs in the main thread, once that is back in Python: SQLite alone keeps it half a
    minute while another process writes. So a thread hears of the signal too.
    """
    stop = threading.Event()
    heard, told = os.pipe()
    os.set_blocking(told, False)
    for number in _SIGNALS:
        signal.signal(number, lambda *_: stop.set())
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)

    def listen() -> None:
        while not stop.is_set():
            # Numbers of signals, each a byte; others than these have handlers too.
            if any(number in _SIGNALS for number in os.read(heard, 1)):
                stop.set()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    return stop


def end_in_time(stop: threading.Event, process: str, *, once: bool = False) -> None:
    """End this process, whatever its threads do, STOP_WITHIN_S after it was told to stop.

    once: it was to do one round; its exit code then says that it did not.
    """

    def watch() -> None:
        stop.wait()
        time.sleep(STOP_WITHIN_S)
        # Beside this thread: it may hang itself, where nobody reads the log.
        said = {"warning": "stopped in the middle of a step, which the next start finishes"}
        says = threading.Thread(target=log, args=(process,), kwargs=said, daemon=True)
        says.start()
        says.join(_SAYS_S)
        os._exit(EXIT_UNREACHABLE if once else 0)

    threading.Thread(target=watch, name="stop-in-time", daemon=True).start()
