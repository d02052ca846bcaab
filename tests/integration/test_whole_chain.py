"""Metering to claim on a real chain, with figures that a person can check by hand."""

import pytest

from api.db.session import reading
from api.db.statements import lines_of
from api.domain.metering.usage import LineKind
from tests.factories import DAY_S, GRACE_S, HOUR_S, START_S
from tests.story import two_epochs
from tests.world import World

pytestmark = pytest.mark.chain


def _charges(world: World, epoch: int) -> dict[LineKind, int]:
    with reading(world.engine) as connection:
        lines = lines_of(connection, world.facility_id, epoch)
    found: dict[LineKind, int] = {}
    for line in lines:
        found[line.kind] = found.get(line.kind, 0) + line.charge_micros
    return found


@pytest.mark.both_databases
def test_chain__metering_to_claim__five_numbers_are_right_to_the_unit(world: World) -> None:
    """Invariants 4, 5, 8: every line, every settlement and every claim as computed by hand."""
    two_epochs(world)

    found, report = world.reconcile(), world.verify()

    # 10,801 s at 1 $/h is 3.000277(7) $; 10 h at 2 $/h.
    assert _charges(world, 0) == {
        LineKind.USAGE: 3_000_277 + 20_000_000,
        LineKind.FIXED_DIFFERENCE: 20_000_000,
        LineKind.ADJUSTMENT_DIFFERENCE: -4_000_000,
    }
    assert _charges(world, 1) == {
        LineKind.USAGE: 3_000_000,
        LineKind.FIXED_DIFFERENCE: 48_000_000,
        LineKind.LATE: 0,
        LineKind.VOID: 0,
        # An hour late, and an hour and a second taken back.
        LineKind.USAGE_DIFFERENCE: -277,
    }
    assert [world.statement(e).gross_revenue_micros for e in (0, 1)] == [39_000_277, 50_999_723]
    assert world.statement(0).available_gpu_seconds == 4 * DAY_S - 4 * HOUR_S
    # Standing usage in hours: 2 + 10 + 1 late + 3 + 1 open; 3,601 s are void.
    assert found.metered_gpu_seconds == 17 * HOUR_S
    assert found.rated_micros == found.attested_micros == 90_000_000
    assert found.collected_micros == found.settled_micros == 60_000_000
    # Senior: a third of 0.30 $ a unit and settlement, 6 of 10 units. Junior: the rest, 5 of 20.
    first_junior, second_junior = 19_800_000 - 1_000_000, 39_600_000 - 1_000_000
    claimed = 1_500_000 * 6 // 10 + (first_junior + second_junior // 2) * 5 // 20
    assert claimed == 10_425_000
    assert found.claimed_micros == claimed
    differences = found.differences
    assert differences.open_epoch_gpu_seconds == HOUR_S
    assert differences.receivable_micros == 30_000_000
    assert differences.fees_micros == 600_000
    assert differences.streaming_micros == 39_600_000 // 2
    assert differences.unclaimed_micros == 59_400_000 - claimed - 19_800_000
    assert differences.awaiting_posting_micros == differences.challenge_window_micros == 0
    assert found.balanced
    assert [e.amount for e in world.events("Settled")] == [20_000_000, 40_000_000]
    assert report.ok, report.findings
    assert report.statements == 2
    # What an auditor recomputes is what we say; the open hour is not on-chain yet.
    assert report.facilities[0].claimed_micros == claimed
    assert report.facilities[0].metered_gpu_seconds == 16 * HOUR_S


def test_chain__claim_of_an_account_without_units__verifies(world: World) -> None:
    """Anybody may claim nothing of several tranches: the event is there, the position is not."""
    two_epochs(world)
    world.claim(world.operator)

    report = world.verify()

    assert report.ok, report.findings


def test_chain__posted_but_not_final__is_in_the_challenge_window(world: World) -> None:
    """Invariant 4: nothing is settled before the challenge window is over."""
    world.at(DAY_S)
    world.ledger.ingest(world.ledger.usage(0, 0, 2 * HOUR_S))
    world.post(0)
    world.pay(5_000_000)

    world.at(DAY_S + GRACE_S + HOUR_S - 1)
    early = world.round()
    differences = world.reconcile().differences

    assert early.outcomes == ()
    assert world.settled == 0
    assert differences.challenge_window_micros == 2_000_000
    assert differences.prepaid_micros == 3_000_000


def test_chain__one_signature_of_two__posts_nothing(world: World) -> None:
    """ATTACKS 19."""
    world.at_cut_off(0)
    world.round()
    world.attest(0)

    done = world.round()

    assert done.outcomes == ()
    assert world.posted == 0
    assert world.reconcile().differences.awaiting_posting_micros == 0
    assert world.clock() >= START_S + DAY_S + GRACE_S
