"""An example of each type of event, in an order in which one after the other is accepted."""

from api.domain.metering.events import (
    ADJUSTMENT,
    ALLOCATION_CONFIRMED,
    ALLOCATION_ENDED,
    ALLOCATION_OPENED,
    AVAILABILITY,
    CORRECTION,
    DEVICE_REGISTERED,
    LEASE_CLOSED,
    LEASE_OPENED,
    LEASE_TERMS,
    SEEN,
    USAGE,
)
from api.routes.operator.facilities import EXAMPLE_DEVICES


def _example(event_type: str, name: str, **data: object) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": name,
        "source": "collector/hall-1",
        "type": event_type,
        "data": {"facility_id": 1, **data},
    }


_HOUR = {"start": "2026-12-01T00:00:00Z", "end": "2026-12-01T01:00:00Z"}
_JOB = {"source": "collector/hall-1", "id": "job-17"}
EVENT_EXAMPLES = {
    LEASE_OPENED: _example(
        LEASE_OPENED,
        "lease-8-opened",
        lease_id="lease-8",
        renter_ref="renter-8",
        plan="on_demand",
        opened_at="2026-12-01T00:00:00Z",
        price_micros_per_gpu_hour=2_490_000,
    ),
    USAGE: _example(
        USAGE, "usage-1", device=EXAMPLE_DEVICES[0], lease="lease-8", gpu_seconds=3_600, **_HOUR
    ),
    SEEN: _example(SEEN, "seen-1", device=EXAMPLE_DEVICES[1], **_HOUR),
    AVAILABILITY: _example(
        AVAILABILITY,
        "outage-1",
        device=EXAMPLE_DEVICES[1],
        lease="lease-8",
        cause="fault",
        **_HOUR,
    ),
    CORRECTION: _example(
        CORRECTION,
        "void-1",
        corrects={"source": "collector/hall-1", "id": "usage-1"},
        action="void",
        reason="metered twice",
    ),
    ALLOCATION_OPENED: _example(
        ALLOCATION_OPENED,
        "job-17",
        device=EXAMPLE_DEVICES[0],
        lease="lease-8",
        start="2026-12-01T02:00:00Z",
    ),
    ALLOCATION_CONFIRMED: _example(
        ALLOCATION_CONFIRMED, "job-17-seen", allocation=_JOB, until="2026-12-01T03:00:00Z"
    ),
    ALLOCATION_ENDED: _example(
        ALLOCATION_ENDED, "job-17-ended", allocation=_JOB, until="2026-12-01T03:10:00Z"
    ),
    LEASE_TERMS: _example(
        LEASE_TERMS,
        "lease-8-terms-2",
        lease_id="lease-8",
        renter_ref="renter-8",
        version=2,
        **{"from": "2026-12-01T00:00:00Z"},
        prices=[{"from": "2026-12-01T00:00:00Z", "price": 2_290_000}],
        reason="the price was typed wrong",
    ),
    ADJUSTMENT: _example(
        ADJUSTMENT, "gift-1", lease_id="lease-8", amount=-5_000_000, reason="goodwill"
    ),
    LEASE_CLOSED: _example(
        LEASE_CLOSED, "lease-8-closed", lease_id="lease-8", closed_at="2026-12-01T12:00:00Z"
    ),
    DEVICE_REGISTERED: _example(DEVICE_REGISTERED, "device-1", device=EXAMPLE_DEVICES[0]),
}
