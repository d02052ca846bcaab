"""Coupons that fell due, against numbers worked out by hand and against one settlement of all."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.coupons import Settling, Supplied, coupon_due


def test_coupon_due__units_burned_between__counts_those_that_circulated() -> None:
    # 10 over three epochs, rounded down on the cumulative: 3, then 3 more, then 4.
    changes = [Supplied(5), Settling(1), Supplied(-2), Settling(2), Settling(2), Settling(3)]

    assert coupon_due(changes, coupon_per_unit=10, epoch_count=3) == 5 * 3 + 3 * 3 + 3 * 4
    assert coupon_due([Settling(3)], coupon_per_unit=10, epoch_count=3) == 0


@given(
    st.integers(0, 10**12),
    st.integers(1, 1_000),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 1_000)),
)
def test_coupon_due__any_settlements_of_one_supply__add_up_to_the_last(
    coupon_per_unit: int, epoch_count: int, units: int, counted: list[int]
) -> None:
    """However many settlements there are, the coupon is that of the epochs they counted."""
    steps = sorted(min(epochs, epoch_count) for epochs in counted) or [0]
    terms = {"coupon_per_unit": coupon_per_unit, "epoch_count": epoch_count}

    found = coupon_due([Supplied(units), *map(Settling, steps)], **terms)

    assert found == coupon_due([Supplied(units), Settling(steps[-1])], **terms)
    assert found <= units * coupon_per_unit
