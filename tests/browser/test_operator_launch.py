"""From an empty form to a sale or to minted units, through the pages; and the way back."""

import re
import uuid

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from api.domain.lifecycle import FacilityState
from api.domain.metering.instants import format_instant
from api.domain.units import FacilityId, tranche_id
from scripts.demo.simulate import HOUR_S
from scripts.dev.stack import OPERATORS, wallet
from tests.browser.browser import Visit, visit
from tests.browser.console import fit, signed_in
from tests.browser.stage import MICROS, Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
SELLER, MINTER = 1, 2
HOLDER, STRANGER = 27, 28
GPUS, EPOCHS = 4, 3
# Per cent of the fee; not what the form proposes.
ATTESTERS_SHARE = 35
# Attesters ask every few seconds for what they can sign, and the worker sends it.
APPROVAL_MS = 60_000


def _step(page: Page, title: str) -> Locator:
    return page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=title))


def _done(step: Locator) -> None:
    expect(step).to_have_attribute("data-state", "done")


def _approved(page: Page) -> None:
    """Wait until attesters approved the devices, which they do by themselves."""
    approval = _step(page, "Approval of the devices")
    expect(approval).to_have_attribute("data-state", "done", timeout=APPROVAL_MS)
    expect(approval).to_contain_text("Approved by panel 1 of attesters")


def _fill_offer(page: Page, stage: Stage, name: str) -> None:
    start_s = (stage.now_s // HOUR_S + 6) * HOUR_S
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.get_by_role("textbox", name="Site").fill("SE-LULEA-1")
    devices = [f"GPU-{uuid.uuid5(uuid.NAMESPACE_URL, f'{name}/{i}')}" for i in range(GPUS)]
    page.get_by_role("textbox", name="Devices").fill("\n".join(devices))
    page.get_by_label("Begins (UTC)").fill(format_instant(start_s)[:16])
    page.get_by_role("combobox", name="Epoch length").select_option(label="1 hour")
    page.get_by_role("textbox", name="Number of epochs").fill(str(EPOCHS))
    share = page.get_by_role("textbox", name="Attesters' share of the fee")
    expect(share).to_have_value("40")
    share.fill(str(ATTESTERS_SHARE))


def _register(found: Visit, stage: Stage, name: str, *, tranches: int) -> int:
    """Through the form, empty first; returns the facility's number."""
    page = found.page
    page.get_by_role("link", name="Offer a facility").click()
    page.get_by_role("button", name="Register facility").click()
    expect(page.get_by_role("alert").filter(has_text="fields need a look")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name", exact=True)).to_be_focused()
    fit(found)
    _fill_offer(page, stage, name)
    if tranches == 1:
        page.get_by_role("button", name="Remove the last").click()
    expect(page.get_by_text(f"Capacity: {GPUS * EPOCHS} GPU-hours.")).to_be_visible()
    expect(page.get_by_text("nor its evidence published by you 7 d after its end")).to_be_visible()
    page.get_by_role("button", name="Split the capacity").click()
    if tranches == 2:
        # Only the last tranche takes what is left.
        page.get_by_role("textbox", name="Tranche 0: coupon of a unit").fill("1")
    fit(found)
    page.get_by_role("button", name="Register facility").click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
    number = re.search(r"/operator/(\d+)", page.url)
    assert number is not None, page.url
    return int(number[1])


def _offer_on_chain(found: Visit, stage: Stage, facility_id: int) -> None:
    page = found.page
    fit(found)
    _step(page, "Offer it on-chain").get_by_role("button", name="Offer on-chain").click()
    _done(_step(page, "Offer it on-chain"))
    assert _state(stage, facility_id) == FacilityState.OFFERED
    registry = stage.stack.contracts.facility_registry
    terms = stage.stack.now(registry.terms_of(FacilityId(facility_id)))
    assert terms.attester_fee_bps == ATTESTERS_SHARE * 100


def _state(stage: Stage, facility_id: int) -> FacilityState:
    registry = stage.stack.contracts.facility_registry
    return stage.stack.now(registry.state_of(FacilityId(facility_id)))


def test_launch__by_sale__is_on_the_market_with_its_buy_card_open(
    browser: Browser, stage: Stage
) -> None:
    stage.give_dollars(wallet(OPERATORS[SELLER]).address, 1_000)
    found, page = signed_in(browser, stage, SELLER)
    facility_id = _register(found, stage, "lighthouse", tranches=1)
    _offer_on_chain(found, stage, facility_id)

    # The bond: terms once, then the exact allowance, then the deposit.
    bond = _step(page, "Bond")
    bond.get_by_role("textbox", name="Least bond").fill("50")
    bond.get_by_role("textbox", name="Price of a missing GPU-hour").fill("2.5")
    # A default that pays more than performance is warned of before it is agreed for good.
    bond.get_by_role("textbox", name="Market rent of a GPU-hour").fill("2.4")
    expect(bond.get_by_text("a default would pay holders more than performance")).to_be_visible()
    fit(found)
    bond.get_by_role("textbox", name="Market rent of a GPU-hour").fill("2.5")
    expect(bond.get_by_text("more than performance")).to_have_count(0)
    bond.get_by_role("button", name="Agree bond terms").click()
    expect(bond).to_contain_text("of at least 50.00 mUSD")
    expect(_step(page, "Units")).to_have_attribute("data-state", "later")
    fit(found)
    bond.get_by_role("button", name="Allow exactly this amount").click()
    bond.get_by_role("button", name="Deposit", exact=True).click()
    _done(bond)

    units = _step(page, "Units")
    units.get_by_role("button", name="Open a sale").click()
    send = units.get_by_role("button", name="Open the sale")
    expect(send).to_be_disabled()
    price = units.get_by_role("textbox", name="Price of a unit of tranche 0")
    # The promise must carry the price: 11.88 hours at 2.50 are 29.70.
    price.fill("3.1")
    expect(units.get_by_role("alert")).to_contain_text("worth 29.70, less than the 29.76")
    expect(send).to_be_disabled()
    fit(found)
    price.fill("2.5")
    expect(units.get_by_role("textbox", name="Floor")).to_have_attribute("placeholder", "15.00")
    fit(found)
    found.wallet("declineNext()")
    send.click()
    expect(units.get_by_role("alert")).to_contain_text("You declined in the wallet.")
    send.click()
    _done(units)
    ending = _step(page, "End the sale and fund")
    expect(ending).to_contain_text("0 of 12 units sold, 0.00 of the floor of 15.00 paid.")
    _approved(page)
    fit(found)

    # What an investor sees of it.
    stage.indexed()
    investor = visit(browser, base_url=stage.url)
    market = investor.open("/")
    market.get_by_role("link", name=re.compile("lighthouse")).first.click()
    buy = market.get_by_role("region", name="Buy")
    expect(buy).to_contain_text("Open")
    expect(buy).to_contain_text("2.50")
    # The devices are approved: nothing warns of a sale that would fail.
    expect(buy.get_by_text("must approve the devices")).to_have_count(0)
    assert market.url.endswith(f"/tranches/{facility_id << 8}")
    fit(investor)


def _mint(page: Page, *, tranche: int, units: int, holder: str) -> None:
    step = _step(page, "Units")
    step.get_by_role("combobox", name="Tranche").select_option(str(tranche))
    step.get_by_role("textbox", name="Units").fill(str(units))
    step.get_by_role("textbox", name="Holder").fill(holder)


def test_launch__by_minting__units_go_to_the_allow_list_alone(
    browser: Browser, stage: Stage
) -> None:
    holder = wallet(HOLDER).address
    stage.onboard(holder)
    found, page = signed_in(browser, stage, MINTER)
    facility_id = _register(found, stage, "breakwater", tranches=2)
    _offer_on_chain(found, stage, facility_id)

    # A bond of nothing: its terms are part of every offer all the same.
    bond, units = _step(page, "Bond"), _step(page, "Units")
    expect(units).to_have_attribute("data-state", "later")
    bond.get_by_role("textbox", name="Least bond").fill("0")
    bond.get_by_role("textbox", name="Price of a missing GPU-hour").fill("1")
    bond.get_by_role("button", name="Agree bond terms").click()
    _done(bond)
    units.get_by_role("button", name="Mint to holders").click()
    _mint(page, tranche=0, units=5, holder=wallet(STRANGER).address)
    expect(units.get_by_text("not on the allow-list of investors")).to_be_visible()
    expect(units.get_by_role("button", name="Mint units")).to_be_disabled()
    fit(found)
    _mint(page, tranche=0, units=5, holder=holder)
    units.get_by_role("button", name="Mint units").click()
    expect(units).to_contain_text("tranche 0 (senior): 5 of 7, tranche 1 (junior): 0 of 5")
    expect(units.get_by_text("units are left.")).to_have_count(0)
    # What was placed had no price: the way back stays open, and says so.
    page.get_by_role("button", name="Cancel the offer…").click()
    dialog = page.get_by_role("dialog", name="Cancel the offer of breakwater?")
    expect(dialog).to_contain_text("no money comes back for them")
    fit(found)
    dialog.get_by_role("button", name="Keep the offer").click()
    expect(dialog).to_have_count(0)
    # A tranche may be wholly unsold; attesters may still be at the devices.
    expect(_step(page, "Fund")).to_have_attribute("data-state", re.compile("^(now|waiting)$"))
    _mint(page, tranche=1, units=4, holder=holder)
    units.get_by_role("button", name="Mint units").click()
    expect(units).to_contain_text("tranche 1 (junior): 4 of 5")
    _approved(page)
    expect(_step(page, "Fund")).to_have_attribute("data-state", "now")
    fit(found)
    page.get_by_role("button", name="Fund the facility").click()
    _done(_step(page, "Fund"))

    assert _state(stage, facility_id) == FacilityState.FUNDED
    token = stage.stack.contracts.tranche_token
    positions = [token.position_of(holder, tranche_id(FacilityId(facility_id), i)) for i in (0, 1)]
    assert [stage.stack.now(one).units for one in positions] == [5, 4]
    fit(found)


def test_cancel__offered_with_a_bond__ends_it_and_frees_bond_and_devices(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("sandbank", operator=SELLER)
    facility_id, operator = facility.facility_id, wallet(OPERATORS[SELLER]).address
    stage.give_dollars(operator, 20)
    stage.call(operator, "BondVault", "setTerms", facility_id, (10 * MICROS, 1))
    vault = stage.stack.deployment.bond_vault
    stage.story.market.fill(operator, vault, 10 * MICROS)
    stage.call(operator, "BondVault", "deposit", facility_id, 10 * MICROS)
    stage.indexed()
    found, page = signed_in(browser, stage, SELLER)
    found.open(f"/operator/{facility_id}?section=launch")

    page.get_by_role("button", name="Cancel the offer…").click()
    dialog = page.get_by_role("dialog", name="Cancel the offer of sandbank?")
    expect(dialog).to_contain_text("This cannot be undone.")
    expect(dialog).to_contain_text("The bond of 10.00 mUSD is free")
    fit(found)
    dialog.get_by_role("button", name="Keep the offer").click()
    expect(dialog).to_have_count(0)
    assert _state(stage, facility_id) == FacilityState.OFFERED

    page.get_by_role("button", name="Cancel the offer…").click()
    found.wallet("declineNext()")
    dialog.get_by_role("button", name="Cancel the offer for good").click()
    expect(dialog.get_by_role("alert")).to_contain_text("You declined in the wallet.")
    dialog.get_by_role("button", name="Cancel the offer for good").click()
    expect(page.get_by_text("The offer was cancelled or expired, or its sale")).to_be_visible()
    expect(dialog).to_have_count(0)
    assert _state(stage, facility_id) == FacilityState.CANCELLED
    fit(found)

    # The bond comes back in two steps.
    page.get_by_role("main").get_by_role("link", name="Bond", exact=True).last.click()
    page.get_by_role("button", name="Release the bond").click()
    expect(page.get_by_text("nothing of its bond is left in the vault")).to_be_visible()
    fit(found)
    page.get_by_role("link", name="Proceeds", exact=True).click()
    row = page.get_by_role("row").filter(has=page.get_by_text("Released bonds"))
    row.get_by_role("button", name="Withdraw").click()
    expect(row).to_contain_text("nothing")
    fit(found)

    # And the devices can be pledged again.
    stage.indexed()
    again = facility.plan.facility | {"name": "sandbank-2"}
    assert stage.stack.post("/v1/facilities", again, stage.story.keys[SELLER])["facility_id"]
