"""Bench of a stalled node: batches of events, in turn while it answers and while it does not.

The node is a process that is stopped: it takes connections, and never says a word.
"""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from statistics import median

from scripts.bench.ingest import push
from scripts.bench.load import Load
from scripts.bench.stage import Service, Stage

# Batches of a turn, with one client.
_BATCHES = 3
# Until those who ask the node now and then have met its silence.
_SETTLES_S = 3.0


def measure(
    stage: Stage, service: Service, load: Load, facility_id: int, key: str
) -> dict[str, float]:
    """Push a load turn by turn, the node running in every other one."""
    bodies = iter(load.bodies(facility_id))
    # What a first batch brings is no part of either.
    push(service, key, islice(bodies, _BATCHES), clients=1)
    running, stalled = [], []
    while len(one := list(islice(bodies, _BATCHES))) == _BATCHES:
        running.append(push(service, key, one, clients=1) / _BATCHES)
        other = list(islice(bodies, _BATCHES))
        if len(other) < _BATCHES:
            break
        with _stopped(stage):
            time.sleep(_SETTLES_S)
            stalled.append(push(service, key, other, clients=1) / _BATCHES)
    return {"turns": float(len(stalled)), **_named(running, stalled)}


def _named(running: Sequence[float], stalled: Sequence[float]) -> dict[str, float]:
    pairs = [there / here for here, there in zip(running, stalled, strict=False)]
    return {
        "running_ms_a_batch": median(running) * 1e3,
        "stalled_ms_a_batch": median(stalled) * 1e3,
        "stalled_times_running": median(pairs),
        "longest_stalled_ms_a_batch": max(stalled) * 1e3,
    }


@contextmanager
def _stopped(stage: Stage) -> Iterator[None]:
    pid = stage.chain.process.pid
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
