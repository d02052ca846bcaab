"""Bench of ingest: events a second over HTTP, beside the raw insert of as many."""

import threading
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import httpx
import orjson

from scripts.bench.load import Load
from scripts.bench.raw import raw_insert
from scripts.bench.stage import OPERATOR, Service, address, cpu_s, peak_rss_mb


def register(service: Service, load: Load) -> tuple[dict[str, Any], str]:
    """Register operator, facility and leases; returns the facility and the operator's key."""
    body = {"name": "bench", "address": address(OPERATOR)}
    key: str = service.post("/v1/operators", body)["api_key"]
    return register_facility(service, load, key), key


def register_facility(service: Service, load: Load, key: str) -> dict[str, Any]:
    """Register a facility and its leases, by the operator's key; returns the facility."""
    facility: dict[str, Any] = service.post("/v1/facilities", load.facility(), key)
    for lease in load.leases():
        service.post(f"/v1/facilities/{facility['facility_id']}/leases", lease, key)
    return facility


def push(service: Service, key: str, bodies: Iterable[bytes], *, clients: int) -> float:
    """Seconds to push batches with so many requests in flight; every event must be accepted."""
    waiting = iter(bodies)
    taking = threading.Lock()
    failures: list[str] = []
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def client() -> None:
        with httpx.Client(base_url=service.url, headers=headers, timeout=120) as http:
            while not failures:
                with taking:
                    body = next(waiting, None)
                if body is None:
                    return
                answer = http.post("/v1/events", content=body)
                result = orjson.loads(answer.content)
                if (
                    answer.status_code != HTTPStatus.OK
                    or result["rejected"]
                    or result["duplicates"]
                ):
                    failures.append(answer.text[:2_000])

    threads = [threading.Thread(target=client) for _ in range(clients)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - started
    if failures:
        raise RuntimeError(f"a batch was not accepted whole: {failures[0]}")
    return spent


def measure(
    service: Service, load: Load, facility_id: int, key: str, floor_url: str
) -> dict[str, float]:
    """Push the load, half with one client and half with two; then insert as much raw."""
    bodies = list(load.bodies(facility_id))
    middle = len(bodies) // 2
    pid = service.process.pid
    before_s = cpu_s(pid)
    one_s = push(service, key, bodies[:middle], clients=1)
    two_s = push(service, key, bodies[middle:], clients=2)
    after_s = cpu_s(pid)
    first = middle * load.batch
    raw_one_s, raw_two_s = raw_insert(service.database_url, floor_url, load.batch, first)
    second = load.events - first
    figures = {
        "events": float(load.events),
        "one_client_events_per_s": first / one_s,
        "one_client_raw_events_per_s": first / raw_one_s,
        "one_client_share_of_raw": raw_one_s / one_s,
        "two_clients_events_per_s": second / two_s,
        "two_clients_raw_events_per_s": second / raw_two_s,
        "two_clients_share_of_raw": raw_two_s / two_s,
    }
    peak = peak_rss_mb(pid)
    if peak is not None:
        figures["service_peak_rss_mb"] = peak
    if before_s is not None and after_s is not None:
        figures["service_cpu_us_per_event"] = (after_s - before_s) / load.events * 1e6
    return figures
