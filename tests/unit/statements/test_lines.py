"""Lines: one rounding on the cumulative of a lease and month, numbers and running sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.metering.usage import LineKind
from api.domain.statements.books import Item
from api.domain.statements.lines import numbered
from api.domain.units import MAX_I64, ZERO32
from api.errors import InvalidInput
from tests.unit.payloads import (
    LEASE,
    agreed,
    at,
    usage,
    void,
)
from tests.unit.statements.lives import Life, charges
from tests.unit.values import DAY_S

HOUR_S = 3_600
USE, LATE, BACK = LineKind.USAGE, LineKind.LATE, LineKind.VOID
USE_DIFFERENCE = LineKind.USAGE_DIFFERENCE


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=12), st.integers(0, 10**9), st.data())
def test_charges__any_split__add_up_to_the_rounding_of_the_whole(seconds, price, data):
    """Parts told in any epoch, in time or late, on one device or another: one floor of the sum."""
    terms = agreed("l", prices=[{"from": at(0), "price": price}])
    life, stated, starts = Life(terms), 0, [0, 0, 0]
    parts = [(s, data.draw(st.integers(0, 2)), data.draw(st.integers(0, 2))) for s in seconds]

    for epoch in range(3):
        for i, (length_s, day, told) in enumerate(parts):
            if max(day, told) == epoch:
                start_s = day * DAY_S + starts[day]
                starts[day] += length_s + 1
                life.tell(usage(f"u{i}", day, start_s, start_s + length_s))
        stated += life.close().statement.gross_revenue_micros

    assert stated == sum(seconds) * price // 3_600


@given(st.integers(1, 80_000), st.integers(1, 80_000), st.integers(0, 10**9))
def test_void__after_usage__returns_to_the_charge_before(kept_s, voided_s, price):
    terms = agreed("l", prices=[{"from": at(0), "price": price}])
    life = Life(terms, usage("a", 0, 0, kept_s), usage("b", 1, 0, voided_s))
    stated = life.close().statement.gross_revenue_micros
    life.tell(void("v", "b"))

    stated += life.end().statement.gross_revenue_micros

    assert stated == kept_s * price // 3_600


def test_charge__one_second_at_one_dollar__is_277_micros_then_278():
    """1,000,000 / 3,600 = 277.78: the second line carries what the first left."""
    life = Life(agreed("l"), usage("a", 0, 0, 1), usage("b", 1, 0, 1))

    assert charges(life.close()) == [(USE, 277), (USE, 278)]


def _item(charge, start_s=0, kind=USE_DIFFERENCE):
    return Item(kind, ZERO32, start_s, LEASE, start_s + 60, charge)


def test_numbered__any_order__is_sorted_with_running_sums():
    used = [_item(5, kind=USE), _item(7, 60, kind=USE), _item(0, kind=LineKind.DELIVERY)]

    lines = numbered([_item(-9), *used[::-1]])

    assert [(x.index, x.kind, x.charge_micros) for x in lines] == [
        *((0, USE, 5), (1, USE, 7), (2, LineKind.DELIVERY, 0), (3, USE_DIFFERENCE, -9)),
    ]
    assert [x.cumulative_charge_micros for x in lines] == [5, 12, 12, 3]
    assert [x.gpu_seconds for x in lines] == [60, 60, 60, 0]
    assert [x.cumulative_gpu_seconds for x in lines] == [60, 120, 180, 180]


def test_numbered__equal_but_for_the_charge__is_refused():
    with pytest.raises(InvalidInput, match="two lines of a statement are equal"):
        numbered([_item(1), _item(2)])


@pytest.mark.parametrize("sign", [1, -1])
def test_numbered__sums_beyond_63_bits__are_refused(sign):
    [line] = numbered([_item(sign * MAX_I64)])
    assert line.charge_micros == sign * MAX_I64

    with pytest.raises(InvalidInput, match="63 bits"):
        numbered([_item(sign * MAX_I64), _item(sign, 60)])
    with pytest.raises(InvalidInput, match="63 bits"):
        numbered([Item(USE, ZERO32, 0, LEASE, MAX_I64 + 1)])
