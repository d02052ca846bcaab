"""Attesters' bonds: a fault is charged once, and the guilty never gain by proving it."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.bond import slash


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_slash__any__parts_add_up_and_self_challenge_loses(held: int, amount: int) -> None:
    """ATTACKS 24: an attester that challenges itself gets back at most half."""
    result = slash(held=held, slash_amount=amount)

    assert result.to_challenger + result.to_treasury == result.taken == min(held, amount)
    assert result.to_challenger <= result.taken - result.to_challenger
