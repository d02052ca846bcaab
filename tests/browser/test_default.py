"""A default by those whose money waits: notice, cure, default, closing, on a tranche's page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from scripts.demo.sources import Facility
from scripts.dev.stack import wallet
from tests.browser.browser import visit
from tests.browser.console import fit
from tests.browser.stage import EPOCH_S, Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
HOLDER = 31
DAY_S = 86_400


@pytest.fixture
def unheard(stage: Stage) -> Iterator[Facility]:
    """A funded facility from whose window on no attester signs: nothing is stated."""
    facility = stage.fund("skerry", wallet(HOLDER).address, 4)
    stage.stack.stop_attesters()
    yield facility
    stage.stack.start_attesters()


def test_default__nothing_stated_nor_published__a_holder_gets_damages(
    browser: Browser, stage: Stage, unheard: Facility
) -> None:
    account, facility = wallet(HOLDER).address, unheard
    overdue_s = stage.window_start_s(facility) + EPOCH_S + stage.facility(facility)["patience_s"]
    stage.stack.chain.set_time(overdue_s + 5)
    stage.indexed()
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open(f"/tranches/{facility.token_ids[0]}")
    found.connect()
    ending = page.get_by_role("region", name="Default, end and closing")

    expect(ending.get_by_text("Epochs 0 to 2 are over, and neither stated nor")).to_be_visible()
    expect(ending.get_by_text("It is overdue: anybody can give notice now")).to_be_visible()
    fit(found)
    ending.get_by_role("button", name="Give notice of default").click()
    expect(ending.get_by_text(re.compile("^Give notice of default: .*: done"))).to_be_visible()
    expect(ending.get_by_text("If it is still neither stated nor published at")).to_be_visible()
    expect(ending.get_by_role("button", name="Declare default")).to_have_count(0)

    stage.pass_time(EPOCH_S + DAY_S + 5)
    expect(ending.get_by_text("anybody can declare the default now")).to_be_visible()
    fit(found)
    ending.get_by_role("button", name="Declare default").click()
    expect(ending.get_by_text(re.compile("^Declare default: .*: done"))).to_be_visible()
    expect(ending.get_by_text("It went into default at 20")).to_be_visible()

    stage.wait_closed(facility)
    stage.indexed()
    gave = ending.get_by_role("table", name="What the closing gave")
    units = gave.get_by_role("row").filter(has_text="Units of tranche 0")
    expect(units).to_contain_text("5.88")
    # Of 12 hours 99 % were promised, at a rate of 1.50 and less 1 % of fee; 4 of 12 units were
    # bought. Of the 6.00 of proceeds, 1.20 were released when the window began.
    missing_micros = 12 * 990_000 * 3 // 2
    fee_micros = missing_micros // 100
    due_micros = (missing_micros - fee_micros) * 4 // 12
    closing = stage.facility(facility)["ending"]["closing"]
    assert closing["to_units_micros"] == [due_micros]
    assert closing["to_treasury_micros"] == fee_micros
    assert closing["to_operator_micros"] == 24_800_000 - due_micros - fee_micros
    fit(found)
