"""Primary sale: escrow covers refunds, what is earned never falls, nothing is paid twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.sale import (
    SaleBook,
    SaleState,
    buy,
    earned,
    finalize,
    promised_gpu_seconds,
    refund,
    release,
    seize,
    unsold,
)

_purchases = st.lists(st.tuples(st.integers(1, 1_000), st.integers(1, 10**7)), max_size=8)


@given(_purchases)
def test_refund__all_that_was_sold__empties_the_escrow(purchases: list[tuple[int, int]]) -> None:
    book = SaleBook()
    for units, price in purchases:
        book = buy(book, units=units, unit_price=price)
    book = finalize(book, floor_units=book.sold_units + 1, bonded=True)

    for units, price in purchases:
        book = refund(book, units=units, unit_price=price)

    assert book == SaleBook(SaleState.REFUNDING)


@given(
    st.integers(0, 10**13),
    st.integers(0, 10_000),
    st.integers(0, 10**6),
    st.lists(st.integers(0, 10**6), max_size=10),
    st.booleans(),
)
def test_release__any_delivery__never_falls_and_ends_in_nothing(
    proceeds: int, up_front_bps: int, promised: int, steps: list[int], defaulted: bool
) -> None:
    """ATTACKS 9: released + seized == proceeds at the end, however often it is asked."""
    book, available, before = SaleBook(SaleState.SUCCESSFUL, 1, proceeds), 0, 0
    for step in steps:
        available += step
        now = earned(
            proceeds=proceeds, up_front_bps=up_front_bps, available=available, promised=promised
        )
        assert before <= now <= proceeds
        book, before = release(book, earned_now=now), now

    book = seize(book, kept=book.released if defaulted else before)

    assert book.escrow == 0


def test_earned__by_hand() -> None:
    """20 % up front; half of what was promised was there: 200 + 800 / 2."""
    promised = promised_gpu_seconds(
        device_count=10, epoch_length_s=3_600, epochs=4, promised_availability_ppm=500_000
    )

    assert promised == 72_000
    assert earned(proceeds=1_000, up_front_bps=2_000, available=36_000, promised=promised) == 600
    assert earned(proceeds=1_000, up_front_bps=2_000, available=0, promised=promised) == 200
    assert earned(proceeds=1_000, up_front_bps=2_000, available=144_000, promised=promised) == 1_000
    assert earned(proceeds=1_000, up_front_bps=0, available=0, promised=0) == 1_000


def test_state__of_another_kind__raises() -> None:
    with pytest.raises(ValueError, match="OPEN"):
        buy(SaleBook(SaleState.SUCCESSFUL), units=1, unit_price=1)
    with pytest.raises(ValueError, match="REFUNDING"):
        refund(SaleBook(), units=1, unit_price=1)
    assert finalize(SaleBook(), floor_units=0, bonded=False).state is SaleState.REFUNDING
    assert finalize(SaleBook(), floor_units=0, bonded=True).state is SaleState.SUCCESSFUL
    assert unsold(caps=[16, 24], supplies=[16, 4]) == (0, 20)
