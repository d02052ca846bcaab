"""Pools of the Helios trace into the ledger: facilities with a lease each, then what they metered.

Facilities are registered once and found again; the pipeline of all importers does the rest.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain

from api.domain.json_text import as_integer, as_list, as_object
from api.domain.metering.instants import format_span, parse_instant
from api.domain.units import FacilityId
from api.errors import NotFound
from api.ledger.importers.helios import (
    Pool,
    facility_body,
    hourly,
    lease_body,
    seen_event,
    sightings,
    usage_event,
)
from api.ledger.importers.pipeline import CHECK, Import, Problem, Summary, Told
from api.ledger.importers.rows import Usage
from api.ledger.importers.service import ServiceApi, registered_facilities

# The facility of a pool, in a dry run, that is not registered: the service gives no such id.
_NOT_REGISTERED = FacilityId(0)
# Answers of the judge that say so: there is no facility of the caller's, or no lease in it yet.
_NOT_THERE = ("facility_unknown", "lease_unknown")


def told_of_pool(pool: Pool, facility_id: FacilityId) -> Iterator[Told]:
    """Events of a pool: use of each GPU, hour by hour, then that all were there, day by day."""
    for gpu, start_s, end_s in hourly(pool):
        event = usage_event(pool, facility_id, gpu=gpu, start_s=start_s, end_s=end_s)
        line, job, lease = pool.line(start_s), f"gpu {gpu}", f"{pool.name}-lease"
        usage = Usage(line, job, pool.device(gpu), lease, start_s, end_s)
        yield Told(line, job, event, usage)
    for gpu, start_s, end_s in sightings(pool):
        event = seen_event(pool, facility_id, gpu=gpu, start_s=start_s, end_s=end_s)
        yield Told(pool.line(start_s), f"gpu {gpu}", event)


def import_pools(
    api: ServiceApi,
    pools: Sequence[Pool],
    summary: Summary,
    *,
    on_problem: Callable[[Pool, Problem], None],
    on_progress: Callable[[int, int], None],
) -> None:
    """Register every pool and tell what it metered; `summary` says what came of it so far.

    A dry run registers nothing: of a pool that is not there yet it judges what the trace says.
    Raises:  AppError of the trace or the service. What was answered before stays recorded.
    """
    total = sum(_count(pool) for pool in pools)
    for pool in pools:
        facility_body(pool)  # whatever is wrong with a pool comes before the first request
    for pool in pools:
        service: ServiceApi = api
        if summary.dry_run:
            facility_id = _find(api, pool)
            if facility_id is None:
                facility_id, service = _NOT_REGISTERED, _Unregistered(pool)
        else:
            facility_id = register_pool(api, pool)

        def note(problem: Problem, pool: Pool = pool) -> None:
            on_problem(pool, problem)

        importing = Import(
            service,
            summary=summary,
            on_problem=note,
            on_batch=lambda: on_progress(summary.answered, total),
        )
        importing.run(told_of_pool(pool, facility_id))


def _count(pool: Pool) -> int:
    return sum(1 for _ in chain(hourly(pool), sightings(pool)))


def register_pool(api: ServiceApi, pool: Pool) -> FacilityId:
    """Register facility and lease of a pool, or find them; returns the facility's id."""
    for facility_id in _named(api, pool):
        # Names are not unique: one of this name may be another operator's, as if absent.
        if _open_lease(api, facility_id, pool):
            return facility_id
    answer = api.post("/v1/facilities", facility_body(pool))
    registered = FacilityId(as_integer(answer["facility_id"]))
    _open_lease(api, registered, pool)
    return registered


def _named(api: ServiceApi, pool: Pool) -> Iterator[FacilityId]:
    name = facility_body(pool)["name"]
    for facility in registered_facilities(api):
        if facility["name"] == name:
            yield FacilityId(as_integer(facility["facility_id"]))


def _open_lease(api: ServiceApi, facility_id: FacilityId, pool: Pool) -> bool:
    """Open the pool's lease, or find it; False if the facility is not the caller's."""
    try:
        api.post(f"/v1/facilities/{facility_id}/leases", lease_body(pool))
    except NotFound:
        return False
    return True


def _find(api: ServiceApi, pool: Pool) -> FacilityId | None:
    """The caller's facility of a pool, with its lease; whose one is, only the judge says."""
    for facility_id in _named(api, pool):
        first = next(told_of_pool(pool, facility_id), None)
        if first is None:
            return facility_id
        answer = api.post(CHECK, [first.event])
        (result,) = map(as_object, as_list(answer["results"]))
        if result.get("code") not in _NOT_THERE:
            return facility_id
    return None


class _Unregistered:
    """Answers a dry run about a pool that is not registered: by the window that it would have."""

    def __init__(self, pool: Pool) -> None:
        self._window_s = pool.window_s

    def post(self, path: str, body: object, /) -> dict[str, object]:
        """What would be answered to events, as far as the trace itself says."""
        assert path == CHECK  # nothing is sent anywhere else
        return {"results": [self._result(as_object(event)) for event in as_list(body)]}

    def get(self, path: str, /) -> object:
        """Nothing is known of it."""
        raise NotFound(path)

    def _result(self, event: Mapping[str, object]) -> dict[str, object]:
        data = as_object(event["data"])
        start_s, end_s = (parse_instant(str(data[at]), field=at) for at in ("start", "end"))
        first_s, last_s = self._window_s
        if first_s <= start_s and end_s <= last_s:
            return {"status": "accepted"}
        detail = f"interval is outside the delivery window {format_span(self._window_s)}"
        return {"status": "rejected", "code": "outside_window", "detail": detail}
