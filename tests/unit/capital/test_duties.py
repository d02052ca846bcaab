"""Attesters earn by duties done, and never by what others left undone."""

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.duties import earned_micros, require_pay, to_attesters_micros
from api.errors import EvidenceInvalid
from tests.unit.values import TERMS

FEES = st.integers(0, 2**64 - 1)


@given(st.lists(st.integers(0, 10**12), max_size=6), st.integers(0, 10_000))
def test_to_attesters__fees_in_parts__as_if_they_came_at_once(parts: list[int], bps: int) -> None:
    total, given_so_far = 0, 0
    for part in parts:
        before = to_attesters_micros(total, attester_fee_bps=bps)
        share = to_attesters_micros(total + part, attester_fee_bps=bps) - before
        assert 0 <= share <= part
        total, given_so_far = total + part, given_so_far + share

    assert given_so_far == to_attesters_micros(total, attester_fee_bps=bps)


@given(FEES, st.integers(1, 50), st.data())
def test_earned__any_duties__together_never_above_the_share(
    share: int, statements: int, data: st.DataObject
) -> None:
    """Each statement has seats of its own; whoever did more earns more, whatever others did."""
    earned: dict[int, Fraction] = {}
    for _ in range(statements):
        seats = data.draw(st.sampled_from((1, 3, 5, 7)))
        for seat in data.draw(st.sets(st.integers(0, seats - 1))):
            earned[seat] = earned.get(seat, Fraction(0)) + Fraction(1, seats)
    paid = [earned_micros(share, duties=d, statements_due=statements) for d in earned.values()]

    assert sum(paid) <= share
    # Rounded down, each by less than a micro.
    exact = sum((share * d / statements for d in earned.values()), Fraction(0))
    assert exact - sum(paid) < max(1, len(paid))


def test_earned__three_seats_five_statements__a_fifteenth_a_duty() -> None:
    share = to_attesters_micros(300_000, attester_fee_bps=4_000)

    assert share == 120_000
    assert earned_micros(share, duties=Fraction(2, 3), statements_due=5) == 16_000


@pytest.mark.parametrize(("least_bps", "declined"), [(0, False), (40, False), (41, True)])
def test_require_pay__fee_of_one_percent_two_fifths_of_it__is_forty_basis_points(
    least_bps: int, declined: bool
) -> None:
    terms = replace(TERMS, fee_bps=100, attester_fee_bps=4_000)

    if declined:
        with pytest.raises(EvidenceInvalid, match=r"40\.0000 basis points of rent, not 41"):
            require_pay(terms, least_bps=least_bps)
    else:
        require_pay(terms, least_bps=least_bps)
