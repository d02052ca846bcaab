"""Where the service takes its time from. Everybody else is handed the time."""

import time
from collections.abc import Callable

Clock = Callable[[], int]


def system_clock() -> int:
    """UTC seconds of this machine."""
    return int(time.time())
