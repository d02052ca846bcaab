"""An attester sees its duties and pay, and gets the transactions that bring them."""

import json

import pytest
from typer.testing import CliRunner

from api.cli.duties import duties_of
from scripts.dev.stack import ATTESTER_ACCOUNTS, RENTER
from tests.endings import first_epoch
from tests.world import World, send, wallet

pytestmark = pytest.mark.chain


def test_duties__signed_and_final__calls_book_and_pay_them(world: World) -> None:
    """By hand: a fee of a cent a dollar on five dollars, 40 % of it, for one of twelve duties."""
    first_epoch(world)
    attester = wallet(ATTESTER_ACCOUNTS[0]).address
    before = duties_of(world.settings(), world.facility_id, attester)

    for line in before.calls:
        call = json.loads(line)
        send(world.client, wallet(RENTER).address, call["to"], call["data"])
    after = duties_of(world.settings(), world.facility_id, attester.lower())

    assert (before.due, before.booked, before.unbooked) == (4, (), (0,))
    assert (before.earned_micros, before.withdrawable_micros) == (0, 0)
    assert (after.booked, after.unbooked, after.calls) == ((0,), (), ())
    assert after.earned_micros == after.paid_micros == after.withdrawable_micros == 20_000 // 12
    assert after.attester == attester


def test_duties__of_somebody_else__are_none(world: World) -> None:
    first_epoch(world)

    duties = duties_of(world.settings(), world.facility_id, wallet(RENTER).address)

    assert (duties.booked, duties.unbooked, duties.calls) == ((), (), ())


def test_duties__command__tells_a_person_and_a_machine(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from api.cli import commands

    first_epoch(world)
    monkeypatch.setattr(commands, "_settings", world.settings)
    arguments = ["duties", str(world.facility_id), wallet(ATTESTER_ACCOUNTS[0]).address]

    told = CliRunner().invoke(commands.app, arguments)
    read = CliRunner().invoke(commands.app, [*arguments, "--json"])

    assert told.exit_code == read.exit_code == 0, told.output + read.output
    assert "0 of 4 duties booked, 1 more can be" in told.output
    assert json.loads(read.output)["unbooked"] == [0]
