"""A card that failed is replaced in the console: asked for, withdrawn, asked for anew, and sent."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scripts.dev.stack import wallet
from tests.browser.browser import PATIENCE_MS
from tests.browser.console import fit, shot, signed_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
OPERATOR, HOLDER = 1, 26
# Attesters ask every few seconds for what they can sign.
SIGNED_MS = 60_000


def _ask(page: Page, *, old: str, new: str) -> Locator:
    """Ask in the dialog; returns the table of replacements."""
    page.get_by_role("button", name="Replace a card").click()
    page.get_by_label("Card that goes").fill(old)
    page.get_by_label("Card that comes").fill(new)
    page.get_by_label("Reason").fill("RMA 17")
    page.get_by_role("button", name="Ask for the replacement").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    return page.get_by_role("table", name="Table of replacements")


def test_replacement__asked_withdrawn_and_asked_again__is_sent_and_shown(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("quarry", operator=OPERATOR)
    stage.sell(facility)
    stage.buy(wallet(HOLDER).address, facility, 3)
    stage.finalize(facility)
    stage.indexed()
    old = facility.plan.facility["devices"][0]
    wrong, new = (f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, f'quarry/{name}')}" for name in "wn")
    found, page = signed_in(browser, stage, OPERATOR)
    found.open(f"/operator/{facility.facility_id}?section=devices")
    expect(page.get_by_text("No card was replaced here.")).to_be_visible()

    # An empty form says what it wants.
    page.get_by_role("button", name="Replace a card").click()
    page.get_by_role("button", name="Ask for the replacement").click()
    expect(page.get_by_text("Name the device that comes.")).to_be_visible()
    fit(found)
    shot(page, "replacement-form")
    page.get_by_role("button", name="Cancel").click()

    # A card that was mistyped: attesters sign it before anybody notices.
    table = _ask(page, old=old, new=wrong)
    expect(table).to_contain_text("Waiting")
    send = page.get_by_role("button", name="Send the replacement")
    expect(send).to_be_visible(timeout=SIGNED_MS)
    fit(found)
    shot(page, "replacement-waits")
    page.get_by_role("button", name="Withdraw…").click()
    expect(page.get_by_role("dialog")).to_contain_text("can still be sent until epoch 0 begins")
    fit(found)
    page.get_by_role("button", name="Withdraw it").click()
    expect(table).to_contain_text("Withdrawn")
    expect(send).to_have_count(0)

    _ask(page, old=old, new=new)
    expect(send).to_be_visible(timeout=SIGNED_MS)
    send.click()
    expect(table.get_by_role("row").nth(1)).to_contain_text("Approved", timeout=SIGNED_MS)
    expect(table.get_by_role("row").nth(2)).to_contain_text("Withdrawn")
    devices = page.get_by_role("table", name="Table of devices")
    gone = devices.get_by_role("row").filter(has_text=re.compile("Replaced"))
    expect(gone).to_have_count(1, timeout=PATIENCE_MS)
    fit(found)
    shot(page, "replacement-sent")

    # The service refuses what makes no sense, and the dialog says why.
    page.get_by_role("button", name="Replace a card").click()
    page.get_by_label("Card that goes").fill(old)
    page.get_by_label("Card that comes").fill(wrong)
    page.get_by_label("Reason").fill("RMA 18")
    page.get_by_role("button", name="Ask for the replacement").click()
    expect(page.get_by_text("is not pledged in epoch")).to_be_visible()
    fit(found)
