"""Primary sale: escrow covers refunds, nothing is paid twice, and terms a buyer can live with."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.sale import (
    MAX_PROCEEDS,
    SaleBook,
    SaleState,
    SaleTerms,
    buy,
    check_sale,
    earned,
    finalize,
    promised_gpu_seconds,
    promised_of,
    refund,
    release,
    surrender,
    unsigned,
)
from api.domain.facility import TrancheTerms
from api.errors import InvalidInput
from tests.unit.values import START_S, TERMS

_purchases = st.lists(
    st.tuples(st.integers(1, 1_000), st.integers(1, 10**7), st.booleans()), max_size=8
)


@given(_purchases)
def test_refund__all_that_was_sold__empties_the_escrow(
    purchases: list[tuple[int, int, bool]],
) -> None:
    book = SaleBook()
    for units, price, own in purchases:
        book = buy(book, units=units, unit_price=price, own=own)
    counted = sum(units * price for units, price, own in purchases if not own)
    assert book.counted == counted
    book = finalize(book, floor_proceeds=counted + 1, bonded=True, expired=False)

    for units, price, _ in purchases:
        book = refund(book, units=units, unit_price=price)

    assert book == SaleBook(SaleState.REFUNDING, counted=counted)


@given(
    st.integers(0, 10**13),
    st.integers(0, 10_000),
    st.integers(1, 10**6),
    st.lists(st.integers(-(10**6), 10**6), max_size=10),
)
def test_release__any_delivery__never_falls_and_ends_in_nothing(
    proceeds: int, up_front_bps: int, promised: int, steps: list[int]
) -> None:
    """ATTACKS 9: released + returned == proceeds at the end, however often it is asked."""
    book, available, now = SaleBook(SaleState.SUCCESSFUL, 1, proceeds), 0, 0
    for epochs, step in enumerate(steps, start=1):
        # A correction may lower what was available: released money stays released.
        available = max(0, available + step)
        now = earned(
            proceeds=proceeds,
            up_front_bps=up_front_bps,
            available=available,
            promised_so_far=promised * epochs // len(steps),
            promised=promised,
        )
        assert 0 <= now <= proceeds
        before = book.released
        book = release(book, earned_now=now)
        assert book.released == max(before, now)

    after = surrender(book, earned_now=now)

    assert after.escrow == 0
    assert after.released == max(book.released, now)
    assert after.released + after.returned == proceeds


def test_earned__by_hand() -> None:
    """20 % up front; half of what was promised was there: 200 + 800 / 2."""
    promised = promised_gpu_seconds(
        device_count=10, epoch_length_s=3_600, epochs=4, promised_availability_ppm=500_000
    )

    def of(available: int, so_far: int) -> int:
        return earned(
            proceeds=1_000,
            up_front_bps=2_000,
            available=available,
            promised_so_far=so_far,
            promised=promised,
        )

    assert promised == 72_000
    assert of(36_000, 36_000) == 600
    assert of(0, 72_000) == 200
    assert of(144_000, 72_000) == 1_000
    # Twice what was promised in the first of four epochs earns that epoch, and not the next.
    assert of(36_000, 18_000) == 400


@given(st.integers(0, 10**13), st.integers(0, 10_000), st.lists(st.integers(0, 10**6), min_size=3))
def test_unsigned__published_epochs__are_what_signing_all_of_them_would_earn(
    proceeds: int, up_front_bps: int, promises: list[int]
) -> None:
    stated, known, promised = promises[0], sum(promises[:2]), sum(promises) + 1
    terms = {"proceeds": proceeds, "up_front_bps": up_front_bps, "promised": promised}

    part = unsigned(**terms, promised_stated=stated, promised_known=known)

    now, then = (
        earned(**terms, available=seconds, promised_so_far=seconds) for seconds in (stated, known)
    )
    assert 0 <= then - now - part <= 1
    assert now + part <= proceeds


def test_state__of_another_kind__raises() -> None:
    with pytest.raises(ValueError, match="OPEN"):
        buy(SaleBook(SaleState.SUCCESSFUL), units=1, unit_price=1)
    with pytest.raises(ValueError, match="REFUNDING"):
        refund(SaleBook(), units=1, unit_price=1)


@pytest.mark.parametrize(
    ("own", "floor", "bonded", "expired", "state"),
    [
        (False, 5, True, False, SaleState.SUCCESSFUL),
        (False, 6, True, False, SaleState.REFUNDING),
        (True, 1, True, False, SaleState.REFUNDING),  # the operator's own money
        (True, 0, True, False, SaleState.SUCCESSFUL),
        (False, 5, False, False, SaleState.REFUNDING),
        (False, 5, True, True, SaleState.REFUNDING),
    ],
)
def test_finalize__one_unit_sold_for_5__succeeds_with_floor_bond_and_time(
    own: bool, floor: int, bonded: bool, expired: bool, state: SaleState
) -> None:
    book = buy(SaleBook(), units=1, unit_price=5, own=own)

    ended = finalize(book, floor_proceeds=floor, bonded=bonded, expired=expired)

    assert ended.state is state


def test_finalize__nothing_sold__fails_without_any_floor() -> None:
    ended = finalize(SaleBook(), floor_proceeds=0, bonded=True, expired=False)

    assert ended.state is SaleState.REFUNDING


# 100 seniors with a coupon of 0.90 and 50 juniors; 285.12 hours are promised.
_SALE = SaleTerms(START_S - 100, START_S - 10, 60_000_000, 2_000, (850_000, 600_000))
_TO_EARN = 92_000_000  # of 115 dollars
_RATE = -(-_TO_EARN * 3_600 // promised_of(TERMS, 3))


def _check(rate: int | None = _RATE, now_s: int = START_S - 50, **changes: Any) -> None:
    of_facility = {k: changes.pop(k) for k in list(changes) if hasattr(TERMS, k)}
    check_sale(
        replace(TERMS, **of_facility),
        replace(_SALE, **changes),
        rate_per_gpu_hour=rate,
        now_s=now_s,
    )


def test_check_sale__just_inside_every_bound__passes() -> None:
    _check()
    _check(unit_prices=(900_000, 500_000))
    _check(floor_proceeds=115_000_000)
    _check(closes_at_s=START_S)
    _check(rate=0, up_front_bps=10_000)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("closes_at_s", {"opens_at_s": START_S - 10}),
        ("closes_at_s", {"now_s": START_S - 10}),
        ("closes_at_s", {"closes_at_s": START_S + 1}),
        ("closes_at_s", {"expires_at_s": START_S - 10}),
        ("up_front_bps", {"up_front_bps": 10_001}),
        ("unit_prices", {"unit_prices": (850_000,)}),
        ("unit_prices", {"unit_prices": (850_000, 0)}),
        ("unit_prices", {"unit_prices": (850_000, MAX_PROCEEDS // 50)}),
        ("coupon_micros_per_unit", {"unit_prices": (900_001, 1)}),
        ("floor_proceeds", {"floor_proceeds": 115_000_001}),
        ("promised_availability_ppm", {"promised_availability_ppm": 0}),
        ("bond_terms", {"rate": None}),
        ("rate_per_gpu_hour", {"rate": _RATE - 1}),
    ],
)
def test_check_sale__just_outside__names_the_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match=field) as caught:
        _check(**changes)

    assert caught.value.context["field"] == field


def test_check_sale__one_tranche_alone__has_no_coupon_to_compare() -> None:
    _check(tranches=(TrancheTerms(100),), unit_prices=(1_150_000,))
