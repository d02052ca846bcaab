"""Sets of seconds against sets of numbers."""

import random

from api.domain.metering.intervals import clipped, length_s, overlap, union, without


def spans(dice):
    return [(start, start + dice.randrange(6)) for start in (dice.randrange(30) for _ in range(5))]


def seconds(found):
    return {t for a, b in found for t in range(a, b)}


def test_intervals__random_spans__are_what_sets_of_numbers_are():
    dice = random.Random(7)
    for _ in range(2_000):
        left, right = spans(dice), spans(dice)
        a, b = union(left), union(right)

        assert seconds(a) == seconds(left)
        assert seconds(overlap(a, b)) == seconds(a) & seconds(b)
        assert seconds(without(a, taken=b)) == seconds(a) - seconds(b)
        assert seconds(clipped(a, start_s=5, end_s=17)) == seconds(a) & set(range(5, 17))
        assert length_s(a) == len(seconds(a))
        for found in (a, overlap(a, b), without(a, taken=b)):
            assert found == sorted(found)
            assert all(x < y for x, y in found)


def test_union__spans_a_little_apart__become_one():
    assert union([(0, 5), (15, 20), (31, 40)], gap_s=10) == [(0, 20), (31, 40)]
    assert union([(3, 3)]) == []
