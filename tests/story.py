"""A small story that the tests of the chain side share: two epochs with every kind of line."""

from api.domain.metering.instants import format_instant
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.world import HOLDERS, World


def first_epoch(world: World) -> None:
    """One dollar an hour on lease-a; two on `committed`, with two fixed items and a gift."""
    ledger = world.ledger
    fixed = [
        {"id": "setup", "at": format_instant(START_S), "amount": 20_000_000},
        {"id": "support", "at": format_instant(START_S + DAY_S), "amount": 48_000_000},
    ]
    price = {"from": format_instant(START_S), "price": 2_000_000}
    assert (
        ledger.codes(
            ledger.terms("committed", 1, 0, prices=[price], fixed=fixed),
            ledger.adjustment("committed", -4_000_000),
        )
        == ["accepted"] * 2
    )
    world.at(DAY_S)
    codes = ledger.codes(
        ledger.usage(0, 0, 2 * HOUR_S),
        ledger.usage(1, 0, HOUR_S + 1, name="wrong"),
        ledger.usage(2, 0, 10 * HOUR_S, lease="committed"),
        ledger.outage(3, 0, 4 * HOUR_S, lease="committed"),
    )
    assert codes == ["accepted"] * 4
    world.post(0)


def second_epoch(world: World) -> None:
    """An hour of the first epoch comes late, and its 3,601 seconds were wrong."""
    ledger = world.ledger
    wrong = ledger.usage(1, 0, HOUR_S + 1, name="wrong")
    world.at(2 * DAY_S)
    codes = ledger.codes(
        ledger.usage(0, 5 * HOUR_S, 6 * HOUR_S),
        ledger.void(wrong),
        ledger.usage(0, DAY_S, DAY_S + 3 * HOUR_S),
    )
    assert codes == ["accepted"] * 3
    world.post(1)


def two_epochs(world: World) -> None:
    """Metering, statements, rent, two settlements and a claim in the middle of the second stream.

    Sixty of ninety dollars are paid; an hour of the third epoch is metered and still open.
    """
    first_epoch(world)
    world.at_finality(0)
    world.pay(20_000_000)
    world.round()
    second_epoch(world)
    world.at_finality(1)
    world.pay(40_000_000)
    world.round()

    # Half of the second settlement has vested when a holder claims and an open hour is metered.
    world.at(2 * DAY_S + GRACE_S + HOUR_S + DAY_S // 2)
    world.claim(HOLDERS[0])
    world.ledger.ingest(world.ledger.usage(0, 2 * DAY_S, 2 * DAY_S + HOUR_S))
    world.round()
