"""Ended facilities: last statements, one closing, late rent, and every number verified."""

from collections import Counter
from dataclasses import replace

import pytest

from api.chain import calldata
from api.db.chain_store import ended_at
from api.db.facilities import facility_row
from api.db.leases import known_lease_named
from api.db.session import reading
from api.domain.facility import DEFAULT_LONG_STOP_S
from api.domain.lifecycle import RECEIVABLE_LIFE_S, FacilityState
from api.domain.statements.evidence_reader import decode_facility
from api.domain.units import FacilityId
from api.epochs.finish import Finish
from api.epochs.serve import Serve
from api.reads.ending import read_endings
from tests.endings import (
    BOND,
    CLOSES_S,
    ENDED_S,
    GROSS,
    NOTICED_S,
    RENT,
    all_epochs,
    bond,
    by_stranger,
    call,
    closed,
    default,
    first_epoch,
    matured_unpaid,
    publish,
    stopped,
)
from tests.factories import DAY_S, HOUR_S, SEAL_S
from tests.world import HOLDERS, World, send

pytestmark = pytest.mark.chain


def _assert_whole(world: World) -> None:
    found, report = world.reconcile(), world.verify()
    assert found.balanced, found.mismatches
    assert report.ok, report.findings
    theirs, ours = report.facilities[0].differences, found.differences
    assert theirs.recovered_micros == ours.recovered_micros
    assert theirs.owed_to_operator_micros == ours.owed_to_operator_micros


@pytest.mark.both_databases
def test_worker__facility_defaulted__closes_it_once_when_it_may_be(world: World) -> None:
    bond(world)
    first_epoch(world)
    default(world)
    world.round()

    world.at(CLOSES_S - 1)
    too_early = world.round()
    world.at(CLOSES_S)
    done = world.round()
    again = world.round()

    assert [o.kind for o in too_early.outcomes] == []
    assert [o.kind for o in done.outcomes] == ["close"]
    assert again.outcomes == ()
    assert [e.amount for e in world.events("FacilityClosed")] == [BOND]
    assert world.settled == GROSS
    assert world.intents(_finish(world)) == []
    _assert_whole(world)


def test_worker__rent_after_the_closing__is_shared_where_the_bond_would_have_gone(
    world: World,
) -> None:
    closed(world)

    assert [e.amount for e in world.events("LateRentShared")] == [GROSS - RENT]
    assert len(world.events("VoucherPaid")) == 1
    assert world.reconcile().differences.advanced_micros == 0
    _assert_whole(world)


def test_worker__last_statement_of_an_ended_facility__is_posted_in_time(world: World) -> None:
    first_epoch(world)
    world.at_cut_off(1)
    world.round()
    default(world)
    world.round()

    world.at(ENDED_S + DAY_S)
    # Two epochs, and the closing statement.
    assert [v.signed for v in world.attest()] == [True] * 6
    world.round()

    assert world.posted == 3
    assert world.now(world.contracts.statement_registry.is_closing_posted(world.facility_id))
    state = world.now(world.contracts.facility_registry.state_of(world.facility_id))
    assert state is FacilityState.DEFAULTED
    _assert_whole(world)


def test_worker__last_statement_too_late__is_never_sent(world: World) -> None:
    first_epoch(world)
    world.at_cut_off(1)
    world.round()
    default(world)
    world.round()
    world.attest()

    world.at(ENDED_S + 2 * DAY_S)
    late = world.round()

    assert [o.kind for o in late.outcomes] == []
    assert world.posted == 1


def test_worker__closing_that_reverts__is_tried_once_and_again_when_it_can_succeed(
    world: World,
) -> None:
    """A token that refuses to move costs the relayer nothing, and is asked again later."""
    bond(world)
    first_epoch(world)
    default(world)
    world.round()
    world.at(CLOSES_S)
    token = world.deployment.settlement_token
    code = world.chain.rpc("eth_getCode", token, "latest")

    world.chain.rpc("anvil_setCode", token, "0xfe")
    first, second = world.worker().run_once(), world.worker().run_once()
    world.chain.rpc("anvil_setCode", token, code)
    world.at(CLOSES_S + 60)
    third = world.round()

    assert [(o.kind, o.error is None) for o in first.outcomes] == [("close", False)]
    assert second.outcomes == ()
    assert [o.kind for o in third.outcomes] == ["close"]
    assert len(world.events("FacilityClosed")) == 1


def test_worker__matured_with_unpaid_rent__the_bond_pays_it_at_the_closing(world: World) -> None:
    bond(world)
    all_epochs(world)
    matured_unpaid(world)
    world.round()
    written_off = world.reconcile().differences.written_off_micros

    world.at(5 * DAY_S + RECEIVABLE_LIFE_S)
    world.round()

    assert written_off == GROSS - RENT
    assert world.settled == GROSS
    assert world.reconcile().differences.advanced_micros == GROSS - RENT
    _assert_whole(world)


def test_worker__stopped_facility__is_closed_and_every_missing_epoch_is_paid(world: World) -> None:
    bond(world)
    first_epoch(world)
    world.at(2 * DAY_S)
    publish(world, 1)
    stopped(world)
    world.round()

    world.at(3 * DAY_S + SEAL_S + DEFAULT_LONG_STOP_S + 3 * DAY_S)
    world.round()

    assert len(world.events("FacilityClosed")) == 1
    # Epoch 1 was published, epoch 2 was not.
    with reading(world.engine) as connection:
        closing = read_endings(connection)[FacilityId(world.facility_id)].closing
    assert closing is not None
    # Rounded down for each sum of epochs: 99 % of three, less 99 % of two.
    assert closing.missing_gpu_seconds == 4 * DAY_S * 99 // 100
    _assert_whole(world)


def test_worker__more_to_serve_than_a_round_takes__serves_all_before_it_closes(
    world: World,
) -> None:
    """Compute that was delivered is not paid in money because the worker was away for a day."""
    intervals, length_s = 72, 600
    bond(world)
    with reading(world.engine) as connection:
        lease = known_lease_named(connection, world.facility_id, "lease-b").lease
    world.take_delivery(HOLDERS[1], world.token_ids[1], intervals * length_s // HOUR_S, lease)
    world.post(0)
    world.at(2 * DAY_S)
    # With a minute between them: what follows at once is one line.
    starts_s = range(DAY_S, DAY_S + intervals * (length_s + 60), length_s + 60)
    world.ledger.ingest(
        *(
            world.ledger.usage(0, start_s, start_s + length_s, lease="lease-b", kind="delivery")
            for start_s in starts_s
        )
    )
    world.at_cut_off(1)
    world.round()
    default(world)
    world.round()
    world.at(ENDED_S + DAY_S)
    world.attest()
    world.round()
    world.at(CLOSES_S)

    first, second, third = (
        Counter(outcome.kind for outcome in world.round().outcomes) for _ in range(3)
    )

    assert (first["close"], second["close"] + third["close"]) == (0, 1)
    assert first["serve"] + second["serve"] == intervals
    voucher = world.now(world.contracts.delivery_desk.voucher_of(1))
    assert voucher.served_gpu_seconds == voucher.owed_gpu_seconds
    _assert_whole(world)


def _finish(world: World) -> Finish:
    return Finish(world.engine, world.contracts, Serve(world.engine, world.contracts))


def test_finish__a_line_that_is_never_served__is_waited_for_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    bond(world)
    first_epoch(world)
    default(world)
    world.round()
    finish = _finish(world)
    monkeypatch.setattr(Serve, "unfinished", lambda *_about: True)

    def closings(at_s: int) -> list[str]:
        world.at(at_s)
        return [i.kind for i in world.intents(finish)]

    assert closings(CLOSES_S) == []
    assert closings(CLOSES_S + DAY_S - 1) == []
    assert closings(CLOSES_S + DAY_S) == ["close"]


def test_worker__ended_facility_whose_id_the_service_cannot_give__stops_nobody(
    world: World,
) -> None:
    """Anybody with the operator role may offer an id of 64 bits; the index keeps none for it."""
    with reading(world.engine) as connection:
        terms = decode_facility(facility_row(connection, world.facility_id).terms_json)
    strange = replace(terms, facility_id=FacilityId(2**63 + 5))
    registry = world.deployment.facility_registry
    send(world.client, world.operator, registry, calldata.offer(strange))
    for contract, name, *arguments in (
        ("BondVault", "setTerms", strange.facility_id, (0, 1_000_000)),
        ("TrancheToken", "mint", HOLDERS[0], strange.facility_id << 8, 1),
    ):
        call(world, world.operator, str(contract), str(name), *arguments)
    world.approve_pledge(strange.facility_id)
    call(world, world.operator, "FacilityRegistry", "fund", strange.facility_id)
    bond(world)
    for at_s, step in ((NOTICED_S, "noticeDefault"), (ENDED_S, "declareDefault")):
        world.at(at_s)
        for facility_id in (strange.facility_id, world.facility_id):
            by_stranger(world, "FacilityRegistry", step, facility_id, 0)
    world.round()
    world.at(CLOSES_S)

    done = world.round()

    assert [o.kind for o in done.outcomes] == ["close"]
    with reading(world.engine) as connection:
        assert set(ended_at(connection)) == {world.facility_id}
