"""Buckets of reads: how they empty and fill, and that memory is bounded whoever asks."""

import tracemalloc

import pytest

from api.routes.http.shares import MOST_REMEMBERED, Shares


class _Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def _shares(clock: _Clock, *, remembered: int = MOST_REMEMBERED) -> Shares:
    return Shares(per_s=2, most=10, clock=clock, remembered=remembered)


def test_take__emptied__fills_by_the_second_and_never_above_its_size() -> None:
    clock = _Clock()
    shares = _shares(clock)

    assert [shares.take("a", n).wait_s for n in (6, 4, 1)] == [0, 0, 1]
    assert shares.take("a", 5).wait_s == 3
    assert shares.take("b", 10).wait_s == 0
    clock.now_s += 2
    assert [shares.take("a", n).wait_s for n in (4, 0.5)] == [0, 1]
    clock.now_s += 1_000
    assert [shares.take("a", n).wait_s for n in (10, 0.1)] == [0, 1]


def test_take__refused__takes_nothing_and_waits_as_long_as_it_says() -> None:
    clock = _Clock()
    shares = _shares(clock)
    shares.take("a", 10)

    waits = [shares.take("a", 7).wait_s for _ in range(3)]
    clock.now_s += waits[0]

    assert waits == [4, 4, 4]
    assert shares.take("a", 7).wait_s == 0


def test_take__more_than_a_bucket__takes_a_full_one() -> None:
    clock = _Clock()
    shares = _shares(clock)

    assert shares.take("a", 50).wait_s == 0
    clock.now_s += 4.9
    assert shares.take("a", 50).wait_s == 21


def test_charge__beyond_what_is_left__is_waited_for_but_not_for_ever() -> None:
    clock = _Clock()
    shares = _shares(clock)
    shares.charge("a", 1_000_000)

    assert shares.take("a", 1).wait_s == 6
    clock.now_s += 10
    assert shares.take("a", 10).wait_s == 0


def test_give_back__what_was_taken__is_there_again_and_no_more() -> None:
    shares = _shares(_Clock())
    shares.take("a", 3)

    shares.give_back("a", 3)
    shares.give_back("a", 5)

    assert len(shares) == 0
    assert shares.take("a", 1).left == 9


def test_memory__any_number_of_addresses__is_bounded() -> None:
    clock = _Clock()
    shares = Shares(per_s=100, most=2_000, clock=clock)
    tracemalloc.start()

    for number in range(4 * MOST_REMEMBERED):
        shares.take(f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::/64", 1)
        assert len(shares) <= MOST_REMEMBERED
        clock.now_s += 1e-6
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    print(f"\n{peak / 2**20:.1f} MiB at most")
    assert peak < 40 * 2**20


def test_memory__full_buckets__are_not_in_it() -> None:
    clock = _Clock()
    shares = _shares(clock, remembered=8)
    for number in range(8):
        shares.take(f"old-{number}", 1)
    clock.now_s += 1

    shares.take("new", 1)

    assert len(shares) == 1


def test_memory__crowded_by_many_addresses__keeps_who_was_refused() -> None:
    """Who empties a bucket and then asks from thousands of addresses is still refused."""
    clock = _Clock()
    shares = _shares(clock, remembered=100)
    shares.take("attacker", 10)

    for number in range(5_000):
        assert shares.take(f"shill-{number}", 1).wait_s == 0

    assert shares.take("attacker", 1).wait_s == 1


def test_memory__crowded_by_empty_buckets__refuses_no_newcomer() -> None:
    """The most that an attacker can do with empty buckets: they forget one another."""
    clock = _Clock()
    shares = _shares(clock, remembered=100)
    for number in range(100):
        shares.take(f"shill-{number}", 10)

    waits = {shares.take(f"visitor-{number}", 1).wait_s for number in range(1_000)}

    assert waits == {0}
    # Those who used least were forgotten: visitors, and only a quarter of the emptied ones.
    refused = sum(shares.take(f"shill-{number}", 1).wait_s > 0 for number in range(100))
    assert refused >= 75


@pytest.mark.parametrize("spent", [1, 9])
def test_memory__emptied_by_others__gives_an_owner_what_it_used_and_no_more(spent: int) -> None:
    """To have one's own bucket forgotten, as many others must be emptied further."""
    clock = _Clock()
    shares = _shares(clock, remembered=100)
    shares.take("attacker", spent)
    taken = 0

    while shares.take("attacker", 0).left < 10:
        shares.take(f"shill-{taken}", spent + 1)
        taken += 1

    assert taken >= 75
