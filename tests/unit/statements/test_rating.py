"""Rating: one rounding on the cumulative of a lease."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.statements.rating import (
    LeaseCarry,
    PriceVersion,
    shortfall_gpu_seconds,
    usage_weight,
)


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
