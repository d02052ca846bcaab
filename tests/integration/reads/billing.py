"""Bills of a real chain for tests: three days that are stated, and what is asked of them."""

from typing import Any

from sqlalchemy import func, select

from api.chain import calldata
from api.db.leases import known_lease_named
from api.db.session import reading
from api.db.tables.bills import bills
from api.db.tables.statements import statement_lines
from api.domain.metering.instants import format_instant
from scripts.dev.stack import RENTER
from tests.factories import DAY_S, HOUR_S, START_S
from tests.world import World, send, wallet

USD = 1_000_000
# What an operator could call a lease, and a renter, to do harm to whoever opens the bill.
EVIL, FORMULA = "<script>alert(1)</script>", '=HYPERLINK("http://x","y")'


def ask(world: World, method: str, path: str = "", **more: Any) -> Any:
    """Ask for something below the bills of the world's facility, as its operator."""
    url = f"/v1/console/facilities/{world.facility_id}/bills{path}"
    headers = {"Authorization": f"Bearer {world.ledger.api_key}"}
    return world.http.request(method, url, headers=headers, **more)


def issue_by_console(world: World, **body: Any) -> list[dict[str, Any]]:
    """Issue what is ready; the documents that were."""
    answer = ask(world, "POST", json=body)
    issued: list[dict[str, Any]] = answer.json()["issued"]
    assert answer.status_code == (201 if issued else 200), answer.text
    return issued


def _lease(world: World, name: str) -> bytes:
    with reading(world.engine) as connection:
        return known_lease_named(connection, world.facility_id, name).lease


def pay_rent(world: World, name: str, amount: int) -> None:
    """Pay rent of a lease, and let the service hear of it."""
    pay = calldata.call("RentLockbox", "payRent", world.facility_id, _lease(world, name), amount)
    send(world.client, wallet(RENTER).address, world.deployment.rent_lockbox, pay)
    world.round()


def months_of(world: World) -> dict[str, tuple[str, int, int, int, int]]:
    """State, stated, billed, paid and open by lease."""
    shown = ask(world, "GET").json()
    return {
        m["lease_id"]: (
            m["state"], m["stated_micros"], m["billed_micros"], m["paid_micros"], m["open_micros"],
        )
        for m in shown["months"]
    }  # fmt: skip


def require_sums_meet(world: World, *, final: int) -> None:
    """Documents of each lease sum to what statements up to the final one stated of it."""
    with reading(world.engine) as connection:
        line, bill = statement_lines.c, bills.c
        stated = connection.execute(
            select(line.lease, func.sum(line.charge_micros))
            .where(line.epoch <= final)
            .group_by(line.lease)
        )
        billed = connection.execute(select(bill.lease, func.sum(bill.amount)).group_by(bill.lease))
        assert {row[0]: int(row[1]) for row in stated if row[1]} == {
            row[0]: int(row[1]) for row in billed if row[1]
        }
        numbers = connection.execute(select(bill.number).order_by(bill.number)).scalars().all()
    assert numbers == [*range(1, len(numbers) + 1)]


def play_three_days(world: World) -> dict[str, Any]:
    """2 hours of lease-a at 1 dollar, an hour of the evil one at 2; lease-b owes 3 + 4 unused.

    Returns the event of the evil hour.
    """
    ledger = world.ledger
    terms = ledger.terms(EVIL, 1, 0, prices=[{"from": format_instant(START_S), "price": 2 * USD}])
    terms["data"]["renter_ref"] = FORMULA
    hour = ledger.usage(1, 0, HOUR_S, lease=EVIL)
    item = {"id": "set-up", "at": format_instant(START_S), "amount": 4 * USD}
    setup = ledger.terms("lease-b", 2, 0, fixed=[item])
    world.at(DAY_S)
    codes = ledger.codes(
        terms, setup, ledger.adjustment("lease-b", 3 * USD), ledger.usage(0, 0, 2 * HOUR_S), hour
    )
    assert codes == ["accepted"] * 5
    for epoch in range(3):
        world.post(epoch)
    return hour
