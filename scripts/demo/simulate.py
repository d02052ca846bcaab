"""Seeded simulator of GPU leases: hourly metering with idle time, outages, late and bad events."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from api.domain.metering.events import AVAILABILITY, CORRECTION, SEEN, USAGE
from api.domain.metering.instants import format_instant, parse_instant

HOUR_S = 3_600
DAY_S = 86_400
_NAMESPACE = uuid.UUID("0b5b6f2e-31f4-5a3e-8f55-3b1f7a0d8a11")


@dataclass(frozen=True, slots=True)
class SimulatedLease:
    """A lease with the GPUs that it uses: indices `first_gpu` to `first_gpu + gpus - 1`."""

    lease_id: str
    renter_ref: str
    plan: str
    first_gpu: int
    gpus: int
    price_micros_per_gpu_hour: int
    committed_gpus: int
    busy_permille: int
    # Delivers compute to a holder that burned units for it.
    delivers: bool = False
    # What was typed for the price at first, micros per GPU-hour; 0: the price.
    mistyped_micros: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedFacility:
    """A facility of the simulation."""

    name: str
    gpu_class: str
    site: str
    gpus: int
    senior_share_percent: int
    coupon_micros_per_unit: int
    leases: tuple[SimulatedLease, ...]
    # Last days of its window, of which nobody meters or states anything.
    abandoned_days: int = 0

    def device(self, index: int) -> str:
        """Stand-in id of a GPU."""
        return f"GPU-{uuid.uuid5(_NAMESPACE, f'{self.name}/{index}')}"


def _lease(name: str, plan: str, place: tuple[int, int], price: int, busy: int) -> SimulatedLease:
    first, gpus = place
    committed = gpus * 5 // 8 if plan == "take_or_pay" else 0
    renter = f"renter-{name.split('-', 1)[0]}"
    return SimulatedLease(name, renter, plan, first, gpus, price, committed, busy)


def _delivery(name: str, gpu: int, busy: int) -> SimulatedLease:
    """A lease of one GPU for a holder; its price counts for no delivered hour."""
    return replace(_lease(name, "on_demand", (gpu, 1), 1_000_000, busy), delivers=True)


# What a reserved lease gets back of the month's charge, by the share of its GPU-time that faults
# withheld: above one hour in a thousand, and above one in fifty.
SLA_STEPS = (
    {"above_ppm": 1_000, "credit_bps": 300},
    {"above_ppm": 20_000, "credit_bps": 1_000},
)
# Prices are illustrative, in micros per GPU-hour; nothing is taken from any provider.
FACILITIES = (
    SimulatedFacility(
        "aurora",
        "H100-SXM5-80GB",
        "SE-LULEA-1",
        12,
        60,
        900_000,
        (
            _lease("atlas-1", "reserved", (0, 6), 2_490_000, 970),
            _lease("birch-1", "on_demand", (6, 4), 3_190_000, 700),
            _lease("cedar-1", "spot", (10, 1), 1_270_000, 450),
            _delivery("holder-1", 11, 900),
        ),
    ),
    SimulatedFacility(
        "borealis",
        "A100-SXM4-80GB",
        "IS-KEF-2",
        8,
        0,
        0,
        (_lease("delta-1", "take_or_pay", (0, 8), 1_390_001, 550),),
    ),
    SimulatedFacility(
        "cascade",
        "L40S-48GB",
        "CA-YUL-1",
        10,
        0,
        0,
        (
            _lease("fjord-1", "reserved", (0, 4), 860_003, 950),
            # Its neighbour's price was typed for it, and put right a day later.
            replace(_lease("grove-1", "spot", (4, 6), 407_777, 520), mistyped_micros=860_003),
        ),
    ),
    SimulatedFacility(
        "dusk",
        "H100-SXM5-80GB",
        "DK-CPH-1",
        6,
        50,
        1_100_000,
        (
            _lease("iris-1", "reserved", (0, 5), 2_490_000, 960),
            # It never delivers.
            _delivery("holder-2", 5, 0),
        ),
        abandoned_days=2,
    ),
)


class Simulation:
    """Metering of one facility, day by day, the same for the same seed."""

    def __init__(
        self, facility: SimulatedFacility, facility_id: int, start_s: int, seed: int
    ) -> None:
        self.facility, self.facility_id, self.start_s = facility, facility_id, start_s
        # Not for secrets: reproducible demo data.
        self._random = random.Random(f"{seed}/{facility.name}")  # noqa: S311
        self._late: list[dict[str, Any]] = []

    def _event(self, kind: str, name: str, data: dict[str, Any]) -> dict[str, Any]:
        return {
            "specversion": "1.0",
            "id": name,
            "source": f"collector/{self.facility.name}",
            "type": kind,
            "data": {"facility_id": self.facility_id, **data},
        }

    def usage(self, lease: SimulatedLease, gpu: int, start_s: int, end_s: int) -> dict[str, Any]:
        """Event of one use of a GPU."""
        data = {
            "device": self.facility.device(gpu),
            "lease": lease.lease_id,
            "gpu_class": self.facility.gpu_class,
            "start": format_instant(start_s),
            "end": format_instant(end_s),
            "gpu_seconds": end_s - start_s,
            "utilization_ppm": self._random.randrange(200_000, 1_000_000),
        }
        if lease.delivers:
            data["kind"] = "delivery"
        return self._event(USAGE, f"u-{gpu}-{start_s}", data)

    def _hour(self, lease: SimulatedLease, gpu: int, start_s: int) -> Iterator[dict[str, Any]]:
        if self._random.randrange(400) == 0:
            # The operator's fault: the renter gets no GPU this hour.
            device = self.facility.device(gpu)
            yield self._outage(device, lease.lease_id, (start_s, start_s + HOUR_S))
        elif self._random.randrange(1_000) < lease.busy_permille:
            # Most hours are whole; some jobs begin or end inside the hour, to the second.
            begin_s = start_s + self._random.choice((0, 0, 0, self._random.randrange(3_000)))
            yield self.usage(lease, gpu, begin_s, start_s + HOUR_S)

    def _outage(self, device: str, lease_id: str, span: tuple[int, int]) -> dict[str, Any]:
        start, end = map(format_instant, span)
        data = {"device": device, "lease": lease_id, "start": start, "end": end, "cause": "fault"}
        return self._event(AVAILABILITY, f"o-{device}-{span[0]}", data)

    def seen(self, gpu: int, start_s: int, end_s: int) -> dict[str, Any]:
        """Event of a GPU that answered: without it, an idle one would not count as there."""
        data = {
            "device": self.facility.device(gpu),
            "start": format_instant(start_s),
            "end": format_instant(end_s),
        }
        return self._event(SEEN, f"s-{gpu}-{start_s}", data)

    def day(self, day: int) -> list[dict[str, Any]]:
        """Events that arrive during one day: its own, and yesterday's stragglers."""
        day_s = self.start_s + day * DAY_S
        events = [
            event
            for hour in range(24)
            for lease in self.facility.leases
            for gpu in range(lease.first_gpu, lease.first_gpu + lease.gpus)
            for event in self._hour(lease, gpu, day_s + hour * HOUR_S)
        ]
        arriving, self._late = self._late, []
        usage = [e for e in events if e["type"] == USAGE and "kind" not in e["data"]]
        if day == 0:
            # What was metered as used did not work: the renter complains the day after.
            broken = usage.pop(0)
            span = [parse_instant(broken["data"][name], field=name) for name in ("start", "end")]
            device, lease_id = broken["data"]["device"], broken["data"]["lease"]
            self._late.append(self._outage(device, lease_id, (span[0], span[1])))
        straggler = self._random.choice(usage)
        events.remove(straggler)
        self._late.append(straggler)
        # One record turns out wrong after its epoch closed, and is voided the day after.
        wrong = self._random.choice([e for e in usage if e is not straggler])
        corrects = {"source": wrong["source"], "id": wrong["id"]}
        data = {"corrects": corrects, "action": "void", "reason": "metered twice upstream"}
        self._late.append(self._event(CORRECTION, f"v-{wrong['id']}", data))
        seen = [self.seen(gpu, day_s, day_s + DAY_S) for gpu in range(self.facility.gpus)]
        return arriving + events + seen

    def hold_back(self, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Take the last day's usage of the first GPU out: its collector was cut off."""
        held = [
            event
            for event in events
            if event["type"] == USAGE and event["data"]["device"] == self.facility.device(0)
        ]
        for event in held:
            events.remove(event)
        return held

    def bad(self, day: int) -> list[tuple[dict[str, Any], str]]:
        """Events that must be rejected after `day` was pushed, each with its code."""
        day_s = self.start_s + day * DAY_S
        lease = self.facility.leases[0]
        good = self.usage(lease, lease.first_gpu, day_s + DAY_S - 60, day_s + DAY_S)

        def variant(name: str, **changes: Any) -> dict[str, Any]:
            return {**good, "id": f"bad-{name}-{day}", "data": {**good["data"], **changes}}

        stranger = f"GPU-{uuid.uuid5(_NAMESPACE, 'stranger')}"
        later = format_instant(day_s + 30 * DAY_S)
        return [
            (variant("unknown-gpu", device=stranger), "device_unknown"),
            (variant("seconds", gpu_seconds=61), "checksum_mismatch"),
            (variant("lease", lease="nobody"), "lease_unknown"),
            (variant("class", gpu_class="TPU"), "gpu_class_mismatch"),
            (variant("naive", start=good["data"]["start"].rstrip("Z")), "invalid_time"),
            (variant("backwards", end=good["data"]["start"]), "interval_empty"),
            (variant("future", end=later, gpu_seconds=29 * DAY_S + 60), "outside_window"),
            (variant("boolean", gpu_seconds=True), "malformed_event"),
        ]
