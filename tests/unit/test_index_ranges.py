"""The width of queries for logs: what a node takes is found soon, kept, and tried again."""

from hypothesis import given
from hypothesis import strategies as st

from api.epochs.index_ranges import Ranges

MOST = 2_000


def _play(ranges: Ranges, cap: int, blocks: int) -> tuple[int, int]:
    """Queries and refusals until so many blocks are read from a node with a cap."""
    asked = refused = 0
    while blocks > 0:
        width = min(ranges.next(), blocks)
        asked += 1
        if width > cap:
            refused += 1
            ranges.refuse(width)
        else:
            ranges.took(width)
            blocks -= width
    return asked, refused


@given(st.integers(1, 3_000), st.integers(1, MOST))
def test_ranges__node_with_a_cap__is_found_and_never_exceeded_twice_as_far(
    cap: int, known: int
) -> None:
    ranges = Ranges(known, most=MOST)

    _asked, refused = _play(ranges, cap, 20 * cap)

    assert refused <= 24
    assert 1 <= ranges.known <= min(cap, MOST)
    assert ranges.known >= min(cap, MOST, known) // 2


def test_ranges__cap_of_ten__costs_little_more_than_it_must() -> None:
    """3,046 blocks: 305 queries are needed; there were 773, half of them refused."""
    ranges = Ranges(MOST, most=MOST)

    asked, refused = _play(ranges, 10, 3_046)

    assert ranges.known == 10
    assert (asked - refused, refused) <= (310, 20)
    assert _play(Ranges(ranges.known, most=MOST), 10, 1_000)[1] == 0


def test_ranges__cap_that_goes_away__is_found_out() -> None:
    ranges = Ranges(10, most=MOST)

    _play(ranges, MOST, 1_000_000)

    assert ranges.known == MOST


def test_ranges__after_a_stretch_of_many_logs__are_wide_again_soon() -> None:
    """20,000 blocks with next to nothing: its ranges had 96 of them at the end, of 2,000."""
    ranges = Ranges(MOST, most=MOST)
    _play(ranges, 3, 60)

    asked, refused = _play(ranges, MOST, 20_000)

    assert ranges.known > MOST // 2
    assert (asked, refused) <= (330, 0)


def test_ranges__least__is_one_block() -> None:
    ranges = Ranges(1, most=MOST)

    ranges.refuse(1)

    assert (ranges.next(), ranges.known) == (1, 1)
