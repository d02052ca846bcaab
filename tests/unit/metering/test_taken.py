"""Time of a device that is taken, against a set of seconds."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.facts import Held, Place
from api.domain.metering.taken import Taken
from tests.unit.values import DEVICES, LEASE

# An allocation that nobody confirmed yet has no second, and is taken all the same.
_INTERVALS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(lambda x: (x[0], x[0] + x[1])),
    max_size=30,
)


def _held(number: int, start_s: int, end_s: int) -> Held:
    return Held(Place(number, 0), DEVICES[0], LEASE, start_s, end_s)


@given(_INTERVALS, st.data())
def test_conflict__any_order__is_shared_seconds(
    intervals: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Some are dropped again on the way, and some asked for beside a fact of their own."""
    taken, standing = Taken(), dict[Place, Held]()
    for number, span in enumerate(intervals):
        beside = data.draw(st.sampled_from([None, *standing]))
        others = [f for place, f in standing.items() if place != beside]

        found = taken.conflict(span, beside=beside)

        met = [(f.start_s, f.end_s) for f in others if _meet(span, (f.start_s, f.end_s))]
        assert found in (met or [None])
        if not any(_meet(span, (f.start_s, f.end_s)) for f in standing.values()):
            fact = standing[Place(number, 0)] = _held(number, *span)
            taken.add(fact)
        elif beside is not None:
            taken.drop(standing.pop(beside))


def _meet(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """An empty interval is met where it lies inside another."""
    return other[0] < other[1] and one[0] < other[1] and other[0] < one[1]


def test_conflict__adjacent_intervals__do_not_touch() -> None:
    taken = Taken([(10, 20, Place(2, 0)), (0, 5, Place(1, 0)), (10, 10, Place(3, 0))])

    assert taken.conflict((5, 10)) is None
    assert taken.conflict((20, 21)) is None
    assert taken.conflict((19, 21)) == (10, 20)
    assert taken.conflict((19, 21), beside=Place(2, 0)) is None
    assert taken.conflict((10, 11), beside=Place(3, 0)) == (10, 20)
    assert taken.conflict((0, 100)) == (0, 5)


def test_conflict__last_one_is_empty__those_before_count() -> None:
    taken = Taken()
    for fact in (_held(1, 0, 10), _held(2, 4, 4)):
        taken.add(fact)

    assert taken.conflict((5, 6)) == (0, 10)


def test_tell_and_shorten__keep_the_last_and_say_what_is_gone() -> None:
    taken = Taken()
    taken.tell([(40, 50, Place(3, 0)), (0, 10, Place(1, 0)), (20, 30, Place(2, 0))])

    assert len(taken) == 3
    assert taken.conflict((5, 6)) == (0, 10)
    assert taken.shorten(2) == 10
    assert (len(taken), taken.conflict((5, 6)), taken.conflict((45, 46))) == (2, None, (40, 50))
