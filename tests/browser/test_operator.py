"""Signing in to the operator's console: keys, contract wallets, strangers, and the way out."""

import json

import pytest
from eth_abi import encode
from playwright.sync_api import Browser, expect

from api.chain.calldata import checksum
from scripts.dev.devchain import ROOT
from scripts.dev.stack import OPERATORS, wallet
from tests.browser.browser import visit
from tests.browser.console import fit, signed_in
from tests.browser.stage import Stage

pytestmark = [pytest.mark.slow, pytest.mark.chain]
NOBODY = 24
OWNERS = (25, 26)


def test_sign_in__declined_then_signed__opens_the_console_until_signed_out(
    browser: Browser, stage: Stage
) -> None:
    account = wallet(OPERATORS[0]).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open("/operator")
    fit(found)
    found.connect()
    fit(found)

    found.wallet("declineNext()")
    page.get_by_role("button", name="Sign in").click()
    declined = page.get_by_role("alert").filter(has_text="You declined in the wallet")
    expect(declined).to_contain_text("You are not signed in.")
    assert page.request.get(stage.url + "/v1/session").status == 401
    fit(found)

    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("operator-1")).to_be_visible()
    expect(page.get_by_role("table", name="Your facilities")).to_be_visible()
    fit(found)

    # The session is the browser's: a reload asks for nothing.
    page.reload()
    expect(page.get_by_role("table", name="Your facilities")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in with Ethereum")).to_be_visible()
    assert page.request.get(stage.url + "/v1/session").status == 401
    assert not found.complaints, found.complaints


def test_sign_in__account_of_no_operator__is_told_what_to_do(
    browser: Browser, stage: Stage
) -> None:
    account = wallet(NOBODY).address
    found = visit(browser, base_url=stage.url, rpc_url=stage.rpc_url, account=account)
    page = found.open("/operator")
    found.connect()

    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_text("This account is not an operator's")).to_be_visible()
    fit(found)


def _deploy_wallet(stage: Stage) -> str:
    """A contract that two keys sign for, one after the other (ERC-1271)."""
    built = json.loads((ROOT / "build" / "contracts" / "WalletMock.json").read_text())
    owners = [wallet(i).address for i in OWNERS]
    data = "0x" + built["bytecode"] + encode(["address", "address"], owners).hex()
    call = {"from": owners[0], "data": data, "gas": hex(2_000_000)}
    tx_hash = bytes.fromhex(str(stage.rpc("eth_sendTransaction", call))[2:])
    stage.stack.wait("the wallet", lambda: stage.stack.client.receipt(tx_hash) is not None)
    receipt = stage.stack.client.receipt(tx_hash)
    assert receipt is not None
    assert receipt.contract_address is not None
    return checksum(receipt.contract_address)


def test_sign_in__contract_wallet__wants_every_owner(browser: Browser, stage: Stage) -> None:
    contract = _deploy_wallet(stage)
    stage.stack.admin("/v1/operators", {"name": "vault-hosting", "address": contract})
    owners = [wallet(i).address for i in OWNERS]
    found = visit(
        browser, base_url=stage.url, rpc_url=stage.rpc_url, account=contract, owners=owners[:1]
    )
    page = found.open("/operator")
    found.connect()

    # One of two owners is not enough: the contract says so, and the page in words.
    page.get_by_role("button", name="Sign in").click()
    refused = page.get_by_role("alert").filter(has_text="The signature is not of this account.")
    expect(refused).to_contain_text("its owners must have approved the message")
    fit(found)

    found.wallet(f"signBy({json.dumps(owners)})")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("vault-hosting")).to_be_visible()
    expect(page.get_by_text("You have no facility yet")).to_be_visible()
    fit(found)
    session = page.request.get(stage.url + "/v1/session").json()
    assert (session["address"], session["operator_name"]) == (contract, "vault-hosting")


def test_console__other_account_in_the_wallet__may_read_but_not_send(
    browser: Browser, stage: Stage
) -> None:
    facility = stage.offer("quay", operator=2)
    stage.indexed()
    found, page = signed_in(browser, stage, 2)

    found.wallet(f"become('{wallet(NOBODY).address}')")
    page.get_by_role("link", name="quay").first.click()

    expect(page.get_by_text("another account than the one that is signed in")).to_be_visible()
    own = page.get_by_text(f"Only {wallet(OPERATORS[2]).address[:6]}").first
    expect(own).to_contain_text("can send this")
    expect(page.get_by_role("button", name="Agree bond terms")).to_have_count(0)
    assert page.url.endswith(f"/operator/{facility.facility_id}")
    fit(found)
