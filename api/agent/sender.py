"""The sender: drains the spool in order, one body at a time, for as long as it takes."""

from collections.abc import Callable
from dataclasses import dataclass

from api.agent.clock import AgentClock
from api.agent.failures import (
    Behind,
    BodyRefused,
    KeyNotKnown,
    LogCut,
    LogLacks,
    LogRefused,
    NotAdmitted,
    SpoolFailed,
    Unreachable,
)
from api.agent.flights import MOST_EVENTS, Flight, Flights
from api.agent.transport import Signer, Transport

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 300.0
# A key that is not taken is a person's to mend.
_KEY_PAUSE_S = 60.0
# The service's time comes nearer by itself.
_AHEAD_PAUSE_S = 15.0
_IDLE_PAUSE_S = 1.0
_ASK_TIME_EVERY_S = 300
# Others give back what is theirs.
_LACKS_PAUSE_S = 5


@dataclass(slots=True)
class SenderState:
    """What health shows of it.

    receipts_off_s: how far the newest receipt's second is off this machine's clock, beyond what
    may be: recorded seconds decide in which statement a fact is.
    given_back: entries that logs had lost and got back from here.
    """

    last_sent_s: int | None = None
    sent: int = 0
    refused: int = 0
    failure: str | None = None
    failing_since_s: int | None = None
    receipts_off_s: int = 0
    given_back: int = 0


class Sender:
    """One step sends at most one body and says how long to wait for the next."""

    def __init__(
        self,
        flights: Flights,
        transport: Transport,
        signer: Signer,
        clock: AgentClock,
        *,
        chance: Callable[[], float],
    ) -> None:
        """chance: of 0 to 1, for jitter: agents that one outage stopped do not return as one."""
        self._flights, self._transport, self._signer = flights, transport, signer
        self._clock, self._chance = clock, chance
        self._failures = 0
        self._most = MOST_EVENTS
        self._asked_time_s: int | None = None
        # Facilities whose log does not take the key, the one that was asked longest ago first.
        self._refused: dict[int, None] = {}
        # Whether the last answer named another receipt than the one behind which was signed.
        self._named_another = False
        self.state = SenderState()

    def step(self) -> float:
        """Send what is next. Returns seconds until the next step; 0 if more waits."""
        try:
            self._ask_time()
            pause_s = self._send_next()
        except Unreachable as error:
            return self._failed(error.message, at_least_s=error.retry_after_s)
        except LogRefused as error:
            return self._failed(error.message, at_least_s=_KEY_PAUSE_S)
        except NotAdmitted as error:
            message = f"the service does not take the key, or has no such path: {error.message}"
            return self._failed(message, at_least_s=_KEY_PAUSE_S)
        except SpoolFailed as error:
            return self._failed(error.message, at_least_s=0)
        if pause_s < _AHEAD_PAUSE_S and not self._refused:
            self._failures = 0
            self.state.failure = self.state.failing_since_s = None
        return pause_s

    def _send_next(self) -> float:
        waiting = self._flights.facilities()
        self._refused = {facility: None for facility in self._refused if facility in waiting}
        # Logs that take the key first: what waits for a person holds up nobody else.
        willing = [facility for facility in waiting if facility not in self._refused]
        for facility in (*willing, *self._refused):
            self._refused.pop(facility, None)
            try:
                log = self._signer.log(facility)
                flight = self._flights.next(
                    facility, log=log, author=self._signer.author, most=self._most
                )
                if flight is not None:
                    return self._send_or_give_back(flight)
            except NotAdmitted:
                self._refused[facility] = None
                raise
        return _IDLE_PAUSE_S

    def _send_or_give_back(self, flight: Flight) -> float:
        """Send a body. A log that lacks what it had is given back what is kept here."""
        try:
            return self._send(flight)
        except (LogCut, LogLacks, KeyNotKnown):
            given = self._transport.give_back(flight.facility)
            if given is None:
                raise
            self.state.given_back += given.given
            if not given.whole:
                raise Unreachable(given.message, retry_after_s=_LACKS_PAUSE_S) from None
            return 0.0

    def _send(self, flight: Flight) -> float:
        try:
            answered = self._transport.send(flight)
        except BodyRefused as error:
            self._narrow(flight, error.message)
            return 0.0
        except Behind as error:
            self._flights.begin_behind(flight, error.receipt, now_s=self._clock.now_s())
            # Once at once: a service that always names another would keep both at it.
            pause_s = _IDLE_PAUSE_S if self._named_another else 0.0
            self._named_another = True
            return pause_s
        self._named_another = False
        self._clock.hear(answered.date)
        self._asked_time_s = self._clock.now_s()
        ahead = self._flights.settle(
            flight, answered.results, answered.receipt, now_s=self._clock.now_s()
        )
        self.state.receipts_off_s = answered.off_s
        self._most = min(MOST_EVENTS, self._most * 2)
        rejected = sum(result.status == "rejected" for result in answered.results) - ahead
        self.state.last_sent_s = self._clock.now_s()
        self.state.sent += len(answered.results) - rejected - ahead
        self.state.refused += rejected
        if ahead:
            message = f"{ahead} events speak of time that the service has not reached yet"
            self._note_failure(message)
            return _AHEAD_PAUSE_S
        return 0.0

    def _narrow(self, flight: Flight, message: str) -> None:
        """A body is condemned as a whole: half of it is tried, down to the event at fault."""
        if len(flight.seqs) == 1:
            if self._signer.signs:
                # What is readable becomes an entry, whatever is answered: somebody on the way, or
                # the service, is at fault, and the event waits.
                raise NotAdmitted(f"a signed event got no receipt: {message}")
            now_s = self._clock.now_s()
            self._flights.condemn(flight, code="body_refused", detail=message, now_s=now_s)
            self.state.refused += 1
            return
        self._most = max(1, len(flight.seqs) // 2)
        self._flights.drop(flight)

    def _ask_time(self) -> None:
        now_s = self._clock.now_s()
        last_s = self._asked_time_s
        if last_s is None or not 0 <= now_s - last_s < _ASK_TIME_EVERY_S:
            self._clock.hear(self._transport.ask_time())
            self._asked_time_s = now_s

    def _note_failure(self, message: str) -> None:
        self.state.failure = message
        if self.state.failing_since_s is None:
            self.state.failing_since_s = self._clock.now_s()

    def _failed(self, message: str, *, at_least_s: float) -> float:
        self._note_failure(message)
        longest_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 16))
        self._failures += 1
        # Half of it at least, so that a pause is one.
        pause_s = longest_s * (0.5 + 0.5 * self._chance())
        return max(pause_s, at_least_s + self._chance() if at_least_s else 0.0)
