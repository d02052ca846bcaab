"""Streams: exact conservation over any history, and one example by hand."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.accumulator import (
    FRACTION_BITS,
    MAX_ACC_X24,
    MAX_TIME_S,
    Stream,
    TrancheModel,
)
from scripts.dev.vectors import VECTORS, accumulator_vectors

HOLDERS = ("ann", "bob", "cleo")
_step = st.one_of(
    st.tuples(st.just("accrue"), st.integers(0, 10**13), st.integers(0, 86_400)),
    st.tuples(st.just("move"), st.sampled_from(HOLDERS), st.sampled_from(HOLDERS)),
    st.tuples(st.just("claim"), st.sampled_from(HOLDERS), st.none()),
    st.tuples(st.just("burn"), st.sampled_from(HOLDERS), st.integers(1, 3)),
    st.tuples(st.just("freeze"), st.sampled_from(HOLDERS), st.integers(0, 10**6)),
    st.tuples(st.just("force"), st.sampled_from(HOLDERS), st.sampled_from(HOLDERS)),
    st.tuples(st.just("mint"), st.sampled_from(HOLDERS), st.integers(1, 10**6)),
)


def _funded() -> TrancheModel:
    """A tranche without units, of a facility that is funded, before the time of any test."""
    return TrancheModel(Stream(end_s=1))


@given(st.lists(st.tuples(_step, st.integers(0, 50_000)), max_size=40))
def test_history__any__accounts_for_every_fraction(history: list[tuple[tuple, int]]) -> None:
    """ATTACKS 2, 3, 4, 8, 10: self transfers, burns to zero, freezes, forced moves lose nothing."""
    model, now_s = _funded(), 1_000
    model.mint("ann", 7, now_s)

    for (action, first, second), wait_s in history:
        now_s += wait_s
        if action == "accrue":
            if model.stream.supply:
                model.accrue(first, second, now_s)
        elif action == "move":
            model.transfer(first, second, model.unfrozen(first, now_s) // 2, now_s)
        elif action == "freeze":
            model.freeze(first, second)
        elif action == "force":
            if first != second:
                model.forced_transfer(first, second, model.position(first, now_s).units // 2, now_s)
        elif action == "claim":
            model.claim(first, now_s)
        elif action == "burn":
            model.burn(first, model.unfrozen(first, now_s) // second, now_s)
        else:
            model.mint(first, second, now_s)

        assert model.unaccounted_x24(now_s) == 0
        held = sum(model.position(h, now_s).units for h in HOLDERS)
        assert held == model.stream.supply
        assert model.minted == held + model.burned
    assert model.paid <= model.received


def test_stream__half_way__pays_half_in_proportion() -> None:
    model = _funded()
    model.mint("ann", 3, 0)
    model.mint("bob", 1, 0)

    model.accrue(1_000, 100, now_s=0)

    assert model.claimable("ann", 50) == 375
    assert model.claimable("bob", 50) == 125
    assert model.claimable("ann", 100) == 750


def test_dust__added_to_a_stream__does_not_move_its_end() -> None:
    """ATTACKS 7, 14: a third party's one-unit accrual changes nobody's end."""
    model = _funded()
    model.mint("ann", 3, 0)
    model.accrue(10**9, 100, now_s=0)

    model.accrue(1, 100, now_s=90)

    assert model.stream.end_s == 100


def test_sniper__buys_at_accrual__earns_only_for_the_time_held() -> None:
    """ATTACKS 13."""
    model = _funded()
    model.mint("ann", 100, 0)
    model.accrue(10**9, 86_400, now_s=0)

    model.transfer("ann", "sniper", 100, 0)
    model.transfer("sniper", "ann", 100, 24)

    assert model.claimable("sniper", 86_400) == 10**9 * 24 // 86_400


def test_burn__of_the_last_units__takes_what_still_streams() -> None:
    """ATTACKS 10: what streams when the last holder leaves is that holder's."""
    model = _funded()
    model.mint("ann", 4, 0)
    model.accrue(1_000, 100, now_s=0)

    model.burn("ann", 4, 10)

    assert model.claim("ann", 10) == 1_000
    assert model.accrue(1, 0, 10) == 1
    assert model.received == 1_000


def test_burn__of_the_last_units__leaves_no_remainder_to_anybody_else() -> None:
    """ATTACKS 8: what did not divide by the supply falls to whoever burned the last units."""
    model = _funded()
    model.mint("ann", 7, 0)
    model.accrue(1_000, 100, now_s=0)
    model.burn("ann", 7, 10)

    model.mint("bob", 1, 20)

    assert model.position("ann", 20).owed_x24 == 1_000 << FRACTION_BITS
    assert model.position("bob", 20).owed_x24 == 0
    assert model.unaccounted_x24(20) == 0


def test_accrue__more_than_a_unit_can_earn__flows_on_and_locks_nothing() -> None:
    """ATTACKS 45: nothing is pending that units can never earn."""
    model = _funded()
    model.mint("ann", 1, 0)

    assert model.accrue(2**48 - 2, 10, now_s=0) == 0
    assert model.accrue(2**48, 10, now_s=5) == 2**48 - 1
    assert model.accrue(1, 10, now_s=20) == 1

    assert model.claim("ann", 20) == 2**48 - 1
    assert model.stream.acc_at_x24(20) == (2**48 - 1) << FRACTION_BITS
    assert model.unaccounted_x24(20) == 0


def test_burn__at_the_bound__pays_what_the_rest_cannot_earn_to_whoever_burned() -> None:
    """ATTACKS 45."""
    model = _funded()
    for holder in ("ann", "bob"):
        model.mint(holder, 1, 0)
    assert model.accrue(2**49, 100, now_s=0) == 1

    model.burn("bob", 1, 50)

    # Half of it vested to both; of the other half ann's unit can earn all up to its bound.
    assert model.claim("ann", 100) == 2**48 - 1
    assert model.claim("bob", 50) == 2**48 - 1
    assert model.stream.pending_x24 <= MAX_ACC_X24
    assert model.unaccounted_x24(100) == 0


def test_accrue__more_than_64_bits_at_once__flows_on() -> None:
    model = _funded()
    model.mint("ann", 2**40 - 1, 0)

    assert model.accrue(2**64 - 1, 10, now_s=0) == 0
    assert model.accrue(5, 10, now_s=0) == 5
    assert model.accrue(5, 10, now_s=9) == 0


def test_accrue__after_the_last_second_of_streams__vests_at_once() -> None:
    model = _funded()
    model.mint("ann", 1, 0)

    model.accrue(100, 1_000, now_s=MAX_TIME_S - 10)
    assert (model.stream.end_s, model.stream.span_s) == (MAX_TIME_S, 10)
    model.accrue(100, 1_000, now_s=MAX_TIME_S + 5)

    assert model.claim("ann", MAX_TIME_S + 5) == 200


def test_forced_transfer__of_frozen_units__lowers_the_frozen_amount() -> None:
    """ATTACKS 2, 17: as many as were taken, and never to oneself."""
    model = _funded()
    model.mint("ann", 10, 0)
    model.freeze("ann", 12)

    model.forced_transfer("ann", "bob", 4, 0)

    assert (model.frozen["ann"], model.position("bob", 0).units) == (8, 4)
    with pytest.raises(ValueError, match="frozen"):
        model.transfer("ann", "bob", 1, 0)
    with pytest.raises(ValueError, match="oneself"):
        model.forced_transfer("ann", "ann", 1, 0)
    with pytest.raises(ValueError, match="holds"):
        model.forced_transfer("ann", "bob", 7, 0)
    with pytest.raises(ValueError, match="holds"):
        model.transfer("ann", "bob", 7, 0)


def test_claim__nothing_earned__leaves_no_trace() -> None:
    """A batch claim of an account without units must not look like a wrong position."""
    model = _funded()
    model.mint("ann", 3, 0)
    model.accrue(10, 0, now_s=0)
    before = dict(model.positions)

    assert model.claim("eve", 0) == 0

    assert model.positions == before


def test_vectors__on_disk__are_those_of_the_model() -> None:
    """The forge test reads this file: `python -m scripts.dev.vectors` writes it again."""
    stored = json.loads(Path(VECTORS, "accumulator.json").read_text())

    assert stored == accumulator_vectors()


def test_transfer__before_funding__is_refused_and_a_mint_and_a_burn_are_not() -> None:
    model = TrancheModel()
    model.mint("ann", 10, 5)
    model.burn("ann", 1, 6)

    for move in (model.transfer, model.forced_transfer):
        with pytest.raises(ValueError, match="before funding"):
            move("ann", "bob", 1, 7)
    model.activate(8)
    model.transfer("ann", "bob", 1, 8)

    assert model.stream == Stream(end_s=8, supply=9)


def test_room__before_funding__is_none() -> None:
    """Nothing can earn before units may move."""
    locked = Stream(supply=5)

    assert locked.room(1_000) == 0
    assert locked.activate(1_000).room(1_000) > 0
