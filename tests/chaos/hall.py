"""A facility of a chaotic run, and what it meters."""

from dataclasses import dataclass
from typing import Any

from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId

EPOCH_S = 600


@dataclass(frozen=True, slots=True)
class Hall:
    """A facility of the run."""

    facility_id: FacilityId
    devices: tuple[str, ...]
    start_s: int
    epochs: int
    key: str

    def span(self, epoch: int) -> tuple[int, int]:
        """First second of an epoch, and of the next."""
        first_s = self.start_s + epoch * EPOCH_S
        return first_s, first_s + EPOCH_S

    def usage(self, epoch: int, *, seconds: int) -> list[dict[str, Any]]:
        """Events of an epoch, each device used for some seconds of it."""
        start_s, _ = self.span(epoch)
        return [
            {
                "specversion": "1.0",
                "id": f"{self.facility_id}-{epoch}-{place}",
                "source": "chaos/collector",
                "type": "rentroll.gpu.usage.v1",
                "data": {
                    "facility_id": self.facility_id,
                    "device": device,
                    "lease": f"lease-{self.facility_id}",
                    "start": format_instant(start_s),
                    "end": format_instant(start_s + seconds),
                    "gpu_seconds": seconds,
                },
            }
            for place, device in enumerate(self.devices)
        ]
