"""Figures of risk against numbers worked out by hand."""

from api.domain.capital.risk import YEAR_S, receivable_since, remaining_contracted, straight_line
from api.domain.statements.rating import LeaseTerms, PricePlan, PriceVersion
from api.domain.units import Bytes32

HOUR_S, DAY_S = 3_600, 86_400


def test_receivable_since__of_three_statements__is_the_oldest_unpaid() -> None:
    posts = [(100, 10), (200, 0), (300, 10)]

    assert [receivable_since(posts, n) for n in (0, 9, 10, 19, 20, 30)] == [
        100,
        100,
        300,
        300,
        None,
        None,
    ]
    assert receivable_since([], 0) is None


def _lease(plan: PricePlan, committed: int, closed_at_s: int | None = None) -> LeaseTerms:
    prices = (PriceVersion(1, 0, 2_000_000), PriceVersion(2, 10 * HOUR_S, 3_000_000))
    zero = Bytes32(bytes(32))
    return LeaseTerms(zero, zero, plan, committed, HOUR_S, closed_at_s, prices)


def test_remaining_contracted__repriced_lease__counts_each_price_in_its_time() -> None:
    lease = _lease(PricePlan.TAKE_OR_PAY, 4)

    # Four GPUs: 8 hours at 2 dollars and 14 at 3.
    at_two = remaining_contracted([lease], start_s=2 * HOUR_S, end_s=DAY_S)
    assert at_two == 4 * (8 * 2 + 14 * 3) * 10**6
    # Before it opens nothing is owed: 9 hours at 2 dollars.
    assert remaining_contracted([lease], start_s=0, end_s=DAY_S) == 4 * (18 + 42) * 10**6
    closed = _lease(PricePlan.TAKE_OR_PAY, 4, 12 * HOUR_S)
    assert remaining_contracted([closed], start_s=11 * HOUR_S, end_s=DAY_S) == 12_000_000
    assert remaining_contracted([lease], start_s=DAY_S, end_s=DAY_S) == 0
    assert remaining_contracted([_lease(PricePlan.SPOT, 0)], start_s=0, end_s=DAY_S) is None


def test_straight_line__after_eighteen_months__loses_its_share() -> None:
    def value(age_s: int) -> list[int]:
        found = straight_line(
            cost_micros_per_device=30_000, device_count=2, in_service_s=0, now_s=age_s
        )
        return [v.value_micros for v in found]

    assert value(YEAR_S * 3 // 2) == [30_000, 37_500, 45_000]
    assert value(-5) == [60_000] * 3
    assert value(YEAR_S * 4) == [0, 0, 20_000]
    assert value(1) == [59_999] * 3
