"""Bench of two API processes on one PostgreSQL, beside two raw COPY clients.

The gain is what two take in together, by what one takes in alone. Each client sends the events of
a facility of its own; of the service, each to a process of its own.
"""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from statistics import median

from scripts.bench.ingest import push, register, register_facility
from scripts.bench.load import Load
from scripts.bench.raw import Batch, batches_of, copy_postgres, make_tables
from scripts.bench.stage import Service, Stage, serving

# Batches that a client sends at a time.
_BATCHES = 10
# Raw clients begin together: by then they have been given their rows.
_HEAD_START_S = 1.0


@dataclass(slots=True)
class _Seconds:
    """Seconds of one client and of two, each for as many events a client, by round."""

    one: list[float] = field(default_factory=list)
    two: list[float] = field(default_factory=list)

    def gain(self) -> float:
        """Median over rounds of the throughput of two by the throughput of one."""
        return median(2 * one / two for one, two in zip(self.one, self.two, strict=True))

    def figures(self, name: str, events: int) -> dict[str, float]:
        """Rates, and the gain."""
        return {
            f"{name}_one_events_per_s": events / median(self.one),
            f"{name}_two_events_per_s": 2 * events / median(self.two),
            f"{name}_gain": self.gain(),
        }


def measure(
    stage: Stage, loads: Sequence[Load], create: Callable[[str], str], *, rounds: int
) -> dict[str, float]:
    """Service and raw clients in turn, alone and by two, in so many rounds.

    Args:    loads: two, of different halls; `events_of` says how many events each.
             create: makes an empty PostgreSQL database of a name; returns its URL.
    """
    url, floor_url = create("shared"), create("shared_floor")
    events = _BATCHES * loads[0].batch
    served, raw = _Seconds(), _Seconds()
    with ExitStack() as exits:
        services = [
            exits.enter_context(serving(stage, url, f"serve-{i}", evidence="evidence-of-two"))
            for i in (1, 2)
        ]
        first, key = register(services[0], loads[0])
        facilities = [first, register_facility(services[0], loads[1], key)]
        bodies = [
            load.bodies(facility["facility_id"])
            for load, facility in zip(loads, facilities, strict=True)
        ]
        make_tables(floor_url, facilities=len(loads))
        context = multiprocessing.get_context("spawn")
        clients = [exits.enter_context(ProcessPoolExecutor(1, mp_context=context)) for _ in loads]
        for client in clients:
            client.submit(copy_postgres, floor_url, []).result()  # it has imported all
        done = [0, 0]
        for _ in range(rounds):
            parts = [list(islice(source, _BATCHES)) for source in (bodies[0], *bodies)]
            served.one.append(_push(services[:1], key, parts[:1]))
            served.two.append(_push(services, key, parts[1:]))
            rows = batches_of(url, loads[0].batch)
            fresh = [rows[i + 1][done[i] :] for i in range(len(loads))]
            done = [len(rows[i + 1]) for i in range(len(loads))]
            raw.one.append(_copy(clients[:1], floor_url, [fresh[0][:_BATCHES]]))
            raw.two.append(_copy(clients, floor_url, [fresh[0][_BATCHES:], fresh[1]]))
    figures = {"events": float(events), "rounds": float(rounds)}
    figures |= served.figures("service", events) | raw.figures("raw", events)
    return figures | {"share_of_raw_gain": figures["service_gain"] / figures["raw_gain"]}


def events_of(*, rounds: int, batch: int) -> int:
    """Events that the first load needs for so many rounds; the second needs half of them."""
    return 2 * rounds * _BATCHES * batch


def _push(services: Sequence[Service], key: str, parts: Sequence[Sequence[bytes]]) -> float:
    """Seconds until every service has taken its bodies, each from a client of its own."""
    with ThreadPoolExecutor(len(services)) as pool:
        started = time.perf_counter()
        waiting = [
            pool.submit(push, service, key, part, clients=1)
            for service, part in zip(services, parts, strict=True)
        ]
        for client in waiting:
            client.result()
        return time.perf_counter() - started


def _copy(
    clients: Sequence[ProcessPoolExecutor], url: str, parts: Sequence[Sequence[Batch]]
) -> float:
    """Seconds until every client has copied its batches in; they begin at the same time."""
    at_s = time.time() + _HEAD_START_S
    waiting = [
        client.submit(copy_postgres, url, part, at_s=at_s)
        for client, part in zip(clients, parts, strict=True)
    ]
    return max(client.result() for client in waiting)
