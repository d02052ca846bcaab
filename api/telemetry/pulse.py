"""Whether a process still gets on: the age of the last sign of life of its loop."""

import threading
import time
from collections.abc import Callable


class Pulse:
    """Beaten by a loop in each round; read by whoever asks whether the process lives."""

    def __init__(
        self,
        stale_s: float,
        *,
        what: str = "no round has ended",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: stale_s: seconds without a beat from which the loop counts as stuck.
        what: how to say so, before `for 12 s`.
        """
        self._stale_s, self._what, self._clock = stale_s, what, clock
        # Whether the loop has ever turned.
        self.begun = False
        self._beaten = clock()
        self._lock = threading.Lock()

    def beat(self) -> None:
        """The loop gets on."""
        with self._lock:
            self._beaten, self.begun = self._clock(), True

    def problem(self) -> str | None:
        """Why the process does not live; None while it does."""
        with self._lock:
            age_s = self._clock() - self._beaten
        return f"{self._what} for {age_s:.0f} s" if age_s > self._stale_s else None

    def problems(self) -> tuple[str, ...]:
        """The same as a list of problems, empty while it lives."""
        problem = self.problem()
        return () if problem is None else (problem,)
