"""Accepted events in the console: found, and put right after it was shown what that changes."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from api.domain.metering.events import USAGE
from api.domain.metering.instants import format_instant
from scripts.demo.sources import Facility
from tests.browser.console import fit, signed_in
from tests.browser.stage import EPOCH_S, GRACE_S, Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]


def _meter(stage: Stage, facility: Facility, epoch: int) -> None:
    """An hour of each device; the clock stands just behind it."""
    start_s = stage.window_start_s(facility) + epoch * EPOCH_S
    stage.stack.chain.set_time(start_s + EPOCH_S + 5)
    lease = facility.plan.leases[0]["lease_id"]
    times = {"start": format_instant(start_s), "end": format_instant(start_s + EPOCH_S)}
    events = [
        {
            "specversion": "1.0",
            "id": f"corrected-{epoch}-{i}",
            "source": "collector/tests",
            "type": USAGE,
            "data": {
                "facility_id": facility.facility_id,
                "device": device,
                "lease": lease,
                "gpu_seconds": EPOCH_S,
                **times,
            },
        }
        for i, device in enumerate(facility.plan.facility["devices"])
    ]
    answer = stage.stack.post("/v1/events", events, stage.story.keys[facility.plan.operator])
    assert answer["accepted"] == len(events), answer


def _closed(stage: Stage, facility: Facility, epoch: int) -> None:
    """Pass the cut-off of an epoch and wait for its statement."""
    end_s = stage.window_start_s(facility) + (epoch + 1) * EPOCH_S
    stage.stack.chain.set_time(end_s + GRACE_S + 5)

    def stated() -> bool:
        path = f"/v1/facilities/{facility.facility_id}/statements"
        return int(stage.stack.get(path)["total"]) > epoch

    stage.stack.wait(f"statement {epoch}", stated)


def _shot(page: Page, name: str) -> None:
    """A picture for a person, where a folder for pictures is named."""
    folder = os.environ.get("RENTROLL_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_events__void_of_a_stated_use__is_shown_before_and_said_on_its_epoch(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("corrected")
    _meter(stage, facility, 0)
    _closed(stage, facility, 0)
    _meter(stage, facility, 1)
    found, page = signed_in(browser, stage, 0)
    found.open(f"/operator/{facility.facility_id}?section=events")
    table = page.get_by_role("table", name="Table of accepted events")
    expect(table.get_by_text("corrected-1-3", exact=True)).to_be_visible()
    fit(found)
    _shot(page, "events")

    page.get_by_label("Event id").fill("corrected-0-1")
    page.get_by_role("button", name="Search").click()
    expect(table.get_by_role("row")).to_have_count(2)
    page.get_by_role("button", name="Void: corrected-0-1").click()
    page.get_by_label("Reason").fill("another renter's")
    page.get_by_role("button", name="Show what it changes").click()
    # Four GPUs at 2.50 in the second hour, less what one of the first hour was stated for.
    said = page.get_by_text("Epoch 1 would state 7.50 mUSD in place of 10.00: 2.50 less.")
    expect(said).to_be_visible()
    fit(found)
    _shot(page, "preview")
    page.get_by_role("button", name="Void the event").click()
    expect(table.get_by_text("Voided")).to_be_visible()

    _closed(stage, facility, 1)
    found.open(f"/facilities/{facility.facility_id}/epochs/0")
    expect(page.get_by_text("These figures are as they were stated then")).to_be_visible()
    expect(page.get_by_text("1.00 GPU-hours are taken back")).to_be_visible()
    fit(found)
    _shot(page, "epoch")
