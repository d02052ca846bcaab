"""Integer units: ids that pack and unpack, capacity rounded down."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.units import FacilityId, capacity_gpu_hours, split_tranche_id, tranche_id


@given(st.integers(1, 2**63 - 1), st.integers(0, 255))
def test_tranche_id__any__splits_into_what_it_was_made_of(facility_id: int, seniority: int) -> None:
    assert split_tranche_id(tranche_id(FacilityId(facility_id), seniority)) == (
        facility_id,
        seniority,
    )


def test_capacity__two_devices__counts_whole_hours_of_all() -> None:
    assert [capacity_gpu_hours(device_count=2, window_s=s) for s in (0, 1_799, 1_800, 3_600)] == [
        0,
        0,
        1,
        2,
    ]
