"""Meter events as typed values, their type names and bounds."""

from dataclasses import dataclass

from api.domain.rating import PricePlan
from api.domain.units import MAX_U32
from api.domain.usage import LineKind

USAGE_TYPE = "rentroll.gpu.usage.v1"
OUTAGE_TYPE = "rentroll.gpu.availability.v1"
CORRECTION_TYPE = "rentroll.gpu.correction.v1"
LEASE_OPENED_TYPE = "rentroll.lease.opened.v1"
LEASE_CLOSED_TYPE = "rentroll.lease.closed.v1"
DEVICE_REGISTERED_TYPE = "rentroll.device.registered.v1"

MAX_EVENT_ID_CHARS = 200
MAX_LEASE_ID_CHARS = 120
MAX_REASON_CHARS = 500
# A GPU draws about a kilowatt: 10^12 J is thirty years of it. NVIDIA DCGM's 64-bit "blank" value,
# 9223372036854775794 (dcgm_structs.h, DCGM_INT64_NOT_FOUND and its kin), is far above.
MAX_ENERGY_JOULES = 10**12
MAX_COMMITTED_GPUS = MAX_U32
MAX_DEVICE_CHARS = 96


@dataclass(frozen=True, slots=True)
class UsageEvent:
    """One device in use under a lease over `[start_s, end_s)`; kind is USAGE or DELIVERY.

    utilization_ppm, energy_joules: evidence only, never a price.
    """

    source: str
    event_id: str
    facility_id: int
    device_uuid: str
    lease_id: str
    gpu_class: str | None
    start_s: int
    end_s: int
    kind: LineKind
    utilization_ppm: int | None
    energy_joules: int | None


@dataclass(frozen=True, slots=True)
class OutageEvent:
    """One device out of service over `[start_s, end_s)`, withheld from `lease_id` if given."""

    source: str
    event_id: str
    facility_id: int
    device_uuid: str
    lease_id: str | None
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class CorrectionEvent:
    """Voids the usage that the event (`target_source`, `target_id`) of the operator recorded."""

    source: str
    event_id: str
    facility_id: int
    target_source: str
    target_id: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class LeaseOpenedEvent:
    """A new lease with its first price, in micros per GPU-hour."""

    source: str
    event_id: str
    facility_id: int
    lease_id: str
    renter_ref: str
    plan: PricePlan
    committed_gpus: int
    opened_at_s: int
    price_micros_per_gpu_hour: int
    sla_credit_bps: int


@dataclass(frozen=True, slots=True)
class LeaseClosedEvent:
    """A lease ends; `closed_at_s` is the first second after it."""

    source: str
    event_id: str
    facility_id: int
    lease_id: str
    closed_at_s: int


@dataclass(frozen=True, slots=True)
class DeviceRegisteredEvent:
    """A collector saw a device. A facility's pledge is fixed, so it can only be refused."""

    source: str
    event_id: str
    facility_id: int
    device_uuid: str


MeterEvent = (
    UsageEvent
    | OutageEvent
    | CorrectionEvent
    | LeaseOpenedEvent
    | LeaseClosedEvent
    | DeviceRegisteredEvent
)
