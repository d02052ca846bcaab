"""Bench of many facilities: what an epoch of each, and a round without work, cost the worker.

Every facility has one device and one used hour. Each step runs in a process of its own, whose
processor seconds and calls of the node are counted; a batch of JSON-RPC is as many calls as it
holds, since that is what providers bill.
"""

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Engine, func, select

from api.attester.settings import read_settings
from api.attester.wiring import open_attester
from api.chain import calldata
from api.chain.contracts import Contracts
from api.chain.provider import Provider
from api.cli.collecting import rarely_collecting
from api.cli.wiring import open_worker
from api.db.session import reading
from api.db.tables.chain import chain_events
from api.db.tables.facilities import facilities
from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId
from api.settings import ClockSource, Settings
from scripts.bench.close import index, offer
from scripts.bench.stage import (
    ATTESTER,
    OPERATOR,
    RELAYER,
    RENTER,
    Service,
    Stage,
    address,
    in_child,
)
from scripts.dev.attester_file import write_attester_file
from scripts.dev.stack import wallet

_EPOCH_S, _EPOCHS, _GRACE_S = 3_600, 24, 3_600
_RENT_MICROS = 2_000_000
_IDLE_ROUNDS = 5
_MOST_ROUNDS = 2_000


def measure(stage: Stage, service: Service, *, start_s: int, count: int) -> dict[str, float]:
    """Register, offer and fund facilities; then one epoch of each, step by step."""
    ids = _launched(stage, service, start_s=start_s, count=count)
    index(stage, service)
    stage.chain.set_time(start_s + _EPOCH_S + _GRACE_S + 60)
    settings = stage.settings(
        service.database_url,
        clock=ClockSource.CHAIN,
        relayer_key_file=_key(stage.folder, "relayer", RELAYER),
        grace_s=_GRACE_S,
        close_ask_above=10_000,
        settle_least_micros=0,
    )
    # From here on blocks come by time, and hold many transactions, as on other chains.
    stage.chain.rpc("evm_setAutomine", False)
    stage.chain.rpc("evm_setIntervalMining", 1)
    figures: dict[str, float] = {"facilities": float(count)}
    figures |= _named("close", in_child(_rounds, settings, ids, "closed"), count)
    figures |= _named("attest", in_child(_attest, _attester(stage, service)), count)
    figures |= _named("post", in_child(_rounds, settings, ids, "posted"), count)
    lease = b"\1" * 32
    pay = [calldata.call("RentLockbox", "payRent", i, lease, _RENT_MICROS) for i in ids]
    stage.chain.rpc("evm_setIntervalMining", 0)
    stage.send_all(RENTER, stage.deployment.rent_lockbox, pay)
    stage.chain.rpc("evm_setAutomine", True)
    window_s = Contracts(stage.client, stage.deployment).statement_registry.challenge_window_s()
    waits_s = int(window_s.at(block=stage.client.head().number))
    stage.chain.set_time(stage.client.head().time_s + waits_s + 60)
    stage.chain.rpc("evm_setAutomine", False)
    stage.chain.rpc("evm_setIntervalMining", 1)
    figures |= _named("settle", in_child(_rounds, settings, ids, "settled"), count)
    # All of it becomes final: what is not is watched in every round.
    stage.chain.rpc("anvil_mine", hex(100))
    idle = in_child(_idle, settings)
    return figures | {f"idle_round_{name}": value for name, value in idle.items()}


def _named(step: str, spent: dict[str, float], count: int) -> dict[str, float]:
    """Figures of one step, for one facility each."""
    return {
        f"{step}_cpu_ms_per_facility": spent["cpu_s"] / count * 1e3,
        f"{step}_calls_per_facility": spent["calls"] / count,
        f"{step}_s": spent["s"],
    }


def _launched(
    stage: Stage, service: Service, *, start_s: int, count: int
) -> tuple[FacilityId, ...]:
    body = {"name": "scale", "address": address(OPERATOR)}
    key: str = service.post("/v1/operators", body)["api_key"]
    token, lockbox = stage.deployment.settlement_token, stage.deployment.rent_lockbox
    mint = calldata.call("SettlementToken", "mint", address(RENTER), 10**15)
    approve = calldata.call("SettlementToken", "approve", lockbox, 10**15)
    for call in (mint, approve):
        stage.send(RENTER, token, call)
    found = []
    for number in range(count):
        facility = service.post("/v1/facilities", _terms(number, start_s), key)
        facility_id = FacilityId(facility["facility_id"])
        service.post(f"/v1/facilities/{facility_id}/leases", _lease(facility_id, start_s), key)
        offer(stage, facility, units=_EPOCHS * _EPOCH_S // 3_600)
        found.append(facility_id)
    stage.chain.set_time(start_s + _EPOCH_S + 1)
    events = [_usage(number, facility_id, start_s) for number, facility_id in enumerate(found)]
    for first in range(0, len(events), 500):
        answer = service.post("/v1/events", events[first : first + 500], key)
        if answer["rejected"]:
            raise RuntimeError(f"an event was rejected: {answer['results'][0]}")
    return tuple(found)


def _device(number: int) -> str:
    return f"GPU-{number + 1:08x}-5ca1-4e00-8000-{number + 1:012x}"


def _terms(number: int, start_s: int) -> dict[str, Any]:
    return {
        "name": f"hall-{number}",
        "gpu_class": "H100-SXM5-80GB",
        "site": "SE-LULEA-1",
        "window_start": format_instant(start_s),
        "window_end": format_instant(start_s + _EPOCHS * _EPOCH_S),
        "epoch_length_s": _EPOCH_S,
        "tranches": [{"unit_cap": _EPOCHS * _EPOCH_S // 3_600}],
        "devices": [_device(number)],
    }


def _lease(facility_id: FacilityId, start_s: int) -> dict[str, Any]:
    return {
        "lease_id": f"lease-{facility_id}",
        "renter_ref": f"renter-{facility_id}",
        "plan": "on_demand",
        "opened_at": format_instant(start_s),
        "price_micros_per_gpu_hour": 2_000_000,
    }


def _usage(number: int, facility_id: FacilityId, start_s: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": f"use-{facility_id}",
        "source": "bench/scale",
        "type": "rentroll.gpu.usage.v1",
        "data": {
            "facility_id": facility_id,
            "device": _device(number),
            "lease": f"lease-{facility_id}",
            "start": format_instant(start_s),
            "end": format_instant(start_s + _EPOCH_S),
            "gpu_seconds": _EPOCH_S,
        },
    }


def _key(folder: Path, name: str, account: int) -> Path:
    path = folder / f"{name}.key"
    path.touch(mode=0o600)
    path.write_text(wallet(account).key.hex())
    return path


def _attester(stage: Stage, service: Service) -> Path:
    named = {"label": "scale", "attester": wallet(ATTESTER).address}
    key = service.post("/v1/attester-keys", named)["api_key"]
    return write_attester_file(
        stage.folder,
        "attester",
        key_file=_key(stage.folder, "attester", ATTESTER),
        api_key=key,
        url=service.url,
        rpc_url=stage.chain.rpc_url,
        registry=stage.deployment.statement_registry,
    )


# --- in processes of their own ----------------------------------------------------------------


def _counted() -> Counter[str]:
    """Calls of the node by method from now on, as they leave this process."""
    calls: Counter[str] = Counter()
    exchange = Provider.exchange

    async def counting(self: Provider, body: bytes, timeout_s: float) -> bytes:
        asked = orjson.loads(body)
        calls.update(one["method"] for one in (asked if isinstance(asked, list) else [asked]))
        return await exchange(self, body, timeout_s)

    assert asyncio.iscoroutinefunction(exchange)
    Provider.exchange = counting  # type: ignore[method-assign]
    return calls


def _spent(calls: Counter[str], started: tuple[float, float]) -> dict[str, float]:
    wall, cpu = started
    return {
        "s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "calls": float(calls.total()),
    }


def _rounds(settings: Settings, ids: tuple[FacilityId, ...], until: str) -> dict[str, float]:
    """Rounds of a worker until every facility's first epoch is closed, posted or settled."""
    rarely_collecting()
    calls = _counted()
    with open_worker(settings) as running:
        running.client.head()
        calls.clear()
        started = time.perf_counter(), time.process_time()
        for _ in range(_MOST_ROUNDS):
            done = running.worker.run_once()
            spent = _spent(calls, started)
            if _reached(running.engine, ids, until):
                return spent
            # As the process does: what it waits for comes with the next block.
            if not done.more:
                time.sleep(settings.poll_s)
    raise RuntimeError(f"not every facility is {until} after {_MOST_ROUNDS} rounds")


def _reached(engine: Engine, ids: tuple[FacilityId, ...], until: str) -> bool:
    """Whether all facilities have come so far, by rows: asking the chain would be counted."""
    c = chain_events.c
    event = {"posted": "StatementPosted", "settled": "Settled"}.get(until)
    with reading(engine) as connection:
        if event is None:
            query = select(func.count()).where(facilities.c.epochs_closed > 0)
        else:
            query = select(func.count(c.facility_id.distinct())).where(c.event == event)
        return int(connection.execute(query).scalar_one()) >= len(ids)


def _attest(file: Path) -> dict[str, float]:
    """One attester, from nothing to a signature on every statement."""
    rarely_collecting()
    calls = _counted()
    with open_attester(read_settings(file)) as running:
        calls.clear()
        started = time.perf_counter(), time.process_time()
        while True:
            verdicts = running.attester.run_once()
            refused = [v.reason for v in verdicts if not v.signed]
            if refused:
                raise RuntimeError(f"the attester refused: {refused[0]}")
            if not verdicts:
                return _spent(calls, started)


def _idle(settings: Settings) -> dict[str, float]:
    """One round in which nothing is due, on average, once a start has looked at everything."""
    rarely_collecting()
    calls = _counted()
    with open_worker(settings) as running:
        for _ in range(_MOST_ROUNDS):
            if running.worker.run_once().idle:
                break
        calls.clear()
        started = time.perf_counter(), time.process_time()
        for _ in range(_IDLE_ROUNDS):
            running.worker.run_once()
        spent = _spent(calls, started)
    return {
        "calls": spent["calls"] / _IDLE_ROUNDS,
        "cpu_ms": spent["cpu_s"] / _IDLE_ROUNDS * 1e3,
    }
