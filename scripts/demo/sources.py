"""Where the demo's facilities and metering come from: the simulator, or a Helios trace."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId, TrancheId, tranche_id
from api.ledger.importers import helios
from scripts.demo.simulate import (
    DAY_S,
    FACILITIES,
    SLA_STEPS,
    SimulatedFacility,
    SimulatedLease,
    Simulation,
)

# So long after its window late facts of a facility are stated; where nobody plays, weeks.
SEAL_S = 3_600

# 2026-01-01T00:00:00Z: a fixed past, so that every run has the same figures.
SIMULATION_START_S = 1_767_225_600
# The demo has three operators.
_OPERATOR_OF = {facility.name: number % 3 for number, facility in enumerate(FACILITIES)}


@dataclass(frozen=True, slots=True)
class SaleAndBond:
    """How a facility is sold and bonded; prices by seniority, illustrative like all prices here."""

    unit_prices_micros: tuple[int, ...]
    floor_micros: int
    up_front_bps: int
    required_bond_micros: int
    # What the operator deposits: more than required.
    bond_micros: int
    # What a GPU-hour costs that was promised and not delivered.
    rate_micros_per_gpu_hour: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One facility of the demo: request bodies, and which of the operators runs it."""

    operator: int
    facility: dict[str, Any]
    leases: list[dict[str, Any]]
    # Pays two epochs late, and leaves its last epochs unpaid.
    pays_late: bool
    # None: the operator mints the units itself.
    sale: SaleAndBond | None = None
    # Lease under which a holder takes compute for some units.
    delivers_under: str | None = None
    # Last days of the window, of which nobody meters or states anything.
    abandoned_days: int = 0
    # Leases are opened by the console's forms, which nobody signs.
    forms: bool = False
    # Data of events that agree more than the bodies of leases can say.
    terms: tuple[dict[str, Any], ...] = ()


@dataclass
class Facility:
    """One facility during the story."""

    facility_id: FacilityId
    plan: Plan
    # Number of the voucher that a holder took; 0 for none.
    voucher: int = 0
    # Public hash of each lease, 0x-hex, by its id.
    leases: dict[str, str] = field(default_factory=dict)
    # What each lease was charged and has not paid, micros.
    due: dict[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """For people."""
        return str(self.plan.facility["name"])

    @property
    def token_ids(self) -> list[TrancheId]:
        """Tranches, most senior first."""
        count = len(self.plan.facility["tranches"])
        return [tranche_id(self.facility_id, i) for i in range(count)]


class Source(Protocol):
    """Facilities and their metering, day by day."""

    about: str
    start_s: int
    days: int
    # Total that the metering must come to, where it is known from outside; else None.
    gpu_minutes: int | None

    def plans(self) -> list[Plan]:
        """Facilities in the order in which they are registered."""
        ...

    def registered(self, index: int, facility_id: FacilityId) -> None:
        """Tell the source which id a facility got."""
        ...

    def events(self, day: int) -> Iterator[list[dict[str, Any]]]:
        """Batches of a day, each of one facility."""
        ...

    def bad(self, day: int) -> list[list[tuple[dict[str, Any], str]]]:
        """Events that must be rejected, each with its code, by facility."""
        ...

    def prices_put_right(self, day: int) -> list[tuple[int, str, dict[str, Any]]]:
        """Prices that were typed wrong: place of the facility, lease, and the request."""
        ...

    def late(self) -> list[list[dict[str, Any]]]:
        """Batches that come when the last epoch is stated."""
        ...


class SimulationSource:
    """Four simulated facilities, one of which its operator leaves in mid-window."""

    def __init__(self, seed: int, days: int, start_s: int = SIMULATION_START_S) -> None:
        self.about = f"Four simulated facilities, {days} daily epochs, seed {seed}"
        self.start_s, self.days, self._seed = start_s, days, seed
        # What the simulator's metering comes to is for the system to find out.
        self.gpu_minutes: int | None = None
        self._simulations: list[Simulation] = []
        self._held_back: list[list[dict[str, Any]]] = []

    def plans(self) -> list[Plan]:
        """One plan a facility: the first and the last are sold and bonded, the second pays late
        and takes signed requests alone; the leases of the third are typed into forms."""
        plans = []
        for i, facility in enumerate(FACILITIES):
            body, delivering = self._facility(facility), [x for x in facility.leases if x.delivers]
            if i == 1:
                body["unsigned"] = "refused"
            plans.append(
                Plan(
                    _OPERATOR_OF[facility.name],
                    body,
                    self._leases(facility),
                    pays_late=i == 1,
                    sale=self._sale(body, facility) if delivering else None,
                    delivers_under=delivering[0].lease_id if delivering else None,
                    abandoned_days=facility.abandoned_days,
                    forms=any(lease.mistyped_micros for lease in facility.leases),
                    # Nobody states the last month of the one that its operator leaves.
                    terms=tuple(
                        self._terms(lease)
                        for lease in facility.leases
                        if lease.plan == "reserved" and not facility.abandoned_days
                    ),
                )
            )
        return plans

    def _sale(self, body: dict[str, Any], facility: SimulatedFacility) -> SaleAndBond:
        """Half of the money must come in. The promise is so high that an outage breaks it.

        A senior costs less than its coupon, a junior less than what is left of rent pays it: who
        buys gains, if the operator performs. A missing hour costs less than the two dollars or
        more that an hour earns: nobody gains from a default.
        """
        body["promised_availability_ppm"] = 999_500
        prices = (facility.coupon_micros_per_unit * 17 // 18, 2_700_000)
        caps = [tranche["unit_cap"] for tranche in body["tranches"]]
        return SaleAndBond(
            unit_prices_micros=prices,
            floor_micros=sum(c * p for c, p in zip(caps, prices, strict=True)) // 2,
            up_front_bps=2_000,
            required_bond_micros=300_000_000,
            bond_micros=400_000_000,
            rate_micros_per_gpu_hour=1_800_000,
        )

    def _facility(self, facility: SimulatedFacility) -> dict[str, Any]:
        days = self.days + facility.abandoned_days
        units = facility.gpus * days * 24
        senior = units * facility.senior_share_percent // 100
        tranches = [{"unit_cap": units - senior}]
        if senior:
            first = {
                "unit_cap": senior,
                "coupon_micros_per_unit": facility.coupon_micros_per_unit,
            }
            tranches = [first, *tranches]
        return {
            "name": facility.name,
            "gpu_class": facility.gpu_class,
            "site": facility.site,
            "window_start": format_instant(self.start_s),
            "window_end": format_instant(self.start_s + days * DAY_S),
            "epoch_length_s": DAY_S,
            "seal_s": SEAL_S,
            "tranches": tranches,
            "devices": [facility.device(i) for i in range(facility.gpus)],
        }

    def _leases(self, facility: SimulatedFacility) -> list[dict[str, Any]]:
        return [
            {
                "lease_id": lease.lease_id,
                "renter_ref": lease.renter_ref,
                "plan": lease.plan,
                "committed_gpus": lease.committed_gpus,
                "opened_at": format_instant(self.start_s),
                "price_micros_per_gpu_hour": lease.mistyped_micros
                or lease.price_micros_per_gpu_hour,
            }
            for lease in facility.leases
        ]

    def _terms(self, lease: SimulatedLease) -> dict[str, Any]:
        """The same lease with an SLA: whole terms, which follow those of its opening."""
        start = format_instant(self.start_s)
        return {
            "lease_id": lease.lease_id,
            "renter_ref": lease.renter_ref,
            "version": 2,
            "from": start,
            "prices": [{"from": start, "price": lease.price_micros_per_gpu_hour}],
            "sla": list(SLA_STEPS),
            "sla_cap_bps": 3_000,
            "reason": "the SLA of the contract",
        }

    def registered(self, index: int, facility_id: FacilityId) -> None:
        """Begin the simulation of a facility."""
        facility = FACILITIES[index]
        self._simulations.append(Simulation(facility, facility_id, self.start_s, self._seed))

    def events(self, day: int) -> Iterator[list[dict[str, Any]]]:
        """Each facility's day in batches."""
        for simulation in self._simulations:
            events = simulation.day(day)
            committed = any(lease.committed_gpus for lease in simulation.facility.leases)
            if committed and day == self.days - 1:
                self._held_back.append(simulation.hold_back(events))
            yield from helios.batches(iter(events))

    def bad(self, day: int) -> list[list[tuple[dict[str, Any], str]]]:
        """Each facility's bad events."""
        return [simulation.bad(day) for simulation in self._simulations]

    def prices_put_right(self, day: int) -> list[tuple[int, str, dict[str, Any]]]:
        """On the second day, from the first second on."""
        return [
            (
                place,
                lease.lease_id,
                {
                    "effective_from": format_instant(self.start_s),
                    "price_micros_per_gpu_hour": lease.price_micros_per_gpu_hour,
                },
            )
            for place, facility in enumerate(FACILITIES)
            for lease in facility.leases
            if lease.mistyped_micros and day == 1
        ]

    def late(self) -> list[list[dict[str, Any]]]:
        """What a collector that was cut off has kept."""
        return self._held_back


class HeliosSource:
    """Every pool of a Helios trace as a facility."""

    def __init__(self, folder: Path, utc_offset: str, days: int | None) -> None:
        self._pools = helios.read_trace(folder, utc_offset=utc_offset)
        first = self._pools[0]
        self.start_s = first.start_s
        whole = (first.end_s - first.start_s) // DAY_S
        self.days = min(days or whole, whole)
        if self.days < whole:
            cut = self.days * DAY_S // helios.MINUTE_S
            self._pools = [
                helios.Pool(p.name, p.capacity, p.start_s, p.running[:cut]) for p in self._pools
            ]
        self.gpu_minutes: int | None = sum(p.gpu_minutes for p in self._pools)
        self.about = (
            f"Helios trace {folder.name}: {len(self._pools)} pools, {self.days} daily epochs,"
            f" {self.gpu_minutes:,} GPU-minutes. Local times read as UTC{utc_offset}; device ids,"
            " leases and prices are assigned, the trace has none."
        )
        self._ids: list[int] = []
        self._days: list[dict[int, list[dict[str, Any]]]] = []

    def plans(self) -> list[Plan]:
        """One plan a pool, all of one operator; the second pays late."""
        return [
            Plan(0, body, [helios.lease_body(pool)], pays_late=i == 1)
            for i, pool in enumerate(self._pools)
            for body in [helios.facility_body(pool) | {"seal_s": SEAL_S}]
        ]

    def registered(self, index: int, facility_id: FacilityId) -> None:
        """Sort the records of a pool into days."""
        pool = self._pools[index]
        by_day: dict[int, list[dict[str, Any]]] = {}
        for gpu, start_s, end_s in helios.hourly(pool):
            day = (start_s - self.start_s) // DAY_S
            event = helios.usage_event(pool, facility_id, gpu=gpu, start_s=start_s, end_s=end_s)
            by_day.setdefault(day, []).append(event)
        for gpu, start_s, end_s in helios.sightings(pool):
            day = (start_s - self.start_s) // DAY_S
            event = helios.seen_event(pool, facility_id, gpu=gpu, start_s=start_s, end_s=end_s)
            by_day.setdefault(day, []).append(event)
        self._days.append(by_day)

    def events(self, day: int) -> Iterator[list[dict[str, Any]]]:
        """All pools' records of a day, in batches."""
        for by_day in self._days:
            yield from helios.batches(iter(by_day.get(day, [])))

    def bad(self, day: int) -> list[list[tuple[dict[str, Any], str]]]:
        """None: a real trace is what it is."""
        return []

    def prices_put_right(self, day: int) -> list[tuple[int, str, dict[str, Any]]]:
        """None: its prices are ours."""
        return []

    def late(self) -> list[list[dict[str, Any]]]:
        """None: all of it is there in time."""
        return []
