"""Bonds: a shortfall is paid once, never more than is held, and never taken back."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.bond import (
    Bond,
    pay_shortfall,
    pay_unserved,
    seizable,
    shortfall_due,
    slash,
)


@given(
    st.integers(0, 10**12),
    st.integers(0, 10**9),
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), max_size=12),
)
def test_shortfall__any_history__is_paid_once_and_as_far_as_held(
    held: int, rate: int, epochs: list[tuple[int, int]]
) -> None:
    """ATTACKS 9: rounding down on the cumulative: asking often pays no more than asking once."""
    bond, promised, available, worst = Bond(0, rate, held), 0, 0, 0
    for step_promised, step_available in epochs:
        promised, available = promised + step_promised, available + step_available
        worst = max(worst, max(0, promised - available) * rate // 3_600)

        bond, _ = pay_shortfall(bond, promised=promised, available=available, now_s=1)

        assert bond.shortfall_paid == min(worst, held)
        assert bond.shortfall_paid + bond.held == held


def test_shortfall__one_gpu_hour_missing__by_hand() -> None:
    bond = Bond(required=100, rate_per_gpu_hour=7, held=105)

    bond, amount = pay_shortfall(bond, promised=7_200, available=3_600, now_s=50)

    assert (amount, bond.held, bond.below_since_s) == (7, 98, 50)
    assert shortfall_due(bond, promised=7_200, available=3_600) == 0
    assert bond.with_held(99, now_s=60).below_since_s == 50
    assert bond.with_held(100, now_s=60).below_since_s is None


@given(st.integers(0, 10**9), st.integers(0, 10**6), st.lists(st.integers(0, 10**6), max_size=6))
def test_seizable__any_vouchers__leaves_enough_for_each(
    held: int, rate: int, vouchers: list[int]
) -> None:
    bond = Bond(0, rate, held)
    taken = seizable(bond, unserved_gpu_seconds=sum(vouchers))
    rest = bond.with_held(held - taken, now_s=0)
    for gpu_seconds in vouchers:
        before = pay_unserved(bond, gpu_seconds=gpu_seconds, now_s=0)
        after = pay_unserved(rest, gpu_seconds=gpu_seconds, now_s=0)
        assert before[1] == after[1]
        bond, rest = before[0], after[0]


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_slash__any__parts_add_up_and_self_challenge_loses(held: int, amount: int) -> None:
    """ATTACKS 24: an attester that challenges itself gets back at most half."""
    result = slash(held=held, slash_amount=amount)

    assert result.to_challenger + result.to_holders == result.taken == min(held, amount)
    assert result.to_challenger <= result.taken - result.to_challenger
