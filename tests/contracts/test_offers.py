"""Numbers that operators reserve, offers that governance removes, and keys of operators."""

from dataclasses import replace

import brownie

from api.domain.facility import TrancheTerms, check_terms
from api.domain.pledges import Pledge, Pledging, cards_pledged_before, pledge_tree, whole_cards
from api.domain.units import Epoch
from scripts.deploy import deploy_all
from scripts.deployer import Plan
from scripts.roles import GPU_OPERATOR
from tests.contracts.conftest import facility_terms
from tests.contracts.model import World
from tests.contracts.other_facilities import other_facility, sliced, spare_devices
from tests.contracts.pledges import pledge_of
from tests.contracts.steps import refuse

OFFERED, FUNDED, DELIVERING, CANCELLED = 1, 2, 3, 5


def test_reserve__number__is_the_operator_s_alone(world):
    """Finding F28: nobody takes the number that a prepared pledge names."""
    rival = world.accounts[6]
    world.authority.grantRole(GPU_OPERATOR, rival, 0, {"from": world.accounts[0]})
    reserve = world.facilities.reserve
    assert int(world.facilities.reservedBy(7), 16) == 0

    done = reserve(7, {"from": world.operator})

    assert dict(done.events["FacilityReserved"][0]) == {
        "facilityId": 7, "gpuOperator": world.operator.address,
    }  # fmt: skip
    assert world.facilities.reservedBy(7) == world.operator
    refuse(f"FacilityReservedBefore: 7, {world.operator}", reserve, 7, {"from": rival})
    front = other_facility(world, 7, gpu_operator=rival.address)
    front.operator = rival
    refuse(f"FacilityReservedBefore: 7, {world.operator}", front.offer)
    reserve(7, {"from": world.operator})
    world.offer()
    refuse("FacilityExists: 7", reserve, 7, {"from": world.operator})
    # What nobody reserved is whoever's comes first.
    other_facility(world, 8).offer()
    refuse("FacilityExists: 8", reserve, 8, {"from": rival})


def test_remove__offer_with_a_sale__pays_its_buyers_back(world):
    by_owner, by_anybody = {"from": world.accounts[0]}, {"from": world.cleo}
    world.offer()
    world.open_sale(floor=1)
    world.buy(world.ann, world.junior, 3)
    cost = world.sale.bookOf(7)[2]

    done = world.facilities.remove(7, by_owner)

    states = [e["state"] for e in done.events["FacilityStateChanged"]]
    assert (done.events["OfferRemoved"][0]["facilityId"], states) == (7, [CANCELLED])
    world.sale.finalize(7, by_anybody)
    had = world.dollar.balanceOf(world.ann)
    world.sale.refundTo(world.ann, world.junior, by_anybody)
    assert world.dollar.balanceOf(world.ann) - had == cost
    refuse("FacilityStateWrong: 7", world.facilities.remove, 7, by_owner)


def test_remove__funded_or_unknown__reverts(world):
    """Once money moved, governance cannot take a facility away."""
    by_owner = {"from": world.accounts[0]}
    refuse("FacilityStateWrong: 7, 0", world.facilities.remove, 7, by_owner)
    world.fund()

    refuse(f"FacilityStateWrong: 7, {FUNDED}", world.facilities.remove, 7, by_owner)


def test_remove__pledge_that_was_approved__claims_nothing_any_more(world):
    """ATTACKS 23: the squatter's cards are free, and what attesters signed since is honest."""
    rival = other_facility(world, 66, expires_at_s=world.terms.window_start_s + 3 * 86_400)
    rival.offer()
    rival.approve()
    world.fund()
    statement = world.post(0, 1_000_000)
    card = world.pledge.devices[0].card
    proofs = (world.pledge.of_card(card), 66, 0, rival.pledge.of_card(card))
    world.facilities.remove(66, {"from": world.accounts[0]})

    refuse(
        "NoFault: 7, 0", world.statements.challengeDoublePledge,
        statement.as_abi_tuple(), *proofs, {"from": world.bob},
    )  # fmt: skip


def test_set_ledger_key__anybody__names_its_own(world):
    key = b"\x0a" * 32

    done = world.facilities.setLedgerKey(key, {"from": world.operator})

    event = dict(done.events["LedgerKeySet"][0])
    assert event == {"gpuOperator": world.operator.address, "ledgerKey": "0x" + key.hex()}
    assert bytes(world.facilities.ledgerKeyOf(world.operator)) == key
    assert bytes(world.facilities.ledgerKeyOf(world.cleo)) == bytes(32)


def test_offer__no_panel__reverts(accounts, tmp_path):
    """An offer without attesters could never be stated."""
    plan = Plan(
        tmp_path / "deployment.json", None, (), (accounts[1].address,), 600, None, "ipfs://{id}",
        allow_list=False,
    )  # fmt: skip
    contracts = deploy_all(plan, brownie.project.get_loaded_projects()[0], accounts[0])
    alone = World(contracts, facility_terms(contracts, accounts), accounts, [])

    refuse("PanelUnknown: 0, 0", alone.offer)


def test_pledge__whole_cards__have_the_root_that_the_offer_names(world):
    world.offer()

    assert bytes(world.facilities.termsOf(7)["pledgeRoot"]) == pledge_of(world.terms).root


def test_pledge__slices__have_the_root_that_the_offer_names(world):
    """Python's terms of slices, their tree and the contract's root are one thing."""
    terms = sliced(world.terms, world.terms.devices[:5])
    check_terms(replace(terms, tranches=(TrancheTerms(40),)))

    world.offer(terms)

    root = bytes(world.facilities.termsOf(7)["pledgeRoot"])
    assert root == terms.pledge_tree.root == pledge_of(terms).root
    assert root != pledge_tree(terms.facility_id, whole_cards(terms.devices)).root
    assert world.facilities.termsOf(7)["deviceCount"] == 10
    assert bytes(world.facilities.termsOf(7)["gpuClass"]).rstrip(b"\0") == b"H100-SXM5-80GB/3g.40gb"


def test_pledge__slices_of_a_card_of_an_earlier_pledge__are_the_later_ones_fault(world):
    """ATTACKS 47: the card and its slices are one card for the chain."""
    card = world.terms.devices[0]
    world.fund()
    rival = other_facility(world, 66)
    rival.terms = sliced(rival.terms, [card, *spare_devices(4)])
    rival.fund()
    mine, theirs = world.post(0, 1_000_000), rival.post(0, 1_000_000)
    place = [one.card for one in rival.pledge.devices].index(card)
    own, other = world.pledge.of_card(card), rival.pledge.proven(place)
    challenge, by_bob = world.statements.challengeDoublePledge, {"from": world.bob}

    refuse("NoFault: 7, 0", challenge, mine.as_abi_tuple(), own, 66, 0, other, by_bob)
    challenge(theirs.as_abi_tuple(), other, 7, 0, own, by_bob)

    assert [world.statements.epochsPosted(i) for i in (7, 66)] == [1, 0]
    # What the chain finds, Python finds: of slices the card counts.
    pledgings = [
        Pledging(t.facility_id, t.window_start_s, t.window_end_s, t.epoch_length_s, (of,))
        for t, of in (
            (world.terms, Pledge(1, Epoch(0), world.terms.pledge)),
            (rival.terms, Pledge(2, Epoch(0), rival.terms.pledge)),
        )
    ]
    assert cards_pledged_before(pledgings[1], other=pledgings[0]) == (card,)
