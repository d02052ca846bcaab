"""Sightings: told every so often, broken at gaps, kept over restarts, with evidence beside them."""

from pathlib import Path
from typing import Any

import pytest

from api.agent.sightings import Look, Reading, Sightings
from api.agent.spool import Spool
from api.domain.metering.attributes import check_attributes
from api.domain.metering.events import parse_event
from tests.factories import START_S, device
from tests.unit.agent.desk import make_book, open_spool, said, spooled, use

SOURCE = "agent/n1/nvml"


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    return open_spool(tmp_path)


def _sightings(spool: Spool, **changes: Any) -> Sightings:
    values: dict[str, Any] = {"tell_every_s": 600, "gap_s": 90, "facility_of": lambda _d: 1}
    return Sightings(spool, SOURCE, **(values | changes))


def _look(at_s: int, *gpus: int, **reading: Any) -> Look:
    return Look(START_S + at_s, {device(gpu): Reading(**reading) for gpu in gpus})


def _spans(spool: Spool) -> list[tuple[str, str]]:
    return [(e["data"]["start"][11:19], e["data"]["end"][11:19]) for e in spooled(spool)]


def test_device__seen_all_the_time__is_told_of_without_a_gap(spool: Spool) -> None:
    sightings = _sightings(spool)

    for at_s in range(0, 1_801, 60):
        sightings.take(_look(at_s, 0), now_s=START_S + at_s)

    assert _spans(spool) == [
        *(("00:00:00", "00:10:00"), ("00:10:00", "00:20:00"), ("00:20:00", "00:30:00")),
    ]
    for event in spooled(spool):
        parse_event(event)


def test_gap__of_a_device_or_the_agent__is_in_no_sighting(spool: Spool, tmp_path: Path) -> None:
    for at_s in (0, 60, 120):
        _sightings(spool).take(_look(at_s, 0), now_s=START_S + at_s)
    spool.close()
    again = open_spool(tmp_path)

    for at_s in range(1_000, 1_601, 60):
        _sightings(again).take(_look(at_s, 0), now_s=START_S + at_s)
    _sightings(again).take(_look(1_800), now_s=START_S + 1_800)

    assert _spans(again) == [("00:00:00", "00:02:00"), ("00:16:40", "00:26:40")]


def test_restart__in_the_middle_of_a_sighting__loses_none_of_it(
    spool: Spool, tmp_path: Path
) -> None:
    for at_s in range(0, 301, 60):
        _sightings(spool).take(_look(at_s, 0), now_s=START_S + at_s)
    spool.close()
    again = open_spool(tmp_path)

    for at_s in range(360, 601, 60):
        _sightings(again).take(_look(at_s, 0), now_s=START_S + at_s)

    assert _spans(again) == [("00:00:00", "00:10:00")]


def test_evidence__of_a_sighting__stands_in_attributes_and_shows_gaps(spool: Spool) -> None:
    sightings = _sightings(spool, tell_every_s=120)
    readings = [
        {"utilisation_ppm": 200_000, "energy_mj": 1_000},
        {"utilisation_ppm": 400_000, "energy_mj": 5_000, "xid": 79},
        {"utilisation_ppm": 600_000, "energy_mj": 9_000, "ecc_uncorrected": 2},
        {"utilisation_ppm": 0, "energy_mj": 100},
        {"utilisation_ppm": 0, "energy_mj": 700},
    ]

    for place, reading in enumerate(readings):
        at_s = place * 60
        sightings.take(_look(at_s, 0, **reading), now_s=START_S + at_s)

    first, second = spooled(spool)
    assert (first["utilisationppm"], first["energymj"], first["xid"]) == (300_000, "4000", 79)
    assert second["energygap"] is True
    assert second["eccuncorrected"] == 2
    for event in (first, second):
        check_attributes(event)
        assert event["data"].keys() == {"facility_id", "device", "start", "end"}


def test_time__ahead_of_the_service__is_not_seen(spool: Spool) -> None:
    sightings = _sightings(spool)

    for at_s in range(0, 1_301, 60):
        sightings.take(_look(at_s + 500, 0), now_s=START_S + at_s)

    assert _spans(spool) == [("00:00:00", "00:10:00"), ("00:10:00", "00:20:00")]


def test_device__of_none_of_our_facilities__is_not_told(spool: Spool) -> None:
    sightings = _sightings(spool, facility_of=lambda _d: None)

    for at_s in range(0, 1_300, 60):
        sightings.take(_look(at_s, 0), now_s=START_S + at_s)

    assert spooled(spool) == []


def test_lost_device__is_an_outage_kept_from_the_lease_that_holds_it(spool: Spool) -> None:
    make_book(spool).take(said(10, use("7", 0, 0)), now_s=START_S + 10)
    lost = _sightings(spool, lost=True)

    for at_s in range(0, 661, 60):
        lost.take(_look(at_s, 0), now_s=START_S + at_s)

    event = spooled(spool)[-1]
    assert event["type"] == "rentroll.gpu.availability.v1"
    assert event["data"]["lease"] == "lease-a"
    assert event["data"]["cause"] == "fault"
    parse_event(event)


def test_muted_device__is_not_told_again_for_an_hour(spool: Spool) -> None:
    sightings = _sightings(spool)
    with spool.write() as db:
        db.execute("INSERT INTO muted VALUES (?, ?, 'x')", (device(0), START_S + 3_600))

    for at_s in range(0, 4_300, 60):
        sightings.take(_look(at_s, 0), now_s=START_S + at_s)

    assert _spans(spool) == [("00:50:00", "01:00:00"), ("01:00:00", "01:10:00")]
