"""A check that is run now and then by a thread of its own, so that asking for it costs nothing."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from api.errors import AppError

Check = Callable[[], Sequence[str]]


class Checked:
    """Problems of the last run, in words. A check that hangs is a problem by itself."""

    def __init__(
        self,
        check: Check,
        *,
        every_s: float = 5.0,
        stale_s: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Args: stale_s: from this age on the last answer is not believed any more."""
        self._check, self._every_s, self._stale_s = check, every_s, stale_s
        self._clock = clock
        self._answer: tuple[float, tuple[str, ...]] | None = None

    def problems(self) -> tuple[str, ...]:
        """What keeps the process from working; nothing: it is ready."""
        answer = self._answer
        if answer is None:
            return ("not checked yet",)
        checked, problems = answer
        age_s = self._clock() - checked
        return (f"no check has ended for {age_s:.0f} s",) if age_s > self._stale_s else problems

    def run(self) -> None:
        """Check now."""
        try:
            problems = tuple(self._check())
        except AppError as error:
            problems = (error.message,)
        except Exception as error:  # whatever it is, this process does not work
            problems = (f"the check itself failed: {type(error).__name__}",)
        self._answer = (self._clock(), problems)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Check every so often until the block ends; then nothing is ready any more."""
        stop = threading.Event()

        def loop() -> None:
            while not stop.is_set():
                self.run()
                stop.wait(self._every_s)

        # A daemon: a check that hangs does not hold up the end of its process.
        thread = threading.Thread(target=loop, name="readiness", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(0.5)
            self._answer = (self._clock(), ("it is ending",))
