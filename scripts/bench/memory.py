"""Bench of memory: what `rentroll serve` holds while millions of events come in over HTTP."""

import time
from collections.abc import Callable
from itertools import islice

from scripts.bench.ingest import push, register
from scripts.bench.load import DAY_S, GPUS_PER_NODE, NODES, Load
from scripts.bench.stage import Service, peak_rss_mb, rss_mb

# Intervals of five minutes: some 300,000 events a day of the hall.
_SLOT_S = 300
_EVENTS_A_DAY = NODES * GPUS_PER_NODE * DAY_S // _SLOT_S
# So often is memory looked at, at the end too.
SAMPLES = 5


def load_of(events: int, batch: int) -> Load:
    """So many events in whole days, of which the last ended just now."""
    days = -(-events // _EVENTS_A_DAY)
    start_s = int(time.time()) // 60 * 60 - days * DAY_S
    return Load(start_s, events, batch, days=days, slot_s=_SLOT_S)


def measure(service: Service, load: Load, step: Callable[[str], None]) -> dict[str, float]:
    """Push the load with one client; resident megabytes before, on the way and after.

    Returns: `rss_mb_after_N` for N events, 0 among them, and the peak.
    Raises:  RuntimeError where there is no /proc to say it.
    """
    pid = service.process.pid
    facility, key = register(service, load)
    bodies = load.bodies(facility["facility_id"])
    figures = {"events": float(load.events), "rss_mb_after_0": _resident(pid)}
    batches = -(-load.events // load.batch)
    for part in range(SAMPLES):
        first, last = batches * part // SAMPLES, batches * (part + 1) // SAMPLES
        pushed = min(last * load.batch, load.events)
        step(f"push up to {pushed:,} of {load.events:,} events")
        push(service, key, islice(bodies, last - first), clients=1)
        figures[f"rss_mb_after_{pushed}"] = _resident(pid)
    peak_mb = peak_rss_mb(pid)
    assert peak_mb is not None  # where resident memory is told, it is too
    return figures | {"peak_rss_mb": peak_mb}


def _resident(pid: int) -> float:
    found = rss_mb(pid)
    if found is None:
        raise RuntimeError("this system does not tell what memory a process holds")
    return found
