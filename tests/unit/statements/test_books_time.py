"""What became of devices' seconds: use, availability, replaced cards, early ends."""

import pytest

from api.domain.metering.facts import Seen, Until
from api.domain.metering.lease_terms import (
    SlaStep,
)
from api.domain.metering.usage import LineKind
from api.domain.units import Epoch
from api.errors import InvalidInput
from tests.unit.statements.histories import NEW_YEAR_S
from tests.unit.statements.operator_days import (
    CARD,
    HOUR_S,
    NEW,
    OTHER,
    USD,
    USE,
    Operator,
    committed,
    prices,
)
from tests.unit.values import DAY_S


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


def test_ended_early__epoch_cut_short__is_stated_nowhere():
    operator = Operator(days=31)
    operator.agree(prices=prices(USD), commitment=committed(1))
    operator.used(0, 60)
    assert operator.close(2) == [(LineKind.USAGE, 24 * USD)]
    # Nor is the commitment owed beyond the last epoch that was over.
    assert operator.end(ended_at_s=NEW_YEAR_S + 60 * HOUR_S) == []
