"""Metered time, counted from facts: what stands, up to the time that is stated."""

from api.domain.hashing import keccak
from api.domain.metering.facts import Held, Place, Until, Voided
from api.domain.statements.told import Told
from api.verify.metered import Metered

DAY_S = 86_400
CARD, LEASE = keccak(b"card"), keccak(b"lease")


def _told(number: int, fact: Held | Until | Voided) -> Told:
    return Told(Place(number, 0), 0, fact)


def _held(number: int, start_s: int, end_s: int) -> Told:
    return _told(number, Held(Place(number, 0), CARD, LEASE, start_s, end_s))


def test_metered__beyond_the_statement__counts_when_it_is_stated() -> None:
    metered = Metered()
    metered.take([_held(1, 0, 100), _held(2, 100, 400)])

    metered.stated(until_s=250, seal_s=DAY_S)
    first = metered.gpu_seconds
    metered.stated(until_s=500, seal_s=DAY_S)

    assert (first, metered.gpu_seconds) == (250, 400)


def test_metered__voided_or_lasting_longer__counts_as_it_stands() -> None:
    metered = Metered()
    metered.take([_held(1, 0, 100), _held(2, 100, 200)])
    metered.stated(until_s=1_000, seal_s=DAY_S)

    longer = Until(Place(2, 0), 150)
    # An outage can be taken back too: it was no use.
    metered.take([_told(3, Voided(Place(1, 0))), _told(4, longer), _told(5, Voided(Place(9, 9)))])

    assert metered.gpu_seconds == 50


def test_metered__of_sealed_months__stays_in_the_sum() -> None:
    metered = Metered()
    metered.take([_held(1, 0, 100), _held(2, 32 * DAY_S, 33 * DAY_S)])

    metered.stated(until_s=33 * DAY_S, seal_s=DAY_S)

    assert metered.gpu_seconds == 100 + DAY_S
    assert list(metered._spans) == [Place(2, 0)]
