"""Pauses between tries."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.backoff import MOST_S, backoff_s

shares = st.floats(min_value=0, max_value=1, exclude_max=True)


@given(st.integers(min_value=1, max_value=10_000), shares)
def test_backoff__any_number_of_failures__is_bounded_and_never_zero(
    attempts: int, share: float
) -> None:
    assert 1 <= backoff_s(attempts, share=share) <= MOST_S


@given(st.integers(min_value=1, max_value=20), shares)
def test_backoff__one_failure_more__waits_at_least_as_long_at_the_same_draw(
    attempts: int, share: float
) -> None:
    assert backoff_s(attempts + 1, share=share) >= backoff_s(attempts, share=share)


def test_backoff__by_hand__doubles_between_half_and_all() -> None:
    assert [backoff_s(n, share=0, first_s=2) for n in (1, 2, 3)] == [1, 2, 4]
    assert backoff_s(3, share=0.5, first_s=2) == 6
    assert backoff_s(9, share=0, first_s=2, most_s=10) == 5
