"""The buy card in every state of a sale, and for every kind of account."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api.chain.abi import Function
from scripts.demo.market import operator_of
from scripts.demo.sources import Facility
from scripts.dev.stack import COMPLIANCE, wallet
from tests.browser.browser import Visit, visit
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
BUYER, CONTRACT, DELEGATED, REFUNDED, CROWD = 31, 32, 33, 34, 35
# Code that returns one word, the selector of `onERC1155Received`: it takes units.
TAKES_UNITS = "0x63f23a6e6160e01b5f5260205ff3"
# Code that reverts whatever it is asked.
REFUSES_ALL = "0x5f5ffd"
# An address that nobody has the key of, for code that keys delegate to.
DELEGATE = "0x" + "de" * 20


def _visit(browser: Browser, stage: Stage, facility: Facility, index: int) -> tuple[Visit, Page]:
    """A buyer with dollars and a place on the allow-list, before the card of a tranche."""
    account = wallet(index).address
    stage.onboard(account)
    stage.give_dollars(account, 1_000)
    stage.indexed()
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open(f"/tranches/{facility.token_ids[0]}")
    found.connect()
    return found, page


def _card(page: Page) -> Locator:
    return page.get_by_role("region", name="Buy")


def test_sale__before_its_hours__says_when_and_opens_by_itself(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("early")
    stage.sell(facility, opens_in_s=3_600)
    found, page = _visit(browser, stage, facility, BUYER)

    card = _card(page)
    expect(card.get_by_text("Not open yet")).to_be_visible()
    expect(card.get_by_text(re.compile("^The sale opens at 20.* UTC"))).to_be_visible()
    expect(card.get_by_role("button", name=re.compile("^(Buy|Approve)"))).to_have_count(0)
    found.assert_clean()

    stage.pass_time(3_600)
    expect(card.get_by_text("Open", exact=True)).to_be_visible()
    expect(card.get_by_role("button", name="Buy 1 unit")).to_be_enabled()
    found.assert_clean()


def test_sale__paused__waits_and_goes_on_by_itself(browser: Browser, stage: Stage) -> None:
    facility = stage.offer("paused")
    stage.sell(facility)
    found, page = _visit(browser, stage, facility, BUYER)
    card = _card(page)
    expect(card.get_by_role("button", name="Buy 1 unit")).to_be_enabled()
    pauser = wallet(COMPLIANCE).address

    stage.do(pauser, "TrancheToken", Function("pause"))
    try:
        expect(card.get_by_text("Paused", exact=True)).to_be_visible()
        expect(card.get_by_text("This page notices when it ends.")).to_be_visible()
        expect(card.get_by_role("button", name=re.compile("^Buy"))).to_have_count(0)
        found.assert_clean()
    finally:
        stage.do(pauser, "TrancheToken", Function("unpause"))

    expect(card.get_by_role("button", name="Buy 1 unit")).to_be_enabled()
    found.assert_clean()


def test_sale__sold_out__offers_nothing(browser: Browser, stage: Stage) -> None:
    facility = stage.offer("gone", gpus=1)
    stage.sell(facility)
    stage.buy(wallet(CROWD).address, facility, 3)
    found, page = _visit(browser, stage, facility, BUYER)

    card = _card(page)
    expect(card.get_by_text("Sold out")).to_be_visible()
    expect(card.get_by_text("All units of this tranche are sold.")).to_be_visible()
    expect(card.get_by_role("textbox")).to_have_count(0)
    expect(card.get_by_role("button", name=re.compile("^(Buy|Approve)"))).to_have_count(0)
    found.assert_clean()


def test_sale__past_its_hours__is_ended_by_anybody(browser: Browser, stage: Stage) -> None:
    facility = stage.offer("late")
    stage.sell(facility)
    stage.buy(wallet(CROWD).address, facility, 2)
    found, page = _visit(browser, stage, facility, BUYER)
    stage.stack.chain.set_time(stage.window_start_s(facility) - 599)

    card = _card(page)
    expect(card.get_by_text("The sale takes no more orders.")).to_be_visible()
    found.assert_clean()
    card.get_by_role("button", name="End the sale").click()

    expect(card.get_by_text("The primary sale ended well: 2 units")).to_be_visible()
    # Its buyers hold units; what was left never came to be.
    assert stage.units(wallet(CROWD).address, facility) == 2
    assert stage.units(operator_of(facility), facility) == 0
    found.assert_clean()


def test_sale__missed_its_floor__is_refunded_in_the_browser(browser: Browser, stage: Stage) -> None:
    account = wallet(REFUNDED).address
    facility = stage.offer("short")
    stage.sell(facility, floor_micros=7_500_000)
    stage.buy(account, facility, 2)
    stage.stack.chain.set_time(stage.window_start_s(facility) - 599)
    stage.call(wallet(CROWD).address, "PrimarySale", "finalize", facility.facility_id)
    found, page = _visit(browser, stage, facility, REFUNDED)
    missed = "The sale did not come about: buyers paid 3.00 of the floor of 7.50 mUSD"
    expect(_card(page).get_by_text(missed)).to_be_visible()
    found.assert_clean()
    before = stage.dollars(account)

    _card(page).get_by_role("link", name="portfolio").click()
    refunds = page.get_by_role("region", name="Refunds", exact=True)
    expect(refunds.get_by_text("3.000000 mUSD")).to_be_visible()
    found.assert_clean()
    refunds.get_by_role("button", name="Take refund").click()

    expect(refunds.get_by_text(re.compile("^Refund of 2 units .*: done"))).to_be_visible()
    assert stage.dollars(account) - before == 3_000_000
    assert stage.units(account, facility) == 0
    # Nothing is left to be refunded; that it was done stays in sight.
    expect(refunds.get_by_role("button", name="Take refund")).to_have_count(0)
    expect(refunds.get_by_text(re.compile(": done"))).to_be_visible()
    found.assert_clean()


def test_buy__contract_that_takes_no_units__is_refused_at_the_simulation(
    browser: Browser, stage: Stage
) -> None:
    """Contracts approve in a transaction; that this one cannot hold units shows only when asked."""
    facility = stage.offer("vault")
    stage.sell(facility)
    account, sale = wallet(CONTRACT).address, stage.stack.deployment.primary_sale
    found, page = _visit(browser, stage, facility, CONTRACT)
    stage.rpc("anvil_setCode", account, REFUSES_ALL)
    try:
        page.reload()
        card = _card(page)
        expect(
            card.get_by_text("This account is a contract, which cannot sign permits")
        ).to_be_visible()
        expect(card.get_by_role("button", name="Approve 1.500000 mUSD")).to_be_enabled()
        found.assert_clean()
    finally:
        stage.rpc("anvil_setCode", account, "0x")

    # The wallet of its owners approves; then it is a contract again.
    stage.call(account, "SettlementToken", "approve", sale, 1_500_000)
    stage.rpc("anvil_setCode", account, REFUSES_ALL)
    try:
        expect(card.get_by_text("one transaction is left")).to_be_visible()
        card.get_by_role("button", name="Buy 1 unit").click()
        expect(card.get_by_role("alert")).to_contain_text("is a contract that cannot hold units")
        found.assert_clean()
    finally:
        stage.rpc("anvil_setCode", account, "0x")
    assert stage.units(account, facility) == 0


def test_buy__delegated_key__approves_and_buys_like_any_key(browser: Browser, stage: Stage) -> None:
    """EIP-7702: code at the account, and its key signs; its transactions are its own."""
    facility = stage.offer("agile")
    stage.sell(facility)
    account = wallet(DELEGATED).address
    stage.rpc("anvil_setCode", DELEGATE, TAKES_UNITS)
    stage.rpc("anvil_setCode", account, "0xef0100" + DELEGATE[2:])
    found, page = _visit(browser, stage, facility, DELEGATED)

    card = _card(page)
    expect(
        card.get_by_text("This account uses code that its key chose (EIP-7702).")
    ).to_be_visible()
    expect(card.get_by_text("contract")).to_have_count(0)
    found.assert_clean()
    card.get_by_role("button", name="Approve 1.500000 mUSD").click()
    card.get_by_role("button", name="Buy 1 unit").click()

    # A receipt stands in place of the form: a second press cannot buy again.
    receipt = card.get_by_role("group", name="Receipt")
    expect(receipt.get_by_text(re.compile("^Buy 1 unit of .*: done"))).to_be_visible()
    expect(receipt).to_be_focused()
    expect(card.get_by_role("button", name=re.compile("^Buy [0-9]"))).to_have_count(0)
    expect(card.get_by_role("textbox", name="Units")).to_have_count(0)
    assert stage.units(account, facility) == 1
    sent = page.evaluate("JSON.parse(localStorage.getItem('rentroll.transactions'))")
    assert [t["fromContract"] for t in sent] == [False, False]
    found.assert_clean()

    # Its page tells what happened, and of no other owners who would have to sign.
    card.get_by_role("link", name=re.compile("^0x")).click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Buy 1 unit of tranche")
    expect(
        page.get_by_text(re.compile("bought 1 unit of tranche .* for 1.500000 mUSD"))
    ).to_be_visible()
    expect(page.get_by_text("multisig")).to_have_count(0)
    found.assert_clean()
