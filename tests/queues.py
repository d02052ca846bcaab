"""The worker's queue as workers leave it: what failed, what is held, what waits."""

from sqlalchemy import Engine

from api.domain.units import FacilityId
from api.epochs.queue import Look, Queue, Told


def note(
    engine: Engine, facility_id: int, step: str, came_to: Exception | Look | None, *, now_s: int
) -> None:
    """Take a step of a facility, and note what it came to; None: it is being done."""
    queue = Queue(engine, now=lambda: now_s)
    queue.wake([step], [FacilityId(facility_id)])
    (row,) = queue.take(step, chain_s=now_s, most=1)
    assert row.facility_id == facility_id
    if isinstance(came_to, Exception):
        queue.failed(row, came_to, Told())
    elif came_to is not None:
        queue.looked(row, came_to, Told())
