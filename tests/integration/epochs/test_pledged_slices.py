"""Slices in pledges: attesters and verify see the card behind each, across all facilities."""

import pytest

from api.chain.terms import offered_terms
from api.domain.devices import DeviceName
from api.domain.facility import FacilityTerms
from api.domain.statements.evidence import hex32
from api.ledger import facilities as register
from tests.factories import device
from tests.world import World

pytestmark = pytest.mark.chain

CLASS = "H100-SXM5-80GB/1g.10gb"


@pytest.fixture
def other_books(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with other books: it registers what this one would see is pledged twice."""
    monkeypatch.setattr(register, "_require_unpledged", lambda *_: None)


def _offered(world: World, name: str, card: int, *parts: int) -> FacilityTerms:
    """A facility of slices of a card, named by numbers, that waits for its pledge's approval."""
    named = [DeviceName(f"MIG-{device(100 + part)[4:]}", device(card), "1g.10gb") for part in parts]
    facility_id = world.ledger.add_facility(
        range(0), name=name, settlement_token=world.deployment.settlement_token,
        device_uuids=named, gpu_class=CLASS,
    )  # fmt: skip
    terms = world.offer(facility_id)
    world.indexer().advance()
    return terms


def test_pledge__slices_of_one_card__are_approved(world: World) -> None:
    free = _offered(world, "hall-2", 10, *range(7))

    world.approve_pledge(free.facility_id)
    world.round()

    assert world.now(world.contracts.pledge_registry.is_approved(free.facility_id))
    assert world.now(world.contracts.facility_registry.terms_of(free.facility_id)) == (
        offered_terms(free)
    )
    assert world.verify().findings == ()


def test_pledge__slice_of_a_card_of_a_live_pledge__is_refused_and_found_by_anybody(
    world: World, other_books: None
) -> None:
    """ATTACKS 23: facility 1 pledges the whole card."""
    terms = _offered(world, "hall-2", 2, 1)
    (card,) = terms.cards

    (verdict,) = world.attest(0)
    world.approve_pledge(terms.facility_id)
    world.round()

    assert verdict.reason == (
        f"card {hex32(card)} of facility {terms.facility_id} is in the live pledge of facility"
        f" {world.facility_id} for the same time"
    )
    assert [f.sentence() for f in world.verify().findings] == [
        f"facility {terms.facility_id}: 1 of its cards, {hex32(card)} first, are pledged before by"
        f" facility {world.facility_id} for the same time"
    ]


def test_pledge__slice_of_another_card_in_a_live_pledge__is_refused_and_found_by_anybody(
    world: World, other_books: None
) -> None:
    """ATTACKS 47: one of the two cards was invented."""
    first = _offered(world, "hall-2", 10, 1)
    world.approve_pledge(first.facility_id)
    world.round()
    second = _offered(world, "hall-3", 11, 1)
    (device_named,) = second.devices

    (verdict,) = world.attest(0)
    world.approve_pledge(second.facility_id)
    world.round()

    assert verdict.reason == (
        f"slice {hex32(device_named)} of facility {second.facility_id} is of another card in the"
        f" live pledge of facility {first.facility_id}"
    )
    assert [f.sentence() for f in world.verify().findings] == [
        f"facility {second.facility_id}: 1 of its slices, {hex32(device_named)} first, are of other"
        f" cards in the earlier pledge of facility {first.facility_id}"
    ]


def test_pledge__more_slices_than_a_card_has__is_refused_and_found_by_anybody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ATTACKS 47: the service of the operator asks nothing."""
    with monkeypatch.context() as bug:
        bug.setattr(register, "check_devices", lambda *_, **__: None)
        bug.setattr(register, "check_terms", lambda *_: None)
        terms = _offered(world, "hall-2", 10, *range(8))

    (verdict,) = world.attest(0)
    world.approve_pledge(terms.facility_id)
    world.round()

    message = f"card {hex32(terms.cards[0])} has 8 slices 1g.10gb, of which it has 7 at most"
    assert verdict.reason == message
    assert [f.sentence() for f in world.verify().findings] == [
        f"facility {terms.facility_id}, facility-{terms.facility_id}/facility.json: {message}"
    ]
