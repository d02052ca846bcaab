"""Filtering and sorting the market."""

from dataclasses import replace

import pytest

from api.reads.listing import (
    MarketFilter,
    OperatorView,
    Order,
    SortBy,
    TrancheView,
    choices_of,
    select_tranches,
)

_AURORA = OperatorView("0x" + "aB" * 20, "Aurora")
_BOREAL = OperatorView("0x" + "cd" * 20, "boreal")
_ROW = TrancheView(
    token_id="256",
    facility_id=1,
    seniority=0,
    tranche_count=2,
    facility_name="Hall ONE",
    operator=_AURORA,
    gpu_class="H100",
    site="SE-1",
    window_start_s=10,
    window_end_s=20,
    epoch_length_s=10,
    device_count=1,
    state="offered",
    unit_cap=10,
    units_issued=None,
    units_left=None,
    price_micros=None,
    coupon_micros_per_unit=0,
    sale=None,
    utilisation_ppm=None,
    availability_ppm=None,
    paid_per_unit_micros=None,
)
_OTHER = replace(
    _ROW, token_id="512", facility_id=2, facility_name="annex", operator=_BOREAL, gpu_class="B200"
)
_THIRD = replace(_OTHER, token_id="513", seniority=1, price_micros=5, state="funded")
_ROWS = (_THIRD, _OTHER, _ROW)


def _ids(wanted: MarketFilter, sort: SortBy = SortBy.NAME, order: Order = Order.ASC) -> list[str]:
    return [r.token_id for r in select_tranches(_ROWS, wanted, sort=sort, order=order)]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (MarketFilter(), ["512", "513", "256"]),
        (MarketFilter(gpu_class="B200"), ["512", "513"]),
        (MarketFilter(site="SE-2"), []),
        (MarketFilter(operator="0x" + "ab" * 20), ["256"]),
        (MarketFilter(state="funded"), ["513"]),
        (MarketFilter(q="one"), ["256"]),
        (MarketFilter(q="BOREAL"), ["512", "513"]),
        (MarketFilter(q="h1"), ["256"]),
        (MarketFilter(q="513"), ["513"]),
        (MarketFilter(q="se-1", state="offered"), ["512", "256"]),
    ],
)
def test_filter__by_anything__admits_what_matches(
    wanted: MarketFilter, expected: list[str]
) -> None:
    assert _ids(wanted) == expected


@pytest.mark.parametrize("order", Order)
def test_sort__unknown_values__come_last_in_both_orders(order: Order) -> None:
    assert _ids(MarketFilter(), SortBy.PRICE, order) == ["513", "256", "512"]


@pytest.mark.parametrize("sort", SortBy)
def test_sort__equal_values__keep_the_order_of_ids(sort: SortBy) -> None:
    rows = [replace(_ROW, facility_id=i, token_id=str(i)) for i in (3, 1, 2)]

    for order in Order:
        found = select_tranches(rows, MarketFilter(), sort=sort, order=order)
        assert [r.facility_id for r in found] == [1, 2, 3]


def test_choices__of_all_rows__are_sorted_and_occur() -> None:
    found = choices_of(_ROWS)

    assert found.gpu_classes == ("B200", "H100")
    assert found.sites == ("SE-1",)
    assert found.operators == (_AURORA, _BOREAL)
    assert found.states == ("offered", "funded")
