"""AttesterRegistry: panels, their seats, and removals that never leave one short."""

from tests.contracts.attesting import by_address
from tests.contracts.registry_world import (
    RegistryWorld,
    wait_until,
)
from tests.contracts.steps import first_statement, pass_time, refuse, refuse_post, seat

DAY_S = 86_400


def test_set_panel__first_of_all__holds_at_once_and_later_ones_wait(slow):
    """Finding F29: no change of whose signatures count takes effect unseen."""
    members, owner = slow.members, {"from": slow.owner}
    assert tuple(members.panelOf(1)) == (tuple(slow.attesters), 2)
    assert (members.panelCount(), members.offerPanel()) == (1, 1)
    single = [slow.attesters[0]]

    changed = members.setPanel(1, single, owner)

    event = changed.events["PanelSet"][0]
    holds_s = changed.timestamp + DAY_S
    assert (event["panel"], list(event["attesters"])) == (1, single)
    assert (event["threshold"], event["from"]) == (1, holds_s)
    assert tuple(members.panelOf(1)) == (tuple(slow.attesters), 2)
    statement = first_statement(slow)
    refuse_post(slow, statement, slow.sign(statement, single), "QuorumMissing: 1, 2")
    created = members.setPanel(2, single, owner)
    assert tuple(members.panelOf(2)) == ((), 0)
    refuse(f"PanelNotInForce: 2, {created.timestamp + DAY_S}", members.setOfferPanel, 2, owner)
    wait_until(holds_s)
    assert tuple(members.panelOf(1)) == (tuple(single), 1)
    slow.post(statement, single)
    wait_until(created.timestamp + DAY_S)
    chosen = members.setOfferPanel(2, owner)
    assert chosen.events["OfferPanelSet"][0]["panel"] == members.offerPanel() == 2


def test_set_panel__before_the_first__members_count_at_once(accounts):
    """Deployment seats its attesters in one go; from then on everything waits."""
    world = RegistryWorld(accounts, delays=(DAY_S, DAY_S))

    assert all(world.members.isAttester(a) for a in world.attesters)
    assert not world.members.isAttester(world.new_attester())


def test_set_panel__seats_wrong__reverts(book):
    members, owner = book.members, {"from": book.owner}
    a, b, c = book.attesters
    leaving = book.new_attester()
    members.setAttester(leaving, False, owner)
    strangers = [x.address for x in by_address([a, b, book.accounts[5]])]

    for panel, seats, error in (
        (1, [], "SeatsNotOdd: 0"),
        (1, [a, b], "SeatsNotOdd: 2"),
        (1, [b, a, c], "AttestersNotAscending"),
        (1, [a, a, b], "AttestersNotAscending"),
        (1, strangers, "NotAttester"),
        (1, by_address([a, b, leaving]), "NotAttester"),
        (0, [a], "PanelUnknown: 0, 1"),
        (3, [a], "PanelUnknown: 3, 1"),
    ):
        refuse(error, members.setPanel, panel, seats, owner)
    for panel in (0, 2):
        refuse(f"PanelUnknown: {panel}, 1", members.setOfferPanel, panel, owner)
        refuse(f"PanelUnknown: {panel}, 1", members.panelOf, panel)


def test_set_panel__newcomer__sits_no_sooner_than_it_counts(slow):
    """Else a panel would have a seat that cannot sign."""
    owner, new = {"from": slow.owner}, slow.new_attester()
    seats = by_address([new, *slow.attesters[1:]])

    changed = slow.members.setPanel(1, seats, owner)

    assert slow.members.attesterPeriodOf(new)[0] <= changed.events["PanelSet"][0]["from"]
    pass_time(DAY_S)
    assert set(slow.members.panelOf(1)[0]) == {a.address for a in seats}
    assert all(slow.members.isAttester(a) for a in seats)


def test_set_attester__removal_races__never_leave_a_panel_short(slow):
    """At no time, scheduled changes included, has a panel a seat without a member: 2k - 1."""
    members, owner = slow.members, {"from": slow.owner}
    old, new, third = slow.attesters[0], slow.new_attester(), slow.new_attester()
    pass_time(DAY_S)
    changed = seat(slow, 1, [new, *slow.attesters[1:]])
    holds_s = changed.timestamp + DAY_S
    # Seated next: it cannot go. Seated now: it goes, when its seat is another's.
    refuse(f"AttesterSeated: {new}, 1", members.setAttester, new, False, owner)
    removed = members.setAttester(old, False, owner)
    ends_s = removed.events["AttesterPeriodSet"][0]["activeUntil"]
    assert ends_s == removed.timestamp + 2 * DAY_S > holds_s
    # New seats that would hold only after the old ones are empty are refused.
    pass_time(DAY_S - 100)
    later = seat(slow, 1, [third, *slow.attesters[1:]])
    assert later.timestamp + DAY_S <= ends_s
    assert members.panelOf(1)[0].count(old.address) == 1
    pass_time(DAY_S - 200)
    refuse(
        f"AttesterLeaves: {old}, {ends_s}",
        members.setPanel, 1, by_address([new, *slow.attesters[1:]]), owner,
    )  # fmt: skip
    for _ in range(3):
        seats, threshold = members.panelOf(1)
        assert len(seats) == 3 == 2 * threshold - 1
        assert all(members.isAttester(a) for a in seats)
        pass_time(DAY_S)
    assert not members.isAttester(old)


def test_set_attester__seat_on_a_waiting_panel__ends_not_before_the_seat_is_free(accounts):
    """A removal without delay still waits for the seats that take its place."""
    world = RegistryWorld(accounts, delays=(DAY_S, 0))
    old, new = world.attesters[0], world.new_attester()
    changed = seat(world, 1, [new, *world.attesters[1:]])

    removed = world.members.setAttester(old, False, {"from": world.owner})

    ends_s = removed.events["AttesterPeriodSet"][0]["activeUntil"]
    assert ends_s == changed.events["PanelSet"][0]["from"] == changed.timestamp + DAY_S
    assert world.members.isAttester(old)


def test_set_panel__sixty_four__is_the_most(book):
    owner, seats = {"from": book.owner}, [book.attesters[0]]
    for panel in range(2, 65):
        book.members.setPanel(panel, seats, owner)

    refuse("PanelsFull: 64", book.members.setPanel, 65, seats, owner)
    # A removal looks at all of them.
    free = book.new_attester()
    assert book.members.setAttester(free, False, owner).gas_used < 300_000
