"""Which entries a log lacks, against a set of numbers."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.log.lost import MOST_STRETCHES, missing

NUMBERS = st.integers(0, 30)


@given(size=NUMBERS, due=NUMBERS, held=st.lists(NUMBERS))
def test_missing__of_any_log__is_what_it_had_less_what_it_has(
    size: int, due: int, held: list[int]
) -> None:
    found = missing(size=size, due=due, held=held)

    named = [n for first, last in found for n in range(first, last + 1)]
    assert named == sorted(set(range(size + 1, due + 1)) - set(held))


def test_missing__in_many_stretches__names_the_first_of_them() -> None:
    every_second = range(2, 200, 2)

    found = missing(size=0, due=200, held=every_second)

    assert found == [(n, n) for n in range(1, 2 * MOST_STRETCHES, 2)]


def test_missing__nothing_held__is_one_stretch() -> None:
    assert missing(size=3, due=9, held=[]) == [(4, 9)]
