"""Random tables of jobs by `rentroll import csv`, beside an independent count of hours."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.domain.hashing import device_hash
from tests.factories import DAY_S, HOUR_S, START_S, device
from tests.integration.ledger.desk import CSV_MAP, Desk, use_row, use_table

# GPU (two of six are of no facility), start and length in hours, and lease.
_JOBS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.integers(-3, 75),
        st.integers(-2, 12),
        st.sampled_from(["lease-a", "lease-b"]),
    ),
    max_size=40,
)
_WINDOW_HOURS = 72


def _counted(jobs: list[tuple[int, int, int, str]]) -> dict[int, int]:
    """Hours of each GPU, hour by hour: the first row that asks for an hour has it.

    lease-b covers one GPU at once.
    """
    taken: dict[tuple[int, int], str] = {}
    for gpu, start, length, lease in jobs:
        wanted = range(start, start + length)
        of_lease = {hour for (_, hour), other in taken.items() if other == "lease-b" == lease}
        free = not any((gpu, hour) in taken or hour in of_lease for hour in wanted)
        if gpu < 4 and wanted and start >= 0 and wanted[-1] < _WINDOW_HOURS and free:
            taken |= {(gpu, hour): lease for hour in wanted}
    return {gpu: sum(g == gpu for g, _ in taken) for gpu in {g for g, _ in taken}}


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(jobs=_JOBS)
def test_import__random_job_tables__bill_what_an_independent_count_gives(
    desk: Desk, jobs: list[tuple[int, int, int, str]]
) -> None:
    """Through file, reader, HTTP and judge, twice over, on a facility of its own."""
    ledger = desk.service.ledger
    ledger.clock.now_s = START_S + 3 * DAY_S
    first_gpu = 1_000 + 10 * len(desk.facilities)
    devices = range(first_gpu, first_gpu + 4)
    ledger.facility_id = ledger.add_facility(devices)
    desk.facilities.append(ledger.facility_id)
    ledger.add_lease("lease-a")
    ledger.add_lease("lease-b", max_gpus=1)
    mapping = desk.file("map.toml", CSV_MAP)
    rows = [
        use_row(f"j{i}", first_gpu + gpu, start * HOUR_S, (start + length) * HOUR_S, lease)
        for i, (gpu, start, length, lease) in enumerate(jobs)
    ]
    file = desk.file("use.csv", use_table(*rows))

    first, again = (
        json.loads(desk.run("csv", file, "--mapping", str(mapping)).stdout) for _ in range(2)
    )

    hours = _counted(jobs)
    held = desk.held()
    assert held == {device_hash(device(first_gpu + g)): n * HOUR_S for g, n in hours.items()}
    assert first["accepted_gpu_seconds"] == sum(held.values())
    assert first["accepted"] + sum(first["refused"].values()) == len(jobs)
    assert (again["accepted"], again["duplicates"]) == (0, first["accepted"])
