"""The process: rounds until it is told to stop, refusals served beside them."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from api.attester.handing import HandingIn, Publisher
from api.attester.health import Health
from api.attester.numbers import read_numbers
from api.attester.serving import serving_refusals
from api.attester.settings import AttesterSettings
from api.attester.verdict import Verdict
from api.attester.wiring import RunningAttester, open_attester
from api.chain.rpc import RpcError
from api.errors import AppError, ChainUnavailable, SignerFailed

# Between two looks at what keeps signatures from counting, and at evidence that is missing: both
# change rarely, and ask the node often.
_LOOK_EVERY_S = 60.0
_LONGEST_PAUSE_S = 300.0
Log = Callable[..., None]


def run_attester(
    settings: AttesterSettings,
    stop: threading.Event,
    *,
    log: Log,
    health: Health | None = None,
) -> None:
    """Run until `stop` is set; what fails in a round is told, and tried again in the next.

    Args:    health: is noted in it, for probes and metrics.
    Raises:  AppError if it cannot begin, and waiting would not help.
    """
    served, health = settings.refusals, health or Health()
    with ExitStack() as exits:
        running = _opened(settings, stop, exits, log=log, health=health)
        if running is None:
            return
        exits.enter_context(serving_refusals(served.folder, host=served.host, port=served.port))
        log("attester", started=running.account.address, memory=str(settings.memory))
        rounds = _Rounds(running, log, poll_s=settings.poll_s, health=health)
        health.numbers = partial(read_numbers, running, settings)
        health.begins()
        while not stop.is_set():
            rounds.one()
            stop.wait(settings.poll_s)


def _opened(
    settings: AttesterSettings,
    stop: threading.Event,
    exits: ExitStack,
    *,
    log: Log,
    health: Health,
) -> RunningAttester | None:
    """The attester of the settings, once node and signer answer; None if it is stopped before."""
    failures = 0
    while not stop.is_set():
        try:
            return exits.enter_context(open_attester(settings))
        except (ChainUnavailable, RpcError, SignerFailed) as error:
            log("attester", error=error.message)
            health.begins(error.message)
        stop.wait(_pause_s(settings.poll_s, failures))
        failures += 1
    return None


def _pause_s(poll_s: float, failures: int) -> float:
    """Time until what failed is tried again. Attesters that one outage stopped return apart."""
    pause_s = min(_LONGEST_PAUSE_S, poll_s * 2.0 ** min(failures, 16))
    return pause_s * random.uniform(0.5, 1.0)  # noqa: S311


def run_once(settings: AttesterSettings, *, log: Log) -> Sequence[Verdict]:
    """One round; serves nothing. Raises what failed first in it, once all of it was tried."""
    with open_attester(settings) as running:
        rounds = _Rounds(running, log, poll_s=settings.poll_s, health=Health())
        verdicts = rounds.one()
        if rounds.failed is not None:
            raise rounds.failed
        return verdicts


@dataclass(slots=True)
class _Step:
    """A part of a round: when it is due again, and how often in a row it failed."""

    act: Callable[[], Iterable[Verdict]]
    every_s: float = 0.0
    due_s: float = 0.0
    failures: int = 0


class _Rounds:
    """Rounds of a process, and what it told already.

    What fails in one step, a service's nonsense or a fault of ours, is told, and that step alone
    tried again, each time later: nothing but a signal ends the process.
    """

    def __init__(
        self, running: RunningAttester, log: Log, *, poll_s: float, health: Health
    ) -> None:
        self._running, self._log, self._poll_s, self._health = running, log, poll_s, health
        self._warned: list[str] = []
        self._said: dict[tuple[int, int | None], str | None] = {}
        attester = running.attester
        self._steps = {
            "warnings": _Step(self._look, _LOOK_EVERY_S),
            "statements": _Step(self._statements),
            "missing evidence": _Step(attester.look_for_missing, _LOOK_EVERY_S),
            "posted statements": _Step(attester.look_at_posted, _LOOK_EVERY_S),
        }
        for name, way in (("handing in", running.handing_in), ("chain", running.publisher)):
            if way is not None:
                self._steps[name] = _Step(partial(self._bring, way))
        self.failed: Exception | None = None

    def one(self) -> Sequence[Verdict]:
        """One round: every step that is due."""
        self.failed, verdicts = None, list[Verdict]()
        # Behind one address there may be another node by now.
        self._running.client.check_again()
        for name, step in self._steps.items():
            if time.monotonic() >= step.due_s:
                verdicts += self._step(name, step)
        return verdicts

    def _step(self, name: str, step: _Step) -> list[Verdict]:
        verdicts = []
        try:
            for verdict in step.act():
                self._tell(verdict)
                verdicts.append(verdict)
        except Exception as error:
            self.failed = self.failed or error
            said = error.message if isinstance(error, AppError) else f"{name}: {error!r}"
            self._log("attester", error=said)
            self._health.step(name, said)
            step.due_s = time.monotonic() + _pause_s(self._poll_s, step.failures)
            step.failures += 1
        else:
            self._health.step(name, None)
            step.failures = 0
            step.due_s = time.monotonic() + step.every_s
        return verdicts

    def _statements(self) -> Iterable[Verdict]:
        verdicts = self._running.attester.run_once()
        self._health.judged(verdicts)
        return verdicts

    def _bring(self, way: HandingIn | Publisher) -> Iterable[Verdict]:
        way.round(self._log)
        return ()

    def _look(self) -> Iterable[Verdict]:
        self._warn(self._running.warnings())
        return ()

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
