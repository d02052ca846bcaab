"""Leases whose price or end is put right: the ledger holds what was meant, and says what it is."""

from api.db.facts import leases_of
from api.db.session import reading
from api.domain.metering.lease import Lease
from api.domain.metering.lease_terms import PriceStep
from api.ledger.leases import add_price, close_lease, ends_at
from tests.factories import HOUR_S, START_S, Ledger


def _lease(ledger: Ledger) -> Lease:
    with reading(ledger.engine) as connection:
        leases = leases_of(connection, ledger.facility_id).values()
    return max(leases, key=lambda lease: len(lease.versions))


def _close(ledger: Ledger, at_s: int) -> bool:
    named = ledger.operator_id, ledger.facility_id, "lease-a"
    return close_lease(ledger.engine, *named, closed_at_s=START_S + at_s, clock=ledger.clock)


def _price(ledger: Ledger, at_s: int, price: int) -> bool:
    named = ledger.operator_id, ledger.facility_id, "lease-a"
    return add_price(ledger.engine, *named, PriceStep(START_S + at_s, price), clock=ledger.clock)


def test_close_lease__twice_and_later_once_more__ends_at_the_last(ledger: Ledger) -> None:
    changed = [_close(ledger, at_s) for at_s in (HOUR_S, HOUR_S, 5 * HOUR_S)]

    assert changed == [True, False, True]
    assert ends_at(_lease(ledger)) == START_S + 5 * HOUR_S
    assert ledger.codes(
        ledger.usage(0, 2 * HOUR_S, 3 * HOUR_S), ledger.usage(0, 5 * HOUR_S, 6 * HOUR_S)
    ) == ["accepted", "lease_not_open"]


def test_add_price__for_the_past_of_a_closed_lease__does_not_open_it(ledger: Ledger) -> None:
    _close(ledger, 2 * HOUR_S)

    changed = [_price(ledger, 0, 5), _price(ledger, 0, 5), _price(ledger, 3 * HOUR_S, 6)]

    assert changed == [True, False, False]
    assert ends_at(_lease(ledger)) == START_S + 2 * HOUR_S
    assert ledger.codes(ledger.usage(0, 3 * HOUR_S, 4 * HOUR_S)) == ["lease_not_open"]
