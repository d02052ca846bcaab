"""Names of devices: one a card or slice, whatever tools print; slices that a card can have."""

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.domain.devices import (
    DeviceName,
    check_device,
    check_device_name,
    check_devices,
    check_parts,
    check_profile,
    is_slice,
    most_slices,
    twin,
)
from api.errors import DeviceNameRefused, InvalidInput

VECTORS: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "vectors" / "devices.json").read_text()
)
A, B = (f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, name)}" for name in "AB")
SLICES = [f"MIG-{uuid.uuid5(uuid.NAMESPACE_URL, f'slice {i}')}" for i in range(9)]
CLASS = "H100-SXM5-80GB"


def _slice(index: int, card: str = A, profile: str = "1g.10gb") -> DeviceName:
    return DeviceName(SLICES[index], card, profile)


def _whole(card: str) -> DeviceName:
    return DeviceName(card, card)


@pytest.mark.parametrize("name", VECTORS["accepted"])
def test_check_device__canonical__is_unchanged(name: str) -> None:
    assert check_device(name) == name


@pytest.mark.parametrize(("name", "advice"), VECTORS["refused"])
def test_check_device__another_spelling__is_refused_naming_the_one_to_use(
    name: str, advice: str
) -> None:
    """ATTACKS 47."""
    with pytest.raises(DeviceNameRefused) as caught:
        check_device(name)

    assert advice in caught.value.message
    assert caught.value.context["field"] == "devices"


@pytest.mark.parametrize("name", VECTORS["placeholders"])
def test_check_device__placeholder__is_refused(name: str) -> None:
    with pytest.raises(DeviceNameRefused, match="placeholder"):
        check_device(name)


@given(st.uuids(), st.sampled_from(["GPU", "MIG"]))
def test_check_device__any_random_uuid__is_a_name(value: uuid.UUID, kind: str) -> None:
    drawn = uuid.uuid5(value, kind)

    assert check_device(f"{kind}-{drawn}") == f"{kind}-{drawn}"


@given(st.text(max_size=60))
def test_check_device__any_text__is_a_name_or_refused_with_advice(text: str) -> None:
    with pytest.raises(DeviceNameRefused, match="write "):
        check_device(text)


@given(
    st.uuids(version=5),
    st.sampled_from(["GPU-", "MIG-", "gpu-", "GPU-GPU-", "MIG-GPU-", "", "AMD-"]),
    st.sampled_from(["", "/0", "/00", "/1/0", "/000/0", "/", "/12/3"]),
    st.sampled_from([str.upper, str.lower]),
)
def test_check_device__any_spelling_of_a_uuid__only_the_canonical_ones_are_taken(
    value: uuid.UUID, prefix: str, index: str, case: Any
) -> None:
    """Two names that are taken never have one UUID and one kind."""
    name = f"{prefix}{case(str(value))}{index}"
    canonical = {f"GPU-{value}", f"MIG-{value}"}
    try:
        taken = check_device(name)
    except DeviceNameRefused:
        assert name not in canonical
    else:
        assert taken in canonical


@pytest.mark.parametrize(("profile", "gpu_class", "most"), VECTORS["most_slices"])
def test_most_slices__of_a_profile__are_those_of_its_maker(
    profile: str, gpu_class: str, most: int
) -> None:
    assert most_slices(profile, gpu_class=gpu_class) == most


@pytest.mark.parametrize(("profile", "advice"), VECTORS["refused_profiles"])
def test_check_profile__of_no_slices__is_refused_by_name(profile: str, advice: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_profile(profile)

    assert advice in caught.value.message.partition("profile of slices")[2]


def test_check_devices__cards_or_slices_of_one_profile__are_taken() -> None:
    amd = VECTORS["accepted"][2]

    assert check_devices([_whole(A), _whole(B), _whole(amd)], gpu_class=CLASS) is None
    seven = [_slice(i) for i in range(7)]
    assert check_devices(seven, gpu_class=f"{CLASS}/1g.10gb") == "1g.10gb"
    two = [_slice(0), _slice(1, B)]
    assert check_devices(two, gpu_class=f"{CLASS}/1g.10gb") == "1g.10gb"


@pytest.mark.parametrize(
    ("named", "gpu_class", "field", "words"),
    [
        ([_whole(A), _whole(A)], CLASS, "devices", f"{A} is named twice"),
        ([_slice(0), _slice(0)], f"{CLASS}/1g.10gb", "devices", "named twice"),
        # Of one slice there cannot be two cards.
        ([_slice(0), _slice(0, B)], f"{CLASS}/1g.10gb", "devices", "named twice"),
        ([_whole(A), _slice(0)], CLASS, "devices", "whole cards, or slices of one profile"),
        ([_whole(B), _slice(0)], f"{CLASS}/1g.10gb", "devices", "whole cards, or slices"),
        ([_slice(0), _slice(1, profile="2g.20gb")], CLASS, "devices", "slices of one profile"),
        ([_slice(i) for i in range(8)], f"{CLASS}/1g.10gb", "devices", f"{A} has 8 slices"),
        (
            [_slice(i, profile="3g.40gb") for i in range(3)], f"{CLASS}/3g.40gb", "devices",
            "of which it has 2 at most",
        ),
        ([_slice(0)], CLASS, "gpu_class", f"{CLASS}/1g.10gb"),
        ([_slice(0)], f"{CLASS}/2g.20gb", "gpu_class", f"{CLASS}/1g.10gb"),
        ([_slice(0)], "/1g.10gb", "gpu_class", "ends with their profile"),
        ([_whole(A)], f"{CLASS}/1g.10gb", "gpu_class", "whole cards are pledged"),
        ([DeviceName(SLICES[0], SLICES[0])], CLASS, "devices", "with its card and profile"),
        ([_slice(0, SLICES[1])], f"{CLASS}/1g.10gb", "devices", "a slice is MIG-…, its card GPU-…"),
        ([DeviceName(A, B, "1g.10gb")], f"{CLASS}/1g.10gb", "devices", "a slice is MIG-…"),
        ([DeviceName(A, A, "7g.80gb")], f"{CLASS}/7g.80gb", "devices", "a slice is MIG-…"),
        ([DeviceName(SLICES[0], A)], f"{CLASS}/1g.10gb", "devices", "1g.10gb"),
        ([DeviceName(twin(A), A, "1g.10gb")], f"{CLASS}/1g.10gb", "devices", "one of its own"),
        (
            [_slice(0), DeviceName(twin(A), B, "1g.10gb")], f"{CLASS}/1g.10gb", "devices",
            "have one UUID",
        ),
        (
            [DeviceName("AMD-afff74a1-0000-1000-8054-e92b0a5d57c8", A, "CPX")], CLASS, "devices",
            "partitions of AMD cards are not pledged",
        ),
    ],
)  # fmt: skip
def test_check_devices__one_part_in_two_devices__is_refused_by_name(
    named: list[DeviceName], gpu_class: str, field: str, words: str
) -> None:
    """ATTACKS 47: a card and its slice, a slice twice, more slices than a card has."""
    with pytest.raises(InvalidInput) as caught:
        check_devices(named, gpu_class=gpu_class)

    assert caught.value.context["field"] == field
    assert words in caught.value.message


def test_check_parts__slice_that_is_a_card_of_another__is_refused() -> None:
    with pytest.raises(InvalidInput, match="and a slice of it are both named"):
        check_parts([("a", "b"), ("b", "c")], profile="1g.10gb", gpu_class=f"{CLASS}/1g.10gb")


def test_check_device_name__slice__is_unchanged() -> None:
    assert check_device_name(_slice(0)) == _slice(0)
    assert is_slice(SLICES[0])
    assert not is_slice(A)
    assert twin(twin(A)) == A
    amd = VECTORS["accepted"][2]
    assert twin(amd) == amd
