"""Ended facilities: last statements, one closing, late rent, and every number verified."""

import pytest

from api.chain import calldata
from api.domain.facility import DEFAULT_PATIENCE_S
from api.domain.lifecycle import FacilityState
from api.epochs.finish import closable
from scripts.dev.stack import RENTER
from tests.factories import DAY_S, HOUR_S
from tests.world import HOLDERS, World, send, wallet

pytestmark = pytest.mark.chain

BOND = 50_000_000
# One lease at a dollar an hour: two hours on each of four devices.
GROSS = 8_000_000
RENT = 5_000_000
LEASE = b"\7" * 32


def _call(world: World, sender: str, contract: str, name: str, *arguments: object) -> None:
    to = world.deployment.addresses[contract]
    send(world.client, sender, to, calldata.call(contract, name, *arguments))


def _stranger(world: World, contract: str, name: str, *arguments: object) -> None:
    _call(world, wallet(RENTER).address, contract, name, *arguments)


def _bond(world: World) -> None:
    token, vault = world.deployment.settlement_token, world.deployment.bond_vault
    for name, account in (("mint", world.operator), ("approve", vault)):
        send(
            world.client,
            world.operator,
            token,
            calldata.call("SettlementToken", name, account, BOND),
        )
    _call(world, world.operator, "BondVault", "deposit", world.facility_id, BOND)


def _first_epoch(world: World) -> None:
    """One epoch stated, five of its eight dollars paid; a voucher that nobody serves."""
    world.at(60)
    world.take_delivery(HOLDERS[1], world.token_ids[1], 5, LEASE)
    world.at(DAY_S)
    world.ledger.ingest(*(world.ledger.usage(gpu, 0, 2 * HOUR_S) for gpu in range(4)))
    world.post(0)
    world.pay(RENT)
    world.at_finality(0)
    world.round()


def _default(world: World) -> int:
    """Notice as soon as it may be given, then default; returns its second after the start."""
    noticed_s = 2 * DAY_S + DEFAULT_PATIENCE_S
    world.at(noticed_s)
    _stranger(world, "FacilityRegistry", "noticeDefault", world.facility_id, 1)
    ended_s = noticed_s + 2 * DAY_S
    world.at(ended_s)
    _stranger(world, "FacilityRegistry", "declareDefault", world.facility_id, 1)
    return ended_s


def _assert_whole(world: World) -> None:
    found, report = world.reconcile(), world.verify()
    assert found.balanced, found.mismatches
    assert report.ok, report.findings
    assert report.facilities[0].differences.recovered_micros == found.differences.recovered_micros


def test_worker__facility_defaulted__closes_it_once_when_it_may_be(world: World) -> None:
    _bond(world)
    _first_epoch(world)
    ended_s = _default(world)
    world.round()
    closes_s = ended_s + 3 * DAY_S

    world.at(closes_s - 1)
    too_early = world.round()
    world.at(closes_s)
    closed = world.round()
    again = world.round()

    assert [o.kind for o in too_early.outcomes] == []
    assert [o.kind for o in closed.outcomes] == ["close"]
    assert again.outcomes == ()
    assert [e.amount for e in world.events("FacilityClosed")] == [BOND]
    assert world.settled == GROSS
    assert closable(world.engine, world.contracts) == []
    _assert_whole(world)


def test_worker__rent_after_the_closing__is_shared_where_the_bond_would_have_gone(
    world: World,
) -> None:
    _bond(world)
    _first_epoch(world)
    world.at(_default(world))
    world.round()
    world.at(2 * DAY_S + DEFAULT_PATIENCE_S + 5 * DAY_S)
    world.round()

    world.pay(GROSS - RENT)
    world.round()
    _stranger(world, "RentLockbox", "payVoucher", 1)
    world.round()

    assert [e.amount for e in world.events("LateRentShared")] == [GROSS - RENT]
    assert len(world.events("VoucherPaid")) == 1
    assert world.reconcile().differences.advanced_micros == 0
    _assert_whole(world)


def test_worker__last_statement_of_an_ended_facility__is_posted_in_time(world: World) -> None:
    _first_epoch(world)
    world.at_cut_off(1)
    world.round()
    ended_s = _default(world)
    world.round()

    world.at(ended_s + DAY_S)
    world.attest()
    world.round()

    assert world.posted == 3
    state = world.now(world.contracts.facility_registry.state_of(world.facility_id))
    assert state is FacilityState.DEFAULTED
    _assert_whole(world)


def test_worker__last_statement_too_late__is_never_sent(world: World) -> None:
    _first_epoch(world)
    world.at_cut_off(1)
    world.round()
    ended_s = _default(world)
    world.round()
    world.attest()

    world.at(ended_s + 2 * DAY_S)
    late = world.round()

    assert [o.kind for o in late.outcomes] == []
    assert world.posted == 1
