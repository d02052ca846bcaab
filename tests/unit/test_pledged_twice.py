"""What proves a double pledge on-chain, against the rule that attesters hold pledges to."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from api.domain.pledges import (
    Pledge,
    PledgedDevice,
    Pledging,
    cards_pledged_before,
    in_force,
    pledged_twice,
)
from api.domain.units import Bytes32, Epoch, FacilityId

CARDS = [Bytes32(bytes([n]) * 32) for n in (1, 2, 3)]
START_S, EPOCH_S, EPOCHS = 1_000, 10, 4


@st.composite
def _pledgings(draw: st.DrawFn) -> tuple[Pledging, Pledging]:
    """Two facilities of other windows and epochs, with replaced pledges of a few cards."""
    numbers = iter(draw(st.permutations(range(1, 7))))
    found = []
    for facility_id in (1, 2):
        start_s = START_S + draw(st.integers(-45, 45))
        length_s = draw(st.sampled_from([5, 10, 20]))
        firsts = [0, *sorted(draw(st.sets(st.integers(1, EPOCHS - 1), max_size=2)))]
        mine = sorted(next(numbers) for _ in firsts)
        pledges = []
        for number, first in zip(mine, firsts, strict=True):
            devices = []
            for card in sorted(draw(st.sets(st.sampled_from(CARDS), min_size=1))):
                since = Epoch(draw(st.sampled_from([each for each in firsts if each <= first])))
                device = Bytes32(bytes([facility_id]) + card[1:])
                devices.append(PledgedDevice(device, card, since))
            pledges.append(Pledge(number, Epoch(first), tuple(devices)))
        end_s = start_s + EPOCHS * length_s
        found.append(Pledging(FacilityId(facility_id), start_s, end_s, length_s, tuple(pledges)))
    own, other = found
    ended_at_s = draw(st.none() | st.integers(other.window_start_s, other.window_end_s))
    return own, replace(other, ended_at_s=ended_at_s, cancelled=draw(st.integers(0, 9)) == 0)


@given(_pledgings(), st.integers(0, EPOCHS - 1))
def test_pledged_twice__any_two__are_the_cards_that_attesters_refuse(
    pledgings: tuple[Pledging, Pledging], number: int
) -> None:
    """ATTACKS 23: and each proof names what the contract asks for."""
    own, other = pledgings
    epoch = Epoch(number)

    found = list(pledged_twice(own, epoch, other=other))

    cards = {twice.pledge.devices[twice.index].card for twice in found}
    assert cards == set(cards_pledged_before(own, other=other, epoch=epoch))
    start_s, end_s = own.epoch_start_s(epoch), own.epoch_start_s(epoch + 1)
    ended_s = other.window_end_s if other.ended_at_s is None else other.ended_at_s
    for twice in found:
        ours = twice.pledge.devices[twice.index]
        theirs = twice.other_pledge.devices[twice.other_index]
        assert own.in_force(epoch) == twice.pledge
        assert other.in_force(twice.other_epoch) == twice.other_pledge
        assert ours.card == theirs.card
        assert ours.from_epoch <= epoch
        assert theirs.from_epoch <= twice.other_epoch
        before, came = (
            in_force(each.pledges, device.from_epoch)
            for each, device in ((other, theirs), (own, ours))
        )
        assert before is not None
        assert came is not None
        assert before.number < came.number
        first_s = other.epoch_start_s(twice.other_epoch)
        last_s = min(other.epoch_start_s(twice.other_epoch + 1), ended_s)
        assert max(first_s, start_s) < min(last_s, end_s)


def test_pledged_twice__before_any_pledge__is_nothing() -> None:
    device = PledgedDevice(CARDS[0], CARDS[0])
    late = Pledging(FacilityId(1), 0, 40, 10, (Pledge(2, Epoch(2), (device,)),))
    other = Pledging(FacilityId(2), 0, 40, 10, (Pledge(1, Epoch(0), (device,)),))

    assert list(pledged_twice(late, Epoch(1), other=other)) == []
    assert [t.other_epoch for t in pledged_twice(late, Epoch(2), other=other)] == [2]
