"""Money of each component: owed by facts alone, never by when or how they were told."""

from itertools import pairwise

import pytest

from api.domain.hashing import keccak
from api.domain.metering.facts import Adjusted, Agreed, Place, Voided
from api.domain.metering.lease_terms import (
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
)
from api.domain.metering.usage import LineKind
from api.domain.statements.books import Books
from api.domain.units import ZERO32, Epoch
from api.errors import InvalidInput
from tests.unit.statements.histories import NEW_YEAR_S
from tests.unit.statements.operator_days import (
    HOUR_S,
    LEASE,
    OTHER,
    PARTY,
    SHORT,
    USD,
    USE,
    Operator,
    committed,
    prices,
)
from tests.unit.values import DAY_S, TERMS


def test_commitment__usage_late_by_a_day__is_paid_once():
    operator = Operator(days=2)
    operator.agree(prices=prices(USD), commitment=committed(2), until_s=NEW_YEAR_S + DAY_S)
    operator.close()
    assert operator.close() == [(SHORT, 48 * USD)]
    operator.used(0, 24)
    operator.used(0, 24, device=OTHER)
    assert operator.end() == [(USE, 48 * USD), (SHORT, -48 * USD)]


def test_commitment__usage_voided_after_its_statement__is_owed_all_the_same():
    operator = Operator(days=2)
    operator.agree(prices=prices(USD), commitment=committed(2), until_s=NEW_YEAR_S + DAY_S)
    used = [operator.used(0, 24), operator.used(0, 24, device=OTHER)]
    assert sum(charge for _, charge in operator.close()) == 48 * USD
    operator.books.take(Voided(place) for place in used)
    assert operator.close() == [(USE, -48 * USD), (SHORT, 48 * USD)]


def test_commitment__counts_over_the_month__not_by_epoch():
    operator = Operator(days=2)
    operator.agree(prices=prices(USD), commitment=committed(1))
    operator.used(24, 48)
    operator.used(24, 48, device=OTHER)
    operator.close()
    assert sum(charge for _, charge in operator.close()) == 48 * USD
    assert operator.end() == []


@pytest.mark.parametrize("cuts", [[0, 24], [0, 5, 24], [0, 12, 24], [0, 1, 11, 13, 24]])
def test_price__changes_inside_a_record__is_rated_by_the_second(cuts):
    operator = Operator(days=1)
    steps = PriceStep(NEW_YEAR_S, USD), PriceStep(NEW_YEAR_S + 12 * HOUR_S, 3 * USD)
    operator.agree(prices=steps)
    for start_h, end_h in pairwise(cuts):
        operator.used(start_h, end_h)
    charges = operator.close()
    assert charges == [(LineKind.USAGE, 12 * USD), (LineKind.USAGE, 36 * USD)]


def test_price__typed_wrong__comes_back_as_later_revenue_allows():
    operator = Operator(days=4)
    operator.agree(prices=prices(20 * USD))
    operator.used(0, 10)
    assert operator.close() == [(LineKind.USAGE, 200 * USD)]
    operator.agree(2, prices=prices(2 * USD))
    operator.used(24, 48)
    assert operator.close() == [(LineKind.USAGE, 48 * USD), (USE, -48 * USD)]
    operator.used(48, 72, device=OTHER)
    assert operator.close() == [(LineKind.USAGE, 48 * USD), (USE, -48 * USD)]
    assert operator.close() == []
    # The closing states what is left, also below zero: a credit for the renter.
    assert operator.end() == [(USE, -84 * USD)]


def test_held_back__of_what_no_revenue_bears__is_said_until_it_is_borne():
    operator = Operator(days=4)
    operator.agree(prices=prices(20 * USD))
    operator.used(0, 10)
    operator.close()
    operator.agree(2, prices=prices(2 * USD))
    operator.used(24, 48)

    held_back = [
        operator.books.state(operator.terms.period(Epoch(epoch))).held_back for epoch in (1, 2)
    ]

    # 180 are owed back; the second day bears 48, the third nothing.
    assert held_back == [132 * USD, 132 * USD]


def test_minimum__idle_lease__is_stated_at_the_end_of_the_month():
    operator = Operator(days=31)
    operator.agree(minimum=310 * USD, start_s=NEW_YEAR_S + 10 * DAY_S)
    assert operator.close(30) == []
    assert operator.close() == [(LineKind.MINIMUM_DIFFERENCE, 210 * USD)]


def test_sla__ten_committed_and_an_hour_of_each__is_a_tiny_share():
    operator = Operator(days=31)
    sla = (SlaStep(130, 1_000), SlaStep(140, 5_000))
    operator.agree(prices=prices(USD), commitment=committed(10), sla=sla)
    operator.used(0, 1)
    operator.out(1, 2)
    charges = dict(operator.close(31))
    whole = 10 * 31 * 24
    assert charges[SHORT] == (whole - 2) * USD
    # One hour of 7,440 is 134 ppm.
    assert charges[LineKind.SLA_DIFFERENCE] == -(whole - 1) * USD // 10


@pytest.mark.parametrize(("planned", "credit"), [(False, -12 * USD // 4), (True, 0)])
def test_sla__half_a_day_withheld__is_credited_only_for_a_fault(planned, credit):
    operator = Operator(days=1)
    operator.agree(prices=prices(USD), sla=(SlaStep(100_000, 10_000),), sla_cap_bps=2_500)
    operator.used(0, 24)
    operator.out(12, 24, planned=planned)
    charges = dict(operator.close())
    assert charges[LineKind.USAGE] == 12 * USD
    assert charges.get(LineKind.SLA_DIFFERENCE, 0) == credit


def test_outages__beyond_the_commitment_or_lease__count_for_nothing():
    operator = Operator(days=2)
    operator.agree(
        prices=prices(USD),
        commitment=committed(1),
        until_s=NEW_YEAR_S + DAY_S,
        sla=(SlaStep(990_000, 10_000),),
    )
    operator.out(0, 30)
    operator.out(0, 2, device=OTHER)
    # 24 hours of one GPU were withheld: all that was committed, and nothing is owed.
    assert operator.close(2) == []


def test_tiers__hours_of_the_month__lower_the_price_in_order_of_time():
    operator = Operator(days=2)
    tiers = TierStep(10, 2_500), TierStep(30, 10_000)
    operator.agree(prices=prices(USD), tiers=tiers, hours_before=4)
    operator.used(0, 24)
    assert operator.close() == [
        (LineKind.USAGE, 24 * USD),
        (LineKind.TIER_DIFFERENCE, -18 * USD // 4),
    ]
    operator.used(24, 28)
    assert operator.close() == [
        (LineKind.USAGE, 4 * USD),
        (LineKind.TIER_DIFFERENCE, -(2 * USD // 4 + 2 * USD)),
    ]


def test_tiers__agreed_after_hours_were_billed__count_those_hours():
    operator = Operator(days=2)
    operator.agree(prices=prices(USD))
    operator.used(0, 24)
    assert operator.close() == [(LineKind.USAGE, 24 * USD)]
    operator.agree(2, prices=prices(USD), tiers=(TierStep(10, 2_500),))
    operator.used(24, 48)
    discount = LineKind.TIER_DIFFERENCE, -38 * USD // 4
    assert operator.close() == [(LineKind.USAGE, 24 * USD), discount]


def test_rack__price_of_72_gpus__loses_no_part_of_a_unit():
    operator = Operator(days=1)
    operator.agree(prices=prices(100, gpus=72))
    operator.used(0, 24)
    operator.used(0, 24, device=OTHER)
    assert sum(charge for _, charge in operator.close()) == 48 * 100 // 72


def test_fixed__upfront_and_early_end__are_due_at_their_instants():
    operator = Operator(days=3)
    operator.agree(fixed=(FixedItem("upfront", NEW_YEAR_S, 500),))
    assert operator.close() == [(LineKind.FIXED_DIFFERENCE, 500)]
    noon_s = NEW_YEAR_S + 36 * HOUR_S
    items = (FixedItem("early end", noon_s, 70),)
    operator.agree(2, start_s=NEW_YEAR_S + DAY_S, until_s=noon_s, fixed=items)
    assert operator.close() == [(LineKind.FIXED_DIFFERENCE, 70)]
    # A changed item is another one: of the old one, as much is taken back as there is.
    items = (FixedItem("early end", noon_s, 50),)
    operator.agree(3, start_s=NEW_YEAR_S + DAY_S, until_s=noon_s, fixed=items)
    kind = LineKind.FIXED_DIFFERENCE
    assert sorted(operator.close()) == [(kind, -50), (kind, 50)]
    assert operator.end() == [(kind, -20)]


def test_seal__credit_that_nothing_bore__is_stated_once_there_is_revenue():
    operator = Operator(days=60, seal_s=5 * DAY_S)
    operator.agree(prices=prices(USD), fixed=(FixedItem("welcome", NEW_YEAR_S, -30 * USD),))
    assert operator.close(40) == []
    assert operator.books.sealed_month >= 0
    operator.used(40 * 24, 41 * 24)
    operator.used(41 * 24, 42 * 24)
    credit = LineKind.FIXED_DIFFERENCE
    assert operator.close() == [(LineKind.USAGE, 24 * USD), (credit, -24 * USD)]
    assert operator.close() == [(LineKind.USAGE, 24 * USD), (credit, -6 * USD)]
    assert operator.end() == []


def test_adjustment__of_a_sealed_month__is_all_that_is_left():
    operator = Operator(days=60, seal_s=5 * DAY_S)
    operator.agree(prices=prices(USD))
    operator.close(36)
    assert operator.books.sealed_month >= 0
    operator.used(36 * 24, 37 * 24)
    gift = Adjusted(Place(99, 0), keccak(b"gift"), LEASE, -5 * USD)
    operator.books.take([gift])
    assert operator.close() == [
        (LineKind.USAGE, 24 * USD),
        (LineKind.ADJUSTMENT_DIFFERENCE, -5 * USD),
    ]


def test_terms__that_do_not_follow__are_refused():
    operator = Operator()
    with pytest.raises(InvalidInput, match="version 1 is next"):
        operator.agree(2)
    operator.agree()
    with pytest.raises(InvalidInput, match="version 2 is next"):
        operator.agree(3)
    other = TermsVersion(2, ZERO32, keccak(b"another"), NEW_YEAR_S)
    with pytest.raises(InvalidInput, match="another renter"):
        operator.books.take([Agreed(LEASE, other)])
    unchained = TermsVersion(2, ZERO32, PARTY, NEW_YEAR_S)
    with pytest.raises(InvalidInput, match="not the hash of the version before"):
        operator.books.take([Agreed(LEASE, unchained)])


def test_concentration__renter_and_commitment__are_shares_of_positive_charges():
    operator = Operator(days=1)
    operator.agree(prices=prices(USD), commitment=committed(1))
    operator.used(0, 24)
    operator.used(0, 24, device=OTHER)
    stated = operator.books.state(operator.terms.period(Epoch(0)))
    assert (stated.top_renter_bps, stated.committed_bps) == (10_000, 5_000)


@pytest.mark.parametrize("early_s", [1, 600, DAY_S])
def test_adjustment__facility_ended_just_before_its_seal__lies_inside_the_seal(early_s):
    """A line beyond window and seal would be a fault, and cost its attesters."""
    operator = Operator(days=1, seal_s=DAY_S)
    operator.agree()
    operator.close()
    ended_s = operator.terms.sealed_at_s - early_s
    operator.books.take([Adjusted(Place(99, 0), keccak(b"fee"), LEASE, 5)])

    period = operator.terms.closing_period(ended_at_s=ended_s, grace_s=operator.terms.grace_s)
    [item] = operator.books.state(period).items

    last_s = min(ended_s + operator.terms.grace_s, operator.terms.sealed_at_s)
    assert (item.start_s, item.end_s) == (NEW_YEAR_S + DAY_S, last_s)


@pytest.mark.parametrize("ended_h", [0, 5])
def test_ended_early__fixed_item_due_as_the_month_ends__is_stated(ended_h):
    """What is due at the instant that ends the last epoch over belongs to its month."""
    operator = Operator(days=60)
    february_s = NEW_YEAR_S + 31 * DAY_S
    operator.agree(fixed=(FixedItem("early end", february_s, 70),))

    assert operator.end(ended_at_s=february_s + ended_h * HOUR_S) == [
        (LineKind.FIXED_DIFFERENCE, 70)
    ]


def test_distrust__correction_of_what_is_not_known__counts_against_all_leases():
    """No log has one; who reads evidence that does gives nothing as signed."""
    books = Books(TERMS)
    assert books.trust.is_signed(LEASE)

    books.distrust(Voided(Place(9, 0)))

    assert not books.trust.is_signed(LEASE)
    assert books.kept.unsigned == (ZERO32,)
