"""The whole story in a browser: onboard, buy, meter, attest, pay, claim, verify, tamper."""

import csv
import io
import json
import re

import pytest
from playwright.sync_api import Browser, expect

from api.domain.statements.evidence import LINES_FILE, epoch_folder
from scripts.dev.stack import wallet
from tests.browser.browser import visit
from tests.browser.stage import EPOCH_S, Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
INVESTOR = 20
UNITS = 6


def test_story__investor_buys_and_claims_auditor_verifies(browser: Browser, stage: Stage) -> None:
    account = wallet(INVESTOR).address
    facility = stage.offer("harbour")
    stage.open_sale(facility)
    stage.give_dollars(account, 1_000)
    stage.indexed()
    token_id = facility.token_ids[0]
    visitor = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)

    # Not on the allow-list yet: the page says so before anything is signed.
    page = visitor.open(f"/tranches/{token_id}")
    visitor.connect()
    buy = page.get_by_role("region", name="Buy")
    expect(buy.get_by_text(re.compile("allow-list"))).to_be_visible()

    # Onboarded, and buys in the browser.
    stage.onboard(account)
    page.reload()
    buy = page.get_by_role("region", name="Buy")
    buy.get_by_role("textbox", name="Units").fill(str(UNITS))
    expect(buy.get_by_text("9.000000 mUSD", exact=True)).to_be_visible()
    buy.get_by_role("button", name=re.compile("^(Buy|Sign|Allow)")).click()
    expect(buy.get_by_text(re.compile(": done"))).to_be_visible()
    assert stage.units(account, facility) == UNITS

    # The sale ends, metering arrives, the epoch closes, rent is paid and settled, and streams.
    stage.finalize(facility)
    stage.deliver(facility, 0)
    paid = stage.pay_rent(facility, 0)
    assert paid > 0
    stage.settle(facility)
    stage.pass_time(EPOCH_S // 2)
    stage.indexed()
    page = visitor.open(f"/portfolio/{account}")
    expect(page.get_by_text("harbour").first).to_be_visible()
    expect(page.get_by_text("Claimable now").first).to_be_visible()
    before = stage.dollars(account)
    page.get_by_role("button", name=re.compile("^Claim all")).click()
    expect(page.get_by_text(re.compile(": done")).first).to_be_visible()
    assert stage.dollars(account) > before

    # The transaction has a page of its own, in words.
    page.get_by_role("main").get_by_role("link", name=re.compile("^0x")).last.wait_for()
    assert visitor.complaints == [], visitor.complaints

    _audit(browser, stage, facility.facility_id)


def _audit(browser: Browser, stage: Stage, facility_id: int) -> None:
    """An auditor without a wallet: the statement recomputed in the browser, a line verified."""
    auditor = visit(browser, base_url=stage.url)
    page = auditor.open(f"/facilities/{facility_id}/epochs/0")
    checked = page.get_by_role("region", name="Checked in your browser")
    expect(checked.locator("[data-state=running], [data-state=waiting]")).to_have_count(0)
    expect(checked.locator("li[data-state=equal]").first).to_be_visible()
    expect(checked.locator("li:not([data-state=equal])")).to_have_count(0)

    page = auditor.open(f"/facilities/{facility_id}/epochs/0/lines/1")
    checked = page.get_by_role("region", name="Checked in your browser")
    expect(checked.get_by_text("This line stands in the statement")).to_be_visible()

    # The same line pasted is confirmed; with one micro more it turns red, and says where.
    proof = stage.stack.get(f"/v1/facilities/{facility_id}/epochs/0/lines/1/proof")
    line = proof["line"]
    page = auditor.open("/audit")
    record = page.get_by_role("textbox", name="Record")
    record.fill(json.dumps(proof))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.get_by_text(re.compile("comparisons came out equal"))).to_be_visible()
    record.fill(json.dumps({**proof, "line": line | {"charge_micros": line["charge_micros"] + 1}}))
    page.get_by_role("button", name="Check", exact=True).click()
    refused = page.get_by_role("alert").filter(has_text="it is not what the chain confirms")
    expect(refused).to_contain_text("charge_micros")
    assert auditor.complaints == [], auditor.complaints

    _tampered_evidence(browser, stage, facility_id)


def _tampered_evidence(browser: Browser, stage: Stage, facility_id: int) -> None:
    """Evidence that somebody changed on its way: the browser finds the line."""
    auditor = visit(browser, base_url=stage.url)
    path = f"{epoch_folder(facility_id, 0)}/{LINES_FILE}"
    good = stage.stack.evidence_file(path)
    rows = good.splitlines(keepends=True)
    charge = next(csv.DictReader(io.StringIO(good)))["charge_micros"]
    rows[1] = rows[1].replace(f",{charge},", f",{int(charge) + 1},", 1)
    auditor.page.route(f"**/v1/evidence/{path}", lambda route: route.fulfill(body="".join(rows)))

    page = auditor.open(f"/facilities/{facility_id}/epochs/0")

    checked = page.get_by_role("region", name="Checked in your browser")
    expect(checked.locator("li[data-state=different]").first).to_be_visible()
    expect(checked.get_by_role("alert")).to_contain_text("Line ")
