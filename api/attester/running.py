"""The process: rounds until it is told to stop, refusals served beside them."""

import threading
import time
from collections.abc import Callable, Sequence

from api.attester.serving import serving_refusals
from api.attester.settings import AttesterSettings
from api.attester.verdict import Verdict
from api.attester.wiring import RunningAttester, open_attester
from api.errors import AppError

# Between two looks at what keeps signatures from counting, and at evidence that is missing: both
# change rarely, and ask the node often.
_LOOK_EVERY_S = 60.0
Log = Callable[..., None]


def run_attester(settings: AttesterSettings, stop: threading.Event, *, log: Log) -> None:
    """Run until `stop` is set; what fails in a round is told, and tried again in the next.

    Raises:  AppError if it cannot begin.
    """
    served = settings.refusals
    with (
        open_attester(settings) as running,
        serving_refusals(served.folder, host=served.host, port=served.port),
    ):
        log("attester", started=running.account.address, memory=str(settings.memory))
        rounds = _Rounds(running, log)
        while not stop.is_set():
            try:
                rounds.one()
            except AppError as error:
                log("attester", error=error.message)
            stop.wait(settings.poll_s)


def run_once(settings: AttesterSettings, *, log: Log) -> Sequence[Verdict]:
    """One round; serves nothing. Raises AppError."""
    with open_attester(settings) as running:
        return _Rounds(running, log).one()


class _Rounds:
    """Rounds of a process, and what it told already."""

    def __init__(self, running: RunningAttester, log: Log) -> None:
        self._running, self._log = running, log
        self._warned: list[str] = []
        self._said: dict[tuple[int, int | None], str | None] = {}
        self._looks_at_s = 0.0

    def one(self) -> Sequence[Verdict]:
        """One round. Raises AppError."""
        looks = time.monotonic() >= self._looks_at_s
        if looks:
            self._warn(self._running.warnings())
            self._looks_at_s = time.monotonic() + _LOOK_EVERY_S
        verdicts = list(self._running.attester.run_once())
        if looks:
            verdicts += self._running.attester.look_for_missing()
            verdicts += self._running.attester.look_at_posted()
        for verdict in verdicts:
            self._tell(verdict)
        return verdicts

    def _warn(self, warnings: list[str]) -> None:
        for warning in warnings:
            if warning not in self._warned:
                self._log("attester", warning=warning)
        self._warned = warnings

    def _tell(self, verdict: Verdict) -> None:
        """Say what was decided; the same reason of the same thing once, not every round."""
        key = (verdict.facility_id, verdict.epoch)
        fields: dict[str, object] = {"facility": verdict.facility_id}
        fields |= {"pledge": True} if verdict.epoch is None else {"epoch": verdict.epoch}
        if verdict.signed:
            self._said.pop(key, None)
            self._log("signed", **fields)
            return
        if verdict.reason == self._said.get(key):
            return
        self._said[key] = verdict.reason
        if verdict.refusal is not None:
            fields |= {"refusal": verdict.refusal}
        self._log("refused" if verdict.found else "not signed", **fields, reason=verdict.reason)
