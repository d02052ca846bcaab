"""The worker's process: rounds until a signal says stop, and nothing else ends it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from random import SystemRandom
from typing import NoReturn

import typer

from api.cli import output, wiring
from api.cli.monitoring import watched
from api.cli.stopping import end_in_time
from api.cli.vitals import read_worker
from api.db.failures import as_unavailable
from api.db.migrate import database_problems
from api.domain.backoff import backoff_s
from api.epochs.worker import Round
from api.errors import AppError, ChainUnavailable, DatabaseUnavailable
from api.settings import Settings
from api.telemetry.logs import log, log_bug, start_logging
from api.telemetry.metrics import ROUND_SECONDS, ROUNDS
from api.telemetry.pulse import Pulse
from api.telemetry.vitals import Vitals

# Between tries while there is no database.
_MOST_S = 15.0
_random = SystemRandom()


def run_worker(settings: Settings, stop: threading.Event, *, once: bool, index: bool) -> None:
    """Run until `stop` is set; with `once` one round, whose outcome is the exit code.

    Raises:  AppError if it cannot begin for another reason than that something is away for now.
    """
    # Before anything can fail: what is said then is a line of the log too.
    start_logging("worker", settings.log_level)
    end_in_time(stop, "worker", once=once)
    if once:
        with wiring.open_worker(settings, stop, index=index, log=_bug) as running:
            _end_once(running.worker.run_once())
    attempts = 0
    while not stop.is_set():
        try:
            with (
                _database(),
                wiring.open_worker(settings, stop, index=index, log=_bug) as running,
                watched(settings, "worker", lambda: database_problems(running.engine)) as pulse,
                Vitals(partial(read_worker, running, settings)).running(),
            ):
                if running.relayer is None:
                    log("worker", warning="no relayer key: dry run, nothing is sent")
                while not stop.is_set():
                    attempts = _round(running, pulse, settings, stop, attempts)
        except (DatabaseUnavailable, ChainUnavailable) as error:
            # At its start: a database or a node that is away for now.
            attempts = _pause(stop, attempts, error.message)


def _round(
    running: wiring.RunningWorker,
    pulse: Pulse,
    settings: Settings,
    stop: threading.Event,
    attempts: int,
) -> int:
    """One round and the pause behind it; returns how many failed in a row."""
    pulse.beat()
    try:
        with _database(), ROUND_SECONDS.time():
            done = running.worker.run_once()
    except AppError as error:
        ROUNDS.labels("unreachable").inc()
        return _pause(stop, attempts, error.message)
    except Exception as error:
        # A mistake of ours: it is told, and the next round may go better.
        ROUNDS.labels("failed").inc()
        _bug(error)
        return _pause(stop, attempts, f"the round failed: {type(error).__name__}")
    ROUNDS.labels("failed" if done.failed else "done").inc()
    output.log_round(done)
    if not done.more:
        stop.wait(settings.poll_s)
    return 0


@contextmanager
def _database() -> Iterator[None]:
    """Name what a driver raises outside of a transaction, as at the start of a connection."""
    try:
        yield
    except AppError:
        raise
    except Exception as error:
        ours = as_unavailable(error)
        if ours is None:
            raise
        raise ours from error


def _pause(stop: threading.Event, attempts: int, reason: str) -> int:
    log("worker", error=reason)
    stop.wait(backoff_s(attempts + 1, share=_random.random(), first_s=0.5, most_s=_MOST_S))
    return attempts + 1


def _end_once(done: Round) -> NoReturn:
    output.log_round(done)
    away = [failed for failed in done.not_done if failed.unreachable]
    if away:
        raise ChainUnavailable(away[0].reason)
    raise typer.Exit(1 if done.failed else 0)


def _bug(error: Exception) -> None:
    log_bug("worker", error)
