"""Price lists that providers publish, each said by components and counted by hand.

docs/PRICES.md names these tests. A facility begins on 1 January 2026; two cards, days of 24 hours.
"""

from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TierStep,
)
from api.domain.metering.usage import LineKind
from tests.unit.statements.histories import NEW_YEAR_S
from tests.unit.statements.operator_days import (
    HOUR_S,
    OTHER,
    SHORT,
    USD,
    Operator,
    committed,
    prices,
)
from tests.unit.values import DAY_S

USAGE, FIXED = LineKind.USAGE, LineKind.FIXED_DIFFERENCE
TIER, LEAST, SLA = LineKind.TIER_DIFFERENCE, LineKind.MINIMUM_DIFFERENCE, LineKind.SLA_DIFFERENCE


def _sum(*statements):
    return sum(charge for statement in statements for _, charge in statement)


def test_on_demand__by_the_second__costs_its_seconds():
    """2.39 an hour; 90 minutes and one second: 2.39 x 5,401 / 3,600 = 3.585663."""
    operator = Operator(days=1)
    operator.agree(prices=prices(2_390_000))
    operator.used(0, 5_401 / HOUR_S)
    assert operator.close() == [(USAGE, 3_585_663)]


def test_node__price_of_eight_gpus__is_split_without_a_rest():
    """39.33 an hour for a node of 8: two of its GPUs for a day cost 39.33 x 48 / 8 = 235.98."""
    operator = Operator(days=1)
    operator.agree(prices=prices(39_330_000, gpus=8))
    operator.used(0, 24)
    operator.used(0, 24, device=OTHER)
    assert _sum(operator.close()) == 235_980_000


def test_capacity_block__paid_upfront_for_a_fixed_window__costs_that_used_or_not():
    """1,887.84 for two days, due as it begins; 0.06 an hour for the operating system beside it."""
    operator = Operator(days=3)
    block = (FixedItem("block", NEW_YEAR_S, 1_887_840_000),)
    operator.agree(prices=prices(60_000), fixed=block, until_s=NEW_YEAR_S + 2 * DAY_S)
    operator.used(0, 10)
    assert sorted(operator.close()) == [(USAGE, 600_000), (FIXED, 1_887_840_000)]
    assert operator.end() == []


def test_weekly_in_advance__is_an_item_a_week():
    """7 x 24 hours at 2.00 for one GPU, each Thursday: 336.00, four times in January."""
    operator = Operator(days=31)
    weeks = tuple(FixedItem(f"week {n}", NEW_YEAR_S + n * 7 * DAY_S, 336 * USD) for n in range(4))
    operator.agree(fixed=weeks)
    due = [day for day in range(31) if operator.close()]
    assert due == [0, 7, 14, 21]


def test_take_or_pay__with_a_ramp__counts_what_was_agreed_of_each_time():
    """One GPU the first day, two the second, at 1.00; used: one throughout. 24 + 48 - 48 = 24."""
    operator = Operator(days=2)
    ramp = CommitmentStep(NEW_YEAR_S, 1), CommitmentStep(NEW_YEAR_S + DAY_S, 2)
    until_s = NEW_YEAR_S + 2 * DAY_S
    operator.agree(prices=prices(USD), commitment=ramp, until_s=until_s)
    operator.used(0, 48)
    assert operator.close() == [(USAGE, 24 * USD)]
    assert sorted(operator.close()) == [(USAGE, 24 * USD), (SHORT, 24 * USD)]


def test_take_or_pay__over_the_term__is_met_on_any_of_its_days():
    """Nothing on the first day, two GPUs on the second, one committed: 48 hours, 48.00 in all."""
    operator = Operator(days=2)
    until_s = NEW_YEAR_S + 2 * DAY_S
    operator.agree(prices=prices(USD), commitment=committed(1), until_s=until_s)
    operator.used(24, 48)
    operator.used(24, 48, device=OTHER)
    assert _sum(operator.close(), operator.close(), operator.end()) == 48 * USD


def test_reserved__paid_if_unused__is_a_commitment():
    """One GPU reserved at 1.50 for January, never used: 744 x 1.50 = 1,116.00."""
    operator = Operator(days=31)
    operator.agree(prices=prices(1_500_000), commitment=committed(1))
    assert operator.close(30) == []
    assert operator.close() == [(SHORT, 1_116_000_000)]


def test_minimum_spend__of_a_month__is_filled_up():
    """500.00 a month; 10 hours at 2.00 were used: 20.00, and 480.00 as the month ends."""
    operator = Operator(days=31)
    operator.agree(prices=prices(2 * USD), minimum=500 * USD)
    operator.used(0, 10)
    assert operator.close() == [(USAGE, 20 * USD)]
    assert operator.close(29) == []
    assert operator.close() == [(LEAST, 480 * USD)]


def test_volume__graduated__discounts_the_hours_above():
    """1.00; 20 % off above 30 hours of the month: 48 hours cost 48.00 - 18 x 0.20 = 44.40."""
    operator = Operator(days=2)
    operator.agree(prices=prices(USD), tiers=(TierStep(30, 2_000),))
    operator.used(0, 48)
    assert operator.close() == [(USAGE, 24 * USD)]
    assert operator.close() == [(USAGE, 24 * USD), (TIER, -3_600_000)]


def test_spot__price_that_changes_by_the_hour__is_rated_by_the_second():
    """0.80, 1.10 from noon, 0.95 from 18:00; a day: 12 x 0.80 + 6 x 1.10 + 6 x 0.95 = 21.90."""
    operator = Operator(days=1)
    steps = ((0, 800_000), (12, 1_100_000), (18, 950_000))
    operator.agree(prices=tuple(PriceStep(NEW_YEAR_S + h * HOUR_S, p) for h, p in steps))
    operator.used(0, 24)
    assert _sum(operator.close()) == 21_900_000


def test_sla__table_with_a_cap__withholds_the_step_that_was_reached():
    """Below 99.9 % 10 %, below 99 % 25 %, below 95 % all, half of the month at most.

    A month at 1.00 a committed GPU, 40 of 744 hours withheld (94.6 %): 704.00 less half of it.
    """
    operator = Operator(days=31)
    table = SlaStep(1_000, 1_000), SlaStep(10_000, 2_500), SlaStep(50_000, 10_000)
    operator.agree(prices=prices(USD), commitment=committed(1), sla=table, sla_cap_bps=5_000)
    operator.out(0, 40)
    charges = dict(operator.close(31))
    assert charges == {SHORT: 704 * USD, SLA: -352 * USD}


def test_price__lowered_in_mid_epoch__counts_from_its_second():
    """2.00, from 06:30:30 on 1.50 by a second version: 6.508333 h x 2 + 17.491667 h x 1.5."""
    operator = Operator(days=1)
    operator.agree(prices=prices(2 * USD))
    from_s = NEW_YEAR_S + 6 * HOUR_S + 1_830
    operator.agree(2, start_s=from_s, prices=prices(1_500_000, start_s=from_s))
    operator.used(0, 24)
    seconds = from_s - NEW_YEAR_S
    assert _sum(operator.close()) == (seconds * 2_000_000 + (DAY_S - seconds) * 1_500_000) // 3_600


def test_renewal_and_early_end__with_a_fee__are_versions():
    """Until the 2nd, renewed until the 4th, then ended on the 3rd for a fee of 12.00."""
    operator = Operator(days=4)
    operator.agree(prices=prices(USD), commitment=committed(1), until_s=NEW_YEAR_S + DAY_S)
    operator.used(0, 24)
    terms = {"prices": prices(USD), "commitment": committed(1)}
    operator.agree(2, until_s=NEW_YEAR_S + 3 * DAY_S, **terms)
    operator.used(24, 48)
    fee = (FixedItem("early end", NEW_YEAR_S + 2 * DAY_S - 1, 12 * USD),)
    operator.agree(3, until_s=NEW_YEAR_S + 2 * DAY_S, fixed=fee, **terms)
    assert operator.close() == [(USAGE, 24 * USD)]
    assert sorted(operator.close()) == [(USAGE, 24 * USD), (FIXED, 12 * USD)]
    assert operator.end() == []


def test_setup_and_support__are_fixed_items():
    """A set-up of 250.00 as the lease begins, support of 90.00 as each month begins."""
    operator = Operator(days=32)
    items = (
        FixedItem("set-up", NEW_YEAR_S, 250 * USD),
        FixedItem("support 1", NEW_YEAR_S, 90 * USD),
        FixedItem("support 2", NEW_YEAR_S + 31 * DAY_S, 90 * USD),
    )
    operator.agree(fixed=items)
    assert sorted(operator.close()) == [(FIXED, 90 * USD), (FIXED, 250 * USD)]
    assert operator.close(30) == []
    assert operator.close() == [(FIXED, 90 * USD)]
