"""`verify` computes closings and endings itself: an event that says otherwise is named."""

from dataclasses import fields, replace
from typing import Any

import pytest

from api.chain.emitted.args import EventArgs
from api.chain.emitted.bond_vault import BondSurrendered
from api.chain.emitted.delivery_desk import VoucherServed
from api.chain.emitted.facility_registry import (
    DefaultDeclared,
    DefaultNoticed,
    ReceivableWrittenOff,
)
from api.chain.emitted.rent_lockbox import (
    Closing,
    FacilityClosed,
    LateRentShared,
    Settled,
    VoucherPaid,
)
from api.chain.emitted.statement_registry import EvidencePublished, EvidenceRejected
from api.db.session import reading
from api.domain.lifecycle import RECEIVABLE_LIFE_S
from api.domain.units import Epoch, FacilityId
from api.reads.sql.endings import closings
from tests.altered import Change, findings_with
from tests.endings import (
    BOND,
    CLOSES_S,
    EVIDENCE,
    GROSS,
    LATE_RENTS,
    NOTICED_S,
    RENT,
    all_epochs,
    bond,
    by_stranger,
    closed,
    closed_beyond_worth,
    default,
    unpaid_coupon,
)
from tests.factories import DAY_S, START_S
from tests.world import HOLDERS, World

pytestmark = pytest.mark.chain


def _more(value: Any) -> Any:
    return (value[0] + 1, *value[1:]) if isinstance(value, tuple) else value + 1


def test_verify__figure_of_a_closing_differs__is_named_by_its_field(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(world)
    assert world.verify().ok

    for member in fields(Closing):

        def closing(args: FacilityClosed, name: str = member.name) -> FacilityClosed:
            value = _more(getattr(args.closing, name))
            return replace(args, closing=replace(args.closing, **{name: value}))

        found = findings_with(world, monkeypatch, FacilityClosed, closing)
        assert any(f"closing: {member.name} is" in said for said in found), (member.name, found)
    for name in ("units_micros", "vouchers_micros", "treasury_micros"):

        def claims(args: FacilityClosed, name: str = name) -> FacilityClosed:
            value = _more(getattr(args.claims, name))
            return replace(args, claims=replace(args.claims, **{name: value}))

        found = findings_with(world, monkeypatch, FacilityClosed, claims)
        assert any(f"claims of the closing: {name} is" in said for said in found), (name, found)
    for name in ("amount_micros", "to_units_micros", "to_vouchers_micros", "to_operator_micros"):

        def late(args: LateRentShared, name: str = name) -> LateRentShared:
            return replace(args, **{name: _more(getattr(args, name))})

        assert findings_with(world, monkeypatch, LateRentShared, late), name


@pytest.mark.parametrize("kind", [FacilityClosed, LateRentShared, BondSurrendered, VoucherPaid])
def test_verify__event_of_a_closing_is_missing__is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[EventArgs]
) -> None:
    closed(world)

    assert findings_with(world, monkeypatch, kind, None) != []


def test_verify__ending_against_the_rules__is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(world)
    cure_s = START_S + NOTICED_S + 2 * DAY_S
    cases: list[tuple[type[EventArgs], Change | None, str]] = [
        (DefaultNoticed, None, "no notice of it counted at the default"),
        (DefaultNoticed, lambda a: replace(a, epoch=Epoch(0)), "nobody waited for it"),
        (DefaultNoticed, lambda a: replace(a, epoch=Epoch(2)), "was noticed, and is overdue from"),
        (
            DefaultNoticed,
            lambda a: replace(a, cure_until_s=cure_s - 1),
            f"has another cure than until {cure_s}",
        ),
        (DefaultDeclared, None, "defaulted, and nobody declared it"),
        (DefaultDeclared, lambda a: replace(a, epoch=Epoch(2)), "no notice of it counted"),
        (EvidencePublished, None, "was rejected, and was not published"),
        (
            EvidencePublished,
            lambda a: replace(a, epoch=Epoch(2)),
            "was published where 1 came next",
        ),
        (
            EvidenceRejected,
            lambda a: replace(a, evidence_hash=EVIDENCE[::-1][:-1] + b"\1"),
            "was rejected for evidence that did not stand published",
        ),
        (EvidenceRejected, None, "nobody waited for it"),
        (
            EvidenceRejected,
            lambda a: replace(a, attesters=a.attesters[:1]),
            "a rejection: 1 attesters do not make a quorum of 2",
        ),
    ]

    for kind, change, expected in cases:
        found = findings_with(world, monkeypatch, kind, change)
        assert any(expected in said for said in found), (kind, expected, found)


def test_verify__paid_and_not_settled__unpaid_is_what_renters_owe(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One minor unit in front of a notice or a maturity is no finding."""
    all_epochs(world)
    world.pay(1)
    by_stranger(world, "FacilityRegistry", "noticeUnpaid", world.facility_id)
    world.round()
    world.at(4 * DAY_S + RECEIVABLE_LIFE_S)
    world.pay(1)
    by_stranger(world, "FacilityRegistry", "mature", world.facility_id)
    world.round()

    assert world.verify().findings == ()
    unpaid = GROSS - RENT - 2
    (event,) = world.events("ReceivableWrittenOff")
    assert event.amount == unpaid
    found = findings_with(world, monkeypatch, ReceivableWrittenOff, None)
    assert any(f"matured while {unpaid} micros were unpaid" in said for said in found), found


def test_verify__voucher_paid_to_another__is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed(world)

    def to_another(args: VoucherPaid) -> VoucherPaid:
        return replace(args, holder=HOLDERS[0])

    found = findings_with(world, monkeypatch, VoucherPaid, to_another)
    assert any("voucher 1 was paid to" in said for said in found), found


def test_verify__rent_beyond_what_the_bond_paid__pays_claims_first(world: World) -> None:
    """By hand: of 300 dollars 5 were paid, and the bond paid 50; claims of 188 come before 107."""
    lockbox, facility_id = world.contracts.rent_lockbox, FacilityId(world.facility_id)
    closed_beyond_worth(world)
    assert world.verify().findings == ()

    for amount in LATE_RENTS:
        world.pay(amount)
        world.indexer().advance()
        waiting = world.reconcile().differences.awaiting_settlement_micros
        assert waiting == world.now(lockbox.settleable_micros(facility_id)) == amount
        world.round()
        assert world.verify().findings == ()

    # Claims are 185,1892 and 2 of units, and 1 of a voucher.
    shared = [30_000_000, 20_000_000, 100_000_000, 38_189_200]
    assert [e.amount for e in world.events("LateRentShared")] == shared
    rent = [5_000_000, 50_000_000, 295_000_000 - sum(shared)]
    assert [e.amount for e in world.events("Settled")] == rent
    found = world.reconcile()
    assert found.balanced
    d = found.differences
    assert (d.receivable_micros, d.awaiting_settlement_micros) == (0, 0)
    assert d.advanced_micros == 50_000_000 - sum(shared)
    assert d.recovered_micros == 187_189_200
    assert world.verify().facilities[0].differences == d


def test_verify__late_rent_otherwise_than_by_the_rules__is_named(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_beyond_worth(world)
    for amount in (150_000_000, 145_000_000):
        world.pay(amount)
        world.round()
    assert world.verify().findings == ()

    # The first 150 go to claims, of which 38,1892 are left.
    rent = 145_000_000 - 38_189_200
    cases: list[tuple[type[EventArgs], Change | None, str]] = [
        (LateRentShared, None, "and 188189200 micros for claims were not shared"),
        (Settled, None, "RentLockbox holds another book than its events give"),
        (
            Settled,
            lambda a: replace(a, amount_micros=a.amount_micros + (a.amount_micros == rent)),
            "a settlement paid 106810801 micros where 106810800 were due",
        ),
        (LateRentShared, lambda a: replace(a, amount_micros=5), "holds another advance"),
        (VoucherServed, None, "DeliveryDesk holds other served GPU-seconds"),
    ]
    for kind, change, expected in cases:
        found = findings_with(world, monkeypatch, kind, change)
        assert any(expected in said for said in found), (kind, expected, found)


def test_verify__coupon_that_became_a_claim__is_in_arrears_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a coupon of one dollar nothing was paid: all of it became a claim."""
    unpaid_coupon(world)
    assert world.verify().findings == ()

    without = findings_with(world, monkeypatch, FacilityClosed, None)

    token_id = world.token_ids[0]
    said = f"RentLockbox holds [0, 0] as arrears of tranche {token_id}, not [1000000, 0]"
    assert any(said in finding for finding in without), without
    world.pay(500_000)
    world.round()
    assert world.verify().findings == ()


def test_verify__closed_without_any_statement__is_computed_from_the_offer(world: World) -> None:
    """Three epochs of four devices at 99 % are missing; the bond pays a sixth of it."""
    bond(world)
    default(world, epoch=0)
    world.at(CLOSES_S)
    by_stranger(world, "RentLockbox", "close", world.facility_id)
    world.round()

    report = world.verify()

    assert report.findings == ()
    with reading(world.engine) as connection:
        closing = closings(connection)[FacilityId(world.facility_id)].closing
    assert closing.missing_gpu_seconds == 3 * 4 * DAY_S * 99 // 100
    assert sum(closing.to_units_micros) == closing.bond_micros == BOND
