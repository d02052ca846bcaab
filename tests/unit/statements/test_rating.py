"""Rating: one rounding on the cumulative of a lease."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.statements.rating import (
    LeaseCarry,
    LeaseTerms,
    PricePlan,
    PriceVersion,
    check_prices,
    shortfall_gpu_seconds,
    usage_weight,
)
from api.domain.units import ZERO32
from api.errors import InvalidInput


@given(
    st.lists(st.integers(1, 86_400), min_size=1, max_size=60),
    st.integers(0, 10**9),
)
def test_charges__any_split__add_up_to_the_rounding_of_the_whole(
    seconds: list[int], price_micros: int
) -> None:
    price = PriceVersion(1, 0, price_micros)
    carry, charged = LeaseCarry(), 0

    for part in seconds:
        charge, carry = carry.charge(usage_weight(part, price))
        charged += charge

    assert charged == sum(seconds) * price_micros // 3_600


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.integers(0, 10**9))
def test_void__after_usage__returns_to_the_charge_before(a: int, b: int, micros: int) -> None:
    price = PriceVersion(1, 0, micros)
    first, carry = LeaseCarry().charge(usage_weight(a, price))
    second, carry = carry.charge(usage_weight(b, price))

    back, carry = carry.charge(-usage_weight(b, price))

    assert second + back == 0
    assert carry.charged_micros == first


def test_charge__one_second_at_one_dollar__is_277_micros_then_278() -> None:
    """1,000,000 / 3,600 = 277.78: the second call carries what the first left."""
    price = PriceVersion(1, 0, 1_000_000)

    first, carry = LeaseCarry().charge(usage_weight(1, price))
    second, _ = carry.charge(usage_weight(1, price))

    assert (first, second) == (277, 278)


def test_shortfall__withheld_by_the_operator__is_not_owed() -> None:
    assert shortfall_gpu_seconds(committed=100, delivered=60, withheld=10) == 30
    assert shortfall_gpu_seconds(committed=100, delivered=95, withheld=10) == 0


def test_price_at__of_two_versions__is_the_one_in_force() -> None:
    prices = (PriceVersion(1, 10, 5), PriceVersion(2, 20, 7))
    lease = LeaseTerms(ZERO32, ZERO32, PricePlan.SPOT, 0, 10, None, prices)

    assert [lease.price_at(t).version for t in (10, 19, 20, 99)] == [1, 1, 2, 2]
    with pytest.raises(InvalidInput, match="no price at this time"):
        lease.price_at(9)


def test_check_prices__history_with_a_gap_or_rewritten__is_refused() -> None:
    first, second = PriceVersion(1, 10, 5), PriceVersion(2, 20, 7)
    check_prices([first, second], opened_at_s=10)

    for prices in ([], [second]):
        with pytest.raises(InvalidInput, match="cover the opening"):
            check_prices(prices, opened_at_s=10)
    for after in (PriceVersion(3, 20, 7), PriceVersion(2, 10, 7)):
        with pytest.raises(InvalidInput, match="follow each other"):
            check_prices([first, after], opened_at_s=10)
