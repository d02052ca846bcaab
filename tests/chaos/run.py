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
from tests.chaos.hall import EPOCH_S
from tests.chaos.judge import Judge
from tests.chaos.postgres import postgres
from tests.chaos.site import GRACE_S, Site, running_site
from tests.chaos.trouble import Trouble

# The longest that an epoch may take under trouble, and to settle once nothing is broken.
_PATIENCE_S, _HEALING_S = 240.0, 120.0


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


def run(
    folder: Path,
    *,
    seed: int,
    epochs: int,
    on_postgres: bool = False,
    halls: int = 2,
    pause_s: tuple[float, float] = (0.1, 0.8),
    told: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
) -> Outcome:
    """Play a run. Everything random comes from the seed; what the machine does in between does not.

    Args:    epochs: of each facility.
    """
    outcome = Outcome(seed, "postgresql" if on_postgres else "sqlite")
    with ExitStack() as exits:
        server = exits.enter_context(postgres(folder / "pg")) if on_postgres else None
        site = exits.enter_context(running_site(folder, server))
        exits.enter_context(site.ticking())
        site.start_api()
        # On SQLite one worker: it has one writer.
        site.start_workers(2 if on_postgres else 1)
        site.start_attesters()
        site.open_halls(halls, epochs)
        judge = Judge(site)
        exits.callback(judge.close)
        trouble = Trouble(site, random.Random(seed), pause_s=pause_s)
        trouble.start()
        try:
            _play(site, judge, trouble, random.Random(seed + 1), epochs, outcome, told)
        except (TimeoutError, RuntimeError) as error:
            outcome.problems.append(f"epoch {outcome.epochs // halls}: {error}")
        finally:
            trouble.close()
        for name in list(site.processes.names):
            outcome.stopping[name] = site.processes.stop(name)
        judge.verify()
        outcome.problems = judge.problems + outcome.problems
        outcome.kills, outcome.played = site.processes.kills, dict(trouble.played)
        outcome.transactions, outcome.reverted = judge.transactions, len(judge.reverted)
    return outcome


def _play(
    site: Site,
    judge: Judge,
    trouble: Trouble,
    dice: random.Random,
    epochs: int,
    outcome: Outcome,
    told: Callable[[str], None],
) -> None:
    registry = site.contracts.statement_registry
    for epoch in range(epochs):
        started = time.monotonic()
        for hall in site.halls:
            site.at(hall.span(epoch)[1] + 1)
            events = hall.usage(epoch, seconds=dice.randrange(60, EPOCH_S))
            for _ in range(dice.randrange(1, 3)):
                site.post("/v1/events", events, hall.key)
            rent = dice.randrange(1, 2_000_000)
            lease = b"\1" * 32
            site.call(RENTER, "RentLockbox", "payRent", hall.facility_id, lease, rent)
        site.at(site.halls[0].span(epoch)[1] + GRACE_S + 5)

        def posted(epoch: int = epoch) -> bool:
            return all(
                site.now(registry.epochs_posted(hall.facility_id)) > epoch for hall in site.halls
            )

        took = site.wait(f"the posting of epoch {epoch}", posted, timeout_s=_PATIENCE_S)
        trouble.hold()
        try:
            healed = site.wait(
                "open transactions", lambda: posted() and _settled(site), timeout_s=_HEALING_S
            )
            with site.still():
                healed += site.wait("the index", lambda: _indexed(site), timeout_s=_HEALING_S)
                judge.after(epoch)
        finally:
            trouble.go_on()
        outcome.epochs += len(site.halls)
        outcome.seconds.append(took)
        outcome.healing.append(healed)
        told(
            f"epoch {epoch}: posted after {took:.1f} s, healed after {healed:.1f} s,"
            f" {time.monotonic() - started:.1f} s in all; {site.processes.kills} kills,"
            f" {judge.transactions} transactions, {len(judge.reverted)} reverted,"
            f" {len(judge.problems)} problems"
        )
        if judge.problems:
            raise RuntimeError("the books are wrong")


def _settled(site: Site) -> bool:
    """Whether no transaction is open."""
    return bool(site.get("/v1/status")["open_transactions"] == 0)


def _indexed(site: Site) -> bool:
    """Whether the index has the newest block."""
    indexed = site.get("/v1/status")["indexed_block"]
    return indexed is not None and indexed == site.client.head().number
