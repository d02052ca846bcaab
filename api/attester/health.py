"""What an attester's process knows of itself, for probes and metrics."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from api.attester.verdict import Verdict
from api.domain.units import FacilityId

_STARTING = "it starts"


@dataclass(frozen=True, slots=True)
class Number:
    """One number that is shown, by the name and labels of a metric."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


# Numbers of what the process works with, such as its memory; read now and then.
Numbers = Callable[[], Sequence[Number]]


def _nothing() -> Sequence[Number]:
    return ()


@dataclass(slots=True)
class Health:
    """Noted by the process's loop, read by whoever asks.

    beat: called whenever the loop gets on.
    numbers: what else can be read, once the attester is open.
    """

    beat: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.time
    numbers: Numbers = _nothing
    _problems: dict[str, str] = field(default_factory=lambda: {"start": _STARTING})
    _signed: dict[FacilityId, float] = field(default_factory=dict)
    _waiting: dict[FacilityId, float] = field(default_factory=dict)

    def begins(self, problem: str | None = None) -> None:
        """It is opened, or is not, and why."""
        self.beat()
        self._noted("start", problem)

    def step(self, name: str, problem: str | None) -> None:
        """A step of a round ended, or failed, and why."""
        self.beat()
        self._noted(name, problem)

    def _noted(self, name: str, problem: str | None) -> None:
        # Whole again each time: readers are threads of their own.
        rest = {key: said for key, said in self._problems.items() if key != name}
        self._problems = rest if problem is None else rest | {name: problem}

    def judged(self, verdicts: Sequence[Verdict]) -> None:
        """All statements that the service showed in a round, and what became of them."""
        now = self.clock()
        statements = [v for v in verdicts if v.epoch is not None]
        signed = {v.facility_id: now for v in statements if v.signed}
        waiting = {v.facility_id for v in statements if not v.signed}
        self._signed = self._signed | signed
        self._waiting = {each: self._waiting.get(each, now) for each in waiting}

    def problems(self) -> tuple[str, ...]:
        """What keeps it from judging now, in words; nothing: it works."""
        return tuple(self._problems.values())

    def read(self) -> list[Number]:
        """All numbers."""
        return [*self._own(), *self.numbers()]

    def _own(self) -> Iterator[Number]:
        now = self.clock()
        for facility_id, at in self._signed.items():
            label = (str(facility_id),)
            yield Number("attester_newest_signature_timestamp_seconds", at, label)
        for facility_id, since in self._waiting.items():
            yield Number("attester_unsigned_seconds", now - since, (str(facility_id),))
        yield Number("attester_failing_steps", len(self._problems))
