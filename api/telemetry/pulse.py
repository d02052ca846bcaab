"""Whether a process still gets on: the age of the last sign of life of its loop."""

import threading
import time
from collections.abc import Callable


class Pulse:
    """Beaten by a loop in each round; read by whoever asks whether the process lives."""

    def __init__(self, stale_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Args: stale_s: seconds without a beat from which the loop counts as stuck."""
        self._stale_s, self._clock = stale_s, clock
        self._beaten = clock()
        self._lock = threading.Lock()

    def beat(self) -> None:
        """The loop gets on."""
        with self._lock:
            self._beaten = self._clock()

    def problem(self) -> str | None:
        """Why the process does not live; None while it does."""
        with self._lock:
            age_s = self._clock() - self._beaten
        return f"no round has ended for {age_s:.0f} s" if age_s > self._stale_s else None
