"""The agent's time: the machine's clock, held against the `Date` of the service's answers."""

from collections.abc import Callable
from email.utils import parsedate_to_datetime

# `Date` counts whole seconds, and an answer takes a while.
_NOISE_S = 2


class AgentClock:
    """What time it is, and how far the machine's clock is off the service's."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.skew_s: int | None = None

    def now_s(self) -> int:
        """Seconds by the machine's clock."""
        return self._now()

    def billable_s(self) -> int:
        """The latest second that may be told of as past: never ahead of the service's clock."""
        skew_s = self.skew_s or 0
        return self._now() + (skew_s if skew_s < -_NOISE_S else 0)

    def hear(self, date: str | None) -> None:
        """Take the `Date` of an answer that has just come."""
        if not date:
            return
        try:
            service_s = int(parsedate_to_datetime(date).timestamp())
        except ValueError:
            return
        skew_s = service_s - self._now()
        self.skew_s = 0 if abs(skew_s) <= _NOISE_S else skew_s

    def sentence(self) -> str:
        """The skew in words."""
        if self.skew_s is None:
            return "the service has not said its time yet"
        if self.skew_s == 0:
            return "this machine and the service agree on the time"
        way = "behind" if self.skew_s > 0 else "ahead of"
        return f"this machine's clock is {abs(self.skew_s)} s {way} the service's"
