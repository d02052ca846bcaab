"""Streams: exact conservation over any history, and one example by hand."""

from hypothesis import given
from hypothesis import strategies as st

from api.domain.accumulator import TrancheModel

HOLDERS = ("ann", "bob", "cleo")
_step = st.one_of(
    st.tuples(st.just("accrue"), st.integers(0, 10**13), st.integers(0, 86_400)),
    st.tuples(st.just("move"), st.sampled_from(HOLDERS), st.sampled_from(HOLDERS)),
    st.tuples(st.just("claim"), st.sampled_from(HOLDERS), st.none()),
    st.tuples(st.just("burn"), st.sampled_from(HOLDERS), st.none()),
    st.tuples(st.just("mint"), st.sampled_from(HOLDERS), st.integers(1, 10**6)),
)


@given(st.lists(st.tuples(_step, st.integers(0, 50_000)), max_size=40))
def test_history__any__accounts_for_every_fraction(history: list[tuple[tuple, int]]) -> None:
    """ATTACKS 2, 3, 4, 8, 10: self transfers, burns, claims and empty tranches lose nothing."""
    model, now_s = TrancheModel(), 1_000
    model.mint("ann", 7, now_s)

    for (action, first, second), wait_s in history:
        now_s += wait_s
        if action == "accrue":
            model.accrue(first, second, now_s)
        elif action == "move":
            model.transfer(first, second, model.position(first, now_s).units // 2, now_s)
        elif action == "claim":
            model.claim(first, now_s)
        elif action == "burn":
            model.burn(first, model.position(first, now_s).units // 3, now_s)
        else:
            model.mint(first, second, now_s)

        assert model.unaccounted_x32(now_s) == 0
    assert model.paid <= model.received


def test_stream__half_way__pays_half_in_proportion() -> None:
    model = TrancheModel()
    model.mint("ann", 3, 0)
    model.mint("bob", 1, 0)

    model.accrue(1_000, 100, now_s=0)

    assert model.claimable("ann", 50) == 375
    assert model.claimable("bob", 50) == 125
    assert model.claimable("ann", 100) == 750


def test_dust__added_to_a_stream__does_not_move_its_end() -> None:
    """ATTACKS 7, 14: a third party's one-unit accrual changes nobody's end."""
    model = TrancheModel()
    model.mint("ann", 3, 0)
    model.accrue(10**9, 100, now_s=0)

    model.accrue(1, 100, now_s=90)

    assert model.stream.end_s == 100


def test_sniper__buys_at_accrual__earns_only_for_the_time_held() -> None:
    """ATTACKS 13."""
    model = TrancheModel()
    model.mint("ann", 100, 0)
    model.accrue(10**9, 86_400, now_s=0)

    model.transfer("ann", "sniper", 100, 0)
    model.transfer("sniper", "ann", 100, 24)

    assert model.claimable("sniper", 86_400) == 10**9 * 24 // 86_400
