"""Real objects for tests: operators, facilities, leases, events."""

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from api.access.accounts import add_operator
from api.db.session import transaction
from api.domain.facility import TrancheTerms
from api.domain.metering.events import (
    ADJUSTMENT,
    ALLOCATION_CONFIRMED,
    ALLOCATION_ENDED,
    ALLOCATION_OPENED,
    AVAILABILITY,
    CORRECTION,
    LEASE_TERMS,
    SEEN,
    USAGE,
)
from api.domain.metering.instants import format_instant
from api.domain.metering.items import EventResult
from api.evidence_store import EvidenceFolder
from api.ledger.facilities import LogHome, NewFacility, register_facility
from api.ledger.ingest import ingest
from api.ledger.leases import NewLease, open_lease

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
HOUR_S = 3_600
DAY_S = 86_400
GRACE_S = 3_600
SEAL_S = 3_600
TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
_NAMESPACE = uuid.UUID("6a2b1f0e-7c55-4a51-9f32-8a3f6b1f0c11")


def device(index: int) -> str:
    """A device id."""
    return f"GPU-{uuid.uuid5(_NAMESPACE, str(index))}"


@dataclass
class Clock:
    """A clock that tests set."""

    now_s: int = START_S + DAY_S

    def __call__(self) -> int:
        return self.now_s


class Ledger:
    """One operator with one facility of four devices and two leases, on a real database."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        name: str = "op",
        address: str | None = None,
        **facility: Any,
    ) -> None:
        self.engine, self.clock = engine, Clock()
        self.evidence = EvidenceFolder(folder / "evidence")
        self._count = 0
        with transaction(engine) as connection:
            address = address or "0x" + name.encode().hex().ljust(40, "0")
            self.operator_id, self.api_key = add_operator(
                connection, name=name, address=address, actor="test", now_s=START_S
            )
        self.facility_id = self.add_facility(range(4), **facility)
        self.add_lease("lease-a")
        self.add_lease("lease-b", max_gpus=1)

    def add_facility(self, devices: range, **changes: Any) -> int:
        """Register a facility of three daily epochs."""
        values: dict[str, Any] = {
            "facility_id": None,
            "name": "hall-1",
            "gpu_class": "H100-SXM5-80GB",
            "site": "SE-LULEA-1",
            "window_start_s": START_S,
            "window_end_s": START_S + 3 * DAY_S,
            "seal_s": SEAL_S,
            "epoch_length_s": DAY_S,
            "settlement_token": TOKEN,
            "promised_availability_ppm": 990_000,
            "fee_bps": 100,
            "tranches": (TrancheTerms(10),),
            "device_uuids": [device(i) for i in devices],
            # Most tests say nothing of devices that are idle.
            "silence_available": True,
        }
        values |= changes
        values.setdefault("expires_at_s", values["window_start_s"] + DAY_S)
        with transaction(self.engine) as connection:
            row, _ = register_facility(
                connection,
                operator_id=self.operator_id,
                new=NewFacility(**values),
                home=LogHome(),
                grace_s=GRACE_S,
                now_s=START_S,
            )
        return int(row.facility_id)

    def add_lease(self, lease_id: str, **changes: Any) -> bool:
        """Open a lease at one dollar a GPU-hour."""
        values: dict[str, Any] = {
            "lease_id": lease_id,
            "renter_ref": f"renter-of-{lease_id}",
            "plan": "on_demand",
            "committed_gpus": 0,
            "max_gpus": 0,
            "opened_at_s": START_S,
            "price": 1_000_000,
        }
        new = NewLease(**(values | changes))
        clock = self.clock
        return open_lease(self.engine, self.operator_id, self.facility_id, new, clock=clock)[1]

    def event(self, kind: str, name: str | None, data: dict[str, Any]) -> dict[str, Any]:
        """A CloudEvent; a fresh id unless named."""
        self._count += 1
        return {
            "specversion": "1.0",
            "id": name or f"e{self._count}",
            "source": "collector/1",
            "type": kind,
            "data": {"facility_id": self.facility_id, **data},
        }

    def usage(
        self, gpu: int, from_s: int, to_s: int, /, *, name: str | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Usage of a device; times are seconds after the window's start."""
        data = {
            "device": device(gpu),
            "lease": "lease-a",
            "start": format_instant(START_S + from_s),
            "end": format_instant(START_S + to_s),
            "gpu_seconds": to_s - from_s,
        }
        return self.event(USAGE, name, data | changes)

    def outage(self, gpu: int, from_s: int, to_s: int, /, **changes: Any) -> dict[str, Any]:
        """A device out of service."""
        data = {
            "device": device(gpu),
            "start": format_instant(START_S + from_s),
            "end": format_instant(START_S + to_s),
        }
        return self.event(AVAILABILITY, None, data | changes)

    def void(self, target: dict[str, Any]) -> dict[str, Any]:
        """Correction that voids an event."""
        corrects = {"source": target["source"], "id": target["id"]}
        return self.event(CORRECTION, None, {"corrects": corrects, "action": "void"})

    def replace(self, target: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
        """Correction that puts another use or outage in the place of an event."""
        data = {k: v for k, v in other["data"].items() if k != "facility_id"}
        corrects = {"source": target["source"], "id": target["id"]}
        values = {"corrects": corrects, "action": "replace", "replacement": data}
        return self.event(CORRECTION, None, values)

    def allocation(self, gpu: int, from_s: int, /, **changes: Any) -> dict[str, Any]:
        """An allocation that begins; nobody has confirmed it yet."""
        start = format_instant(START_S + from_s)
        data = {"device": device(gpu), "lease": "lease-a", "start": start}
        return self.event(ALLOCATION_OPENED, None, data | changes)

    def confirmed(self, opened: dict[str, Any], until_s: int, /) -> dict[str, Any]:
        """An allocation still lasted at a time."""
        return self._of_allocation(ALLOCATION_CONFIRMED, opened, until_s)

    def ended(self, opened: dict[str, Any], until_s: int, /) -> dict[str, Any]:
        """An allocation ended at a time."""
        return self._of_allocation(ALLOCATION_ENDED, opened, until_s)

    def _of_allocation(self, kind: str, opened: dict[str, Any], until_s: int) -> dict[str, Any]:
        named = {"source": opened["source"], "id": opened["id"]}
        until = format_instant(START_S + until_s)
        return self.event(kind, None, {"allocation": named, "until": until})

    def seen(self, gpu: int, from_s: int, to_s: int, /) -> dict[str, Any]:
        """A device that a collector saw."""
        start, end = (format_instant(START_S + t) for t in (from_s, to_s))
        return self.event(SEEN, None, {"device": device(gpu), "start": start, "end": end})

    def adjustment(self, lease_id: str, amount: int) -> dict[str, Any]:
        """Money from a lease, or back to it."""
        data = {"lease_id": lease_id, "amount": amount, "reason": "a test"}
        return self.event(ADJUSTMENT, None, data)

    def terms(self, lease_id: str, version: int, from_s: int, /, **terms: Any) -> dict[str, Any]:
        """A version of a lease's terms, of the renter that `add_lease` gives it."""
        data = {
            "lease_id": lease_id,
            "renter_ref": f"renter-of-{lease_id}",
            "version": version,
            "from": format_instant(START_S + from_s),
        }
        return self.event(LEASE_TERMS, None, data | terms)

    def ingest(self, *events: Any) -> list[EventResult]:
        """Ingest one batch."""
        return ingest(self.engine, self.operator_id, list(events), clock=self.clock)

    def codes(self, *events: Any) -> list[str]:
        """Ingest one batch; status or rejection code of each event."""
        return [r.code or r.status for r in self.ingest(*events)]
