"""A statement of the operator's own books is proven wrong: reopened on the page, and mended."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from scripts.demo.sources import Facility
from tests.browser.console import fit, signed_in
from tests.browser.stage import EPOCH_S, Stage
from tests.browser.wrong_books import correction, post_wrong_statement, prove_fault, usage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
OPERATOR = 0
# At least so long an epoch is open again: `domain.lifecycle.REOPENED_LEAST_S`.
REOPENED_S = 3_600


def _row(page: Page, epoch: int) -> Locator:
    # Its head is a number; once closed, a link to the statement.
    head = page.get_by_role("rowheader", name=re.compile(rf"^(Epoch )?{epoch}\b"))
    return page.get_by_role("table", name="Table of epochs").get_by_role("row").filter(has=head)


def _open_dialog(page: Page, facility: Facility) -> Locator:
    _row(page, 0).get_by_role("button", name="Reopen epoch 0").click()
    dialog = page.get_by_role("dialog", name="Reopen epoch 0")
    expect(dialog.get_by_text("can never be posted again")).to_be_visible()
    return dialog


def test_voided_epoch__reopened_on_the_page__is_corrected_closed_and_posted(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("estuary", operator=OPERATOR)
    stage.story.market.mint(facility)
    key = stage.story.keys[OPERATOR]
    path = f"/operator/{facility.facility_id}?section=epochs"
    post_wrong_statement(stage, facility)
    stage.indexed()
    found, page = signed_in(browser, stage, OPERATOR)
    found.open(path)
    expect(_row(page, 0)).to_contain_text("Posted")
    # A third of an hour is billed twice: 2.50 for the hour, and 0.83.
    expect(_row(page, 0)).to_contain_text("3.33")
    expect(_row(page, 0).get_by_role("button", name=re.compile("Reopen"))).to_have_count(0)

    # Proven wrong: the task says so, and its link leads to the row.
    prove_fault(stage, facility)
    stage.indexed()
    found.open(f"/operator/{facility.facility_id}?section=launch")
    task = page.get_by_role("listitem").filter(has_text="proven wrong on-chain")
    expect(task).to_contain_text("epoch 0 of estuary")
    task.get_by_role("link", name="Reopen").click()
    expect(_row(page, 0)).to_contain_text("Voided")
    fit(found)

    # Another tab stands at the same question.
    other = found.page.context.new_page()
    other.goto(stage.url + path)
    late = _open_dialog(other, facility)

    dialog = _open_dialog(page, facility)
    fit(found)
    dialog.get_by_role("button", name="Reopen epoch 0").click()
    expect(dialog.get_by_role("status")).to_contain_text("Epoch 0 is open until")
    fit(found)
    dialog.get_by_role("button", name="Done").click()
    expect(_row(page, 0)).to_contain_text("takes records until")
    expect(_row(page, 0).get_by_role("button", name=re.compile("Reopen"))).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="send its corrections by")).to_be_visible()
    late.get_by_role("button", name="Reopen epoch 0").click()
    expect(late.get_by_role("alert")).to_contain_text("It is open again already.")
    other.close()

    # The collector takes the wrong record back and sends what the device did.
    right = usage(stage, facility, "rest", 2_400, EPOCH_S)
    answer = stage.stack.post("/v1/events", [correction(facility), right], key)
    assert answer["accepted"] == 2, answer
    stage.pass_time(REOPENED_S + 5)
    stage.wait_posted(facility, 0)
    stage.indexed()
    expect(_row(page, 0)).to_contain_text("Posted")
    expect(_row(page, 0)).to_contain_text("2.50")
    expect(page.get_by_text("proven wrong on-chain")).to_have_count(0)
    fit(found)
