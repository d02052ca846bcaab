"""A service that answers as it is told, and a sender to it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import orjson

from api.agent.flights import Flight, Flights, Result
from api.agent.sender import Sender
from api.agent.spool import Spool
from api.agent.transport import Answered, BearerSigner
from api.errors import AppError
from tests.factories import Clock


@dataclass
class StandInService:
    """Answers bodies as it is told; remembers each event once, in the order of first arrival."""

    clock: Clock
    failure: AppError | None = None
    judge: Callable[[dict[str, Any]], Result] = lambda _event: Result("accepted")
    bodies: list[bytes] = field(default_factory=list)
    taken: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    ahead_s: int = 0

    def send(self, flight: Flight) -> Answered:
        """Take a body, or fail."""
        self.bodies.append(flight.body)
        if self.failure is not None:
            raise self.failure
        results = [self._one(event) for event in orjson.loads(flight.body)]
        return Answered(results, None, self.ask_time())

    def ask_time(self) -> str | None:
        """A `Date`, off by so much as it is told."""
        if self.failure is not None:
            raise self.failure
        return formatdate(self.clock.now_s + self.ahead_s, usegmt=True)

    def _one(self, event: dict[str, Any]) -> Result:
        named = event["source"], event["id"]
        if named in self.taken:
            return Result("duplicate")
        result = self.judge(event)
        if result.status == "accepted":
            self.taken[named] = event
        return result


def make_sender(spool: Spool, service: StandInService, agent_clock: Any) -> Sender:
    """A sender to a stand-in, without chance."""
    return Sender(Flights(spool), service, BearerSigner("k"), agent_clock, chance=lambda: 0.5)


def drain(sender: Sender, *, most: int = 1_000) -> int:
    """Step until the sender wants to wait; returns how many steps."""
    for count in range(most):
        if sender.step():
            return count
    raise AssertionError("the sender never rests")
