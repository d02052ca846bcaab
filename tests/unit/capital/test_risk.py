"""Figures of risk against numbers worked out by hand."""

from api.domain.capital.risk import YEAR_S, receivable_since, remaining_contracted, straight_line
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import CommitmentStep, PriceStep, TermsVersion
from api.domain.units import ZERO32

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


def _lease(*committed: CommitmentStep, until_s: int | None = None) -> Lease:
    """Two dollars an hour, three from the tenth hour on; it begins with the second hour."""
    prices = (PriceStep(HOUR_S, 2_000_000), PriceStep(10 * HOUR_S, 24_000_000, gpus=8))
    terms = TermsVersion(
        1, ZERO32, ZERO32, HOUR_S, until_s=until_s, prices=prices, commitment=committed
    )
    return Lease(ZERO32, (terms,))


def test_remaining_contracted__repriced_lease__counts_each_price_in_its_time() -> None:
    four = CommitmentStep(HOUR_S, 4)
    lease = _lease(four)

    # Four GPUs: 8 hours at 2 dollars and 14 at 3.
    at_two = remaining_contracted([lease], start_s=2 * HOUR_S, end_s=DAY_S)
    assert at_two == 4 * (8 * 2 + 14 * 3) * 10**6
    # Before it begins nothing is owed: 9 hours at 2 dollars.
    assert remaining_contracted([lease], start_s=0, end_s=DAY_S) == 4 * (18 + 42) * 10**6
    closed = _lease(four, until_s=12 * HOUR_S)
    assert remaining_contracted([closed], start_s=11 * HOUR_S, end_s=DAY_S) == 12_000_000
    assert remaining_contracted([lease], start_s=DAY_S, end_s=DAY_S) == 0
    assert remaining_contracted([_lease()], start_s=0, end_s=DAY_S) is None
    both = remaining_contracted([_lease(), lease], start_s=2 * HOUR_S, end_s=DAY_S)
    assert both == at_two


def test_remaining_contracted__ramp__counts_each_commitment_in_its_time() -> None:
    ramp = CommitmentStep(HOUR_S, 1), CommitmentStep(12 * HOUR_S, 3), CommitmentStep(20 * HOUR_S, 0)

    # An hour of one GPU at 2 dollars, two of one at 3, and eight of three.
    found = remaining_contracted([_lease(*ramp)], start_s=9 * HOUR_S, end_s=DAY_S)

    assert found == (2 + 2 * 3 + 8 * 3 * 3) * 10**6


def test_remaining_contracted__part_of_a_unit__is_rounded_down_by_lease() -> None:
    lease = _lease(CommitmentStep(HOUR_S, 1))

    # 1,999 seconds at 2 dollars an hour.
    found = remaining_contracted([lease, lease], start_s=HOUR_S, end_s=HOUR_S + 1_999)

    assert found == 2 * (1_999 * 2_000_000 // 3_600)


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
