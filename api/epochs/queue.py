"""The queue: steps of facilities, taken one by one, so that what fails of one holds up no other.

A step is due, waits for something, fails, or is held until a person lets it go on. Every exception
is its row's own: the next try comes later each time, and the sentence is shown to the operator.
"""

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom
from typing import Protocol, TypeVar
from uuid import uuid4

from api.chain.answers import Block
from api.db import work
from api.db.session import Engine, reading, transaction
from api.db.tables.work import WorkRow
from api.domain.backoff import backoff_s
from api.domain.units import Epoch, FacilityId, OperatorId
from api.epochs.outbox import Intent
from api.errors import AppError, ChainUnavailable, DatabaseUnavailable, HeldBack

F = TypeVar("F")
T = TypeVar("T")
# Facilities whose chain is read at once; steps of one kind in one round.
BATCH, ROUND = 40, 200
# Of what waits and makes nobody uneasy: first, and at most about a minute.
_WAIT_FIRST_S, _WAIT_DOUBLED = 2.0, 6
# A node or a disk that is back is noticed soon.
_SERVICE_MOST_S = 15.0
_random = SystemRandom()


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a facility came to.

    intents: to be sent.  waits: why nothing more can be done now, in a sentence; it is looked at
    again by and by.  from_block_s: not before the chain's time is this, unless something happens.
    again: there is more to do at once.
    """

    intents: tuple[Intent, ...] = ()
    waits: str | None = None
    from_block_s: int = 0
    again: bool = False


_HOST = socket.gethostname()[:40]
# Nothing to do until something happens.
NOTHING = Look(from_block_s=work.NEVER_S)


class Step(Protocol[F]):
    """A step that asks the chain: of many facilities at once, then each facility for itself."""

    name: str

    def read(self, facility_ids: Sequence[FacilityId], head: Block) -> F:
        """What the chain says of all of them, at one block."""

    def one(self, facility_id: FacilityId, read: F) -> Look:
        """What follows for one facility."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A step that could not be taken, and why. unreachable: the node does not answer."""

    step: str
    facility_id: FacilityId
    reason: str
    epoch: Epoch | None = None
    unreachable: bool = False


@dataclass
class Told:
    """What the rounds of a queue told: who failed, and whether more can be done at once."""

    failed: list[Failed] = field(default_factory=list)
    more: bool = False


class Queue:
    """One worker's hands on the queue. stop: nothing new is begun once it is set."""

    def __init__(
        self,
        engine: Engine,
        *,
        stop: threading.Event | None = None,
        log: Callable[[Exception], None] = lambda _error: None,
        now: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        """Args: log: told of exceptions that nobody foresaw."""
        self._engine, self._log, self._now = engine, log, now
        self.stop = stop or threading.Event()
        pid = os.getpid()
        self.name = f"{_HOST}/{pid}/{_started_at(pid)}/{uuid4().hex[:8]}"
        # When each operator was served last, as a number that grows.
        self._served: dict[tuple[str, OperatorId], int] = {}
        self._serves = 0
        self._said_s = 0
        # Of the service's own steps that fail: how often in a row, and when they are tried again.
        self._service: dict[str, tuple[int, float]] = {}

    # --- making due ----------------------------------------------------------------------------

    def wake(self, steps: Iterable[str], facility_ids: Sequence[FacilityId]) -> None:
        """Make steps of facilities due."""
        if not facility_ids:
            return
        with transaction(self._engine) as connection:
            for step in steps:
                work.wake(connection, step, facility_ids, now_s=self._now())

    def begin(self, step: str, facility_ids: Sequence[FacilityId]) -> None:
        """Make a step of facilities due where nothing is known of it."""
        if facility_ids:
            with transaction(self._engine) as connection:
                work.begin(connection, step, facility_ids, now_s=self._now())

    def start(self) -> None:
        """Let go of what dead workers of this machine had, and try everything once."""
        with transaction(self._engine) as connection:
            dead = [name for name in work.claimers(connection) if _is_dead(name)]
            work.let_go(connection, dead)
            work.forget_service(connection)
            work.start_again(connection, now_s=self._now())

    def let_go(self) -> None:
        """Let go of all that this worker has."""
        with transaction(self._engine) as connection:
            work.let_go(connection, [self.name])

    def still_here(self) -> None:
        """Say that this worker still has what it claimed, if it is time to say so again."""
        now_s = self._now()
        if abs(now_s - self._said_s) >= work.CLAIM_S // 3:
            with transaction(self._engine) as connection:
                work.keep_claims(connection, self.name, now_s=now_s)
            self._said_s = now_s

    # --- taking --------------------------------------------------------------------------------

    def take(
        self, step: str, *, chain_s: int, most: int, but: Iterable[FacilityId] = ()
    ) -> list[WorkRow]:
        """Claim up to `most` facilities, in fair turns of their operators.

        An operator's second comes after every other operator's first, and who was served longest
        ago comes first: nobody waits for more than one of another's.
        """
        now_s, left_out = self._now(), set(but)
        with reading(self._engine) as connection:
            found = work.candidates(
                connection, step, now_s=now_s, chain_s=chain_s, most=most + len(left_out)
            )
        found = [each for each in found if each.facility_id not in left_out]
        served = {each.operator_id: self._served.get((step, each.operator_id), 0) for each in found}
        found.sort(key=lambda each: (each.rank, served[each.operator_id], each.next_try_s))
        chosen = found[:most]
        if not chosen:
            return []
        for each in chosen:
            self._serves += 1
            self._served[step, each.operator_id] = self._serves
        with transaction(self._engine) as connection:
            rows = work.claim(
                connection,
                step,
                [each.facility_id for each in chosen],
                name=self.name,
                now_s=now_s,
                chain_s=chain_s,
            )
        by_id = {row.facility_id: row for row in rows}
        return [by_id[each.facility_id] for each in chosen if each.facility_id in by_id]

    def run(
        self,
        step: Step[F],
        *,
        chain_s: int,
        told: Told,
        head: Callable[[], Block],
        most: int = ROUND,
    ) -> list[Intent]:
        """Take a step of all facilities for which it is due; returns what is to be sent.

        Args:    head: asks for the newest block.
        Raises:  ChainUnavailable if the node does not answer at all.
        """
        intents: list[Intent] = []
        seen: set[FacilityId] = set()
        while not self.stop.is_set():
            if len(seen) >= most:
                told.more = True
                break
            rows = self.take(step.name, chain_s=chain_s, most=BATCH, but=seen)
            if not rows:
                break
            seen.update(row.facility_id for row in rows)
            intents += self._batch(step, rows, head, told)
        return intents

    def _batch(
        self, step: Step[F], rows: Sequence[WorkRow], head: Callable[[], Block], told: Told
    ) -> list[Intent]:
        block = head()  # also says whether there is a node at all
        try:
            read = step.read([row.facility_id for row in rows], block)
        except Exception as error:
            if len(rows) == 1:
                self.failed(rows[0], error, told)
                return []
            return self._halves(step, rows, head, told)
        intents: list[Intent] = []
        for row in rows:
            if self.stop.is_set():
                break
            self.still_here()
            with self.trying(row, told):
                look = step.one(row.facility_id, read)
                intents += look.intents
                self.looked(row, look, told)
        return intents

    def _halves(
        self, step: Step[F], rows: Sequence[WorkRow], head: Callable[[], Block], told: Told
    ) -> list[Intent]:
        """What cannot be read of many is read of half as many: one facility's fault is its own."""
        middle = len(rows) // 2
        return [
            intent
            for part in (rows[:middle], rows[middle:])
            if not self.stop.is_set()
            for intent in self._batch(step, part, head, told)
        ]

    # --- what became of it ---------------------------------------------------------------------

    @contextmanager
    def trying(self, row: WorkRow, told: Told, epoch: Epoch | None = None) -> Iterator[None]:
        """Let whatever is raised be this row's alone. Raises DatabaseUnavailable if it cannot be
        noted down."""
        try:
            yield
        except Exception as error:
            self.failed(row, error, told, epoch=epoch)

    def looked(self, row: WorkRow, look: Look, told: Told, *, released: bool = False) -> None:
        """Note what a look came to."""
        now_s = self._now()
        with transaction(self._engine) as connection:
            if look.again:
                told.more = True
                work.change(connection, row, state=work.DUE, now_s=now_s, released=released)
            elif look.intents or look.waits or look.from_block_s:
                calm = min(row.attempts if row.state == work.WAITING else 0, _WAIT_DOUBLED - 1)
                pause_s = backoff_s(calm + 1, share=_random.random(), first_s=_WAIT_FIRST_S)
                parked = look.from_block_s and not look.waits
                work.change(
                    connection,
                    row,
                    state=work.WAITING,
                    attempts=calm + 1,
                    now_s=now_s,
                    next_try_s=now_s if parked else now_s + round(pause_s),
                    from_block_s=look.from_block_s,
                    reason=look.waits,
                )
            else:
                work.finish(connection, row, now_s=now_s)

    def failed(
        self, row: WorkRow, error: Exception, told: Told, *, epoch: Epoch | None = None
    ) -> None:
        """Note a failure, and when it is tried again; what is held waits for a person."""
        reason = self.sentence(error)
        told.failed.append(Failed(row.step, row.facility_id, reason, epoch))
        reason = reason if epoch is None else f"epoch {epoch}: {reason}"
        held = isinstance(error, HeldBack)
        attempts = row.attempts + 1 if row.state == work.FAILING else 1
        now_s = self._now()
        with transaction(self._engine) as connection:
            work.change(
                connection,
                row,
                state=work.HELD if held else work.FAILING,
                attempts=attempts,
                now_s=now_s,
                next_try_s=now_s + round(backoff_s(attempts, share=_random.random())),
                reason=reason,
            )

    def sentence(self, error: Exception) -> str:
        """What went wrong, for people. What nobody foresaw may quote secrets: its trace is logged,
        and kept is where it was."""
        if isinstance(error, AppError):
            return error.message[:500]
        self._log(error)
        if isinstance(error, OSError) and error.strerror:
            return f"{error.strerror}: {error.filename or 'no file'}"
        place = traceback.extract_tb(error.__traceback__)
        where = f"{Path(place[-1].filename).name}:{place[-1].lineno}" if place else "nowhere"
        return f"{type(error).__name__} at {where}: the worker's log has more"

    # --- the service's own steps ---------------------------------------------------------------

    def service(self, step: str, work_of: Callable[[], T], told: Told) -> T | None:
        """Take a step of the service itself; None if it failed, or did a moment ago.

        Raises:  DatabaseUnavailable: then there is nowhere to note it down.
        """
        attempts, next_s = self._service.get(step, (0, 0.0))
        if time.monotonic() < next_s:
            return None
        try:
            done = work_of()
        except DatabaseUnavailable:
            raise
        except Exception as error:
            reason = self.sentence(error)
            away = isinstance(error, ChainUnavailable)
            told.failed.append(Failed(step, work.SERVICE, reason, unreachable=away))
            pause_s = backoff_s(attempts + 1, share=_random.random(), most_s=_SERVICE_MOST_S)
            self._service[step] = attempts + 1, time.monotonic() + pause_s
            with transaction(self._engine) as connection:
                work.note_service(
                    connection, step, reason=reason, attempts=attempts + 1, now_s=self._now()
                )
            return None
        if self._service.pop(step, None) is not None:
            with transaction(self._engine) as connection:
                work.forget_service(connection, step)
        return done


def _started_at(pid: int) -> str:
    """When a process began, as the system counts it; two of one number are told apart by it."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return "-"


def _is_dead(name: str) -> bool:
    """Whether a worker of this machine is gone; of another machine nobody here knows."""
    host, pid, started, _ = name.rsplit("/", 3)
    if host != _HOST or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return started != "-" and _started_at(int(pid)) != started
