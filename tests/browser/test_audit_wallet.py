"""The auditor's comparisons with the chain read through a wallet: an honest one, one that lies."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api.chain.signatures import function
from api.domain.hashing import keccak
from scripts.dev.stack import wallet
from tests.browser.browser import Visit, visit
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
AUDITOR = 30
EPOCH, LINE = "/facilities/1/epochs/0", "/facilities/1/epochs/0/lines/1"
PAGES = pytest.mark.parametrize("path", [EPOCH, LINE])


def _lie_about(found: Visit, selector: bytes) -> None:
    """From now on the wallet turns round what the registry of statements says."""
    found.wallet(f"lieAbout('0x{selector.hex()}')")


def _audit(
    browser: Browser, stage: Stage, path: str, *, chain_id: int = 31_337
) -> tuple[Visit, Page]:
    """An auditor whose wallet is connected, on a page."""
    found = visit(
        browser,
        base_url=stage.url,
        rpc_url=stage.rpc_url,
        account=wallet(AUDITOR).address,
        chain_id=chain_id,
    )
    page = found.open(path)
    found.connect()
    return found, page


def _checked(page: Page) -> Locator:
    return page.get_by_role("region", name="Checked in your browser")


def _expect_equal(page: Page) -> None:
    rows = _checked(page).locator("li[data-state]")
    expect(rows.first).to_be_visible()
    expect(_checked(page).locator("li:not([data-state=equal])")).to_have_count(0)


def _through_wallet(page: Page) -> None:
    _checked(page).get_by_text("My wallet's node").click()
    expect(_checked(page).get_by_text("The chain is read through your wallet")).to_be_visible()


@PAGES
def test_audit__through_the_wallet__comes_out_equal(
    browser: Browser, stage: Stage, path: str
) -> None:
    found, page = _audit(browser, stage, path)
    _expect_equal(page)
    asked = page.evaluate("window.__wallet.state.log.filter(m => m === 'eth_call').length")

    _through_wallet(page)

    _expect_equal(page)
    source = re.compile("^StatementRegistry.statementOf, block .*, read through your wallet$")
    expect(_checked(page).get_by_text(source).first).to_be_visible()
    # It is the wallet that was asked.
    log = "window.__wallet.state.log.filter(m => m === 'eth_call').length"
    assert page.evaluate(log) > asked
    found.assert_clean()


@PAGES
def test_audit__wallet_on_another_chain__is_not_offered(
    browser: Browser, stage: Stage, path: str
) -> None:
    found, page = _audit(browser, stage, path, chain_id=1)

    checked = _checked(page)
    expect(checked.get_by_text("Connect a wallet on this chain")).to_be_visible()
    expect(checked.get_by_text("My wallet's node")).to_have_count(0)
    _expect_equal(page)
    found.assert_clean()

    # Moved to our chain it is offered; moved away while it is read through, the node answers again.
    found.wallet("moveTo('0x7a69')")
    _through_wallet(page)
    _expect_equal(page)
    found.wallet("moveTo('0x1')")
    expect(checked.get_by_text(f"The chain is read through {stage.rpc_url}")).to_be_visible()
    _expect_equal(page)
    found.assert_clean()


@PAGES
def test_audit__wallet_lies_about_the_statement__turns_red(
    browser: Browser, stage: Stage, path: str
) -> None:
    found, page = _audit(browser, stage, path)
    _lie_about(found, keccak(b"statementOf(uint64,uint32)")[:4])
    _expect_equal(page)

    _through_wallet(page)

    checked = _checked(page)
    expect(checked.locator("li[data-state=different]").first).to_be_visible()
    expect(checked.get_by_role("alert")).to_be_visible()
    found.assert_clean()
    # Two readers that disagree: the other one still says what the contract stores.
    checked.get_by_text("Node of this service").click()
    _expect_equal(page)
    expect(checked.get_by_role("alert")).to_have_count(0)
    found.assert_clean()


def test_audit__wallet_lies_about_the_proof__turns_red(browser: Browser, stage: Stage) -> None:
    """The contract's own answer about the line, turned round on its way."""
    found, page = _audit(browser, stage, LINE)
    _lie_about(found, function("StatementRegistry", "verifyLine").selector)

    _through_wallet(page)

    expect(_checked(page).locator("li[data-state=different]")).to_have_count(1)
    found.assert_clean()
