"""DCGM's exporters of several versions, in texts of our own: names, slices, blanks, frost."""

from pathlib import Path
from typing import Any

import pytest

from api.agent.settings import DcgmSettings
from api.agent.sources.dcgm import DcgmSource
from api.agent.sources.dcgm_text import NAMES, Exported, number, read_devices, share_ppm
from api.agent.sources.prometheus_text import SampleReader
from api.agent.spool import Problem
from api.agent.web import Answer
from tests.factories import device

A, B = device(0), device(1)
SLICE = "MIG-c7384736-a75d-5afc-978f-d2f1294409fd"


def _text_of(name: str) -> str:
    """A text in the style of a version of the exporter, with names of devices of ours."""
    text = (Path(__file__).parent / "exporters" / f"{name}.prom").read_text()
    for mark, device_name in (("@SLICE", SLICE), ("@A", A), ("@B", B)):
        text = text.replace(mark, device_name)
    return text


# Before 2.0: names in lower case, `uuid`, pods under other labels.
V1 = _text_of("dcgm-1.7")
# 2.x: upper case, model, host; a card in slices has only series of its slices.
V2 = _text_of("dcgm-2.4")
# 3.x and 4.x: bus, driver, DRA, HPC jobs, a quote in a label, blanks of every kind.
V4 = _text_of("dcgm-4.8")


def _devices(text: str, **slices: str) -> tuple[list[Exported], list[Problem]]:
    samples = SampleReader().samples(text, NAMES)
    return read_devices(samples, lambda card, instance: slices.get(f"{card[:5]}_{instance}"))


def test_version_1__lower_case__is_read() -> None:
    [found], problems = _devices(V1)

    assert not problems
    assert found.device == A
    assert found.reading.utilisation_ppm == 870_000
    assert found.energy_mj == 917_262
    assert found.reading.ecc_uncorrected == 1
    assert found.labels["pod_name"] == "train-0"


def test_version_2__slice_without_a_name__is_a_problem_and_the_card_is_no_device() -> None:
    [found], [problem] = _devices(V2)

    assert found.device == A
    assert found.reading.xid == 79
    assert problem.kind == "slice_unknown"
    assert problem.subject == f"{B}/7"


def test_version_2__slice_that_somebody_names__has_its_cards_counter() -> None:
    found, problems = _devices(V2, **{f"{B[:5]}_7": SLICE})

    assert not problems
    assert [f.device for f in found] == [A, SLICE]
    assert found[1].reading.utilisation_ppm == 250_000
    assert found[1].energy_mj == 77


def test_version_4__blanks_of_every_kind__are_no_values() -> None:
    found, problems = _devices(V4)

    assert not problems
    card, part = found
    assert card.reading.utilisation_ppm is None
    assert card.energy_mj == 17_592_186_000
    assert card.moving == ()
    assert part.device == SLICE
    assert part.labels["pod_uid"] == "3f0c"


@pytest.mark.parametrize(
    "blank",
    [
        *("9223372036854775792", "9223372036854775793", "9223372036854775794"),
        *("9223372036854775795", "2147483632", "2147483635", "140737488355328.000000"),
        *("1.40737488355331e+14", "NaN", "+Inf", "-1", "", "N/A"),
    ],
)
def test_number__blank__is_none(blank: str) -> None:
    assert number(blank) is None


def test_share__outside_of_its_range__is_none() -> None:
    assert share_ppm("101", of=100) is None
    assert share_ppm("x", of=1) is None
    assert share_ppm("0.123456", of=1) == 123_456


@pytest.mark.parametrize("line", ['DCGM_FI_DEV_GPU_UTIL{gpu="0} 1', "DCGM_FI_DEV_GPU_UTIL{} "])
def test_text__that_is_cut__is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="no "):
        list(SampleReader().samples(line, NAMES))


class Exporter:
    """A source whose exporter says what it is told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
        values: dict[str, Any] = {
            "urls": ("http://127.0.0.1:9/metrics",),
            "poll_s": 30,
            "frozen_after_s": 180,
            "allocations": "none",
            "absent_s": 120,
            "slices": {},
        }
        self.source = DcgmSource(DcgmSettings(**(values | changes)))
        self.text = ""
        monkeypatch.setattr("api.agent.web.Web.ask", lambda *_: Answer(200, {}, self.text.encode()))

    def read(self, at_s: int, text: str) -> Any:
        """Look at a time."""
        self.text = text
        return self.source.read(lambda: at_s)


def _text(energy: str | None, *, power: str = "60.1", labels: str = "") -> str:
    series = f'{{gpu="0",UUID="{A}"{labels}}}'
    text = f"DCGM_FI_DEV_POWER_USAGE{series} {power}\nDCGM_FI_DEV_GPU_UTIL{series} 0\n"
    if energy is not None:
        text += f"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{series} {energy}\n"
    return text


def test_idle_card__whose_counter_rises__is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = Exporter(monkeypatch)

    looks = [exporter.read(at, _text(str(1_000 + at)))[0] for at in range(0, 600, 30)]

    assert [list(look.devices) for look in looks[1:]] == [[A]] * 19
    assert exporter.source.frozen == []


def test_frozen_exporter__whose_counter_stands__is_not_seen_and_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = Exporter(monkeypatch)
    exporter.read(0, _text("1000"))

    looks = [exporter.read(at, _text("1000", power=f"6{at}"))[0] for at in range(30, 300, 30)]

    assert all(not look.devices for look in looks)
    assert exporter.source.frozen == [A]
    assert [p.kind for p in looks[-1].problems] == ["frozen"]


def test_exporter__without_a_counter__is_frozen_when_nothing_moves_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = Exporter(monkeypatch)

    for at in range(0, 540, 30):
        exporter.read(at, _text(None))
        assert exporter.source.frozen == []
    exporter.read(540, _text(None))
    assert exporter.source.frozen == [A]
    exporter.read(570, _text(None, power="60.2"))

    assert exporter.source.frozen == []


def test_pods__by_labels__hold_their_devices_from_the_first_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter = Exporter(monkeypatch, allocations="pod")
    labels = ',pod="train-0",namespace="ml",container="c"'
    exporter.read(0, _text("1", labels=labels))

    _, said = exporter.read(30, _text("2", labels=labels))
    _, after = exporter.read(60, _text("3", labels=',pod="",namespace=""'))

    [use] = said.uses
    assert (use.job, use.device, use.start_s, use.end_s) == ("ml/train-0", A, 0, None)
    assert use.holder.namespace == "ml"
    assert after.uses == []


def test_jobs__by_hpc_label__are_named_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = Exporter(monkeypatch, allocations="hpc_job")

    _, said = exporter.read(0, _text("1", labels=',hpc_job="4711"'))

    [use] = said.uses
    assert use.job == "4711"
    assert use.holder.labels == {"hpc_job": "4711"}
