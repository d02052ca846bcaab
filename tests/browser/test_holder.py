"""What a holder does with units in the browser: send, take delivery, burn; and vouchers paid."""

import re

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api.domain.capital.orders import order_text
from scripts.demo.sources import Facility
from scripts.dev.stack import wallet
from tests.browser.browser import Visit, visit
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
SENDER, RECEIVER, ENDED, STRANGER = 36, 37, 38, 39
LEASE = "0x" + "5a" * 32


@pytest.fixture(scope="module")
def quays(stage: Stage) -> list[Facility]:
    """Those made so far, the newest last."""
    stage.onboard(wallet(RECEIVER).address)
    return []


@pytest.fixture
def quay(stage: Stage, quays: list[Facility]) -> Facility:
    """A facility that runs, of which the sender holds units; a new one if others let time pass."""
    if not quays or stage.now_s >= stage.window_start_s(quays[-1]):
        quays.append(stage.fund(f"quay {len(quays)}", wallet(SENDER).address, 8))
        stage.indexed()
    return quays[-1]


@pytest.fixture(scope="module")
def ended(stage: Stage) -> Facility:
    """A matured facility whose holder has three units and a voucher of two that was not served."""
    holder = wallet(ENDED).address
    facility = stage.fund("sundown", holder, 5)
    stage.take_delivery(facility, holder, 2, LEASE)
    stage.run_out(facility)
    stage.indexed()
    return facility


def _portfolio(browser: Browser, stage: Stage, index: int) -> tuple[Visit, Page]:
    account = wallet(index).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open(f"/portfolio/{account}")
    found.connect()
    return found, page


def _use(page: Page, facility: Facility, what: str | None = None) -> Locator:
    """The form that uses units of a facility."""
    form = page.get_by_role("region", name="Use units")
    form.get_by_label("Position").select_option(str(facility.token_ids[0]))
    if what is not None:
        form.get_by_text(what, exact=True).click()
    return form


def test_send__to_an_investor__moves_units(browser: Browser, stage: Stage, quay: Facility) -> None:
    found, page = _portfolio(browser, stage, SENDER)
    form = _use(page, quay)
    receiver = wallet(RECEIVER).address
    before = stage.units(receiver, quay)

    form.get_by_role("textbox", name="Units").fill("2")
    form.get_by_role("textbox", name="Receiver").fill(receiver)
    expect(form.get_by_text("is on the allow-list of investors and may receive")).to_be_visible()
    found.assert_clean()
    form.get_by_role("button", name="Send units").click()

    expect(form.get_by_text(re.compile("^Send 2 units of quay .*: done"))).to_be_visible()
    assert stage.units(receiver, quay) - before == 2
    found.assert_clean()


def test_send__to_a_stranger__is_refused_by_name(
    browser: Browser, stage: Stage, quay: Facility
) -> None:
    found, page = _portfolio(browser, stage, SENDER)
    form = _use(page, quay)
    stranger = wallet(STRANGER).address
    sent = int(stage.rpc("eth_getTransactionCount", wallet(SENDER).address, "latest"), 16)

    form.get_by_role("textbox", name="Units").fill("1")
    form.get_by_role("textbox", name="Receiver").fill(stranger)

    refusal = form.get_by_role("status").filter(has_text="may not receive units")
    expect(refusal).to_contain_text(f"{stranger[:6]}…{stranger[-4:]}")
    expect(form.get_by_role("button", name="Send units")).to_be_disabled()
    found.assert_clean()
    # Entered in the allow-list meanwhile: the page notices by itself.
    stage.onboard(stranger)
    expect(form.get_by_role("button", name="Send units")).to_be_enabled()
    assert int(stage.rpc("eth_getTransactionCount", wallet(SENDER).address, "latest"), 16) == sent


def test_delivery__taken__shows_its_voucher(browser: Browser, stage: Stage, quay: Facility) -> None:
    found, page = _portfolio(browser, stage, SENDER)
    form = _use(page, quay, "Take delivery")
    held = stage.units(wallet(SENDER).address, quay)

    pasted = form.get_by_role("textbox", name="Delivery order")
    expect(form.get_by_text("A unit would give 0.99 GPU-hours now")).to_be_visible()
    pasted.fill("harbour-lease")
    expect(form.get_by_text("This is no delivery order.")).to_be_visible()
    pasted.fill(order_text(*stage.order(quay, wallet(RECEIVER).address, 3, LEASE)))
    expect(form.get_by_text("This order is for another account.")).to_be_visible()
    pasted.fill(order_text(*stage.order(quay, wallet(SENDER).address, 3, LEASE)))
    expect(form.get_by_text("3 units together would give 2.97 GPU-hours now")).to_be_visible()
    found.assert_clean()
    form.get_by_role("button", name="Burn units and take delivery").click()

    expect(form.get_by_text(re.compile("^Delivery for 3 units of .*: done"))).to_be_visible()
    assert stage.units(wallet(SENDER).address, quay) == held - 3
    row = page.get_by_role("region", name="Vouchers of the account").get_by_role("row").nth(1)
    expect(row).to_contain_text("2.97")
    expect(row).to_contain_text("Served by delivery lines while the facility delivers.")
    found.assert_clean()


def test_burn__facility_still_runs__is_not_offered(
    browser: Browser, stage: Stage, quay: Facility
) -> None:
    found, page = _portfolio(browser, stage, SENDER)

    form = _use(page, quay)

    expect(form.get_by_text("Take delivery", exact=True)).to_be_visible()
    expect(form.get_by_text("Burn expired units")).to_have_count(0)
    found.assert_clean()


def test_burn__offer_was_cancelled__leaves_the_account(browser: Browser, stage: Stage) -> None:
    account = wallet(ENDED).address
    cancelled = stage.place_and_cancel("fog", account, 3)
    stage.indexed()
    found, page = _portfolio(browser, stage, ENDED)
    form = _use(page, cancelled, "Burn expired units")
    expect(form.get_by_text("nothing is paid for it")).to_be_visible()
    expect(form.get_by_text("Take delivery", exact=True)).to_have_count(0)
    held = stage.units(account, cancelled)

    form.get_by_role("textbox", name="Units").fill(str(held + 1))
    expect(form.get_by_text(f"Only {held} units are free.")).to_be_visible()
    form.get_by_role("textbox", name="Units").fill("0,9")
    expect(form.get_by_text("Enter a whole number of units")).to_be_visible()
    form.get_by_role("textbox", name="Units").fill("1")
    found.assert_clean()
    form.get_by_role("button", name="Burn expired units").click()

    expect(form.get_by_text(re.compile("^Burn 1 expired unit of fog, .*: done"))).to_be_visible()
    assert stage.units(account, cancelled) == held - 1
    found.assert_clean()


def test_voucher__unserved_after_the_end__is_credited_by_the_closing_and_withdrawn(
    browser: Browser, stage: Stage, ended: Facility
) -> None:
    account = wallet(ENDED).address
    found, page = _portfolio(browser, stage, ENDED)
    vouchers = page.get_by_role("region", name="Vouchers", exact=True)

    # Units and vouchers wait for the closing, which comes a day after the end.
    expect(vouchers.get_by_text("The facility has ended: its closing, from 20")).to_be_visible()
    expect(vouchers.get_by_role("button", name="Credit it")).to_have_count(0)
    waiting = page.get_by_role("region", name="Ended facilities")
    expect(waiting.get_by_text("It is not closed yet")).to_be_visible()
    expect(waiting.get_by_text("anybody can close the facility from 20")).to_be_visible()
    expect(waiting.get_by_text("a bond of 20.00 mUSD")).to_be_visible()
    expect(_use(page, ended).get_by_text("Burn expired units")).to_have_count(0)
    found.assert_clean()
    stage.wait_closed(ended)
    expect(
        vouchers.get_by_text("the closing gave 2.970000 mUSD for 1.98 GPU-hours")
    ).to_be_visible()
    expect(waiting.get_by_text("It was closed at 20")).to_be_visible()
    expect(waiting.get_by_text("All units of tranche 0 together got")).to_be_visible()
    found.assert_clean()
    before = stage.dollars(account)
    vouchers.get_by_role("button", name="Credit it").click()

    expect(vouchers.get_by_text(re.compile("^Credit of 2.970000 mUSD .*: done"))).to_be_visible()
    expect(vouchers.get_by_text("all that there is was credited")).to_be_visible()
    expect(vouchers.get_by_text("The rent lockbox holds 2.970000 mUSD for you")).to_be_visible()
    assert stage.dollars(account) == before
    found.assert_clean()
    vouchers.get_by_role("button", name="Withdraw 2.970000 mUSD").click()

    expect(vouchers.get_by_text(re.compile("^Withdraw 2.970000 mUSD .*: done"))).to_be_visible()
    expect(vouchers.get_by_role("button", name=re.compile("^Withdraw"))).to_have_count(0)
    assert stage.dollars(account) - before == 2_970_000
    found.assert_clean()

    # What the closing gave is on the page of the tranche.
    stage.indexed()
    page = found.open(f"/tranches/{ended.token_ids[0]}")
    gave = page.get_by_role("table", name="What the closing gave")
    row = gave.get_by_role("row").filter(has_text="Vouchers of tranche 0")
    expect(row).to_contain_text("2.97")
    found.assert_clean()
