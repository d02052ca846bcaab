"""The operator's console as its operator: signed in, and screens that must be fit to read."""

import os
from pathlib import Path

from playwright.sync_api import Browser, Page, expect

from scripts.dev.stack import OPERATORS, wallet
from tests.browser.browser import PATIENCE_MS, Visit, visit
from tests.browser.stage import Stage


def signed_in(browser: Browser, stage: Stage, operator: int) -> tuple[Visit, Page]:
    """A visitor who is one of the story's operators, from 0, on the overview."""
    account = wallet(OPERATORS[operator]).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open("/operator")
    found.connect()
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Sign out").wait_for()
    return found, page


def fit(found: Visit) -> None:
    """Nothing loads, no rule of accessibility is broken, and no error was heard so far."""
    expect(found.page.locator("[aria-busy=true]")).to_have_count(0, timeout=PATIENCE_MS)
    assert not (wrong := found.axe()), wrong
    assert not found.complaints, found.complaints


def shot(page: Page, name: str) -> None:
    """A picture for a person, where a folder for pictures is named."""
    folder = os.environ.get("RENTROLL_SHOTS")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
