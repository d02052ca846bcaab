"""Terms of a facility: its epochs, its pledge, and what the contract would refuse."""

from dataclasses import replace
from typing import Any

import pytest

from api.domain.facility import TrancheTerms, check_terms
from api.domain.hashing import device_hash
from api.domain.merkle import verify_proof
from api.domain.pledges import PledgedDevice, pledge_leaf, pledge_tree
from api.domain.units import MAX_U32, MAX_U64, Epoch
from api.errors import InvalidInput
from tests.unit.values import DAY_S, DEVICES, EPOCHS, SLICED, SLICES, START_S, TERMS


def test_epochs__of_the_window__follow_without_gaps() -> None:
    bounds = [TERMS.epoch_bounds(epoch) for epoch in range(EPOCHS)]

    assert TERMS.epoch_count == EPOCHS
    assert bounds == [(START_S + e * DAY_S, START_S + (e + 1) * DAY_S) for e in range(EPOCHS)]
    for epoch, (start_s, end_s) in enumerate(bounds):
        assert TERMS.epoch_at(start_s) == TERMS.epoch_at(end_s - 1) == Epoch(epoch)


@pytest.mark.parametrize("epoch", [-1, EPOCHS])
def test_epoch_bounds__beyond_the_window__are_refused(epoch: int) -> None:
    with pytest.raises(InvalidInput, match="has epochs 0 to 2") as caught:
        TERMS.epoch_bounds(epoch)

    assert caught.value.context["field"] == "epoch"


def test_capacity__four_devices__is_four_days_a_day() -> None:
    assert TERMS.capacity_gpu_seconds() == 4 * DAY_S
    assert TERMS.device_set == set(DEVICES)


def test_pledge_tree__of_the_devices__proves_each_at_its_place() -> None:
    tree = TERMS.pledge_tree

    assert tree.root == pledge_tree(TERMS.facility_id, TERMS.pledge).root
    for index, device in enumerate(DEVICES):
        leaf = pledge_leaf(TERMS.facility_id, index, PledgedDevice(device, device))
        assert verify_proof(tree.proof(index), root=tree.root, leaf=leaf)


def test_pledge__of_slices__names_the_card_of_each() -> None:
    cards = (DEVICES[0], DEVICES[1], DEVICES[0])

    assert SLICED.pledge == tuple(map(PledgedDevice, SLICES, cards))
    assert SLICED.device_set == set(SLICES)
    # A slice is one device: it weighs one GPU-hour of its tranche.
    assert SLICED.capacity_gpu_seconds() == 3 * DAY_S
    assert SLICED.pledge_tree.root == pledge_tree(SLICED.facility_id, SLICED.pledge).root
    check_terms(SLICED)


_FITS = TrancheTerms(1)
_WINDOW_END_S = START_S + EPOCHS * DAY_S
_SIXTY = tuple(sorted(device_hash(f"GPU-{i}") for i in range(60)))
# Bounds of `FacilityRegistry.offer`: just inside, and the first value outside.
_INSIDE: list[dict[str, Any]] = [
    {},
    {"gpu_class": "x" * 32, "site": "~"},
    {"facility_id": 2**63 - 1},
    {"expires_at_s": 1},
    {"expires_at_s": START_S + 3 * DAY_S},
    # Sixty devices for a minute are one GPU-hour.
    {"epoch_length_s": 60, "window_end_s": START_S + 60, "tranches": (_FITS,), "devices": _SIXTY},
    {"promised_availability_ppm": 0, "fee_bps": 0},
    # An epoch and a day; and as long as 32 bits hold.
    {"patience_s": 2 * DAY_S},
    {"patience_s": 91 * DAY_S},
    {"long_stop_s": 90 * DAY_S},
    {"long_stop_s": 365 * DAY_S},
    {"promised_availability_ppm": 1_000_000, "fee_bps": 1_000},
    {"tranches": (TrancheTerms(1, 1),) * 3 + (_FITS,)},
    # Four devices for three days.
    {"tranches": (TrancheTerms(287, 1), _FITS)},
    {"tranches": (TrancheTerms(1, MAX_U64), _FITS)},
]
_OUTSIDE: list[tuple[str, dict[str, Any]]] = [
    ("gpu_class", {"gpu_class": ""}),
    ("gpu_class", {"gpu_class": "x" * 33}),
    ("gpu_class", {"gpu_class": "H100\n"}),
    ("site", {"site": "LULEÅ"}),
    ("facility_id", {"facility_id": 0}),
    ("facility_id", {"facility_id": 2**63}),
    ("epoch_length_s", {"epoch_length_s": 59}),
    ("epoch_length_s", {"epoch_length_s": 2**24}),
    ("window_start_s", {"window_start_s": 0}),
    ("expires_at_s", {"expires_at_s": 0}),
    ("expires_at_s", {"expires_at_s": START_S + 3 * DAY_S + 1}),
    ("window_end_s", {"window_end_s": START_S}),
    ("window_end_s", {"window_end_s": MAX_U32 + 1}),
    ("window_end_s", {"window_end_s": _WINDOW_END_S + 1}),
    ("devices", {"devices": ()}),
    ("devices", {"devices": DEVICES[::-1]}),
    ("devices", {"devices": (DEVICES[0], DEVICES[0])}),
    ("gpu_class", {"gpu_class": "H100-SXM5-80GB/3g.40gb"}),
    # A profile without cards, and cards without a profile.
    ("devices", {"profile": "3g.40gb", "gpu_class": "H100/3g.40gb"}),
    ("devices", {"cards": DEVICES}),
    ("promised_availability_ppm", {"promised_availability_ppm": -1}),
    ("promised_availability_ppm", {"promised_availability_ppm": 1_000_001}),
    ("fee_bps", {"fee_bps": -1}),
    ("fee_bps", {"fee_bps": 1_001}),
    ("patience_s", {"patience_s": 2 * DAY_S - 1}),
    ("patience_s", {"patience_s": 91 * DAY_S + 1}),
    ("long_stop_s", {"long_stop_s": 90 * DAY_S - 1}),
    ("long_stop_s", {"long_stop_s": 365 * DAY_S + 1}),
    ("tranches", {"tranches": ()}),
    ("tranches", {"tranches": (_FITS,) * 5}),
    ("tranches", {"tranches": (TrancheTerms(0), _FITS)}),
    ("tranches", {"tranches": (TrancheTerms(1, 1),)}),
    ("tranches", {"tranches": (TrancheTerms(2, MAX_U64 // 2 + 1), _FITS)}),
    ("tranches", {"tranches": (TrancheTerms(288, 1), _FITS)}),
    # A tranche that is never paid.
    ("tranches", {"tranches": (TrancheTerms(1), _FITS)}),
]


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("devices", {"cards": (DEVICES[0],) * 3}),
        ("devices", {"cards": (DEVICES[0],) * 2}),
        ("devices", {"cards": (SLICES[1], DEVICES[1], DEVICES[0])}),
        ("devices", {"cards": SLICES}),
        ("devices", {"profile": "CPX"}),
        ("gpu_class", {"profile": "2g.20gb"}),
        ("gpu_class", {"gpu_class": "H100-SXM5-80GB"}),
        # Three slices of 40 GB are more than a card of 40 GB has; of 80 GB it has two.
        ("devices", {"gpu_class": "A100-SXM4-40GB/3g.40gb"}),
    ],
)
def test_check_terms__one_part_of_a_card_in_two_slices__is_refused(
    field: str, changes: dict[str, Any]
) -> None:
    """ATTACKS 47."""
    with pytest.raises(InvalidInput) as caught:
        check_terms(replace(SLICED, **changes))

    assert caught.value.context["field"] == field


@pytest.mark.parametrize("changes", _INSIDE)
def test_check_terms__just_inside_the_bounds__are_taken(changes: dict[str, Any]) -> None:
    check_terms(replace(TERMS, **changes))


@pytest.mark.parametrize(("field", "changes"), _OUTSIDE)
def test_check_terms__just_outside__name_the_field(field: str, changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_terms(replace(TERMS, **changes))

    assert caught.value.context["field"] == field
