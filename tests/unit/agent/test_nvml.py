"""NVML, against a shared library of ours that speaks its C functions."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.agent.failures import SourceFailed
from api.agent.settings import NvmlSettings
from api.agent.sightings import Reading
from api.agent.sources.nvml import NvmlSource
from tests.factories import device
from tests.unit.agent.nvml_library import card, compiled

SLICE = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-in."""
    return compiled(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Says what the driver says from now on."""
    state = tmp_path / "driver"
    monkeypatch.setenv("NVML_STAND_IN", str(state))
    return lambda *lines: state.write_text("".join(f"{line}\n" for line in lines)) and None


@pytest.fixture
def source(library: Path) -> Iterator[NvmlSource]:
    """A source on the stand-in."""
    made = NvmlSource(NvmlSettings(str(library), 30, outages=True))
    yield made
    made.close()


def test_cards__and_slices__are_named_as_the_ledger_names_them(
    source: NvmlSource, write: Callable[..., None]
) -> None:
    write(
        card(device(0), 1_000, busy=40, ecc=3),
        card(device(1), 2_000, mig=1),
        f"slice 1 7 {SLICE} NVIDIA H100 80GB HBM3 MIG 1g.10gb",
    )

    alive, lost = source.read(100)

    assert alive.devices == {
        device(0): Reading(400_000, 1_000, 3, None),
        SLICE: Reading(None, 2_000, 0, None),
    }
    assert not lost.devices
    [_, part] = source.devices
    assert (part.card, part.instance, part.profile) == (device(1), "7", "1g.10gb")
    assert source.slice_of(device(1), "7") == SLICE
    assert source.slice_of(device(1), "8") is None


def test_readings__that_a_card_cannot_give__are_none(
    source: NvmlSource, write: Callable[..., None]
) -> None:
    write(card(device(0), -1, busy=-1, ecc=-1, mig=-1))

    alive, _ = source.read(100)

    assert alive.devices == {device(0): Reading()}


def test_xid__since_the_last_look__is_told_once(
    source: NvmlSource, write: Callable[..., None]
) -> None:
    write(card(device(0), 5))
    source.read(100)
    write(card(device(0), 6), "xid 0 79")

    first, second = source.read(130), source.read(160)

    assert first[0].devices[device(0)].xid == 79
    assert second[0].devices[device(0)].xid is None


def test_card__that_is_lost__is_named_by_its_place_and_not_seen(
    source: NvmlSource, write: Callable[..., None]
) -> None:
    write(card(device(0), 5), card(device(1), 5))
    source.read(100)
    write(card(device(0), 5), card(device(1), 5, result=15))

    alive, lost = source.read(130)

    assert list(alive.devices) == [device(0)]
    assert list(lost.devices) == [device(1)]
    [problem] = alive.problems
    assert (problem.subject, problem.detail) == (device(1), "GPU is lost")


def test_name__that_is_no_devices__is_reported_and_not_seen(
    source: NvmlSource, write: Callable[..., None]
) -> None:
    write(card("GPU-00000000-0000-0000-0000-000000000000", 5))

    alive, _ = source.read(100)

    assert not alive.devices
    assert [p.kind for p in alive.problems] == ["device_name"]


def test_driver__that_does_not_start__is_a_sentence_and_tried_again(
    source: NvmlSource, write: Callable[..., None]
) -> None:
    write("init 9")
    with pytest.raises(SourceFailed, match="NVML"):
        source.read(100)
    write(card(device(0), 5))

    assert list(source.read(130)[0].devices) == [device(0)]


def test_library__that_is_not_there__is_a_sentence() -> None:
    source = NvmlSource(NvmlSettings("/nowhere/libnvidia-ml.so.1", 30, outages=False))

    with pytest.raises(SourceFailed, match="cannot be loaded"):
        source.read(100)
