"""One chaotic run: epoch after epoch under trouble, judged after each."""

import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from scripts.dev.stack import RENTER
from tests.chaos.hall import EPOCH_S, Hall
from tests.chaos.judge import Judge
from tests.chaos.postgres import postgres
from tests.chaos.site import GRACE_S, WINDOW_S, Site, running_site
from tests.chaos.trouble import Trouble

# The longest that an epoch may take once a storm is over, and a process to stop.
_PATIENCE_S, _STOP_S = 240.0, 15.0
_LAST_RENT_MICROS = 10_000_000
_LEASE = b"\1" * 32
Told = Callable[[str], None]


@dataclass(frozen=True)
class Plan:
    """What is played. Everything random comes from the seed; what the machine does meanwhile not.

    epochs: of each facility.
    things: that go wrong in an epoch, on average; pause_s: the longest between two.
    healing_s: the longest until all is well once nothing is broken.
    only: this trouble alone; empty: all.
    broken: a change of our own code that must be noticed, by its name in `broken.py`.
    """

    seed: int
    epochs: int
    facilities: int = 2
    on_postgres: bool = False
    things: int = 12
    pause_s: float = 1
    healing_s: float = 120
    only: tuple[str, ...] = ()
    broken: str | None = None


@dataclass
class Outcome:
    """Figures of a run, and what was wrong; `problems` empty: it held."""

    seed: int
    database: str
    epochs: int = 0
    kills: int = 0
    seconds: list[float] = field(default_factory=list)
    healing: list[float] = field(default_factory=list)
    transactions: int = 0
    reverted: int = 0
    played: dict[str, int] = field(default_factory=dict)
    stopping: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def summary(self) -> dict[str, Any]:
        """For people and machines."""
        took = self.seconds or [0.0]
        return {
            "seed": self.seed,
            "database": self.database,
            "epochs": self.epochs,
            "kills": self.kills,
            "seconds_an_epoch": {"median": round(median(took), 1), "longest": round(max(took), 1)},
            "seconds_to_heal": {
                "median": round(median(self.healing or [0.0]), 1),
                "longest": round(max(self.healing or [0.0]), 1),
            },
            "transactions": self.transactions,
            "reverted": self.reverted,
            "seconds_to_stop": {name: round(s, 1) for name, s in self.stopping.items()},
            "played": dict(sorted(self.played.items())),
            "problems": self.problems,
        }


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run(folder: Path, plan: Plan, *, told: Told = _say) -> Outcome:
    """Play a plan in a folder, new or empty."""
    outcome = Outcome(plan.seed, "postgresql" if plan.on_postgres else "sqlite")
    with ExitStack() as exits:
        server = exits.enter_context(postgres()) if plan.on_postgres else None
        site = exits.enter_context(running_site(folder, server, plan.broken))
        exits.enter_context(site.time.ticking())
        site.start_api()
        # On SQLite one worker: it has one writer.
        site.start_workers(2 if plan.on_postgres else 1)
        site.start_attesters()
        site.open_halls(plan.facilities, plan.epochs)
        judge = Judge(site)
        exits.callback(judge.close)
        trouble = Trouble(site, random.Random(plan.seed), pause_s=plan.pause_s, only=plan.only)
        played = _Played(plan, site, judge, trouble, outcome, told)
        trouble.start()
        try:
            played.epochs()
            trouble.close()
            played.last_settlements()
        except (TimeoutError, RuntimeError) as error:
            outcome.problems.append(f"epoch {outcome.epochs // plan.facilities}: {error}")
        finally:
            trouble.close()
        for name in list(site.processes.names):
            outcome.stopping[name] = took = site.processes.stop(name)
            if took > _STOP_S:
                outcome.problems.append(f"{name} took {took:.1f} s to stop")
        if not outcome.problems:
            judge.verify()
        outcome.problems = judge.problems + outcome.problems
        outcome.kills, outcome.played = site.processes.kills, dict(trouble.played)
        outcome.transactions, outcome.reverted = judge.transactions, len(judge.reverted)
    return outcome


@dataclass
class _Played:
    """A run in its course."""

    plan: Plan
    site: Site
    judge: Judge
    trouble: Trouble
    outcome: Outcome
    told: Told

    def __post_init__(self) -> None:
        self._dice = random.Random(self.plan.seed + 1)

    def epochs(self) -> None:
        """Every epoch of every facility, each under a storm and judged behind it."""
        for epoch in range(self.plan.epochs):
            started = time.monotonic()
            self._epoch(epoch)
            outcome, judge = self.outcome, self.judge
            self.told(
                f"epoch {epoch}: posted after {outcome.seconds[-1]:.1f} s, healed after"
                f" {outcome.healing[-1]:.1f} s, {time.monotonic() - started:.1f} s in all;"
                f" {self.site.processes.kills} kills, {judge.transactions} transactions,"
                f" {len(judge.reverted)} reverted, {len(judge.problems)} problems"
            )
            if judge.problems:
                raise RuntimeError("the books are wrong")

    def _epoch(self, epoch: int) -> None:
        site, dice = self.site, self._dice
        registry = site.contracts.statement_registry
        self.trouble.storm(dice.randrange(1, 2 * self.plan.things))
        for hall in site.halls:
            site.time.at(hall.span(epoch)[1] + 1)
            events = hall.usage(epoch, seconds=dice.randrange(60, EPOCH_S))
            for _ in range(dice.randrange(1, 3)):
                site.post("/v1/events", events, hall.key)
            self._pay(hall, dice.randrange(1, 2_000_000))
        site.time.at(site.halls[0].span(epoch)[1] + GRACE_S + 5)

        def posted() -> bool:
            return all(
                site.now(registry.epochs_posted(hall.facility_id)) > epoch for hall in site.halls
            )

        site.wait("the end of a storm", self.trouble.over.is_set, timeout_s=_PATIENCE_S)
        # What is broken stays broken where the epoch can be posted all the same.
        took = site.wait(f"the posting of epoch {epoch}", posted, timeout_s=_PATIENCE_S)
        self.trouble.calm()
        healed = self._healed("open transactions", lambda: posted() and _settled(site))
        with site.time.still():
            healed += self._healed("the index", lambda: _indexed(site))
            self.judge.after(epoch, lied=self.trouble.lied)
        self.outcome.epochs += len(site.halls)
        self.outcome.seconds.append(took)
        self.outcome.healing.append(healed)

    def last_settlements(self) -> None:
        """What was posted is settled to the last epoch; then everything is judged once more."""
        site, epochs = self.site, self.plan.epochs
        lockbox = site.contracts.rent_lockbox
        for hall in site.halls:
            self._pay(hall, _LAST_RENT_MICROS)
        site.time.at(site.time.now_s() + WINDOW_S + 5)

        def settled() -> bool:
            books = [site.now(lockbox.book_of(hall.facility_id)) for hall in site.halls]
            return all(book.settled_epochs == epochs for book in books) and _settled(site)

        self._healed("the last settlements", settled)
        with site.time.still():
            self._healed("the index", lambda: _indexed(site))
            self.judge.after(epochs - 1, lied=False)

    def _pay(self, hall: Hall, rent_micros: int) -> None:
        self.site.call(RENTER, "RentLockbox", "payRent", hall.facility_id, _LEASE, rent_micros)

    def _healed(self, what: str, done: Callable[[], bool]) -> float:
        return self.site.wait(what, done, timeout_s=self.plan.healing_s)


def _settled(site: Site) -> bool:
    """Whether no transaction is open."""
    return bool(site.get("/v1/status")["open_transactions"] == 0)


def _indexed(site: Site) -> bool:
    """Whether the index has the newest block."""
    indexed = site.get("/v1/status")["indexed_block"]
    return indexed is not None and indexed == site.client.head().number
