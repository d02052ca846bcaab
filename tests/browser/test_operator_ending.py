"""What an operator does when attesters are silent: it publishes its evidence."""

import re

import pytest
from playwright.sync_api import Browser, expect

from api.domain.units import Epoch
from scripts.dev.stack import wallet
from tests.browser.console import fit, signed_in
from tests.browser.stage import EPOCH_S, Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
HOLDER = 36
HASH = "0x" + "c3" * 32


def test_publish__epoch_over_and_not_stated__stands_as_published(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.fund("estuary", wallet(HOLDER).address, 4)
    stage.indexed()
    # Over, and still in the time in which the service takes late records.
    stage.stack.chain.set_time(stage.window_start_s(facility) + EPOCH_S + 5)
    found, page = signed_in(browser, stage, 0)
    found.open(f"/operator/{facility.facility_id}?section=ending")
    ending = page.get_by_role("region", name="Default and end")

    expect(ending.get_by_text("Epoch 0 is over, and neither stated nor published.")).to_be_visible()
    expect(ending.get_by_text("anybody can give notice from 20")).to_be_visible()
    expect(ending.get_by_role("button", name="Give notice of default")).to_have_count(0)
    given = ending.get_by_role("textbox", name="Evidence hash of epoch 0")
    given.fill("0xc3")
    expect(ending.get_by_text("0x and 64 hexadecimal digits")).to_be_visible()
    expect(ending.get_by_role("button", name="Publish evidence")).to_be_disabled()
    given.fill(HASH)
    fit(found)
    ending.get_by_role("button", name="Publish evidence").click()

    expect(ending.get_by_text(re.compile("^Publish evidence of .*, epoch 0: done"))).to_be_visible()
    expect(ending.get_by_text("Every epoch that is over is stated or published.")).to_be_visible()
    registry = stage.stack.contracts.statement_registry
    published = registry.published_hash_of(facility.facility_id, Epoch(0))
    assert stage.stack.now(published).hex() == HASH[2:]
    fit(found)
