"""The ledger's rules: what is owed depends on facts alone, never on when or how they were told."""

import os
import random
from dataclasses import replace
from itertools import pairwise

import pytest

from api.domain.facility import TrancheTerms
from api.domain.hashing import keccak
from api.domain.metering.facts import Adjusted, Agreed, Held, Out, Place, Seen, Until, Voided
from api.domain.metering.lease_terms import (
    CommitmentStep,
    FixedItem,
    PriceStep,
    SlaStep,
    TermsVersion,
    TierStep,
    terms_hash,
)
from api.domain.metering.usage import LineKind
from api.domain.pledges import PledgedDevice
from api.domain.roster import Roster, replaced
from api.domain.statements.books import Books
from api.domain.units import ZERO32, Epoch
from api.errors import InvalidInput
from tests.unit.statements.histories import MINUTES, MONTHS, NEW_YEAR_S, History, check
from tests.unit.values import DAY_S, DEVICES, TERMS

HOUR_S = 3_600
USD = 1_000_000
CARD, OTHER = DEVICES[:2]
NEW = keccak(b"new card")
LEASE, PARTY = keccak(b"lease"), keccak(b"party")
HISTORIES = int(os.environ.get("HISTORIES", "60"))


@pytest.mark.parametrize("scale", [MONTHS, MINUTES], ids=["months", "minutes"])
def test_books__random_histories__state_what_the_reference_counts(scale):
    """Facts of all kinds, in any order, cut and lateness, with corrections of corrections."""
    seed = int(os.environ.get("SEED", "0")) or random.randrange(1 << 40)
    told = statements = 0
    for number in range(HISTORIES):
        history = History(seed + number, scale)
        try:
            history.play()
            check(history)
        except Exception as error:
            raise AssertionError(f"SEED={seed + number}") from error
        told += history.told
        statements += len(history.stated)
    print(f"{HISTORIES} histories, {told} facts, {statements} statements")
    # Facts were told, not only refused.
    assert told > HISTORIES * 5


class Operator:
    """A facility from the new year on, day by day, and what an operator tells of it."""

    def __init__(self, *, days=31, seal_s=10 * DAY_S, start_s=NEW_YEAR_S):
        self.terms = replace(
            TERMS,
            window_start_s=start_s,
            window_end_s=start_s + days * DAY_S,
            expires_at_s=start_s,
            devices=(CARD, OTHER),
            tranches=(TrancheTerms(1),),
            seal_s=seal_s,
        )
        self.books = Books(self.terms)
        self.places = (Place(n, 0) for n in range(1, 10_000))
        self.epoch, self.hash = 0, ZERO32

    def agree(self, version=1, *, start_s=NEW_YEAR_S, **components):
        terms = TermsVersion(version, self.hash, PARTY, start_s, **components)
        self.books.take([Agreed(LEASE, terms)])
        self.hash = terms_hash(LEASE, terms)

    def used(self, start_h, end_h, *, device=CARD, delivery=False):
        place = next(self.places)
        start_s, end_s = (NEW_YEAR_S + h * HOUR_S for h in (start_h, end_h))
        self.books.take([Held(place, device, LEASE, start_s, end_s, delivery)])
        return place

    def out(self, start_h, end_h, *, device=CARD, lease=LEASE, planned=False):
        place = next(self.places)
        start_s, end_s = (NEW_YEAR_S + h * HOUR_S for h in (start_h, end_h))
        self.books.take([Out(place, device, lease, start_s, end_s, planned)])
        return place

    def replace(self, new, *, epoch, old=CARD):
        """Another card takes the place of one."""
        roster = Roster(self.terms)
        came = PledgedDevice(new, new, Epoch(epoch))
        self.books.repledge([replaced(roster, old=old, new=came, number=2)])

    def charged(self, hours):
        """What usage lines of so many hours at a dollar charge in a month, a line a device."""
        lines = [charge for kind, charge in self.charges if kind is LineKind.USAGE]
        assert sum(lines) == hours * USD
        return [(LineKind.USAGE, charge) for charge in lines]

    def close(self, epochs=1):
        """Charges of the next statements: one list a statement, of (kind, charge)."""
        for _ in range(epochs):
            stated = self.books.state(self.terms.period(Epoch(self.epoch)))
            self.epoch += 1
        self.items, self.available_s = stated.items, stated.available_s
        self.adjusted_s = stated.available_adjustment_s
        self.charges = [(i.kind, i.charge) for i in stated.items if i.charge]
        return [(i.kind, i.charge) for i in stated.items if i.charge]

    def end(self, *, ended_at_s=None):
        """Lines of the closing statement."""
        while self.epoch < self.terms.epochs_over(ended_at_s or self.terms.window_end_s):
            self.close()
        period = self.terms.closing_period(ended_at_s=ended_at_s, grace_s=self.terms.grace_s)
        stated = self.books.state(period)
        return [(i.kind, i.charge) for i in stated.items if i.charge]


def prices(price, *, gpus=1, start_s=NEW_YEAR_S):
    return (PriceStep(start_s, price, gpus),)


def committed(gpus, *, start_s=NEW_YEAR_S):
    return (CommitmentStep(start_s, gpus),)


SHORT = LineKind.SHORTFALL_DIFFERENCE
USE = LineKind.USAGE_DIFFERENCE


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


def test_allocation__over_three_epochs__is_cut_at_each():
    operator = Operator(days=4)
    operator.agree(prices=prices(USD))
    place = operator.used(12, 13)
    assert operator.close() == [(LineKind.USAGE, USD)]
    operator.books.take([Until(place, NEW_YEAR_S + 60 * HOUR_S)])
    assert operator.close() == [(LineKind.USAGE, 24 * USD), (USE, 11 * USD)]
    assert operator.close() == [(LineKind.USAGE, 12 * USD)]


def test_replacement__card_fails_at_noon__its_lease_goes_on_with_the_next_epoch():
    """Two GPUs committed for two days, one of them broken from noon to the replacement."""
    operator = Operator(days=2)
    operator.agree(
        prices=prices(USD), commitment=committed(2), sla=(SlaStep(100_000, 1_000),),
        until_s=NEW_YEAR_S + 2 * DAY_S,
    )  # fmt: skip
    for day in (0, 1):
        operator.used(24 * day, 24 * day + 24, device=OTHER)
    operator.used(0, 24)
    # Told for longer than it lasted: from the replacement on the card is nobody's concern.
    operator.out(12, 30)
    operator.replace(NEW, epoch=1)
    operator.used(24, 48, device=NEW)

    assert [operator.close(), operator.available_s] == [operator.charged(36), 36 * HOUR_S]
    # Of 96 hours 12 were withheld: an eighth, above a tenth, and a tenth of 84 goes back.
    sla = [(LineKind.SLA_DIFFERENCE, -8_400_000)]
    assert [operator.close(), operator.available_s] == [operator.charged(48) + sla, 48 * HOUR_S]
    assert operator.end() == []


def test_replacement__use_of_the_old_card_told_late__counts_until_it_went():
    operator = Operator(days=3)
    operator.agree(prices=prices(USD))
    operator.replace(NEW, epoch=1)
    operator.close(2)
    # A service that heard too late took two hours of which only the first was pledged.
    operator.used(23, 25)
    operator.used(23, 25, device=NEW)

    assert operator.close() == [(USE, 2 * USD)]
    assert [(i.kind, i.subject) for i in operator.items if i.kind is LineKind.LATE] == sorted(
        [(LineKind.LATE, CARD), (LineKind.LATE, NEW)]
    )
    assert operator.adjusted_s == 2 * HOUR_S


def test_repledge__of_an_epoch_that_was_stated__is_refused_and_changes_nothing():
    operator = Operator(days=3)
    operator.agree(prices=prices(USD))
    operator.close()

    with pytest.raises(InvalidInput, match="stated with other devices") as found:
        operator.replace(NEW, epoch=0)
    assert found.value.context["epoch"] == 1

    operator.replace(NEW, epoch=1)
    operator.used(24, 48, device=NEW)
    assert operator.close() == operator.charged(24)


def test_silence__is_no_availability__to_the_second():
    operator = Operator(days=1)
    for device in (CARD, OTHER):
        operator.books.take([Seen(device, NEW_YEAR_S, NEW_YEAR_S + 1_000)])
    # Seen again ten minutes later: it was there in between; eleven minutes later, it was not.
    operator.books.take([Seen(CARD, NEW_YEAR_S + 1_600, NEW_YEAR_S + 1_700)])
    operator.books.take([Seen(OTHER, NEW_YEAR_S + 1_660, NEW_YEAR_S + 1_700)])
    stated = operator.books.state(operator.terms.period(Epoch(0)))
    assert stated.available_s == 1_700 + 1_040


def test_silence__use_told_to_end_where_its_month_was_sealed__was_seen_until_then():
    operator = Operator(days=60, seal_s=5 * DAY_S)
    operator.agree()
    month_end_h = 31 * 24
    place = operator.used(month_end_h - 1, month_end_h + 48)
    operator.close(37)
    assert operator.books.sealed_month >= 0
    month_end_s = NEW_YEAR_S + month_end_h * HOUR_S
    operator.books.take([Until(place, month_end_s)])
    operator.books.take([Seen(CARD, month_end_s + 600, month_end_s + 700)])
    stated = operator.books.state(operator.terms.period(Epoch(37)))
    assert stated.available_adjustment_s == 700 - 48 * HOUR_S


def test_availability__told_after_its_epoch__is_adjusted():
    operator = Operator(days=2)
    operator.agree()
    operator.close()
    operator.used(0, 24)
    operator.out(20, 24)
    stated = operator.books.state(operator.terms.period(Epoch(1)))
    assert (stated.available_s, stated.available_adjustment_s) == (0, 20 * HOUR_S)


def test_delivery__stated__is_not_undone_by_an_outage():
    operator = Operator(days=2)
    operator.agree()
    operator.used(0, 24, delivery=True)
    operator.books.state(operator.terms.period(Epoch(0)))
    operator.out(0, 24)
    stated = operator.books.state(operator.terms.period(Epoch(1)))
    assert stated.items == ()


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


def test_ended_early__epoch_cut_short__is_stated_nowhere():
    operator = Operator(days=31)
    operator.agree(prices=prices(USD), commitment=committed(1))
    operator.used(0, 60)
    assert operator.close(2) == [(LineKind.USAGE, 24 * USD)]
    # Nor is the commitment owed beyond the last epoch that was over.
    assert operator.end(ended_at_s=NEW_YEAR_S + 60 * HOUR_S) == []


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
