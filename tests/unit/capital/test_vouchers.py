"""Vouchers: what units give, and which seconds serve them, by hand and over any numbers."""

from dataclasses import replace
from decimal import Decimal

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from api.domain.capital.orders import DeliveryOrder, order_digest
from api.domain.capital.sale import promised_of
from api.domain.capital.vouchers import (
    Voucher,
    gpu_seconds_of_units,
    open_of,
    servable,
    serve,
)
from api.domain.facility import FacilityTerms, TrancheTerms
from api.domain.units import Address, Bytes32, GpuSeconds, Micros, TrancheId
from tests.unit.capital import deal_rows as deal
from tests.unit.values import TERMS

START_S, HOUR_S, COUPON, RATE = 1_800_000_000, 3_600, 1_500_000, 2_500_000


def _terms(window_s: int = 100_000, coupon: int = COUPON) -> FacilityTerms:
    tranches = (TrancheTerms(40, Micros(coupon)), TrancheTerms(40))
    end_s = START_S + window_s
    return replace(TERMS, tranches=tranches, window_start_s=START_S, window_end_s=end_s)


def _given(units: int, seniority: int, now_s: int, *, rate: int = RATE) -> int:
    return gpu_seconds_of_units(
        _terms(),
        seniority=seniority,
        units=units,
        rate_micros_per_gpu_hour=Micros(rate),
        now_s=now_s,
    )


@pytest.mark.parametrize(
    ("units", "seniority", "passed_s", "expected"),
    [
        (1, 1, -50_000, 3_600),  # before the window the whole hour
        (1, 1, 0, 3_600),
        (3, 1, 50_000, 5_400),  # half of the window
        (1, 1, 99_999, 0),  # 0.036 s: nothing
        (100, 1, 99_999, 3),  # together 3.6 s, rounded down once
        (1, 0, 0, 2_160),  # 3,600 x 1.5 / 2.5
        (3, 0, 50_001, 3_239),  # 3,239.94 s
    ],
)
def test_gpu_seconds__examples__by_hand(
    units: int, seniority: int, passed_s: int, expected: int
) -> None:
    assert _given(units, seniority, START_S + passed_s) == expected


def test_gpu_seconds__coupon_above_the_rate__gives_no_more_than_an_hour() -> None:
    assert _given(2, 0, START_S, rate=COUPON - 1) == _given(2, 0, START_S, rate=COUPON) == 7_200


@given(
    st.integers(60, 10**8),
    st.integers(0, 10**12),
    st.integers(1, 10**12),
    st.lists(st.tuples(st.integers(0, 10**8), st.integers(1, 10**6)), min_size=1, max_size=9),
)
def test_gpu_seconds__any_burns__open_vouchers_fit_what_is_left(
    window_s: int, coupon: int, rate: int, burns: list[tuple[int, int]]
) -> None:
    """At each burn no more seconds are owed for the units than what is left of theirs, at worth.

    So what is open never exceeds what the facility's units could still earn, and a split burn
    gives no more than one.
    """
    terms = _terms(window_s, coupon)
    for seniority in (0, 1):
        for passed_s, units in burns:
            now_s = START_S + passed_s % window_s
            owed = [
                gpu_seconds_of_units(
                    terms,
                    seniority=seniority,
                    units=n,
                    rate_micros_per_gpu_hour=Micros(rate),
                    now_s=now_s,
                )
                for n in (units, units // 2, units - units // 2)
            ]

            left_s = terms.window_end_s - now_s
            assert owed[0] * window_s <= units * HOUR_S * left_s
            assert owed[1] + owed[2] <= owed[0] <= owed[1] + owed[2] + 1
            if seniority == 0:
                assert owed[0] * rate <= units * HOUR_S * coupon


@pytest.mark.parametrize(
    ("coupon_usd", "promised_ppm", "senior_s", "junior_s"),
    [
        # 100 dollars: 44 for seniors, and 2.80 for each junior, whose hour is 2.50.
        ("2.20", 1_000_000, 3_168, 3_600),
        # 50 dollars: 44 for seniors, and 0.30 for each junior.
        ("2.20", 500_000, 3_168, 432),
        # 100 dollars: 90 for seniors, whose hour is 2.50, and 0.50 for each junior.
        ("4.50", 1_000_000, 3_600, 720),
        # 25 dollars: 1.25 for each senior, and nothing for juniors.
        ("2.20", 250_000, 1_800, 0),
    ],
)
def test_gpu_seconds__facility_of_the_deal__by_hand(
    coupon_usd: str, promised_ppm: int, senior_s: int, junior_s: int
) -> None:
    """A unit gives no more than all promised hours leave to its tranche."""
    terms = replace(
        _terms(deal.EPOCHS * deal.EPOCH_S, int(Decimal(coupon_usd) * deal.DOLLAR)),
        epoch_length_s=deal.EPOCH_S,
        devices=tuple(Bytes32(bytes([i]) * 32) for i in range(1, deal.GPUS + 1)),
        promised_availability_ppm=promised_ppm,
    )
    coupon = terms.tranches[0].coupon_micros_per_unit
    tranches = (TrancheTerms(deal.CAPS[0], coupon), TrancheTerms(deal.CAPS[1]))
    terms = replace(terms, tranches=tranches)

    given = [_at_start(terms, seniority, 1, deal.RATE) for seniority in (0, 1)]

    assert given == [senior_s, junior_s]


@st.composite
def _any_terms(draw: st.DrawFn) -> FacilityTerms:
    """Some epochs of some devices, some of them promised; one to four tranches."""
    epochs, count = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    devices = draw(st.integers(1, 5))
    coupons = [draw(st.integers(1, 10**8)) for _ in range(count - 1)]
    tranches = [TrancheTerms(draw(st.integers(1, 60)), Micros(coupon)) for coupon in coupons]
    return replace(
        _terms(epochs * HOUR_S),
        epoch_length_s=HOUR_S,
        devices=tuple(Bytes32(bytes([i]) * 32) for i in range(1, devices + 1)),
        promised_availability_ppm=draw(st.integers(0, 1_000_000)),
        tranches=(*tranches, TrancheTerms(draw(st.integers(1, 60)))),
    )


@given(_any_terms(), st.integers(1, 10**8), st.data())
def test_gpu_seconds__any_units_burned__fit_promised_hours_after_seniors_coupons(
    terms: FacilityTerms, rate: int, data: st.DataObject
) -> None:
    """Vouchers together never ask for more than is promised; and those of a tranche leave all
    coupons of the more senior ones, at their caps."""
    promised_s = promised_of(terms, terms.epoch_count)
    coupons, opened_s = 0, 0
    for seniority, tranche in enumerate(terms.tranches):
        units = data.draw(st.integers(0, tranche.unit_cap))
        parts = (units // 2, units - units // 2)
        owed_s = sum(_at_start(terms, seniority, part, rate) for part in parts if part)
        opened_s += owed_s
        if owed_s:
            assert coupons * HOUR_S + owed_s * rate <= promised_s * rate
        coupons += tranche.unit_cap * tranche.coupon_micros_per_unit
    assert opened_s <= promised_s


def _at_start(terms: FacilityTerms, seniority: int, units: int, rate: int) -> int:
    return gpu_seconds_of_units(
        terms,
        seniority=seniority,
        units=units,
        rate_micros_per_gpu_hour=Micros(rate),
        now_s=terms.window_start_s,
    )


def _voucher(units: int, owed: int, served: int = 0) -> Voucher:
    return Voucher(units, GpuSeconds(owed), START_S, GpuSeconds(served))


def test_serve__twenty_vouchers_of_one_line__serves_each_hour_once() -> None:
    """Finding C3: one line of 20 hours serves twenty vouchers of an hour."""
    vouchers = [_voucher(1, HOUR_S)] * 20

    served = serve(vouchers, unused=GpuSeconds(20 * HOUR_S))

    assert served.gpu_seconds == 20 * HOUR_S
    assert open_of(served.vouchers).gpu_seconds == 0


def test_serve__short_line__stops_where_its_seconds_do() -> None:
    vouchers = [_voucher(2, 5_000, served=4_500), _voucher(1, 3_000), _voucher(1, 10)]

    served = serve(vouchers, unused=GpuSeconds(1_700))

    assert served.gpu_seconds == 1_700
    assert [v.open for v in served.vouchers] == [0, 1_800, 10]
    # 1 unit x 3,600 x 1,800 / 3,000, and the whole last unit.
    assert open_of(served.vouchers).unit_seconds == 2_160 + 3_600


@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 10**6)), max_size=8),
    st.lists(st.integers(0, 10**6), max_size=8),
)
def test_serve__any_lines__no_second_twice_and_no_unit_negative(
    issued: list[tuple[int, int]], lines: list[int]
) -> None:
    vouchers = tuple(_voucher(units, owed) for units, owed in issued)
    used = 0
    for seconds in lines:
        before = open_of(vouchers)

        served = serve(vouchers, unused=GpuSeconds(seconds))

        after = open_of(served.vouchers)
        assert served.gpu_seconds == min(seconds, before.gpu_seconds)
        assert before.gpu_seconds - after.gpu_seconds == served.gpu_seconds
        assert after.unit_seconds <= before.unit_seconds
        vouchers, used = served.vouchers, used + served.gpu_seconds
    assert used == sum(v.served for v in vouchers) <= sum(lines)
    assert all(0 <= v.open_unit_seconds <= v.units * HOUR_S for v in vouchers)


def test_servable__line_of_before_or_nothing_open__is_not() -> None:
    voucher = _voucher(1, HOUR_S)

    assert servable(voucher, line_start_s=START_S)
    assert not servable(voucher, line_start_s=START_S - 1)
    assert not servable(_voucher(1, 10, served=10), line_start_s=START_S)


def test_order_digest__known_order__is_what_wallets_sign() -> None:
    """The same as eth-account's own encoder makes of the typed data."""
    order = DeliveryOrder(
        holder=Address("0x" + "a1" * 20),
        id=TrancheId(7 << 8 | 1),
        units=12,
        lease=Bytes32(b"\x5a" * 32),
        nonce=2**255 + 9,
        deadline_s=2**40,
    )
    desk = "0x" + "d5" * 20
    domain = {"name": "Rentroll Deliveries", "version": "1", "chainId": 31_337}
    fields = {"holder": "address", "id": "uint256", "units": "uint256", "lease": "bytes32"}
    fields |= {"nonce": "uint256", "deadline": "uint256"}
    types = {"DeliveryOrder": [{"name": n, "type": t} for n, t in fields.items()]}
    message = {"holder": order.holder, "id": order.id, "units": order.units, "lease": order.lease}
    message |= {"nonce": order.nonce, "deadline": order.deadline_s}

    signable = encode_typed_data(domain | {"verifyingContract": desk}, types, message)

    assert order_digest(order, chain_id=31_337, desk=desk) == _hash_eip191_message(signable)
