"""`verify` computes closings and endings itself: an event that says otherwise is named."""

from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from typing import Any

import pytest

from api.chain.contracts import Contracts
from api.chain.emitted.args import EventArgs
from api.chain.emitted.bond_vault import BondSurrendered
from api.chain.emitted.facility_registry import DefaultDeclared, DefaultNoticed
from api.chain.emitted.rent_lockbox import Closing, FacilityClosed, LateRentShared, VoucherPaid
from api.chain.emitted.statement_registry import EvidencePublished, EvidenceRejected
from api.chain.events import AnyEvent, iter_events
from api.domain.units import Epoch
from api.verify import verify as verifier
from tests.endings import EVIDENCE, NOTICED_S, closed
from tests.factories import DAY_S, START_S
from tests.world import World

pytestmark = pytest.mark.chain

Change = Callable[[Any], EventArgs]


def _findings(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[EventArgs], change: Change | None
) -> list[str]:
    """What verify says where one kind of event had other arguments, or (None) was never there."""

    def altered(contracts: Contracts, *, last: int) -> Iterator[AnyEvent]:
        for event in iter_events(contracts, last=last):
            if not isinstance(event.args, kind):
                yield event
            elif change is not None:
                yield replace(event, args=change(event.args))

    with monkeypatch.context() as patch:
        patch.setattr(verifier, "iter_events", altered)
        return [finding.sentence() for finding in world.verify().findings]


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

        found = _findings(world, monkeypatch, FacilityClosed, closing)
        assert any(f"closing: {member.name} is" in said for said in found), (member.name, found)
    for name in ("units_micros", "vouchers_micros", "treasury_micros"):

        def claims(args: FacilityClosed, name: str = name) -> FacilityClosed:
            value = _more(getattr(args.claims, name))
            return replace(args, claims=replace(args.claims, **{name: value}))

        found = _findings(world, monkeypatch, FacilityClosed, claims)
        assert any(f"claims of the closing: {name} is" in said for said in found), (name, found)
    for name in ("amount_micros", "to_units_micros", "to_vouchers_micros", "to_operator_micros"):

        def late(args: LateRentShared, name: str = name) -> LateRentShared:
            return replace(args, **{name: _more(getattr(args, name))})

        assert _findings(world, monkeypatch, LateRentShared, late), name


@pytest.mark.parametrize("kind", [FacilityClosed, LateRentShared, BondSurrendered, VoucherPaid])
def test_verify__event_of_a_closing_is_missing__is_noticed(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: type[EventArgs]
) -> None:
    closed(world)

    assert _findings(world, monkeypatch, kind, None) != []


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
        found = _findings(world, monkeypatch, kind, change)
        assert any(expected in said for said in found), (kind, expected, found)
