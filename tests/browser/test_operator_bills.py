"""Bills in the console: issued once a month is stated whole, and readable by who has to pay."""

import pytest
from playwright.sync_api import Browser, expect

from scripts.dev.stack import wallet
from tests.browser.browser import Visit
from tests.browser.console import fit, shot, signed_in
from tests.browser.stage import CHALLENGE_WINDOW_S, Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
HOLDER = 34
# Of the text in an element.
_LINES = """element => {
  const range = document.createRange();
  range.selectNodeContents(element);
  return new Set([...range.getClientRects()].map(r => r.top)).size;
}"""


def test_bills__month_stated_whole__is_issued_and_read(browser: Browser, stage: Stage) -> None:
    facility = stage.fund("billed", wallet(HOLDER).address, 4)
    for epoch in range(3):
        stage.deliver(facility, epoch)
    stage.indexed()
    found, page = signed_in(browser, stage, 0)
    found.open(f"/operator/{facility.facility_id}?section=bills")
    months = page.get_by_role("table", name="Bills by month and lease")
    # Of four GPUs 13,800 seconds an hour, at 2.50 an hour, for three hours.
    row = months.get_by_role("row").filter(has_text="28.75")
    expect(row.get_by_role("cell", name="Draft", exact=True)).to_be_visible()
    fit(found)
    shot(page, "bills-draft")
    stage.pass_time(CHALLENGE_WINDOW_S + 60)

    issue = page.get_by_role("button", name="Issue now")
    expect(issue).to_be_visible()
    issue.click()
    documents = page.get_by_role("table", name="Bills and notes")
    expect(documents.get_by_text("28.75").first).to_be_visible()
    expect(issue).to_be_hidden()
    fit(found)
    shot(page, "bills")

    address = documents.get_by_role("link", name="as HTML").get_attribute("href")
    assert address is not None
    page.goto(stage.url + address)
    expect(page.get_by_role("heading", level=1)).to_contain_text("Bill")
    # One line high: no word of a head is broken.
    heads = page.get_by_role("columnheader")
    lines = heads.get_by_text("Statement", exact=True)
    assert page.evaluate(_LINES, lines.element_handle()) == 1
    assert not Visit(page, stage.url).axe()
    shot(page, "bill")
