"""The metering that the bench pushes: days of a mid-sized hall, the same for every run."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import orjson

from api.domain.metering.events import AVAILABILITY, CORRECTION, USAGE
from api.domain.metering.instants import format_instant

NODES, GPUS_PER_NODE = 131, 8
SLOT_S = 900
DAY_S = 86_400
GPU_CLASS = "H100-SXM5-80GB"
_PLANS = ("reserved", "on_demand", "spot", "take_or_pay")
_LEASE_GPUS = 24
_SEED = 20_261_126
_NAMESPACE = uuid.UUID("b0b1d5c2-9a55-5a0e-9a1e-5a2f0c1d7e66")


def device(index: int) -> str:
    """A device id; GPUs of a hall are numbered from `hall * NODES * GPUS_PER_NODE` on."""
    return f"GPU-{uuid.uuid5(_NAMESPACE, str(index))}"


@dataclass(frozen=True, slots=True)
class Load:
    """One facility with leases and batches of metering, as bodies of `POST /v1/events`.

    hall: from 0; no two have a device in common.
    """

    start_s: int
    events: int
    batch: int
    days: int = 1
    slot_s: int = SLOT_S
    hall: int = 0

    @property
    def devices(self) -> list[str]:
        """Pledged devices."""
        first = self.hall * NODES * GPUS_PER_NODE
        return [device(first + i) for i in range(NODES * GPUS_PER_NODE)]

    def facility(self) -> dict[str, Any]:
        """Body of `POST /v1/facilities`: daily epochs; all but the last one are metered."""
        days = self.days + 1
        units = NODES * GPUS_PER_NODE * days * DAY_S // 3_600
        return {
            "name": f"bench-hall-{self.hall}",
            "gpu_class": GPU_CLASS,
            "site": "SE-LULEA-1",
            "window_start": format_instant(self.start_s),
            "window_end": format_instant(self.start_s + days * DAY_S),
            "epoch_length_s": DAY_S,
            "tranches": [{"unit_cap": units}],
            "devices": self.devices,
        }

    def leases(self) -> list[dict[str, Any]]:
        """Bodies of leases: blocks of GPUs under four plans, half of them with a limit."""
        count = -(-NODES * GPUS_PER_NODE // _LEASE_GPUS)
        return [self._lease(i, _PLANS[i % len(_PLANS)]) for i in range(count)]

    def _lease(self, index: int, plan: str) -> dict[str, Any]:
        limited = plan in ("reserved", "take_or_pay")
        return {
            "lease_id": f"lease-{index}",
            "renter_ref": f"renter-{index % 20}",
            "plan": plan,
            "committed_gpus": _LEASE_GPUS * 5 // 8 if plan == "take_or_pay" else 0,
            "max_gpus": _LEASE_GPUS if limited else 0,
            "opened_at": format_instant(self.start_s),
            "price_micros_per_gpu_hour": 1_190_003 + 70_001 * (index % 11),
        }

    def bodies(self, facility_id: int) -> Iterator[bytes]:
        """Batches in the order of time: each slot's devices, node by node."""
        source = self._stream(facility_id, random.Random(_SEED + self.hall))  # noqa: S311
        for number, sent in enumerate(range(0, self.events, self.batch)):
            size = min(self.batch, self.events - sent)
            events = list(islice(source, size))
            if len(events) < size:
                raise RuntimeError("the load has more events than its days have slots")
            if number % 2:
                # A rare event, as in life: it takes the slow path through ingest.
                target = next(event for event in events if event["type"] == USAGE)
                events[-1] = _void(target, facility_id, number)
            yield orjson.dumps(events)

    def _stream(self, facility_id: int, chance: random.Random) -> Iterator[dict[str, Any]]:
        devices = self.devices
        for begin_s in range(self.start_s, self.start_s + self.days * DAY_S, self.slot_s):
            span = begin_s, begin_s + self.slot_s
            for gpu, name in enumerate(devices):
                yield _event(facility_id, gpu, name, span, chance)


def _event(
    facility_id: int, gpu: int, name: str, slot: tuple[int, int], chance: random.Random
) -> dict[str, Any]:
    """Usage of one slot; one in a hundred is an outage instead."""
    # Most slots are whole; some jobs begin inside one, to the second.
    begin_s, end_s = slot
    start_s = begin_s + chance.choice((0, 0, 0, chance.randrange((end_s - begin_s) // 2)))
    data: dict[str, Any] = {
        "facility_id": facility_id,
        "device": name,
        "lease": f"lease-{gpu // _LEASE_GPUS}",
        "start": format_instant(start_s),
        "end": format_instant(end_s),
    }
    kind = AVAILABILITY
    if chance.randrange(100):
        kind = USAGE
        data["gpu_class"] = GPU_CLASS
        data["gpu_seconds"] = end_s - start_s
        data["utilization_ppm"] = chance.randrange(200_000, 1_000_000)
        data["energy_joules"] = 550 * (end_s - start_s) + chance.randrange(10_000)
    return {
        "specversion": "1.0",
        # Random ids, as CloudEvents SDKs make them: the worst case for a unique index.
        "id": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
        "source": f"collector/node-{gpu // GPUS_PER_NODE}",
        "type": kind,
        "time": format_instant(end_s),
        "datacontenttype": "application/json",
        "data": data,
    }


def _void(target: dict[str, Any], facility_id: int, number: int) -> dict[str, Any]:
    corrects = {"source": target["source"], "id": target["id"]}
    return {
        "specversion": "1.0",
        "id": f"void-{facility_id}-{number}",
        "source": target["source"],
        "type": CORRECTION,
        "data": {"facility_id": facility_id, "corrects": corrects, "action": "void"},
    }
