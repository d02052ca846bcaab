"""API keys in the console: made and shown once, used by a collector, rotated, revoked."""

import re

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.browser import PATIENCE_MS
from tests.browser.console import fit, signed_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
_COLLECTOR = re.compile(r"rr_op_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}")


def _push(stage: Stage, key: str) -> tuple[int, str | None]:
    """Status and reason of an empty batch, as a collector sends it."""
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx.post(f"{stage.url}/v1/events", json=[], headers=headers, timeout=30)
    return answer.status_code, answer.json().get("reason")


def _kept(page: Page) -> str:
    """The key that the dialog shows, and the dialog closed."""
    field = page.get_by_label("API key", exact=True)
    expect(field).to_have_value(_COLLECTOR)
    key = field.input_value()
    page.get_by_role("button", name="I have kept it").click()
    expect(field).to_have_count(0)
    return key


def test_keys__made_rotated_and_revoked__a_collector_feels_it_at_once(
    browser: Browser, stage: Stage
) -> None:
    found, page = signed_in(browser, stage, 1)
    page.get_by_role("link", name="API keys").click()
    table = page.get_by_role("table", name="API keys")
    expect(table.get_by_text("first", exact=True)).to_be_visible()
    fit(found)

    page.get_by_role("button", name="Make a key").click()
    page.get_by_label("Name").fill("collector-oslo")
    fit(found)
    page.get_by_role("button", name="Make the key").click()
    page.get_by_text("This is the only time").wait_for()
    fit(found)
    first = _kept(page)
    assert _push(stage, first) == (200, None)
    console = httpx.get(f"{stage.url}/v1/console", headers={"Authorization": f"Bearer {first}"})
    assert (console.status_code, console.json()["scope"]) == (403, "read")

    page.get_by_role("button", name="Rotate collector-oslo").click()
    page.get_by_role("button", name="Make the successor").click()
    second = _kept(page)
    assert [_push(stage, key) for key in (first, second)] == [(200, None)] * 2
    assert first not in page.content() + second

    # Both bear the name; the old one, whose end is near, comes with no other button.
    old = table.get_by_role("row").filter(has_text=first[:18])
    expect(old).to_contain_text("Ending", timeout=PATIENCE_MS)
    old.get_by_role("button", name="Revoke collector-oslo").click()
    fit(found)
    page.get_by_role("button", name="Revoke the key").click()
    expect(old).to_have_count(0, timeout=PATIENCE_MS)
    assert [_push(stage, key) for key in (first, second)] == [(401, "revoked"), (200, None)]

    changes = page.get_by_role("table", name="Changes of keys").get_by_role("row")
    expect(changes.nth(1)).to_contain_text(re.compile("revoked", re.IGNORECASE))
    # One made when the operator was registered, two here, and two that ended one.
    expect(changes).to_have_count(1 + 5)
    fit(found)
