"""PledgeRegistry: approved by the facility's panel before money moves, replaced epoch by epoch."""

from dataclasses import replace

import brownie
import pytest
from brownie import chain

from api.domain.facility import FacilityTerms
from api.domain.hashing import device_hash
from api.domain.units import FacilityId
from scripts.deploy import deploy_all
from scripts.deployer import Plan
from scripts.roles import GPU_OPERATOR
from tests.contracts.attesting import approval_digest, by_address, signed
from tests.contracts.conftest import EPOCH_S, bond_attester, facility_terms
from tests.contracts.model import World
from tests.contracts.pledges import pledge, pledge_of

OFFERED, FUNDED, DELIVERING, CANCELLED = 1, 2, 3, 5


def _refuse(error, function, *arguments):
    with brownie.reverts(revert_pattern=f"(?i){error}.*"):
        function(*arguments)


def _spare(count: int):
    """Devices that no facility here pledged."""
    return [device_hash(f"SPARE-{i}") for i in range(count)]


def _other(world, facility_id: int, **changes) -> World:
    """Another facility of the same contracts, with the same devices."""
    contracts = {
        "FacilityRegistry": world.facilities, "StatementRegistry": world.statements,
        "TrancheToken": world.token, "RentLockbox": world.lockbox, "PrimarySale": world.sale,
        "BondVault": world.vault, "DeliveryDesk": world.desk, "AccessManager": world.authority,
        "WalletDesk": world.wallets,
        "AttesterRegistry": world.registry, "PledgeRegistry": world.pledges,
        "SettlementToken": world.dollar,
    }  # fmt: skip
    terms: FacilityTerms = replace(world.terms, facility_id=FacilityId(facility_id), **changes)
    return World(contracts, terms, world.accounts, world.attesters)


def _replaced(world, out: int, from_epoch: int, name: str = "NEW"):
    """The pledge with one card less and another one from an epoch on."""
    devices = [d.device for i, d in enumerate(world.pledge.devices) if i != out]
    return pledge(7, devices, later={device_hash(name): from_epoch})


# --- approval ------------------------------------------------------------------------------------


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
    other = _other(world, 8, devices=tuple(sorted(_spare(10))))
    world.offer()
    other.offer()
    early, by_anybody = world.sign_pledge(world.pledge), {"from": world.cleo}
    other.approve()

    _refuse("SignatureInvalid", world.pledges.approve, 7, early, by_anybody)
    world.approve()

    assert [world.pledges.pledgeAt(i, 0)[3] for i in (8, 7)] == [1, 2]


def test_approve__replayed_or_for_another__is_refused(world):
    """ATTACKS 18: once, for this facility and root, on this contract, by k of its panel."""
    other = _other(world, 8)
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
        _refuse("SignatureInvalid", approve, 7, bad, by_anybody)
    _refuse("QuorumMissing: 1, 2", approve, 7, attested()[:1], by_anybody)
    _refuse("AttestersNotAscending", approve, 7, attested()[::-1], by_anybody)
    stranger = world.accounts.add()
    strangers = world.sign_pledge(
        world.pledge, attesters=by_address([world.attesters[0], stranger])
    )
    _refuse("NotAttester", approve, 7, strangers, by_anybody)
    good = attested()
    approve(7, good, by_anybody)

    _refuse("PledgeApprovedBefore: 7", approve, 7, good, by_anybody)
    _refuse("PledgeApprovedBefore: 7", approve, 7, world.sign_pledge(world.pledge), by_anybody)
    _refuse("SignatureInvalid", approve, 8, good, by_anybody)
    _refuse("FacilityNotOffered: 9", approve, 9, good, by_anybody)
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
    other = _other(world, 8)
    assert other.offer().events["FacilityOffered"][0]["panel"] == 2
    assert [world.facilities.epochTermsOf(i)[5] for i in (7, 8)] == [1, 2]

    for facility_id, attesters, panel in ((7, more[:2], 1), (8, world.attesters[:2], 2)):
        given = (world, other)[facility_id - 7].pledge
        attested = world.sign_pledge(given, attesters=attesters)
        _refuse(
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

    _refuse("FacilityNotOffered: 7", world.pledges.approve, 7, attested, {"from": world.cleo})

    assert not world.pledges.isApproved(7)


# --- no money without it -------------------------------------------------------------------------


def test_fund__pledge_not_approved__reverts(world):
    """Finding F35: nobody is paid for cards that nobody looked at."""
    by_operator = {"from": world.operator}
    world.offer()
    world.need_no_bond()
    world.token.mint(world.ann, world.senior, 1, by_operator)

    _refuse("PledgeNotApproved: 7", world.facilities.fund, 7, by_operator)
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
    _refuse("PledgeNotApproved: 7", world.sale.finalize, 7, by_anybody)
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
    rival = _other(world, 66, expires_at_s=world.terms.window_start_s + 3 * 86_400)
    rival.offer()
    chain.mine(10)
    world.fund()
    statement = world.post(0, 1_000_000)
    card = world.pledge.devices[0].card
    proofs = (world.pledge.of_card(card), 66, 0, rival.pledge.of_card(card))
    challenge = world.statements.challengeDoublePledge
    bonds = [world.registry.bondOf(a) for a in world.attesters]

    # Never approved, it pledges nothing: its proof leads nowhere.
    _refuse("ProofInvalid: 1", challenge, statement.as_abi_tuple(), *proofs, {"from": world.bob})

    assert world.statements.epochsPosted(7) == 1
    assert [world.registry.bondOf(a) for a in world.attesters] == bonds
    removed = world.facilities.remove(66, {"from": world.accounts[0]})
    assert removed.events["OfferRemoved"][0]["facilityId"] == 66
    assert world.facilities.stateOf(66) == CANCELLED


def test_squat__approved_after_the_honest_one__is_the_squatters_fault(world):
    """Finding F24: should attesters ever approve it, the later approval is at fault."""
    rival = _other(world, 66)
    rival.offer()
    world.fund()
    rival.fund(offer=False)
    mine, theirs = world.post(0, 1_000_000), rival.post(0, 1_000_000)
    card = world.pledge.devices[0].card
    own, other = world.pledge.of_card(card), rival.pledge.of_card(card)
    challenge, by_bob = world.statements.challengeDoublePledge, {"from": world.bob}

    _refuse("NoFault: 7, 0", challenge, mine.as_abi_tuple(), own, 66, 0, other, by_bob)
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
    lender = _other(
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
        _refuse(
            "NoFault: 8, 0", world.statements.challengeDoublePledge,
            statement.as_abi_tuple(), own, 7, epoch, theirs, {"from": world.bob},
        )  # fmt: skip
    lender.pay(1_000_000)
    lender.settle()
    assert lender.lockbox.bookOf(8)[1] == 1_000_000


def test_sale__same_cards_sold_twice__only_the_approved_one_is_paid(world):
    """Finding F35: two facilities with one set of devices, both sold; one had approval."""
    second = _other(world, 8)
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
    _refuse("PledgeNotApproved: 8", world.sale.finalize, 8, by_anybody)
    world.wait_until(world.terms.window_start_s)
    world.sale.finalize(8, by_anybody)
    world.sale.release(7, by_anybody)

    assert [world.facilities.stateOf(i) for i in (7, 8)] == [DELIVERING, CANCELLED]
    up_front = price * 2_500 // 10_000
    assert world.sale.owedTo(world.dollar, world.operator) == up_front
    _refuse("NothingToRelease", world.sale.release, 8, by_anybody)
    for token_id in (second.senior, second.junior):
        world.sale.refundTo(world.ann, token_id, by_anybody)
    assert world.dollar.balanceOf(world.sale) == price


# --- replacement ---------------------------------------------------------------------------------


def test_replace__operator__puts_other_cards_in_force_from_an_epoch(world):
    world.fund()
    old, new = world.pledge, _replaced(world, 3, 2)

    done = world.replace_devices(new, 2)

    event = done.events["PledgeApproved"][0]
    assert (event["fromEpoch"], event["number"]) == (2, 2)
    roots = [world.pledges.pledgeAt(7, epoch)[0] for epoch in range(4)]
    assert [bytes(root) for root in roots] == [old.root, old.root, new.root, new.root]
    assert world.pledges.approvals() == len(world.pledges.pledgesOf(7)) == 2


def test_replace__not_the_operator_too_early_or_out_of_order__reverts(world):
    """Rule 16: only from an epoch that has not begun, so no past is judged anew."""
    new, call = _replaced(world, 3, 2), world.pledges.replace
    by_operator = {"from": world.operator}

    def given(from_epoch, root=new.root):
        digest = world.pledges.pledgeDigest(7, root, from_epoch)
        return (7, root, from_epoch, signed(bytes(digest), world.attesters[:2]), by_operator)

    _refuse("NotGpuOperator: 7", call, *given(1)[:-1], {"from": world.cleo})
    _refuse("NotGpuOperator", call, *given(1))
    world.offer()
    # An offer is withdrawn and offered anew; its pledge is what buyers see.
    _refuse("ReplacementNotAccepted: 7", call, *given(1))
    world.fund(offer=False)
    _refuse("ReplacementTooEarly: 7, 0, 1", call, *given(0))
    _refuse("PledgeRootZero", call, *given(1, bytes(32)))
    _refuse("SignatureInvalid", call, 7, new.root, 2, given(1)[3], by_operator)
    _refuse("QuorumMissing", call, 7, new.root, 1, given(1)[3][:1], by_operator)
    world.wait_until(world.terms.window_start_s)
    _refuse("ReplacementTooEarly: 7, 0, 1", call, *given(0))
    world.wait_until(world.terms.epoch_bounds(1)[0])
    _refuse("ReplacementTooEarly: 7, 1, 2", call, *given(1))
    early = given(2)
    call(*early)
    _refuse("ReplacementTooEarly: 7, 2, 3", call, *early)
    _refuse("ReplacementTooEarly: 7, 2, 3", call, *given(2))
    call(*given(3, world.pledge.root))
    _refuse("ReplacementNotAccepted: 7", call, *given(4))
    world.wait_until(world.terms.window_end_s)
    _refuse("ReplacementNotAccepted: 7", call, *given(4))
    assert [p[1] for p in world.pledges.pledgesOf(7)] == [0, 2, 3]


def test_replace__ended_facility__reverts(world):
    world.fund()
    world.default(0)
    new = _replaced(world, 3, 2)

    _refuse("ReplacementNotAccepted: 7", world.replace_devices, new, 2)


def test_replace__card_of_an_earlier_pledge__is_the_later_approval_s_fault(world):
    """Rule 16: a replacement is a pledge like any other: by its number the later one is wrong."""
    other = _other(world, 8, devices=tuple(sorted(_spare(10))))
    world.fund()
    other.fund()
    taken = world.pledge.devices[0].card
    double = pledge(8, [d.device for d in other.pledge.devices[1:]], later={taken: 1})
    other.replace_devices(double, 1)
    first, own = other.post(0, 1_000_000), double.of_card(taken)
    mine = world.pledge.of_card(taken)
    challenge, by_bob = world.statements.challengeDoublePledge, {"from": world.bob}
    # Epoch 0 of it had the old pledge, which is judged by the old root.
    _refuse("ProofInvalid: 0", challenge, first.as_abi_tuple(), own, 7, 0, mine, by_bob)
    second = other.post(1, 1_000_000)
    honest = world.post(0, 1_000_000), world.post(1, 1_000_000)

    for statement in honest:
        epoch = statement.epoch
        error = "NoFault" if epoch else "ProofInvalid: 1"
        _refuse(error, challenge, statement.as_abi_tuple(), mine, 8, epoch, own, by_bob)
    challenge(second.as_abi_tuple(), own, 7, 1, mine, by_bob)

    assert [world.statements.epochsPosted(i) for i in (7, 8)] == [2, 1]


# --- reservations and keys -----------------------------------------------------------------------


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
    _refuse(f"FacilityReservedBefore: 7, {world.operator}", reserve, 7, {"from": rival})
    front = _other(world, 7, gpu_operator=rival.address)
    front.operator = rival
    _refuse(f"FacilityReservedBefore: 7, {world.operator}", front.offer)
    reserve(7, {"from": world.operator})
    world.offer()
    _refuse("FacilityExists: 7", reserve, 7, {"from": world.operator})
    # What nobody reserved is whoever's comes first.
    _other(world, 8).offer()
    _refuse("FacilityExists: 8", reserve, 8, {"from": rival})


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
    _refuse("FacilityStateWrong: 7", world.facilities.remove, 7, by_owner)


def test_remove__funded_or_unknown__reverts(world):
    """Once money moved, governance cannot take a facility away."""
    by_owner = {"from": world.accounts[0]}
    _refuse("FacilityStateWrong: 7, 0", world.facilities.remove, 7, by_owner)
    world.fund()

    _refuse(f"FacilityStateWrong: 7, {FUNDED}", world.facilities.remove, 7, by_owner)


def test_remove__pledge_that_was_approved__claims_nothing_any_more(world):
    """ATTACKS 23: the squatter's cards are free, and what attesters signed since is honest."""
    rival = _other(world, 66, expires_at_s=world.terms.window_start_s + 3 * 86_400)
    rival.offer()
    rival.approve()
    world.fund()
    statement = world.post(0, 1_000_000)
    card = world.pledge.devices[0].card
    proofs = (world.pledge.of_card(card), 66, 0, rival.pledge.of_card(card))
    world.facilities.remove(66, {"from": world.accounts[0]})

    _refuse(
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

    _refuse("PanelUnknown: 0, 0", alone.offer)


def test_pledge__whole_cards__have_the_root_that_the_offer_names(world):
    world.offer()

    assert bytes(world.facilities.termsOf(7)[13]) == pledge_of(world.terms).root
