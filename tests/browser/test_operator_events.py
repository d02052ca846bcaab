"""Accepted events in the console: found, and put right after it was shown what that changes."""

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.console import fit, shot, signed_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]


def test_events__void_of_a_stated_use__is_shown_before_and_said_on_its_epoch(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("corrected")
    stage.meter(facility, 0)
    stage.state(facility, 0)
    stage.meter(facility, 1)
    found, page = signed_in(browser, stage, 0)
    found.open(f"/operator/{facility.facility_id}?section=events")
    table = page.get_by_role("table", name="Table of accepted events")
    expect(table.get_by_text("corrected-1-3", exact=True)).to_be_visible()
    fit(found)
    shot(page, "events")

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
    shot(page, "preview")
    page.get_by_role("button", name="Void the event").click()
    expect(table.get_by_text("Voided")).to_be_visible()

    stage.state(facility, 1)
    found.open(f"/facilities/{facility.facility_id}/epochs/0")
    expect(page.get_by_text("These figures are as they were stated then")).to_be_visible()
    expect(page.get_by_text("1.00 GPU-hours are taken back")).to_be_visible()
    fit(found)
    shot(page, "epoch")
