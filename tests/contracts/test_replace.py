"""PledgeRegistry.replace: a failed card, from an epoch that has not begun."""

from tests.contracts.attesting import signed
from tests.contracts.other_facilities import other_facility, spare_devices, with_a_spare
from tests.contracts.pledges import pledge
from tests.contracts.steps import refuse

OFFERED, FUNDED, DELIVERING, CANCELLED = 1, 2, 3, 5


def test_replace__operator__puts_other_cards_in_force_from_an_epoch(world):
    world.fund()
    old, new = world.pledge, with_a_spare(world, 3, 2)

    done = world.replace_devices(new, 2)

    event = done.events["PledgeApproved"][0]
    assert (event["fromEpoch"], event["number"]) == (2, 2)
    roots = [world.pledges.pledgeAt(7, epoch)[0] for epoch in range(4)]
    assert [bytes(root) for root in roots] == [old.root, old.root, new.root, new.root]
    assert world.pledges.approvals() == len(world.pledges.pledgesOf(7)) == 2


def test_replace__not_the_operator_too_early_or_out_of_order__reverts(world):
    """Rule 16: only from an epoch that has not begun, so no past is judged anew."""
    new, call = with_a_spare(world, 3, 2), world.pledges.replace
    by_operator = {"from": world.operator}

    def given(from_epoch, root=new.root):
        digest = world.pledges.pledgeDigest(7, root, from_epoch)
        return (7, root, from_epoch, signed(bytes(digest), world.attesters[:2]), by_operator)

    refuse("NotGpuOperator: 7", call, *given(1)[:-1], {"from": world.cleo})
    refuse("NotGpuOperator", call, *given(1))
    world.offer()
    # An offer is withdrawn and offered anew; its pledge is what buyers see.
    refuse("ReplacementNotAccepted: 7", call, *given(1))
    world.fund(offer=False)
    refuse("PledgeRootZero", call, *given(1, bytes(32)))
    refuse("SignatureInvalid", call, 7, new.root, 2, given(1)[3], by_operator)
    refuse("QuorumMissing", call, 7, new.root, 1, given(1)[3][:1], by_operator)
    world.wait_until(world.terms.window_start_s)
    refuse("ReplacementTooEarly: 7, 0, 1", call, *given(0))
    world.wait_until(world.terms.epoch_bounds(1)[0])
    refuse("ReplacementTooEarly: 7, 1, 2", call, *given(1))
    early = given(2)
    call(*early)
    # Each signature counts once; none puts an earlier epoch behind a later one.
    refuse("SignatureInvalid", call, *early)
    call(*given(3, world.pledge.root))
    refuse("ReplacementTooEarly: 7, 2, 3", call, *given(2))
    # After the window: it would be in force for nothing, and shut out every other one.
    refuse("ReplacementNotAccepted: 7", call, *given(4))
    world.wait_until(world.terms.window_end_s)
    refuse("ReplacementNotAccepted: 7", call, *given(4))
    assert [p[1] for p in world.pledges.pledgesOf(7)] == [0, 2, 3]


def test_replace__before_the_window_and_twice_for_an_epoch__the_last_one_counts(world):
    """Rule 16: an epoch that has not begun can get another card as often as one fails."""
    world.fund()
    first, second = with_a_spare(world, 3, 0), with_a_spare(world, 4, 0, "NEWER")

    world.replace_devices(first, 0)
    world.replace_devices(second, 0)

    assert [bytes(world.pledges.pledgeAt(7, epoch)[0]) for epoch in (0, 3)] == [second.root] * 2
    world.wait_until(world.terms.window_start_s)
    refuse("ReplacementTooEarly: 7, 0, 1", world.replace_devices, first, 0)


def test_replace__ended_facility__reverts(world):
    world.fund()
    world.default(0)
    new = with_a_spare(world, 3, 2)

    refuse("ReplacementNotAccepted: 7", world.replace_devices, new, 2)


def test_replace__card_of_an_earlier_pledge__is_the_later_approval_s_fault(world):
    """Rule 16: a replacement is a pledge like any other: by its number the later one is wrong."""
    other = other_facility(world, 8, devices=tuple(sorted(spare_devices(10))))
    world.fund()
    other.fund()
    taken = world.pledge.devices[0].card
    double = pledge(8, [d.device for d in other.pledge.devices[1:]], later={taken: 1})
    other.replace_devices(double, 1)
    first, own = other.post(0, 1_000_000), double.of_card(taken)
    mine = world.pledge.of_card(taken)
    challenge, by_bob = world.statements.challengeDoublePledge, {"from": world.bob}
    # Epoch 0 of it had the old pledge, which is judged by the old root.
    refuse("ProofInvalid: 0", challenge, first.as_abi_tuple(), own, 7, 0, mine, by_bob)
    second = other.post(1, 1_000_000)
    honest = world.post(0, 1_000_000), world.post(1, 1_000_000)

    for statement in honest:
        epoch = statement.epoch
        error = "NoFault" if epoch else "ProofInvalid: 1"
        refuse(error, challenge, statement.as_abi_tuple(), mine, 8, epoch, own, by_bob)
    challenge(second.as_abi_tuple(), own, 7, 1, mine, by_bob)

    assert [world.statements.epochsPosted(i) for i in (7, 8)] == [2, 1]
