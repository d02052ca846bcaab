"""Rosters: which devices a facility has in which epoch, and what a replacement may change."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.hashing import keccak
from api.domain.metering.usage import LineKind
from api.domain.pledges import Pledge, PledgedDevice
from api.domain.roster import PledgeState, Roster, check_replacement, replaced
from api.domain.statements.faults import device_fault
from api.domain.statements.lines import Line
from api.domain.units import NO_MICROS, ZERO32, Bytes32, Epoch, GpuSeconds
from api.errors import InvalidInput
from tests.unit.values import DAY_S, DEVICES, EPOCHS, SLICED, START_S, TERMS

NEW, OTHER = keccak(b"new"), keccak(b"other")
OLD = DEVICES[1]
FIRST = Roster(TERMS)


def _at(epoch: int) -> int:
    return START_S + epoch * DAY_S


def _card(device: Bytes32, from_epoch: int) -> PledgedDevice:
    return PledgedDevice(device, device, Epoch(from_epoch))


def _after(
    roster: Roster, *, epoch: int, old: Bytes32 = OLD, new: Bytes32 = NEW, number: int = 2
) -> Roster:
    pledge = replaced(roster, old=old, new=_card(new, epoch), number=number)
    return Roster(roster.terms, (*roster.replacements, pledge))


def test_roster__of_an_offer__has_its_devices_throughout_the_window() -> None:
    assert FIRST.devices(Epoch(2)) == DEVICES
    assert FIRST.known == set(DEVICES)
    assert FIRST.spans(OLD) == (FIRST.spans(DEVICES[0])[0],) == ((_at(0), _at(EPOCHS)),)
    assert FIRST.spans(NEW) == ()
    assert not FIRST.knows(NEW)


def test_roster__card_replaced__ends_where_the_new_one_begins() -> None:
    roster = _after(FIRST, epoch=1)

    assert roster.devices(Epoch(0)) == DEVICES
    assert set(roster.devices(Epoch(2))) == {*DEVICES, NEW} - {OLD}
    assert list(roster.devices(Epoch(2))) == sorted(roster.devices(Epoch(2)))
    assert roster.spans(OLD) == ((_at(0), _at(1)),)
    assert roster.spans(NEW) == ((_at(1), _at(EPOCHS)),)
    assert roster.spans(DEVICES[0]) == ((_at(0), _at(EPOCHS)),)
    assert roster.knows(OLD)
    assert roster.knows(NEW)


def test_roster__card_comes_back__has_two_spans_and_its_old_name() -> None:
    """Repaired, and put in the place of the card that took its own."""
    roster = _after(_after(FIRST, epoch=1), epoch=2, old=NEW, new=OLD, number=9)

    assert roster.spans(OLD) == ((_at(0), _at(1)), (_at(2), _at(EPOCHS)))
    assert roster.spans(NEW) == ((_at(1), _at(2)),)
    assert roster.devices(Epoch(2)) == DEVICES


@pytest.mark.parametrize(
    ("now_s", "old", "new"),
    [
        (_at(-9), PledgeState.PLEDGED, PledgeState.TO_COME),
        (_at(1) - 1, PledgeState.PLEDGED, PledgeState.TO_COME),
        (_at(1), PledgeState.TO_COME, PledgeState.PLEDGED),
        (_at(2), PledgeState.PLEDGED, PledgeState.GONE),
        (_at(9 * EPOCHS), PledgeState.PLEDGED, PledgeState.GONE),
    ],
)
def test_pledge_state__of_cards_that_come_and_go__is_that_of_the_epoch(
    now_s: int, old: PledgeState, new: PledgeState
) -> None:
    roster = _after(_after(FIRST, epoch=1), epoch=2, old=NEW, new=OLD, number=9)

    assert roster.pledge_state(OLD, now_s=now_s) is old
    assert roster.pledge_state(NEW, now_s=now_s) is new
    assert roster.pledge_state(DEVICES[0], now_s=now_s) is PledgeState.PLEDGED
    assert roster.pledge_state(OTHER, now_s=now_s) is PledgeState.GONE


def test_roster__replaced_twice_from_one_epoch__later_approval_counts() -> None:
    roster = _after(_after(FIRST, epoch=1), epoch=1, old=NEW, new=OTHER, number=9)

    assert roster.spans(NEW) == ()
    assert roster.spans(OTHER) == ((_at(1), _at(EPOCHS)),)


@pytest.mark.parametrize(
    ("start_s", "end_s", "uncovered_s"),
    [
        (_at(0), _at(1), None),
        (_at(1) - 1, _at(1) + 1, _at(1)),
        (_at(1), _at(1) + 1, _at(1)),
        (_at(1) - 1, _at(1) - 1, None),
        (_at(1), _at(1), _at(1)),
    ],
)
def test_uncovered__of_a_card_that_goes__is_the_first_second_without_it(
    start_s: int, end_s: int, uncovered_s: int | None
) -> None:
    assert _after(FIRST, epoch=1).uncovered_s(OLD, start_s=start_s, end_s=end_s) == uncovered_s


@given(st.data())
def test_roster__any_replacements__agree_with_the_fault_that_a_line_would_be(
    data: st.DataObject,
) -> None:
    """Every device and epoch: pledged here is what `FaultRules.ofDevice` leaves alone."""
    terms = replace(TERMS, window_end_s=_at(6))
    roster = Roster(terms)
    pool = (*DEVICES, NEW, OTHER)
    for epoch in sorted(data.draw(st.lists(st.integers(0, 5), max_size=4))):
        pledged = [d.device for d in roster.pledge(Epoch(epoch))]
        old = data.draw(st.sampled_from(pledged))
        new = data.draw(st.sampled_from([d for d in pool if d not in pledged]))
        roster = _after(roster, epoch=epoch, old=old, new=new)

    for epoch in map(Epoch, range(6)):
        assert len(roster.devices(epoch)) == terms.device_count
        for device in pool:
            start_s = _at(epoch)
            line = Line(
                0, LineKind.USAGE, device, ZERO32, start_s, start_s + 1, GpuSeconds(1), NO_MICROS,
                GpuSeconds(1), NO_MICROS,
            )  # fmt: skip
            fault = device_fault(terms, line, roster.replacements)
            assert (fault is None) == (device in roster.devices(epoch))
            assert (fault is None) == roster.pledged(device, epoch)


def test_agrees__other_replacement__from_its_epoch_on_no_more() -> None:
    roster, other = _after(FIRST, epoch=1), _after(FIRST, epoch=1, new=OTHER)

    assert roster.agrees(FIRST, before=Epoch(1))
    assert roster.agrees(other, before=Epoch(1))
    assert not roster.agrees(FIRST, before=Epoch(2))
    assert not roster.agrees(other, before=Epoch(2))


def test_replaced__device_that_is_not_pledged_then__is_refused() -> None:
    with pytest.raises(InvalidInput, match="is not pledged in epoch 1") as found:
        replaced(FIRST, old=OTHER, new=_card(NEW, 1), number=2)
    assert found.value.context["field"] == "old"
    with pytest.raises(InvalidInput, match="is not pledged in epoch 2"):
        _after(_after(FIRST, epoch=1), epoch=2, new=OTHER)


def _changed(*changes: tuple[int, PledgedDevice], from_epoch: int = 1) -> Pledge:
    devices = list(TERMS.pledge)
    for place, device in changes:
        devices[place] = device
    return Pledge(2, Epoch(from_epoch), tuple(sorted(devices, key=lambda d: d.device)))


@pytest.mark.parametrize(
    ("pledge", "message"),
    [
        (_changed(), "one is replaced by one other, not 0 by 0"),
        (_changed((0, _card(NEW, 1)), (1, _card(OTHER, 1))), "not 2 by 2"),
        (_changed((0, _card(DEVICES[0], 1))), "cannot take its own place"),
        (_changed((0, _card(NEW, 0))), "from epoch 0, the pledge from 1"),
        (_changed((0, _card(NEW, 2))), "from epoch 2, the pledge from 1"),
        (_changed((0, _card(NEW, 3)), from_epoch=3), "from_epoch: 0 to 2, not 3"),
        (_changed((0, PledgedDevice(NEW, OTHER, Epoch(1)))), "is to be a whole card"),
        (Pledge(2, Epoch(1), (*TERMS.pledge[1:],)), "not 1 by 0"),
        (Pledge(2, Epoch(1), (*TERMS.pledge, _card(NEW, 1))), "not 0 by 1"),
        (
            Pledge(2, Epoch(1), (_card(Bytes32(b"\xff" * 32), 1), *TERMS.pledge[1:])),
            "ascending by hash",
        ),
    ],
)
def test_check_replacement__more_than_one_device_changed__is_refused(
    pledge: Pledge, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        check_replacement(FIRST, pledge)


def test_check_replacement__one_for_another__names_both() -> None:
    pledge = _changed((1, _card(NEW, 1)))

    assert check_replacement(FIRST, pledge) == (TERMS.pledge[1], _card(NEW, 1))


def test_check_replacement__before_an_earlier_one__is_refused() -> None:
    with pytest.raises(InvalidInput, match="from_epoch: 2 to 2, not 1"):
        _after(_after(FIRST, epoch=2), epoch=1, old=DEVICES[0], new=OTHER)


def test_check_replacement__of_slices__keeps_profile_and_cards() -> None:
    roster = Roster(SLICED)
    old, new, card = SLICED.devices[0], keccak(b"MIG-new"), keccak(b"GPU-new")

    def swap(device: Bytes32, of: Bytes32, since: Roster = roster, epoch: int = 1) -> Roster:
        gone = since.pledge(Epoch(epoch))[0].device
        came = PledgedDevice(device, of, Epoch(epoch))
        pledge = replaced(since, old=gone, new=came, number=2)
        return Roster(SLICED, (*since.replacements, pledge))

    assert swap(new, card).spans(old) == ((_at(0), _at(1)),)
    with pytest.raises(InvalidInput, match=r"a slice 3g\.40gb of a card"):
        swap(card, card)
    # A third slice of a card that has two at most.
    with pytest.raises(InvalidInput, match="of which it has 2 at most"):
        replaced(
            roster,
            old=next(d.device for d in SLICED.pledge if d.card == DEVICES[1]),
            new=PledgedDevice(new, DEVICES[0], Epoch(1)),
            number=2,
        )
    # A slice that comes back is of the card of which it was.
    gone = swap(new, card)
    with pytest.raises(InvalidInput, match="was pledged as of another card"):
        replaced(gone, old=new, new=PledgedDevice(old, card, Epoch(2)), number=3)


def test_roster__pledge_from_behind_the_window__has_no_time() -> None:
    late = Pledge(2, Epoch(TERMS.epoch_count), (_card(NEW, TERMS.epoch_count),))
    roster = Roster(TERMS, (late,))

    assert roster.spans(NEW) == ()
    assert roster.spans(OLD) == ((TERMS.window_start_s, TERMS.window_end_s),)
