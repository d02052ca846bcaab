"""PledgeRegistry: approved by the facility's panel before money moves."""

from dataclasses import replace

import pytest
from brownie import chain

from tests.contracts.attesting import approval_digest, by_address, signed
from tests.contracts.conftest import EPOCH_S, bond_attester
from tests.contracts.other_facilities import other_facility, spare_devices
from tests.contracts.steps import refuse

OFFERED, FUNDED, DELIVERING, CANCELLED = 1, 2, 3, 5


def test_pledge_digest__is_what_a_wallet_library_signs(world):
    """ATTACKS 18: facility, root, count, epoch and the number of approvals are in it."""
    world.offer()

    for from_epoch in (0, 3):
        given = bytes(world.pledges.pledgeDigest(7, world.pledge.root, from_epoch))
        assert given == approval_digest(
            world.pledges, 7, world.pledge.root, devices=10, from_epoch=from_epoch, approvals=0
        )


def test_approve__by_the_panel__is_stored_emitted_and_numbered(world):
    world.offer()
    assert not world.pledges.isApproved(7)

    done = world.approve()

    event = dict(done.events["PledgeApproved"][0])
    assert event == {
        "facilityId": 7,
        "fromEpoch": 0,
        "pledgeRoot": "0x" + world.pledge.root.hex(),
        "number": 1,
        "attesters": [a.address for a in world.attesters[:2]],
    }
    assert world.pledges.isApproved(7)
    stored = ("0x" + world.pledge.root.hex(), 0, done.timestamp, 1)
    assert tuple(world.pledges.pledgeAt(7, 0)) == tuple(world.pledges.pledgeAt(7, 9)) == stored
    assert [tuple(p) for p in world.pledges.pledgesOf(7)] == [stored]
    assert world.pledges.approvals() == 1
    assert tuple(world.pledges.pledgeAt(8, 0)) == ("0x" + "00" * 32, 0, 0, 0)


def test_approve__another_approval_in_between__is_stale(world):
    """What attesters checked no longer holds: they look at the other pledge, and sign anew."""
    other = other_facility(world, 8, devices=tuple(sorted(spare_devices(10))))
    world.offer()
    other.offer()
    early, by_anybody = world.sign_pledge(world.pledge), {"from": world.cleo}
    other.approve()

    refuse("SignatureInvalid", world.pledges.approve, 7, early, by_anybody)
    world.approve()

    assert [world.pledges.pledgeAt(i, 0)[3] for i in (8, 7)] == [1, 2]


def test_approve__replayed_or_for_another__is_refused(world):
    """ATTACKS 18: once, for this facility and root, on this contract, by k of its panel."""
    other = other_facility(world, 8)
    world.offer()
    other.offer()
    approve, by_anybody = world.pledges.approve, {"from": world.cleo}
    digest = {"devices": 10, "from_epoch": 0, "approvals": 0}

    def attested(facility_id=7, root=world.pledge.root, contract=world.pledges, **named):
        given = approval_digest(contract, facility_id, root, **(digest | named))
        return signed(given, world.attesters[:2])

    for bad in (
        attested(8),
        attested(7, other.pledge.root),
        attested(7, world.pledge.root, world.statements),
        attested(devices=9),
        attested(from_epoch=1),
        attested(approvals=1),
    ):
        refuse("SignatureInvalid", approve, 7, bad, by_anybody)
    refuse("QuorumMissing: 1, 2", approve, 7, attested()[:1], by_anybody)
    refuse("AttestersNotAscending", approve, 7, attested()[::-1], by_anybody)
    stranger = world.accounts.add()
    strangers = world.sign_pledge(
        world.pledge, attesters=by_address([world.attesters[0], stranger])
    )
    refuse("NotAttester", approve, 7, strangers, by_anybody)
    good = attested()
    approve(7, good, by_anybody)

    refuse("PledgeApprovedBefore: 7", approve, 7, good, by_anybody)
    refuse("PledgeApprovedBefore: 7", approve, 7, world.sign_pledge(world.pledge), by_anybody)
    refuse("SignatureInvalid", approve, 8, good, by_anybody)
    refuse("FacilityNotOffered: 9", approve, 9, good, by_anybody)
    assert world.pledges.approvals() == 1


def test_approve__by_members_of_another_panel__is_refused(world):
    """Rule 15: the panel came with the offer, and a later choice of panels changes nothing."""
    by_owner = {"from": world.accounts[0]}
    contracts = {"SettlementToken": world.dollar, "AttesterRegistry": world.registry}
    more = by_address(world.accounts.add() for _ in range(3))
    for attester in more:
        world.registry.setAttester(attester, True, by_owner)
        bond_attester(contracts, attester, 10**9, world.ann)
    world.registry.setPanel(2, more, by_owner)
    offered = world.offer()
    assert offered.events["FacilityOffered"][0]["panel"] == 1
    world.registry.setOfferPanel(2, by_owner)
    other = other_facility(world, 8)
    assert other.offer().events["FacilityOffered"][0]["panel"] == 2
    assert [world.facilities.epochTermsOf(i)["panel"] for i in (7, 8)] == [1, 2]

    for facility_id, attesters, panel in ((7, more[:2], 1), (8, world.attesters[:2], 2)):
        given = (world, other)[facility_id - 7].pledge
        attested = world.sign_pledge(given, attesters=attesters)
        refuse(
            f"NotOnPanel: 0x[0-9a-f]+, {panel}",
            world.pledges.approve, facility_id, attested, {"from": world.cleo},
        )  # fmt: skip
    world.approve()
    other.attesters = more
    other.approve()


@pytest.mark.parametrize("end", ["cancelled", "removed", "expired"])
def test_approve__offer_that_is_over__is_refused(world, end):
    """ATTACKS 23: what can no longer be funded claims no card."""
    world.offer()
    attested = world.sign_pledge(world.pledge)
    if end == "cancelled":
        world.facilities.cancel(7, {"from": world.operator})
    elif end == "removed":
        world.facilities.remove(7, {"from": world.accounts[0]})
    else:
        world.wait_until(world.terms.expires_at_s)
    assert world.facilities.stateOf(7) == CANCELLED

    refuse("FacilityNotOffered: 7", world.pledges.approve, 7, attested, {"from": world.cleo})

    assert not world.pledges.isApproved(7)


# --- no money without it -------------------------------------------------------------------------


def test_fund__pledge_not_approved__reverts(world):
    """Finding F35: nobody is paid for cards that nobody looked at."""
    by_operator = {"from": world.operator}
    world.offer()
    world.need_no_bond()
    world.token.mint(world.ann, world.senior, 1, by_operator)

    refuse("PledgeNotApproved: 7", world.facilities.fund, 7, by_operator)
    world.approve()
    world.facilities.fund(7, by_operator)

    assert world.facilities.stateOf(7) == FUNDED


def test_finalize__pledge_not_approved__waits_until_the_window_and_then_fails(world):
    """Buyers wait for the attesters as long as those can still come; then they are paid back."""
    world.offer()
    world.open_sale(floor=1, approved=False)
    world.buy(world.ann, world.senior, 16)
    world.buy(world.ann, world.junior, 24)
    cost, by_anybody = world.sale.bookOf(7)[2], {"from": world.cleo}
    refuse("PledgeNotApproved: 7", world.sale.finalize, 7, by_anybody)
    world.wait_until(world.terms.window_start_s)

    done = world.sale.finalize(7, by_anybody)

    assert done.events["SaleFailed"][0]["facilityId"] == 7
    assert world.facilities.stateOf(7) == CANCELLED
    had = world.dollar.balanceOf(world.ann)
    for token_id in (world.senior, world.junior):
        world.sale.refundTo(world.ann, token_id, by_anybody)
    assert world.dollar.balanceOf(world.ann) - had == cost
    assert world.dollar.balanceOf(world.sale) == 0


def test_finalize__approved_in_the_last_moment_before_the_window__succeeds(world):
    world.offer()
    world.open_sale(floor=1, approved=False)
    world.buy(world.ann, world.senior, 1)
    world.wait_until(world.terms.window_start_s - 5)
    world.approve()
    world.wait_until(world.terms.window_start_s)

    world.sale.finalize(7, {"from": world.cleo})

    assert world.facilities.stateOf(7) == DELIVERING


# --- findings ------------------------------------------------------------------------------------


def test_squat__offer_without_approval__harms_nobody(world):
    """Finding F24: an offer with the honest operator's cards came first, and stays; nothing of it.

    Governance can remove it all the same, and its number is free for nobody else.
    """
    rival = other_facility(world, 66, expires_at_s=world.terms.window_start_s + 3 * 86_400)
    rival.offer()
    chain.mine(10)
    world.fund()
    statement = world.post(0, 1_000_000)
    card = world.pledge.devices[0].card
    proofs = (world.pledge.of_card(card), 66, 0, rival.pledge.of_card(card))
    challenge = world.statements.challengeDoublePledge
    bonds = [world.registry.bondOf(a) for a in world.attesters]

    # Never approved, it pledges nothing: its proof leads nowhere.
    refuse("ProofInvalid: 1", challenge, statement.as_abi_tuple(), *proofs, {"from": world.bob})

    assert world.statements.epochsPosted(7) == 1
    assert [world.registry.bondOf(a) for a in world.attesters] == bonds
    removed = world.facilities.remove(66, {"from": world.accounts[0]})
    assert removed.events["OfferRemoved"][0]["facilityId"] == 66
    assert world.facilities.stateOf(66) == CANCELLED


def test_squat__approved_after_the_honest_one__is_the_squatters_fault(world):
    """Finding F24: should attesters ever approve it, the later approval is at fault."""
    rival = other_facility(world, 66)
    rival.offer()
    world.fund()
    rival.fund(offer=False)
    mine, theirs = world.post(0, 1_000_000), rival.post(0, 1_000_000)
    card = world.pledge.devices[0].card
    own, other = world.pledge.of_card(card), rival.pledge.of_card(card)
    challenge, by_bob = world.statements.challengeDoublePledge, {"from": world.bob}

    refuse("NoFault: 7, 0", challenge, mine.as_abi_tuple(), own, 66, 0, other, by_bob)
    challenge(theirs.as_abi_tuple(), other, 7, 0, own, by_bob)

    assert [world.statements.epochsPosted(i) for i in (7, 66)] == [1, 0]


def test_default__cards_are_free_for_whoever_takes_them_over(world):
    """Finding F25: the pledge of a defaulted facility claims nothing after its end."""
    # Patience of an epoch and a day, and a window that runs on long after the default.
    start_s = world.terms.window_start_s
    world.terms = replace(
        world.terms, window_end_s=start_s + 200 * EPOCH_S, patience_s=EPOCH_S + 86_400
    )
    world.fund()
    ended_s = world.default(0).timestamp
    begins_s = chain[-1].timestamp + 1_000
    lender = other_facility(
        world, 8, window_start_s=begins_s, window_end_s=begins_s + 4 * EPOCH_S,
        expires_at_s=begins_s,
    )  # fmt: skip
    assert ended_s < begins_s < world.terms.window_end_s
    lender.fund()
    statement = lender.post(0, 1_000_000)
    card = lender.pledge.devices[0].card
    own, theirs = lender.pledge.of_card(card), world.pledge.of_card(card)
    same = (begins_s - start_s) // EPOCH_S

    for epoch in (same - 1, same, same + 1):
        refuse(
            "NoFault: 8, 0", world.statements.challengeDoublePledge,
            statement.as_abi_tuple(), own, 7, epoch, theirs, {"from": world.bob},
        )  # fmt: skip
    lender.pay(1_000_000)
    lender.settle()
    assert lender.lockbox.bookOf(8)[1] == 1_000_000


def test_sale__same_cards_sold_twice__only_the_approved_one_is_paid(world):
    """Finding F35: two facilities with one set of devices, both sold; one had approval."""
    second = other_facility(world, 8)
    for one in (world, second):
        one.offer()
        one.need_no_bond()
    world.open_sale(floor=1)
    second.open_sale(floor=1, approved=False)
    for one in (world, second):
        one.buy(one.ann, one.senior, 16)
        one.buy(one.ann, one.junior, 24)
    price, by_anybody = world.sale.bookOf(7)[2], {"from": world.cleo}
    world.sale.finalize(7, by_anybody)
    refuse("PledgeNotApproved: 8", world.sale.finalize, 8, by_anybody)
    world.wait_until(world.terms.window_start_s)
    world.sale.finalize(8, by_anybody)
    world.sale.release(7, by_anybody)

    assert [world.facilities.stateOf(i) for i in (7, 8)] == [DELIVERING, CANCELLED]
    up_front = price * 2_500 // 10_000
    assert world.sale.owedTo(world.dollar, world.operator) == up_front
    refuse("NothingToRelease", world.sale.release, 8, by_anybody)
    for token_id in (second.senior, second.junior):
        world.sale.refundTo(world.ann, token_id, by_anybody)
    assert world.dollar.balanceOf(world.sale) == price
